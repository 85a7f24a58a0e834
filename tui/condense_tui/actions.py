"""Every action of the app in one table: keys, footers, the help screen and the command palette read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Place = Literal["run", "runs", "presets", "compare"]
"""Where an action is available: on the run screen, in either list of the home screen, on the compare screen."""


@dataclass(frozen=True)
class Action:
    """One action. `call` is the method that Textual calls, the screen's unless it begins with `app.`.

    `keys` as Textual names them, `shown` as people write them, `plain` the same without Unicode. `hint` is its place
    in the footer, lower numbers first; 0 leaves it out. `on` says where it is available.
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

    @property
    def name(self) -> str:
        """What it is called in the preferences: `palette`, `previous-frame`, `panel-1`."""
        call = self.call.removeprefix("app.")
        return _NAMES.get(call, call.replace("_", "-").replace("(", "-").removesuffix(")"))


# Names of actions that go two ways.
_NAMES = {
    "frame(-1)": "previous-frame",
    "frame(1)": "next-frame",
    "frame(-10)": "ten-frames-back",
    "frame(10)": "ten-frames-on",
    "speed(-1)": "slower",
    "speed(1)": "faster",
    "layer(-1)": "previous-layer",
    "layer(1)": "next-layer",
    "member(-1)": "previous-seed",
    "member(1)": "next-seed",
    "log": "log-values",
    "suspend_process": "suspend",
}

HOME, PLAYHEAD, LOOK, TRAINING, APP = "Choosing", "Playhead", "Looking", "Training", "Program"
KEEPING = "Keeping runs"
_LISTS: tuple[Place, ...] = ("runs", "presets")
_FRAMES: tuple[Place, ...] = ("run", "compare")
_EVERYWHERE: tuple[Place, ...] = ("run", "runs", "presets", "compare")

