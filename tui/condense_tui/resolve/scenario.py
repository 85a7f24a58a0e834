"""From what a person says to the experiment that is meant: for commands and the form alike, without Typer."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict, Unpack

from condense_core.errors import ScenarioError
from condense_core.foreign import LONGEST_SCENARIO, bounded_text, decoding, read_text
from condense_core.text import place_of, short

if TYPE_CHECKING:
    from condense_core.scenario.experiment import Experiment

DATA_SETS = (
    "digits",
    "photos",
    "mnist",
    "cifar10",
    "cifar100",
    "folder:PATH",
    "npz:PATH",
    "csv:PATH",
    "own:NAME",
    "formula:TEXT",
)
# The field that is given after the colon, and what is expected there.
GIVEN = {
    "folder": ("path", "folder:PATH, with one folder of images for each class in PATH"),
    "npz": ("path", "npz:PATH, a file of numpy.savez with arrays X and y"),
    "csv": ("path", "csv:PATH, a table of numbers whose last column is trained towards"),
    "own": ("set", "own:NAME, a data set of a plugin of yours"),
    "formula": ("target", "formula:TEXT, such as formula:sin(3*x1)"),
}


class ScenarioOptions(TypedDict, total=False):
    """What has an option of its own beside `--set`."""

    seed: int | None
    seeds: int | None
    vary: str | None
    data: str | None
    data_root: Path | None
    download: bool


class DescribedScenario(NamedTuple):
    """The experiment that a command line describes, the preset's name (empty if it was none), and of a file of a
    person's own the fields that are otherwise than in it."""

    experiment: Experiment
    preset: str
    changed: tuple[str, ...]


def build_scenario(scenario: str, *, settings: list[str], **options: Unpack[ScenarioOptions]) -> tuple[Experiment, str]:
    """The experiment that a command line describes, and the preset's name (empty if it was none)."""
    experiment, preset, _ = described(scenario, settings=settings, **options)
    return experiment, preset


def described(
    scenario: str,
    *,
    settings: list[str],
    seed: int | None = None,
    seeds: int | None = None,
    vary: str | None = None,
    data: str | None = None,
    data_root: Path | None = None,
    download: bool = False,
) -> DescribedScenario:
    """What a command line describes, with what of it is not in the file."""
    from condense_core.scenario import toml as scenarios
    from condense_presets import preset_folder

    text, source, preset = _read(scenario)
    table = scenarios.parse(text, source)
    _find_initial(table, preset_folder(preset) if preset else Path() if scenario == "-" else Path(source).parent)
    base = table
    table = scenarios.override(table, _data_settings(table, data, data_root, download), "--data")
    if seed is not None:
        table = scenarios.override(table, [f"seed={seed}"], "--seed")
    if seeds is not None:
        table = scenarios.override(table, [f"ensemble.members={seeds}"], "--seeds")
    if vary is not None:
        table = scenarios.override(table, [f"ensemble.vary={vary}"], "--vary")
    typed = {"seed": "--seed"} if seed is not None else {}
    typed |= {"ensemble.members": "--seeds"} if seeds is not None else {}
    typed |= {"ensemble.vary": "--vary"} if vary is not None else {}
    with _as_typed(source, typed, settings):
        experiment = scenarios.build(scenarios.override(table, settings), source)
    return DescribedScenario(experiment, preset, () if preset else _changed_over(base, experiment))


def _changed_over(base: dict[str, Any], experiment: Experiment) -> tuple[str, ...]:
    """The fields that are otherwise than in a file; none where that is no whole scenario without them."""
    from condense_core.runs.label import changed_fields
    from condense_core.scenario import toml as scenarios

    try:
        before = scenarios.dumps(scenarios.build(base))
    except ScenarioError:
        return ()
    return changed_fields(scenarios.dumps(experiment), before)


