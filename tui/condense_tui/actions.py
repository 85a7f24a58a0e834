"""Everything one can do in the app, in one table: keys, footers, help screen and command palette read it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from textual.binding import Binding, BindingType

Place = Literal["run", "runs", "presets", "compare"]
"""Where an action is there: on the run screen, in either list of the home screen, on the compare screen."""


@dataclass(frozen=True)
class Action:
    """One thing to do. `call` is the action, the screen's where it does not say `app.`.

    `keys` as Textual names them, `shown` as people write them, `plain` the same without Unicode. `hint` puts it in the
    footer, the lower the earlier; 0 leaves it out. `on` says where it is there.
    """

    call: str
    keys: tuple[str, ...]
    shown: str
    words: str
    help: str
    group: str
    plain: str = ""
    hint: int = 0
    on: tuple[Place, ...] = ("run",)


HOME, PLAYHEAD, LOOK, TRAINING, APP = "Choosing", "Playhead", "Looking", "Training", "Program"
_LISTS: tuple[Place, ...] = ("runs", "presets")
_FRAMES: tuple[Place, ...] = ("run", "compare")
_EVERYWHERE: tuple[Place, ...] = ("run", "runs", "presets", "compare")

ACTIONS: tuple[Action, ...] = (
    Action(
        "open",
        ("enter",),
        "⏎",
        "open",
        "Open the run, start the preset, or ask the machine for its runs",
        HOME,
        plain="enter",
        hint=1,
        on=("runs",),
    ),
    Action(
        "open",
        ("enter",),
        "⏎",
        "start",
        "Train the preset: shows first what can be set and what it costs",
        HOME,
        plain="enter",
        hint=1,
        on=("presets",),
    ),
    Action("recording", ("space",), "space", "play", "Play the preset's recording", HOME, hint=2, on=("presets",)),
    Action("other", ("tab", "left", "right"), "tab", "switch", "To the other list", HOME, hint=3, on=_LISTS),
    Action("list(1)", ("1",), "1", "runs", "The list of runs", HOME, on=_LISTS),
    Action("list(2)", ("2",), "2", "presets", "The list of presets", HOME, on=_LISTS),
    Action("filter", ("slash",), "/", "filter", "Show only what has these words in it", HOME, hint=4, on=_LISTS),
    Action(
        "mark", ("m",), "m", "mark", "Mark a run or a recording for comparing, or unmark it", HOME, hint=5, on=_LISTS
    ),
    Action("compare", ("c",), "c", "compare", "Compare what is marked, two to six", HOME, hint=6, on=_LISTS),
    Action(
        "play",
        ("space",),
        "space",
        "play",
        "Play or pause the playhead; training goes on either way",
        PLAYHEAD,
        hint=1,
        on=_FRAMES,
    ),
    Action("frame(-1)", ("left",), "←", "frame", "One frame back", PLAYHEAD, plain="left", hint=2, on=_FRAMES),
    Action("frame(1)", ("right",), "→", "frame", "One frame on", PLAYHEAD, plain="right", hint=2, on=_FRAMES),
    Action(
        "frame(-10)",
        ("shift+left",),
        "shift ←",
        "ten frames",
        "Ten frames back",
        PLAYHEAD,
        plain="shift left",
        on=_FRAMES,
    ),
    Action(
        "frame(10)",
        ("shift+right",),
        "shift →",
        "ten frames",
        "Ten frames on",
        PLAYHEAD,
        plain="shift right",
        on=_FRAMES,
    ),
    Action("start", ("home",), "home", "start", "To the first frame", PLAYHEAD, on=_FRAMES),
    Action("live", ("end",), "end", "live", "To the newest frame, and stay with it", PLAYHEAD, hint=4, on=_FRAMES),
    Action("speed(-1)", ("minus",), "-", "slower", "Play slower", PLAYHEAD, on=_FRAMES),
    Action("speed(1)", ("plus", "equals_sign"), "+", "faster", "Play faster", PLAYHEAD, on=_FRAMES),
    Action("same", ("x",), "x", "same step/loss", "Same step, or same loss", LOOK, hint=3, on=("compare",)),
    Action("layer(-1)", ("left_square_bracket",), "[", "layer", "The layer before", LOOK, hint=3, on=_FRAMES),
    Action("layer(1)", ("right_square_bracket",), "]", "layer", "The next layer", LOOK, hint=3, on=_FRAMES),
    Action("member(-1)", ("comma",), ",", "seed", "The seed before, of several", LOOK, hint=4, on=_FRAMES),
    Action("member(1)", ("full_stop",), ".", "seed", "The next seed, then their mean", LOOK, hint=4, on=_FRAMES),
    Action(
        "order", ("o",), "o", "order", "Order kernels by line, or as they are in the network", LOOK, hint=9, on=_FRAMES
    ),
    Action("log", ("l",), "l", "log axis", "Logarithmic or linear values", LOOK, hint=10, on=_FRAMES),
    Action("log_steps", ("L",), "L", "log steps", "Logarithmic or linear steps", LOOK, on=_FRAMES),
    Action("zoom", ("z",), "z", "zoom", "The focused panel on the whole screen, and back", LOOK, hint=11),
    Action("out", ("escape",), "esc", "all panels", "From one panel back to all of them", LOOK, hint=1),
    Action("panel(1)", ("1",), "1", "kernels", "Layers and heatmap", LOOK, on=_FRAMES),
    Action("panel(2)", ("2",), "2", "curves", "Loss and other curves", LOOK, on=_FRAMES),
    Action("panel(3)", ("3",), "3", "theory", "Eigenvalues, and prediction against measurement", LOOK),
    Action("panel(4)", ("4",), "4", "log", "Everything that happened, and the worker's own log", LOOK),
    Action("panel(5)", ("5",), "5", "output", "Output and direction field of a network with one input", LOOK),
    Action("palette", ("t",), "t", "palette", "The next of three colour palettes", LOOK, on=_FRAMES),
    Action("app.light", ("T",), "T", "dark or light", "Dark or light theme", LOOK, on=_EVERYWHERE),
    Action("compare", ("c",), "c", "compare", "Compare with other runs and recordings", LOOK, hint=6),
    Action(
        "pause",
        ("p",),
        "p",
        "pause",
        "Pause training, or go on with it; also from the last checkpoint",
        TRAINING,
        hint=5,
        on=("run",),
    ),
    Action(
        "pause",
        ("p",),
        "p",
        "pause",
        "Pause training, or go on with it; also from the last checkpoint",
        TRAINING,
        hint=5,
        on=("runs",),
    ),
    Action(
        "stop",
        ("s",),
        "s",
        "stop training",
        "Stop training; asks first, and leaves a checkpoint",
        TRAINING,
        on=("run", "runs"),
    ),
    Action(
        "new", ("n",), "n", "new run", "A new run like this one: shows its form", TRAINING, hint=13, on=("run", "runs")
    ),
    Action("reduce", ("r",), "r", "reduce", "The effective network of this run, and what it costs", TRAINING, hint=12),
    Action("export", ("e",), "e", "export", "Write the screen, a figure or the whole run to a file", APP, hint=8),
    Action("back", ("escape",), "esc", "back", "Back to where one came from", APP, hint=1, on=("compare",)),
    Action("app.home", ("h",), "h", "home", "All runs and presets; training goes on", APP, hint=7, on=_FRAMES),
    Action("app.redraw", ("ctrl+l",), "ctrl+l", "redraw", "Draw the screen anew", APP, on=_EVERYWHERE),
    Action("app.help", ("question_mark",), "?", "help", "All keys", APP, hint=7, on=_EVERYWHERE),
    Action("app.leave", ("q", "ctrl+q"), "q", "leave", "Leave; training goes on", APP, hint=8, on=_EVERYWHERE),
)

# The two other ways in, which Textual itself binds.
ALSO = (("ctrl+p", "Every action by its name"),)
ALSO_IN_A_RUN = (*ALSO, ("tab", "The next panel; in the heatmap, arrows move a cursor"))


def actions_on(*places: Place) -> list[Action]:
    """The actions of a screen, one a key: where two places of it use a key, that of the first counts."""
    found: dict[str, Action] = {}
    for place in places:
        for action in ACTIONS:
            if place in action.on and action.keys[0] not in found:
                found[action.keys[0]] = action
    return [action for action in ACTIONS if found.get(action.keys[0]) is action]


def bindings(*places: Place) -> list[BindingType]:
    """Textual's bindings for a screen."""
    return [Binding(",".join(action.keys), action.call, action.words, show=False) for action in actions_on(*places)]


def footer_hints(
    unicode: bool, place: Place = "run", without: Collection[str] = (), called: Mapping[str, str] = MappingProxyType({})
) -> list[tuple[str, str, tuple[str, ...]]]:
    """Keys, words and calls for the footer, the most important first, actions with the same words together: ("←→",
    "frame", ("frame(-1)", "frame(1)")).

    `without` are actions that would do nothing now, by what they call, arguments left out; `called` gives some of them
    other words."""
    hints: dict[tuple[int, str], tuple[str, tuple[str, ...]]] = {}
    for action in actions_on(place):
        call = action.call.partition("(")[0]
        if action.hint and call not in without:
            words = called.get(call, action.words)
            shown = action.shown if unicode or not action.plain else action.plain
            before, calls = hints.get((action.hint, words), ("", ()))
            joint = "/" if before and not unicode and action.plain else ""
            hints[action.hint, words] = before + joint + shown, (*calls, action.call)
    return [(keys, words, calls) for (_, words), (keys, calls) in sorted(hints.items(), key=lambda item: item[0][0])]