ACTIONS: tuple[Action, ...] = (
    Action(
        "open",
        ("enter",),
        "⏎",
        "open",
        "Open the run, start the preset, or list the host's runs",
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
        "Train the preset; first shows its settings and how long training takes",
        HOME,
        plain="enter",
        hint=1,
        on=("presets",),
    ),
    Action("recording", ("space",), "space", "play", "Play the preset's recording", HOME, hint=2, on=("presets",)),
    Action("other", ("tab", "left", "right"), "tab", "switch", "Go to the other list", HOME, hint=3, on=_LISTS),
    Action("list(1)", ("1",), "1", "runs", "Go to the list of runs", HOME, on=_LISTS),
    Action("list(2)", ("2",), "2", "presets", "Go to the list of presets", HOME, on=_LISTS),
    Action(
        "filter",
        ("slash",),
        "/",
        "filter",
        "Show only entries with the words you type, or runs that fit a query: status:done tag:x lines>1 lr<1e-3",
        HOME,
        hint=4,
        on=_LISTS,
    ),
    Action("mark", ("m",), "m", "mark", "Mark a run or a recording, or unmark it", HOME, hint=5, on=_LISTS),
    Action("mark_all", ("M",), "M", "mark all", "Mark all runs that are listed, or none", HOME, on=("runs",)),
    Action("sort", ("o",), "o", "sort", "Sort runs by the next field; the title names it", HOME, hint=14, on=("runs",)),
    Action("rename", ("r",), "r", "rename", "Give the run a name", KEEPING, hint=15, on=("runs",)),
    Action("note", ("N",), "N", "note", "Write a note beside the run", KEEPING, hint=17, on=("runs",)),
    Action("tag", ("number_sign",), "#", "tag", "Tag the marked runs, or this one", KEEPING, hint=15, on=("runs",)),
    Action(
        "archive",
        ("a",),
        "a",
        "archive",
        "Take the marked runs, or this one, out of the list, or bring archived ones back",
        KEEPING,
        hint=16,
        on=("runs",),
    ),
    Action(
        "delete",
        ("d", "delete"),
        "d",
        "delete",
        "Delete the marked runs, or this one; asks first",
        KEEPING,
        hint=16,
        on=("runs",),
    ),
    Action("compare", ("c",), "c", "compare", "Compare the two to six that are marked", HOME, hint=6, on=_LISTS),
    Action(
        "play",
        ("space",),
        "space",
        "play",
        "Play or pause the playhead; training continues either way",
        PLAYHEAD,
        hint=1,
        on=_FRAMES,
    ),
    Action("frame(-1)", ("left",), "←", "frame", "One frame back", PLAYHEAD, plain="left", hint=2, on=_FRAMES),
    Action("frame(1)", ("right",), "→", "frame", "One frame forward", PLAYHEAD, plain="right", hint=2, on=_FRAMES),
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
        "Ten frames forward",
        PLAYHEAD,
        plain="shift right",
        on=_FRAMES,
    ),
    Action("start", ("home",), "home", "live", "Go to the first frame", PLAYHEAD, on=_FRAMES),
    Action("live", ("end",), "end", "live", "Go to the newest frame, and follow it", PLAYHEAD, hint=4, on=_FRAMES),
    Action("speed(-1)", ("minus",), "-", "speed", "Play slower", PLAYHEAD, on=_FRAMES),
    Action("speed(1)", ("plus", "equals_sign"), "+", "speed", "Play faster", PLAYHEAD, on=_FRAMES),
    Action(
        "same",
        ("x",),
        "x",
        "same step/loss",
        "Compare at the same step or loss",
        LOOK,
        hint=3,
        on=("compare",),
    ),
    Action("layer(-1)", ("left_square_bracket",), "[", "layer", "Previous layer", LOOK, hint=3, on=_FRAMES),
    Action("layer(1)", ("right_square_bracket",), "]", "layer", "Next layer", LOOK, hint=3, on=_FRAMES),
    Action("member(-1)", ("comma",), ",", "seed", "Previous seed", LOOK, hint=4, on=_FRAMES),
    Action("member(1)", ("full_stop",), ".", "seed", "Next seed; after the last, their mean", LOOK, hint=4, on=_FRAMES),
    Action("rows", ("w",), "w", "outputs", "Compare the neurons' weights, or their outputs", LOOK, hint=9, on=_FRAMES),
    Action("spectrum", ("v",), "v", "spectrum", "Next recorded spectrum: of Z, Hessian, tangent kernel, weights", LOOK),
    Action("order", ("o",), "o", "order", "Order kernels by line, or by index", LOOK, hint=9, on=_FRAMES),
    Action("cut", ("u",), "u", "cut", "Count lines at the other cut, |cos| 0.9 or 0.8", LOOK, hint=9, on=_FRAMES),
    Action("log", ("l",), "l", "log axis", "Logarithmic or linear value axis", LOOK, hint=10, on=_FRAMES),
    Action("log_steps", ("L",), "L", "log axis", "Logarithmic or linear step axis", LOOK, on=_FRAMES),
    Action("fold", ("f",), "f", "fold", "Fold or unfold the chosen layer's block", LOOK, hint=3),
    Action("fold_all", ("F",), "F", "fold", "Unfold all blocks, or fold them", LOOK),
    Action(
        "find",
        ("slash",),
        "/",
        "curves",
        "Choose curves; in a long list of layers or the log, find words",
        LOOK,
        hint=11,
    ),
    Action(
        "scalars",
        ("slash",),
        "/",
        "curves",
        "Choose curves among all recorded scalars",
        LOOK,
        hint=11,
        on=("compare",),
    ),
    Action("smooth", ("m",), "m", "smooth", "Moving average of the curves: next weight, or none", LOOK, on=_FRAMES),
    Action("zoom", ("z",), "z", "zoom", "Zoom the focused panel to the whole screen, and back", LOOK, hint=11),
    Action("out", ("escape",), "esc", "all panels", "Back from one panel to all of them", LOOK, hint=1),
    Action("panel(1)", ("1",), "1", "panel", "Layers and heatmap", LOOK, on=_FRAMES),
    Action("panel(2)", ("2",), "2", "panel", "Loss and other curves", LOOK, on=_FRAMES),
    Action("panel(3)", ("3",), "3", "panel", "Eigenvalues, and prediction against measurement", LOOK),
    Action("panel(4)", ("4",), "4", "panel", "Events of the run, and the log of its worker process", LOOK),
    Action("panel(5)", ("5",), "5", "panel", "Output and direction field of a network with one input", LOOK),
    Action("panel(6)", ("6",), "6", "panel", "Weights: norms, singular values, orientations", LOOK),
    Action("panel(7)", ("7",), "7", "panel", "The machine that trains", LOOK),
    Action("palette", ("t",), "t", "palette", "Next of three colour palettes", LOOK, on=_FRAMES),
    Action("app.light", ("T",), "T", "palette", "Dark or light theme", LOOK, on=_EVERYWHERE),
    Action("compare", ("c",), "c", "compare", "Compare with other runs and recordings", LOOK, hint=6),
    Action(
        "pause",
        ("p",),
        "p",
        "pause",
        "Pause or resume training, or a stopped run from its checkpoint",
        TRAINING,
        hint=5,
        on=("run",),
    ),
    Action(
        "pause",
        ("p",),
        "p",
        "pause",
        "Pause or resume training, or a stopped run from its checkpoint",
        TRAINING,
        hint=5,
        on=("runs",),
    ),
    Action(
        "stop",
        ("s",),
        "s",
        "stop training",
        "Stop training; asks first, and saves a checkpoint",
        TRAINING,
        on=("run", "runs"),
    ),
    Action(
        "new",
        ("n",),
        "n",
        "new run",
        "Start a new run like this one, after its settings",
        TRAINING,
        hint=13,
        on=("run", "runs"),
    ),
    Action("reduce", ("r",), "r", "reduce", "Replace each condensed line by one kernel", TRAINING, hint=12),
    Action("app.help", ("question_mark",), "?", "help", "Show all keys", APP, hint=7, on=_EVERYWHERE),
    Action("export", ("e",), "e", "export", "Export the screen, a figure or the whole run to a file", APP, hint=8),
    Action("back", ("escape",), "esc", "back", "Go back", APP, hint=1, on=("compare",)),
    Action(
        "difference",
        ("d",),
        "d",
        "difference",
        "The first run's heatmap less the next one's, or none",
        LOOK,
        hint=5,
        on=("compare",),
    ),
    Action("settings", ("i",), "i", "settings", "What the run was trained with", LOOK, hint=11),
    Action(
        "settings", ("i",), "i", "settings", "In what the settings of the runs differ", LOOK, hint=6, on=("compare",)
    ),
    Action(
        "export",
        ("e",),
        "e",
        "export",
        "Export the curves that are shown, or the screen, to a file",
        APP,
        hint=8,
        on=("compare",),
    ),
    Action("app.home", ("h",), "h", "home", "Go to all runs and presets; training continues", APP, hint=7, on=_FRAMES),
    Action("app.redraw", ("ctrl+l",), "ctrl+l", "redraw", "Redraw the screen", APP, on=_EVERYWHERE),
    Action("app.suspend_process", ("ctrl+z",), "ctrl+z", "suspend", "Suspend; fg comes back", APP, on=_EVERYWHERE),
    Action("app.leave", ("q", "ctrl+q"), "q", "leave", "Leave; training continues", APP, hint=8, on=_EVERYWHERE),
    Action(
        "copy",
        ("y",),
        "y",
        "copy",
        "Copy a number, the id, or the command that makes the run again",
        APP,
        hint=14,
        on=("run", "runs"),
    ),
    Action("copy", ("y",), "y", "copy", "Copy the preset's name, or the command that trains it", APP, on=("presets",)),
)

# Two more keys, which Textual itself binds.
ALSO = (("ctrl+p", "Search all actions by name"),)
ALSO_IN_A_RUN = (
    *ALSO,
    ("tab", "Next panel; in the heatmap, the arrow keys move a cursor"),
    ("in a curve", "← → move a cursor (shift: by ten), ↑ ↓ zoom, ctrl ← → pan, 0 shows all, enter goes to that step"),
    ("in the log", "↑ ↓ scroll, end follows what comes, / searches, n N go to the next and the previous match"),
    ("mouse", "In a curve: point to read, wheel to zoom, drag to pan, double click to go to that step"),
)
