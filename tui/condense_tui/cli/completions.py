"""What a shell offers while a word is typed: presets, runs, settings and their values, hosts, words of a query.

Each function is given what there is of the word and answers with whole words that begin so, with a line of help or
without. A shell waits for them: nothing here loads NumPy, and a run is opened only where a list of them is kept. What
cannot be read has nothing to offer; the command itself says why.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import typer

from condense_core.errors import CondenseError
from condense_tui.app.launch import SHELL_ASKS

Completions = list[str | tuple[str, str]]
if TYPE_CHECKING:
    from condense_core.scenario.experiment import Experiment

# Of so many runs, the newest, it is told what they are called, where the shell shows that.
CALLED = 20
# The first characters of a path, where the shell completes names of files itself.
_PATHS = ("/", "./", "../", "~")


def _or_nothing(offer: Callable[[typer.Context, str], Iterable[str | tuple[str, str]]]) -> Callable[..., Completions]:
    """What cannot be found out is not offered: in the middle of a line, an error has nowhere to be shown."""

    def offered(context: typer.Context, incomplete: str) -> Completions:
        try:
            return list(offer(context, incomplete))
        except (CondenseError, OSError):
            return []

    return offered


def _is_path(word: str) -> bool:
    return word.startswith(_PATHS)


def _presets() -> Iterator[str]:
    from condense_presets import all_preset_files

    # those to begin with come first
    names = all_preset_files()
    yield from sorted(names, key=lambda name: names[name].parent.name != "starters")


@_or_nothing
def scenarios(_context: typer.Context, incomplete: str) -> Iterable[str]:
    """Presets; the shell completes paths."""
    return () if _is_path(incomplete) else _presets()


@_or_nothing
def presets(_context: typer.Context, _incomplete: str) -> Iterable[str]:
    """Names of presets."""
    return _presets()


@_or_nothing
def runs(context: typer.Context, incomplete: str) -> Iterable[tuple[str, str]]:
    """Runs here, the newest first: by the names that they were given, and each by the part of its id that begins as the
    word does, with what it is called."""
    return () if _is_path(incomplete) else _runs(context, incomplete)


@_or_nothing
def recordings(context: typer.Context, incomplete: str) -> Iterable[str | tuple[str, str]]:
    """Runs here, then presets with a recording."""
    if _is_path(incomplete):
        return ()
    import condense_presets

    return [*_runs(context, incomplete), *condense_presets.recordings()]


@_or_nothing
def queries(_context: typer.Context, incomplete: str) -> Iterable[str | tuple[str, str]]:
    """Words of a query: fields with the sign behind them, and the values of those that have few."""
    return _query_words(incomplete)


@_or_nothing
def runs_or_queries(context: typer.Context, incomplete: str) -> Iterable[str | tuple[str, str]]:
    """Names of runs and parts of ids, or words of a query."""
    return [*_runs(context, incomplete), *_query_words(incomplete)]


@_or_nothing
def run_fields(_context: typer.Context, incomplete: str) -> Iterable[str]:
    """Fields of runs in a list, separated by commas; the one that is typed."""
    from condense_core.runs.row import field_names

    lead = incomplete[: incomplete.rfind(",") + 1]
    return (f"{lead}{name}" for name in field_names())


@_or_nothing
def sort_fields(_context: typer.Context, _incomplete: str) -> Iterable[str]:
    """A field of runs; a `-` before it, `shells` sees to."""
    from condense_core.runs.row import field_names

    return field_names()


@_or_nothing
def settings(_context: typer.Context, incomplete: str) -> Iterable[str | tuple[str, str]]:
    """KEY=VALUE of the scenario that is named before: its fields; behind the sign, the values of one."""
    from condense_core.scenario.fields import fields

    of_this = fields(_experiment())
    key, equals, _ = incomplete.partition("=")
    if equals:
        found = next((field for field in of_this if field.name == key), None)
        return () if found is None else (f"{key}={word}" for word in dict.fromkeys((found.value, *found.words)))
    fitting = [field for field in of_this if field.name.startswith(incomplete)]
    offered: Completions = [(f"{field.name}=", f"now {field.value}") for field in fitting]
    # a shell puts a space behind the only word that there is, and then the value could not be typed
    return [*offered, *(f"{field.name}={field.value}" for field in fitting if len(fitting) == 1)]


@_or_nothing
def formats(_context: typer.Context, _incomplete: str) -> Iterable[str]:
    """Formats of an export."""
    from condense_tui.export.wish import FORMATS

    return FORMATS


@_or_nothing
def pictured(context: typer.Context, incomplete: str) -> Iterable[str]:
    """What a picture shows; behind a comma or a plus the next of it."""
    from condense_tui.export.wish import NAMED, ON_PAPER

    cut = max(incomplete.rfind(","), incomplete.rfind("+")) + 1
    return [
        incomplete[:cut] + name
        for name in (*dict.fromkeys((*NAMED, *ON_PAPER)), "loss", "accuracy", "lines", "coverage")
    ]


@_or_nothing
def swept_measures(_context: typer.Context, _incomplete: str) -> Iterable[tuple[str, str]]:
    """What the picture of a sweep shows."""
    from condense_tui.sweep.show import SHOWN, title_of

    return [(name, title_of(name)) for name in SHOWN]


@_or_nothing
def hosts(_context: typer.Context, incomplete: str) -> Iterable[str | tuple[str, str]]:
    """Hosts of hosts.toml, and those that ssh's config names."""
    from condense_core.remote.client.hosts import known_hosts, named_in_ssh_config

    user, at, _ = incomplete.rpartition("@")
    known: dict[str, str] = {} if at else {name: host.ssh for name, host in known_hosts().items()}
    others = (f"{user}{at}{name}" for name in named_in_ssh_config() if name not in known)
    return [*known.items(), *others]


