"""What the two papers say, read from `papers/` once, and what a preset is beside its record."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from condense_core.errors import ScenarioError
from condense_core.scenario.deviations import Compared, compare
from condense_core.scenario.experiment import Experiment
from condense_core.scenario.papers import Paper, PaperRecord, load_paper

# Heads of what a preset declares of itself, on every page.
FOLLOWS = "follows"
BOUNDS = "how the bounds were set"
AFTER_LOOKING = "chosen after looking"

_FOLDER = Path(__file__).parent / "papers"


@lru_cache(maxsize=1)
def papers() -> dict[str, Paper]:
    """The papers by their short names, the one of 2022 first."""
    return {name: load_paper((_FOLDER / f"{name}.toml").read_text(encoding="utf-8"), name) for name in ("fcn", "cnn")}


def record(name: str) -> PaperRecord:
    """The record `fcn/3a`; ScenarioError that names the nearest where there is none."""
    paper, _, figure = name.partition("/")
    if paper not in papers():
        raise ScenarioError(f"record {name!r}: expected one of {', '.join(f'{known}/…' for known in papers())}")
    return papers()[paper].find(figure)


def record_of(experiment: Experiment) -> PaperRecord | None:
    """The record that a scenario names; None where it names none, or one that is not there."""
    about = experiment.about
    if about is None or not about.record:
        return None
    try:
        return record(about.record)
    except ScenarioError:
        # a run of another version of the program may name a record that this one does not have
        return None


def notes(experiment: Experiment) -> list[tuple[str, str]]:
    """What is to be known of a scenario beside its record: in what it differs, what is ours, what one without a record
    follows, how its bounds were set and what was chosen after looking; a head and a text each."""
    about = experiment.about
    declared = (
        []
        if about is None
        else [(FOLLOWS, about.follows), (BOUNDS, about.bounds), (AFTER_LOOKING, about.after_looking)]
    )
    return [*compared(experiment).lines, *((head, text) for head, text in declared if text)]


def compared(experiment: Experiment) -> Compared:
    """In what the scenario differs from its record; nothing where it has none."""
    found = record_of(experiment)
    return Compared(deviations=(), choices=(), agree=()) if found is None else compare(found, experiment)
