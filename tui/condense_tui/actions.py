"""Every action of the app in one table: keys, footers, the help screen and the command palette read it."""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from textual.binding import Binding, BindingType
from textual.keys import KEY_NAME_REPLACEMENTS
from textual.keys import Keys as TextualKeys

from condense_core.errors import CondenseError, nearest
from condense_core.text import short

# Of one action.
MOST_KEYS = 4
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

Keys = Mapping[str, tuple[str, ...]]
"""Keys that somebody prefers, as Textual names them, by the actions' names; an action that is not there has its own."""
DEFAULT: Keys = MappingProxyType({})

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


# What the keys of one map do: those of a screen, and of the home screen in either of its lists.
SCREENS: tuple[tuple[Place, ...], ...] = (("run",), ("runs", "presets"), ("compare",))
# Keys that are Textual's own, and what they do.
_TAKEN = {
    "ctrl+p": "the list of all actions",
    "tab": "the next panel",
    "shift+tab": "the panel before",
}
# Signs by the names that Textual has for them, and the other way round.
_SIGNS = {
    KEY_NAME_REPLACEMENTS.get(name, name): sign
    for sign in string.punctuation
    if (name := unicodedata.name(sign).lower().replace("-", "_").replace(" ", "_"))
}
_NAME_OF = {sign: name for name, sign in _SIGNS.items()}
_ARROWS = {"left": "←", "right": "→", "up": "↑", "down": "↓"}
# Modifiers as Textual names them.
_MODIFIERS = frozenset({"shift", "ctrl", "alt", "super", "hyper", "meta"})


class KeysError(CondenseError):
    """Keys that cannot be used."""

    exit_code = 2


def chosen_keys(wanted: Mapping[str, str | list[str]]) -> Keys:
    """Keys of the preferences, by the actions' names, checked; KeysError names what clashes."""
    known = dict.fromkeys(action.name for action in ACTIONS)
    found: dict[str, tuple[str, ...]] = {}
    for name, keys in wanted.items():
        if name not in known:
            raise KeysError(f"keys: unknown {short(name)}; {nearest(name[:60], known)}")
        several = [keys] if isinstance(keys, str) else keys
        if not several or len(several) > MOST_KEYS:
            raise KeysError(f"keys.{name}: expected a key or up to {MOST_KEYS}, got {short(keys)}")
        found[name] = tuple(_key_named(key, name) for key in several)
    for places in SCREENS:
        _check_clashes(_own_actions(*places), found)
    return found


def _check_clashes(actions: list[Action], keys: Keys) -> None:
    by: dict[str, Action] = {}
    for action in actions:
        for key in keys.get(action.name, action.keys):
            other = by.setdefault(key, action)
            if other.name != action.name:
                raise KeysError(f"keys: {other.name} and {action.name} have the same key, {short(_shown(key))}")
            if key in _TAKEN and action.name in keys:
                raise KeysError(f"keys: {action.name} and {_TAKEN[key]} have the same key, {short(key)}")


def _key_named(key: str, name: str) -> str:
    """A key as Textual names it: `slash` for `/`, `ctrl+x` as it is."""
    *modifiers, last = key.split("+") if len(key) > 1 else [key]
    last = _NAME_OF.get(last, last)
    known = (len(last) == 1 and last.isalnum()) or last in {key.value for key in TextualKeys} | {"space", *_SIGNS}
    if not set(modifiers) <= _MODIFIERS or not known:
        raise KeysError(f"keys.{name}: expected a key such as x, X, /, f5, ctrl+x or shift+left, got {short(key)}")
    return "+".join([*modifiers, last])


def _shown(key: str, unicode: bool = True) -> str:
    *modifiers, last = key.split("+")
    if unicode and last in _ARROWS:
        return " ".join([*modifiers, _ARROWS[last]])
    return "+".join([*modifiers, _SIGNS.get(last, last)])


def _with_keys(action: Action, keys: Keys) -> Action:
    own = keys.get(action.name)
    if own is None:
        return action
    return replace(action, keys=own, shown=_shown(own[0]), plain=_shown(own[0], unicode=False))


def keymap(keys: Keys) -> dict[str, str]:
    """Those keys as Textual takes them."""
    return {name: ",".join(own) for name, own in keys.items()}


def actions_on(*places: Place, keys: Keys = DEFAULT) -> list[Action]:
    """The actions of a screen with their keys, one for each key: where two of its places use the same key, the first
    one's counts."""
    return [_with_keys(action, keys) for action in _own_actions(*places)]


def _own_actions(*places: Place) -> list[Action]:
    found: dict[str, Action] = {}
    for place in places:
        for action in ACTIONS:
            if place in action.on and action.keys[0] not in found:
                found[action.keys[0]] = action
    return [action for action in ACTIONS if found.get(action.keys[0]) is action]


def bindings(*places: Place) -> list[BindingType]:
    """Textual's bindings for a screen."""
    return [
        Binding(",".join(action.keys), action.call, action.words, show=False, id=action.name)
        for action in actions_on(*places)
    ]


def footer_hints(
    unicode: bool,
    place: Place = "run",
    without: Collection[str] = (),
    called: Mapping[str, str] = MappingProxyType({}),
    keys: Keys = DEFAULT,
) -> list[tuple[str, str, tuple[str, ...]]]:
    """Keys, words and calls for the footer, most important first, actions with the same words together: ("←→",
    "frame", ("frame(-1)", "frame(1)")).

    `without` names the actions that would do nothing now, by their `call` without arguments; `called` gives some of
    them other words."""
    hints: dict[tuple[int, str], tuple[str, tuple[str, ...]]] = {}
    for action in actions_on(place, keys=keys):
        call = action.call.partition("(")[0]
        if action.hint and call not in without:
            words = called.get(call, action.words)
            shown = action.shown if unicode or not action.plain else action.plain
            before, calls = hints.get((action.hint, words), ("", ()))
            joint = "/" if before and not unicode and action.plain else ""
            hints[action.hint, words] = before + joint + shown, (*calls, action.call)
    return [(shown, words, calls) for (_, words), (shown, calls) in sorted(hints.items(), key=lambda item: item[0][0])]