@_or_nothing
def data_sets(_context: typer.Context, incomplete: str) -> Iterable[str]:
    """Data sets by name, and the kinds of those that are given with a path."""
    from condense_tui.resolve.scenario import DATA_SETS

    named = [name.partition(":")[0] + (":" if ":" in name else "") for name in DATA_SETS]
    return [*named, *(name for name in DATA_SETS if ":" in name and name.startswith(incomplete))]


@_or_nothing
def devices(_context: typer.Context, _incomplete: str) -> Iterable[str]:
    """Devices that one can ask for."""
    return ("auto", "cpu", "cuda", "cuda:0")


def _experiment() -> Experiment:
    """That of the line's scenario, looked for among its words: behind an option without a value there are no arguments
    for Typer. The first one to begin with where none is named."""
    from condense_presets import all_preset_files
    from condense_tui.cli.shells import typed_words
    from condense_tui.resolve.scenario import build_scenario

    presets = all_preset_files()
    named = (word for word in typed_words() if word in presets or word.endswith(".toml"))
    return build_scenario(next(named, "digits-gd"), settings=[])[0]


def _runs(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    from condense_core.runs.about_file import given_names
    from condense_core.runs.place import run_folders, runs_folder

    if context.params.get("host"):
        # no machine is contacted in the middle of a line
        return []
    folder = runs_folder(context.params.get("runs_dir"))
    every = [run.name for run in run_folders(folder)]
    given = given_names(folder, every)
    same = Counter(given.values())
    by_name = [
        (name, _tail(run, ""))
        for run, name in given.items()
        if same[name] == 1 and name.startswith(incomplete) and not _is_path(name)
    ]
    tails = {name: tail for name in every if (tail := _tail(name, incomplete))}
    called = _called(context, list(tails))
    often = Counter(tails.values())
    # the ends of two ids can be the same, and then only the whole of each says which
    by_id = [(tail if often[tail] == 1 else name, called.get(name, "")) for name, tail in tails.items()]
    return by_name + by_id


def _tail(name: str, incomplete: str) -> str:
    """The longest end of an id that begins with what was typed, from a dash on; without its time for nothing typed."""
    if not incomplete:
        return re.sub(r"^\d{6}-\d{6}-(?=.)", "", name)
    starts = [0, *(match.end() for match in re.finditer("-", name))]
    return next((name[start:] for start in starts if name.startswith(incomplete, start)), "")


def _called(context: typer.Context, names: list[str]) -> dict[str, str]:
    """What runs are called where lists show them."""
    if os.environ.get(SHELL_ASKS, "").endswith("bash"):
        # which shows words and nothing else
        return {}
    from condense_core.runs.glance import glance
    from condense_core.runs.place import runs_folder
    from condense_presets import preset_base

    folder = runs_folder(context.params.get("runs_dir"))
    return {name: glance(folder / name, preset_base).label for name in names[:CALLED]}


def _query_words(incomplete: str) -> Completions:
    from condense_core.runs.row import FIELDS, field_names

    name, colon, _ = incomplete.partition(":")
    if colon:
        found = FIELDS.get(name)
        return [] if found is None else [f"{name}:{choice}" for choice in found.choices]
    offered: Completions = []
    for field in field_names():
        if not field.startswith(name):
            continue
        of_run = FIELDS.get(field)
        choices = of_run.choices if of_run is not None else ()
        numbers = of_run is not None and of_run.kind in {"number", "age"}
        # the words behind it also keep the shell from ending the word
        ends = ("<", ">") if numbers else (":", *(f":{choice}" for choice in choices)) if choices else (":", "~")
        offered += [(f"{field}{end}", of_run.help if of_run is not None else "") for end in ends]
    return offered
