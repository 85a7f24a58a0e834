"""What the screen shows, in one frozen value: the reader thread builds it, widgets replace what they show with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from condense_core.measure_table import UNKNOWN_SOURCE, PredictionSource
from condense_core.runfile.info import RunAbility, Trainer
from condense_core.runs.claim_state import Standing
from condense_core.runs.layer_over_seeds import LayerOverSeeds
from condense_core.scalar_names import layer_in_words
from condense_core.thresholds import FINE, Cut
from condense_tui.draw import numbers
from condense_tui.draw.order import Group
from condense_tui.snapshots.spectra import RecordedSpectrum
from condense_tui.snapshots.weights import WeightsView

Series = tuple[np.ndarray, np.ndarray]
Severity = Literal["note", "warning", "error"]


@dataclass(frozen=True)
class RunHeader:
    """The run in one line."""

    id: str
    name: str
    preset: str
    host: str
    device: str
    status: str
    reason: str
    step: int
    steps: int | None
    """None where nobody knows how far it goes."""
    steps_per_second: float
    seconds_left: float
    can: tuple[RunAbility, ...]
    trainer: Trainer
    active: bool
    delay: float | None = None
    """Seconds of a round trip to the host, while a run elsewhere is connected to."""
    away: str = ""
    """Of a run elsewhere that is not connected to: reconnecting, or offline."""
    stage: str = ""
    """Of a run that starts: what it is at, and for how long."""
    missing: int = 0
    """Rows of a run elsewhere that are still to come, before the newest."""


@dataclass(frozen=True)
class Head:
    """Where the playhead stands: frame `index` of `count`, at `step`."""

    index: int
    count: int
    step: int
    following: bool
    playing: bool
    speed: float


@dataclass(frozen=True)
class LayerImage:
    """A layer's similarity matrix at the playhead, and how to order it.   # M kernels

    Where `pooled`, the recorded matrix is already in order of display and a row stands for several of `kernels`.
    """

    layer: str
    kernels: int
    cosine: np.ndarray
    order: np.ndarray
    dropped: np.ndarray
    groups: tuple[Group, ...]
    pooled: bool = False
    step: int | None = None
    """Of which step it is: not every step measures everything."""
    drawn_of: int | None = None
    """Of how many kernels these were drawn; None where they are all, or where that is not known of this step."""


@dataclass(frozen=True)
class SpectrumView:
    """The spectrum of the chosen layer's signal matrix or of its gradient, as `source` says: its eigenvalues over time,
    and the gap at the playhead."""

    curves: tuple[Series, ...] = ()
    values: np.ndarray = field(default_factory=lambda: np.empty(0))
    doubtful: bool = False
    ones_overlap: np.ndarray = field(default_factory=lambda: np.empty(0))
    source: PredictionSource = UNKNOWN_SOURCE


@dataclass(frozen=True)
class OutputsView:
    """Output of a network with one input over its interval, beside the polynomial nearest to it, at `step`."""

    step: int
    degree: int
    complexity: float
    point: np.ndarray
    output: np.ndarray
    polynomial: np.ndarray


@dataclass(frozen=True)
class FieldView:
    """The field that drives neurons (weight, bias) of a network with one input, the angles of its stable lines, and
    where the `neurons` (M, 2) themselves stood at the last step at or before it of which the weights were kept."""

    omega: np.ndarray
    velocity: np.ndarray
    stable: np.ndarray
    neurons: np.ndarray = field(default_factory=lambda: np.empty((0, 2)))
    neurons_at: int | None = None


@dataclass(frozen=True)
class Seeds:
    """The members of an ensemble: how many, which one is shown (none: the mean, and the first one's heatmap), whose
    heatmap it is, and the lowest and the highest curve of each scalar that is drawn."""

    count: int
    chosen: int | None
    label: str
    imaged: str
    bands: Mapping[str, tuple[Series, Series]]


@dataclass(frozen=True)
class ScalarCurve:
    """One recorded scalar that was chosen to be shown, under its own name and as people call it; of an ensemble with
    the band of all."""

    name: str
    label: str
    points: Series
    band: tuple[Series, Series] | None = None


@dataclass(frozen=True)
class EventView:
    """Something that happened."""

    step: int
    kind: str
    text: str
    time: float


@dataclass(frozen=True)
class LinesChanged:
    """A layer has another number of lines from a step on; `before` and `after` are both counts at `cut`."""

    layer: str
    step: int
    before: int
    after: int
    cut: Cut

    @property
    def text(self) -> str:
        """In words."""
        after = f"{numbers.plural(self.after, 'line')} at {self.cut.short}"
        return f"{layer_in_words(self.layer)}: {after}, {self.before} before"


@dataclass(frozen=True)
class BannerText:
    """One line over everything: what happened, and what to press."""

    text: str
    severity: Severity


@dataclass(frozen=True)
class Snapshot:
    """Everything on the run screen at one moment. Arrays are never written to once they are in here."""

    header: RunHeader
    head: Head | None
    instants: np.ndarray
    layers: tuple[LayerOverSeeds, ...]
    layer: str | None
    images: tuple[LayerImage, ...]
    loss: Series
    accuracy: Series
    ratio: Series
    predicted_ratio: Series
    spectrum: SpectrumView
    events: tuple[EventView, ...]
    told: EventView | LinesChanged | None
    """What the kernels did last, up to the playhead."""
    banner: BannerText | None
    worker_log: tuple[str, ...] = ()
    """Only where it was asked for."""
    worker_log_first: int = 0
    """Lines that stood before those: of an endless log the end is kept."""
    claim: Standing | None = None
    """How the claim stands at the playhead; none where the scenario makes none."""
    claim_at_end: Standing | None = None
    """Where the playhead looks back: how it stands by the newest measurement."""
    cut: Cut = FINE
    """Where the lines of `layers` are counted."""
    claimed_cut: Cut = FINE
    """Where the claim counts them."""
    outputs: OutputsView | None = None
    field: FieldView | None = None
    seeds: Seeds | None = None
    scalars: tuple[ScalarCurve, ...] = ()
    """Those that were asked for."""
    weights: WeightsView | None = None
    """Of the chosen layer, only where they were asked for."""
    machine: tuple[ScalarCurve, ...] = ()
    """Of the machine that trains, only where it was asked for."""
    scalar_names: tuple[str, ...] = ()
    """All that are recorded so far."""
    curves_alone: bool = False
    """There are no layers, and will be none."""
    spectra: tuple[RecordedSpectrum, ...] = ()
    """What was recorded beside `spectrum`."""
    damage: str = ""
    """What was left out because it is damaged, in one line."""
    damaged: tuple[str, ...] = ()
    """The same, each by itself."""

    @property
    def chosen(self) -> LayerOverSeeds | None:
        """The layer that the heatmap and the theory plots show."""
        return next((view for view in self.layers if view.name == self.layer), None)

    @property
    def active(self) -> bool:
        """More frames may come."""
        return self.header.active

    def same(self, other: Snapshot) -> bool:
        """Nothing that is drawn differs. Arrays are compared by identity: what did not change is the same object."""
        return (
            self.header == other.header
            and self.head == other.head
            and self.layer == other.layer
            and self.layers == other.layers
            and self.claim == other.claim
            and self.claim_at_end == other.claim_at_end
            and self.banner == other.banner
            and self.told == other.told
            and self.worker_log == other.worker_log
            and self.outputs is other.outputs
            and self.field is other.field
            and len(self.events) == len(other.events)
            and len(self.images) == len(other.images)
            and all(a is b for a, b in zip(self.images, other.images, strict=True))
            and self.scalar_names == other.scalar_names
            and len(self.scalars) == len(other.scalars)
            and all(a.points is b.points for a, b in zip(self.scalars, other.scalars, strict=True))
            and self.weights is other.weights
            and len(self.machine) == len(other.machine)
            and all(a.points is b.points for a, b in zip(self.machine, other.machine, strict=True))
            and self.loss is other.loss
            and self.accuracy is other.accuracy
            and self.ratio is other.ratio
            and self.predicted_ratio is other.predicted_ratio
            and len(self.spectrum.curves) == len(other.spectrum.curves)
            and all(a is b for a, b in zip(self.spectrum.curves, other.spectrum.curves, strict=True))
            and len(self.spectra) == len(other.spectra)
            and all(a.is_as(b) for a, b in zip(self.spectra, other.spectra, strict=True))
        )
