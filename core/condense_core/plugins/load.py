"""Where a person's own plugins are, and importing them: only in processes that train or measure, and only what this
machine's preferences and installed packages name.

A scenario, a run file or another machine says no more than `own:NAME`: it names something that is here, or nothing.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.metadata
import socket
import sys
import traceback
import types
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, TypeVar

from condense_core.errors import ScenarioError, nearest
from condense_core.foreign import bounded_text, open_file, reason
from condense_core.plugins.kinds import KIND_NAMES, Own
from condense_core.preferences import config_folder, find_preferences
from condense_core.text import place_of, printable

ENTRY_POINTS = "condense_tui.plugins"
"""Group of entry points of installed packages, each of them a module."""
# Bytes of a plugin's file: thousands of lines.
LARGEST = 1_000_000
# Characters of what somebody's code says of itself, its error or its help.
LONGEST = 200

OwnT = TypeVar("OwnT", bound=Own)


class Plugin(NamedTuple):
    """A file or a package's module: what it is called, which version of it this is, and what it offers, or why it
    cannot be used."""

    source: str
    version: str
    offers: tuple[Own, ...] = ()
    trouble: str = ""
    file: str = ""
    """Where its code is, as tracebacks name it; empty for a package."""

    def __str__(self) -> str:
        return f"{self.source} ({self.version})" if self.version else self.source


class FoundPlugins(NamedTuple):
    """Something that a plugin offers, and the plugin."""

    own: Own
    plugin: Plugin

    def __str__(self) -> str:
        return f"own {KIND_NAMES[type(self.own)]} {self.own.name} of {self.plugin}"


class Plugins(NamedTuple):
    """All that could be loaded, by kind and name, and what could not, in lines."""

    found: dict[tuple[type[Any], str], FoundPlugins]
    troubles: tuple[str, ...]


@functools.cache
def plugins() -> Plugins:
    """All plugins of this machine, imported once a process. What is broken is a line among the troubles, and hinders
    nothing else."""
    found: dict[tuple[type[Any], str], FoundPlugins] = {}
    preferred = find_preferences()
    troubles = [preferred.trouble] if preferred.trouble else []
    for plugin in (*map(_of_file, preferred.preferences.plugins), *_of_packages()):
        if plugin.trouble:
            troubles.append(f"plugin {plugin.source}: {plugin.trouble}")
        for own in plugin.offers:
            first = found.setdefault((type(own), own.name), FoundPlugins(own, plugin))
            if first.own is not own:
                what = f"{KIND_NAMES[type(own)]} {own.name} left out, whose name one of {first.plugin.source} has"
                troubles.append(f"plugin {plugin.source}: {what}")
    return Plugins(found, tuple(troubles))


def find(kind: type[OwnT], name: str) -> tuple[OwnT, Plugin]:
    """What a plugin of this machine offers under that name; ScenarioError in one line where none does."""
    known = plugins()
    if (kind, name) not in known.found:
        what = KIND_NAMES[kind]
        others = [other for of, other in known.found if of is kind]
        instead = nearest(name, others) if others else f"no plugin here has {_an(what)}"
        why = f"; {'; '.join(known.troubles)}" if known.troubles else ""
        raise ScenarioError(
            f"no own {what} {name!r} on {socket.gethostname()}: {instead}{why} (condense-tui plugins lists them)"
        )
    own, plugin = known.found[kind, name]
    assert isinstance(own, kind)
    return own, plugin


def error_in_words(error: BaseException, file: str = "") -> str:
    """What somebody's code raised, in one line, with the last line of `file` that was in it."""
    text = printable(str(error))[:LONGEST]
    words = f"{type(error).__name__}: {text}" if text else type(error).__name__
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if file and frame.filename == file]
    if isinstance(error, SyntaxError) and error.filename == file:
        return words
    return f"{words} (line {lines[-1]})" if lines else words


def _an(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _of_file(named: str) -> Plugin:
    # never relative to wherever somebody happens to stand
    place = config_folder() / place_of(named)
    source = printable(named)
    try:
        with open_file(place) as opened:
            data = opened.read(LARGEST + 1)
        bounded_text(data, LARGEST)
    except (OSError, ValueError) as error:
        return Plugin(source, "", trouble=reason(error))
    version = f"sha256 {hashlib.sha256(data).hexdigest()[:12]}"
    # compiled from the bytes that are counted in the version, and nothing is written beside somebody's file
    module = types.ModuleType(f"condense_own_{version[-12:]}")
    module.__file__ = str(place)
    try:
        with _user_code():
            sys.modules[module.__name__] = module
            exec(compile(data, str(place), "exec", dont_inherit=True), module.__dict__)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - somebody's own code may raise anything
        sys.modules.pop(module.__name__, None)
        return Plugin(printable(place.name), version, trouble=error_in_words(error, str(place)))
    return _offered(module, printable(place.name), version, str(place))


def _of_packages() -> Iterator[Plugin]:
    for point in sorted(importlib.metadata.entry_points(group=ENTRY_POINTS)):
        name = printable(point.dist.name if point.dist else point.name)
        version = printable(point.dist.version) if point.dist else ""
        try:
            with _user_code():
                module = point.load()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - somebody's own code may raise anything
            yield Plugin(name, version, trouble=f"{point.value}: {error_in_words(error)}")
            continue
        if isinstance(module, types.ModuleType):
            yield _offered(module, name, version)
        else:
            yield Plugin(name, version, trouble=f"{point.value}: expected a module, got {type(module).__name__}")


@contextlib.contextmanager
def _user_code() -> Iterator[None]:
    """What a plugin prints while it is imported goes to the log: standard output belongs to whoever reads an answer."""
    with contextlib.redirect_stdout(sys.stderr):
        yield


def _offered(module: types.ModuleType, source: str, version: str, file: str = "") -> Plugin:
    own = tuple(_different(value for value in vars(module).values() if isinstance(value, Own)))
    trouble = "" if own else "offers nothing; expected functions under @probe, @activation or @data_set"
    return Plugin(source, version, own, trouble, file)


def _different(values: Iterable[Own]) -> list[Own]:
    return list({id(value): value for value in values}.values())
