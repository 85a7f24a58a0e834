"""The keys of every place: those of the table of actions, or those that somebody prefers, which are checked here."""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import replace
from types import MappingProxyType

from textual.binding import Binding, BindingType
from textual.keys import KEY_NAME_REPLACEMENTS
from textual.keys import Keys as TextualKeys

from condense_core.errors import CondenseError, nearest
from condense_core.text import short
from condense_tui.actions import ACTIONS, Action, Place

# Of one action.
MOST_KEYS = 4

Keys = Mapping[str, tuple[str, ...]]
"""Keys that somebody prefers, as Textual names them, by the actions' names; an action that is not there has its own."""
DEFAULT: Keys = MappingProxyType({})

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
