"""Everything one can do on the run screen, in one table: keys, footer, help screen and command palette read it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Action:
    """One thing to do. `call` is the action, the run screen's where it does not say `app.`.

    `keys` as Textual names them, `shown` as people write them, `plain` the same without Unicode. `hint` puts it in the
    footer, the lower the earlier; 0 leaves it out.
    """

    call: str
    keys: tuple[str, ...]
    shown: str
    words: str
    help: str
    group: str
    plain: str = ""
    hint: int = 0


PLAYHEAD, LOOK, TRAINING, APP = "Playhead", "Looking", "Training", "Program"

ACTIONS: tuple[Action, ...] = (
    Action(
        "play", ("space",), "space", "play", "Play or pause the playhead; training goes on either way", PLAYHEAD, hint=1
    ),
    Action("frame(-1)", ("left",), "←", "frame", "One frame back", PLAYHEAD, plain="left", hint=2),
    Action("frame(1)", ("right",), "→", "frame", "One frame on", PLAYHEAD, plain="right", hint=2),
    Action("frame(-10)", ("shift+left",), "shift ←", "ten frames", "Ten frames back", PLAYHEAD, plain="shift left"),
    Action("frame(10)", ("shift+right",), "shift →", "ten frames", "Ten frames on", PLAYHEAD, plain="shift right"),
    Action("start", ("home",), "home", "start", "To the first frame", PLAYHEAD),
    Action("live", ("end",), "end", "live", "To the newest frame, and stay with it", PLAYHEAD, hint=4),
    Action("speed(-1)", ("minus",), "-", "slower", "Play slower", PLAYHEAD),
    Action("speed(1)", ("plus", "equals_sign"), "+", "faster", "Play faster", PLAYHEAD),
    Action("layer(-1)", ("left_square_bracket",), "[", "layer", "The layer before", LOOK, hint=3),
    Action("layer(1)", ("right_square_bracket",), "]", "layer", "The next layer", LOOK, hint=3),
    Action("member(-1)", ("comma",), ",", "seed", "Of several seeds: the one before, or the mean of all", LOOK),
    Action("member(1)", ("full_stop",), ".", "seed", "Of several seeds: the next, or the mean of all", LOOK),
    Action("order", ("o",), "o", "order", "Order kernels by line, or as they are in the network", LOOK, hint=7),
    Action("log", ("l",), "l", "log axis", "Logarithmic or linear values", LOOK, hint=8),
    Action("log_steps", ("L",), "L", "log steps", "Logarithmic or linear steps", LOOK),
    Action("zoom", ("z",), "z", "zoom", "The focused panel on the whole screen, and back", LOOK, hint=9),
    Action("panel(1)", ("1",), "1", "kernels", "Layers and heatmap", LOOK),
    Action("panel(2)", ("2",), "2", "curves", "Loss and accuracy", LOOK),
    Action("panel(3)", ("3",), "3", "theory", "Eigenvalues, and prediction against measurement", LOOK),
    Action("panel(4)", ("4",), "4", "log", "Everything that happened", LOOK),
    Action("panel(5)", ("5",), "5", "output", "Output and direction field of a network with one input", LOOK),
    Action("palette", ("t",), "t", "palette", "The next of three colour palettes", LOOK),
    Action("app.light", ("T",), "T", "dark or light", "Dark or light theme", LOOK),
    Action("pause", ("p",), "p", "pause training", "Pause training, or go on with it", TRAINING, hint=5),
    Action("stop", ("s",), "s", "stop training", "Stop training; asks first, and leaves a checkpoint", TRAINING),
    Action("export", ("e",), "e", "export", "Write the screen, a figure or the whole run to a file", APP, hint=11),
    Action("help", ("question_mark",), "?", "help", "All keys", APP, hint=6),
    Action("app.leave", ("q", "ctrl+q"), "q", "leave", "Leave; training goes on", APP, hint=10),
)

# The two other ways in, which Textual itself binds.
ALSO = (("ctrl+p", "Every action by its name"), ("tab", "The next panel; in the heatmap, arrows move a cursor"))


def footer_hints(unicode: bool) -> list[tuple[str, str]]:
    """Keys and words for the footer, actions with the same words together: ("←→", "frame")."""
    hints: dict[tuple[int, str], str] = {}
    for action in ACTIONS:
        if action.hint:
            shown = action.shown if unicode or not action.plain else action.plain
            before = hints.get((action.hint, action.words), "")
            joint = "/" if before and not unicode and action.plain else ""
            hints[action.hint, action.words] = before + joint + shown
    return [(keys, words) for (_, words), keys in sorted(hints.items(), key=lambda item: item[0][0])]