def changed(
    text: str, source: str, *, data: str, seed: str, seeds: str, settings: list[str], vary: str = ""
) -> Experiment:
    """The experiment in TOML `text` with another data set, seed, number of seeds, what varies between them, and
    settings; an empty `data` or `vary` leaves what is there."""
    from condense_core.scenario import toml as scenarios

    table = scenarios.parse(text, source)
    table = scenarios.override(table, _data_settings(table, data or None, None, False), "data")
    table = scenarios.override(table, [f"seed={seed}", f"ensemble.members={seeds}"], "seed")
    table = scenarios.override(table, [f"ensemble.vary={vary}"] if vary else [], "vary")
    typed = {"seed": "seed", "ensemble.members": "seeds", "ensemble.vary": "vary"}
    with _as_typed(source, typed, settings):
        return scenarios.build(scenarios.override(table, settings, "change"), source)


@contextlib.contextmanager
def _as_typed(source: str, typed: Mapping[str, str], settings: Sequence[str]) -> Iterator[None]:
    """An error of a field that was given by another name is said by that name: `--seeds: expected 1 to 4096, got 5000`.
    What `settings` name is called as there."""
    try:
        yield
    except ScenarioError as error:
        by_field = {setting.partition("=")[0] for setting in settings}
        for field, name in typed.items():
            words = str(error).removeprefix(f"{source}: {field}: ")
            if words != str(error) and field not in by_field:
                raise ScenarioError(f"{name}: {words}") from None
        raise


def _read(scenario: str) -> tuple[str, str, str]:
    """Text of a scenario, how errors should call it, and its name where it is a preset."""
    from condense_presets import preset_text

    if scenario == "-":
        with decoding(ScenarioError, "cannot read standard input"):
            # in UTF-8, whatever the locale here says of other texts; one that was closed is None
            data = b"" if sys.stdin is None else sys.stdin.buffer.read(LONGEST_SCENARIO + 1)
            return bounded_text(data, LONGEST_SCENARIO), "standard input", ""
    path = place_of(scenario)
    if path.suffix == ".toml" or "/" in scenario:
        with decoding(ScenarioError, f"cannot read the scenario {path}"):
            return read_text(path, LONGEST_SCENARIO), str(path), ""
    return preset_text(scenario), scenario, scenario


def find_recording(name: str, runs_dir: Path | None) -> Path:
    """What a person means to look at: a path, a preset by its whole name where it has a recording, or a run.

    RunFileError if it is none of these, with the nearest recording or run.
    """
    from condense_core.runs import named
    from condense_core.runs.place import runs_folder
    from condense_presets import all_preset_files, recordings

    return named.find_recording(name, runs_folder(runs_dir), named.Shipped(recordings(), all_preset_files()))


def _find_initial(table: dict[str, Any], folder: Path) -> None:
    """Weights that a scenario starts from lie beside its file, wherever the command is given."""
    initial = table.get("initial")
    if isinstance(initial, str) and initial:
        table["initial"] = str(folder / place_of(initial))


def _data_settings(table: dict[str, Any], data: str | None, root: Path | None, download: bool) -> list[str]:
    settings = []
    named = table.get("data")
    name = named.get("name", "") if isinstance(named, dict) else ""
    if data is not None:
        name, _, given = data.partition(":")
        settings.append(f"data.name={name}")
        if name in GIVEN:
            field, expected = GIVEN[name]
            if not given:
                raise ScenarioError(f"--data {name}: expected {expected}")
            settings.append(f"data.{field}={given}")
            # how much of it there is, the file says; what the scenario draws of other data says nothing of it
            settings += ["data.samples=none", "data.test_samples=none"] if name in {"npz", "csv"} else []
        elif given:
            raise ScenarioError(f"--data {data}: expected one of {', '.join(DATA_SETS)}")
    if (root is not None or download) and name not in {"mnist", "cifar10", "cifar100"}:
        option = "--data-root" if root is not None else "--download"
        raise ScenarioError(
            f"{option}: the data set is {short(name)}; expected mnist, cifar10 or cifar100 (--data NAME)"
        )
    if root is not None:
        settings.append(f"data.root={root}")
    if download:
        settings.append("data.download=true")
    return settings
