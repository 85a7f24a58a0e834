"""The settings of a run, by dotted names: the fields of its scenario, or what its own script said."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from condense_core.runfile.reader import RunReader
from condense_core.scenario.experiment import Experiment
from condense_core.scenario.fields import fields
from condense_core.scenario.watched import Watched, settings
from condense_core.text import printable


@dataclass(frozen=True)
class RunSettings:
    """A run's name, and its settings in order; whether they are those of a script of somebody's own."""

    name: str
    watched: bool
    settings: tuple[tuple[str, str], ...]


def settings_of(trained: Experiment | Watched) -> dict[str, str]:
    """Values as one would write them, by dotted names."""
    if isinstance(trained, Watched):
        return dict(settings(trained))
    return {field.name: field.value for field in fields(trained)}


def read_settings(place: Path) -> RunSettings:
    """The settings of the run at `place`; RunFileError where it cannot be read."""
    with RunReader(place) as run:
        trained = run.subject
        pairs = tuple((printable(name), printable(value)) for name, value in settings_of(trained).items())
        return RunSettings(printable(run.info().name), isinstance(trained, Watched), pairs)
