"""Which runs are made together: presets with their cells, and how long each of them takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from condense_core.runfile.reader import KnownScenario
from condense_core.scenario.data_sizes import sample_count
from condense_core.scenario.experiment import Dense, Experiment
from condense_core.scenario.figures import PaperFigure

# A preset that does not say how long it takes is taken to be of average length.
UNKNOWN_MINUTES = 0.5
# How long another seed in the same run takes, as a share of the first: of a dense network 0.03 to 0.1 were measured; of
# convolutions, the training, without the reading of the data and the first second of measuring.
FURTHER_DRAW = 0.05
FURTHER_CONVOLUTIONS = 0.75
# Samples up to which draws train together: 60,000 images of MNIST are 200 MB a draw.
MANY_SAMPLES = 10_000


@dataclass(frozen=True)
class Cell:
    """One draw of the weights and one of the data of a preset: a run of its own, or a member of a run of several.

    Cells with one folder train as one; `experiment` is what that run trains.
    """

    preset: str
    seed: int
    data_seed: int
    experiment: Experiment
    folder: Path
    member: int = 0
    found: bool = False
    """It is finished already, in a run that may be of other draws too."""
    text: str = ""
    """The experiment as its run file has it, where that was written once already."""
    sweep: str = ""
    """What the sweep is called that it is of; lists put its runs together."""

    @property
    def known(self) -> KnownScenario | None:
        """For whoever reads its run."""
        return KnownScenario(self.text, self.experiment) if self.text else None


@dataclass(frozen=True)
class PresetPlan:
    """A preset with its cells, or the reason why it has none."""

    name: str
    experiment: Experiment
    cells: tuple[Cell, ...] = ()
    not_run: str = ""
    changes: tuple[str, ...] = ()
    """How the runs differ from the preset as it ships, in words."""

    @property
    def minutes(self) -> float:
        """Minutes that one cell takes by itself, as the preset says."""
        about = self.experiment.about
        return (about.minutes_cpu if about else None) or UNKNOWN_MINUTES

    def minutes_of(self, draws: int) -> float:
        """Minutes that so many of its cells take together."""
        return self.minutes + self.further_minutes * (draws - 1) if draws else 0.0

    @property
    def further_minutes(self) -> float:
        """Minutes that one more cell takes beside others."""
        return self.minutes * (FURTHER_DRAW if trains_as_one(self.experiment) else FURTHER_CONVOLUTIONS)


@dataclass(frozen=True)
class Plan:
    """All presets of a reproduction in the order of the report, runs that only a figure across presets needs, those
    figures, and what a budget cut, in words."""

    presets: tuple[PresetPlan, ...]
    cuts: tuple[str, ...] = ()
    own: tuple[PresetPlan, ...] = ()
    figures: tuple[PaperFigure, ...] = ()

    @property
    def trained(self) -> tuple[PresetPlan, ...]:
        """Everything that has cells."""
        return (*self.presets, *self.own)

    @property
    def cells(self) -> list[Cell]:
        """Every cell, those of the longest presets first: a long one that starts last would be waited for alone."""
        ordered = sorted(self.trained, key=lambda preset: -preset.minutes)
        return [cell for preset in ordered for cell in preset.cells]


def trains_as_one(experiment: Experiment) -> bool:
    """Whether several draws of the scenario are one batch: those of dense networks on few samples are."""
    dense = experiment.trunk is None and all(isinstance(layer, Dense) for layer in experiment.layers)
    return dense and _samples(experiment) <= MANY_SAMPLES


def trains_alone(experiment: Experiment) -> bool:
    """Whether each draw is a run of its own: a trunk has state of its own, and many samples take the memory."""
    return experiment.trunk is not None or _samples(experiment) > MANY_SAMPLES


def _samples(experiment: Experiment) -> int:
    """As many as can be, where the file that they are in is on another machine."""
    found = sample_count(experiment.data)
    return MANY_SAMPLES + 1 if found is None else found
