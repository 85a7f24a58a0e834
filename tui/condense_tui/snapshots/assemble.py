"""From an open run file and a playhead to the snapshot that the screen shows. Runs in the reader thread only."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from msgspec import structs

from condense_core.measure_table import OF_THE_MACHINE
from condense_core.rows_of_layers import layer_of_rows
from condense_core.runfile.info import LOG_NAME, RunInfo
from condense_core.runfile.reader import RunReader
from condense_core.runfile.schema import FILE_NAME
from condense_core.runs.claim_state import Standing
from condense_core.runs.layer_over_seeds import LayerOverSeeds, read_layer_over_seeds, suffix
from condense_core.runs.standing import scalars_of, standing
from condense_core.scalar_names import label_of, split
from condense_core.scenario.watched import Watched, is_watched
from condense_core.thresholds import FINE, Cut, direction_is_doubtful
from condense_tui.draw.layer_names import together
from condense_tui.snapshots.banner import banner
from condense_tui.snapshots.header import HeaderReader
from condense_tui.snapshots.image import image_of
from condense_tui.snapshots.one_input import OneInputReader
from condense_tui.snapshots.playhead import Playhead
from condense_tui.snapshots.science import newest_change, newest_told
from condense_tui.snapshots.seeds import mean_label, seed_label
from condense_tui.snapshots.snapshot import (
    BannerText,
    EventView,
    Head,
    LayerImage,
    LinesChanged,
    ScalarCurve,
    Seeds,
    Series,
    Snapshot,
    SpectrumView,
)
from condense_tui.snapshots.spectra import SpectraReader
from condense_tui.snapshots.weights import WeightsReader
from condense_tui.snapshots.worker_log import WorkerLog

# λ1² and what is nearest to it: more lines than this cannot be distinguished in a panel.
EIGENVALUE_CURVES = 4
# More heatmaps than this at once are stamps, and each costs bytes in every frame.
MOST_HEATMAPS = 6
# A long-lived viewer of a long run scrubs back and forth: enough matrices to make a few seconds of it free.
IMAGES_KEPT = 64
# Of a network of many layers, those of some tens of steps.
MEASURES_KEPT = 4_096
# A run of 100,000 frames has a second's worth of curves: they are read over several snapshots, so that the first is
# there at once and no key press waits for the rest.
LOAD_S = 0.03
LOAD_POINTS = 10_000
# New names come with the first measurements, and seldom later.
NAMES_S = 2.0
EMPTY_SERIES: Series = (np.empty(0, np.int64), np.empty(0, np.float64))


@dataclass(frozen=True)
class ViewRequest:
    """What the screen wants to see: the chosen layer, whether every layer's heatmap (of many those of its block), in
    which order of kernels, and whether the worker's log."""

    layer: str | None = None
    every_layer: bool = False
    by_line: bool = True
    worker_log: bool = False
    member: int | None = None
    """Of an ensemble: the member to show; none for the mean."""
    weights: bool = False
    """Whether the chosen layer's weights."""
    machine: bool = False
    """Whether the machine that trains."""
    cut: Cut | None = None
    """Where lines are counted; none for the cut that the claim counts at."""
    scalars: tuple[str, ...] = ()
    """Recorded scalars to show beside those that are always shown."""


class Assembler:
    """Builds snapshots; what did not change since the last one is the same object, so that widgets can tell."""

    def __init__(self, reader: RunReader, load_s: float = LOAD_S) -> None:
        """`load_s` is for how long curves are read for one snapshot; the next one goes on with those that are left."""
        self._load_s = load_s
        self._run = reader
        self._members: dict[int, RunReader] = {}
        # of an ensemble, the frames are one member's, and the curves that member's or the mean
        self._reader = self._curves = reader
        self._series: dict[tuple[int | None, str], Series] = {}
        self._images: dict[tuple[int | None, str, int, bool], LayerImage] = {}
        self._one_input = OneInputReader()
        self._loading, self._unfinished = 0.0, False
        self._weights = WeightsReader()
        self._spectra = SpectraReader()
        self._claims: tuple[Standing | None, Standing | None] = (None, None)
        self._names: tuple[str, ...] = ()
        self._names_read = (-1, 0.0)
        self._without_layers: bool | None = None
        self._header = HeaderReader()
        self._measures: dict[tuple[int | None, str, int, Cut], LayerOverSeeds] = {}
        self._log = WorkerLog(reader.folder / LOG_NAME if reader.file.name == FILE_NAME else None)

    def refresh(self) -> bool:
        """Whether anything was committed since the last call."""
        changed = self._run.refresh() or self._unfinished
        if changed:
            self._measures.clear()
        return changed

    def close(self) -> None:
        """Close the run file."""
        self._run.close()

    def snapshot(self, playhead: Playhead, view: ViewRequest) -> Snapshot:
        """The run at the playhead."""
        reader = self._run
        self.begin(view.member)
        info = reader.info()
        instants = reader.instants
        layers = tuple(reader.layers)
        layer = view.layer if view.layer in layers else (layers[0] if layers else None)
        # what there is of a layer besides its rows stands beside the outputs of its neurons too
        of = layer_of_rows(layer or "", layers)
        head = None
        images: tuple[LayerImage, ...] = ()
        measures: tuple[LayerOverSeeds, ...] = ()
        cut = self._countable(view.cut)
        if len(instants):
            index = playhead.index(len(instants))
            step = int(instants[index])
            head = Head(index, len(instants), step, playhead.following, playhead.playing, playhead.speed)
            alone = () if layer is None else (layer,)
            wanted = together(layers, layer, MOST_HEATMAPS) if view.every_layer and layer is not None else alone
            found = (self._image(name, step, view.by_line) for name in wanted)
            images = tuple(image for image in found if image is not None)
            measures = tuple(self._layer(name, step, cut) for name in layers)
        outputs, field = self._one_input.at(self._reader, of, head.step) if layer and head else (None, None)
        claim, claim_at_end = self._standing(info, head)
        events = tuple(EventView(event.step, event.kind, event.text, event.time) for event in reader.events)
        snapshot = Snapshot(
            header=self._header.of(self._run, info),
            head=head,
            instants=instants,
            layers=measures,
            layer=layer,
            images=images,
            loss=self._curve("loss"),
            accuracy=self._curve("accuracy"),
            ratio=self._curve(f"{of}.ratio") if layer else EMPTY_SERIES,
            predicted_ratio=self._curve(f"{of}.predicted_ratio") if layer else EMPTY_SERIES,
            spectrum=self._spectrum(of, head.step) if layer and head else SpectrumView(),
            events=events,
            told=newest_told(
                events,
                self._lines_changed(layer, head.step, cut) if layer and head else None,
                None if head is None or head.following else head.step,
            ),
            banner=banner(info, reader.folder, frames=len(instants)),
            worker_log=self._log.lines() if view.worker_log else (),
            worker_log_first=self._log.first,
            outputs=outputs,
            field=field,
            seeds=self.seeds(view.member, {"loss": "loss", "accuracy": "accuracy", "ratio": f"{of}.ratio"}),
            machine=self._machine() if view.machine else (),
            weights=self._weights.at(self._reader, of, head.step) if view.weights and layer and head else None,
            claim=claim,
            claim_at_end=claim_at_end,
            cut=cut,
            claimed_cut=self.claimed_cut,
            scalars=tuple(self._scalar(name) for name in view.scalars),
            scalar_names=self._scalar_names(len(instants)),
            curves_alone=not layers and self._has_no_layers(info),
            spectra=self._spectra.of(self._reader, of, self._curve) if layer and head else (),
        )
        damage = reader.damage.text
        if not damage:
            return snapshot
        # known when all has been read
        claim, claim_at_end = (each and each.of_damaged for each in (claim, claim_at_end))
        return replace(
            snapshot,
            damage=damage,
            damaged=reader.damage.named,
            banner=BannerText(damage, "error"),
            claim=claim,
            claim_at_end=claim_at_end,
        )

    def _has_no_layers(self, info: RunInfo) -> bool:
        """Whether there will be none: nobody watched the network, its curves were read from what was logged."""
        if self._without_layers is None:
            subject = self._run.subject if is_watched(info.experiment) else None
            self._without_layers = isinstance(subject, Watched) and not subject.layers
        return self._without_layers

    def _lines_changed(self, layer: str, step: int, cut: Cut) -> LinesChanged | None:
        """Of a mean over seeds none: it has no number of lines."""
        if self._curves.members > 1:
            return None
        return newest_change(layer, self._curve(f"{layer}.lines{suffix(cut)}"), step, cut)

    def _machine(self) -> tuple[ScalarCurve, ...]:
        found = (ScalarCurve(name, label_of(name), self._curve_of(self._run, name)) for name in OF_THE_MACHINE)
        return tuple(curve for curve in found if len(curve.points[0]))

    @property
    def claimed_cut(self) -> Cut:
        """The cut at which the run's claim counts lines; in files of version 0.1 there is the fine one alone."""
        return self._countable(FINE if self._run.claim is None else self._run.claim.cut)

    def _countable(self, cut: Cut | None) -> Cut:
        """That cut where lines were counted at it, and the claim's for None."""
        run = self._run
        if cut is None:
            return self.claimed_cut
        if cut == FINE or not run.layers:
            return FINE
        return cut if np.isfinite(run.newest(f"{run.layers[0]}.condensed_coarse")) else FINE

    def _standing(self, info: RunInfo, head: Head | None) -> tuple[Standing | None, Standing | None]:
        """How the claim stands where the playhead is; and where that looks back, at the end of what was recorded."""
        run, claim = self._curves, self._run.claim
        if claim is None:
            return None, None
        newest = standing(run, info)
        if head is None or newest is None or newest.step == head.step:
            return newest, None
        if run.members == 1:
            # of a long run they are read over several snapshots; until then it stands as it stood
            for name in scalars_of(claim, run.layers):
                self._read(run, name)
            if self._unfinished:
                return self._claims
        self._claims = standing(run, info, head.step), newest
        return self._claims

    def _scalar_names(self, count: int) -> tuple[str, ...]:
        known, then = self._names_read
        if count != known and (not self._names or time.monotonic() - then > NAMES_S):
            self._names, self._names_read = self._run.curve_names, (count, time.monotonic())
        return self._names

    def _scalar(self, name: str) -> ScalarCurve:
        points, label = self._curve(name), label_of(name, self._run.prediction_source(split(name)[0]))
        if not len(points[0]) and self._curves is not self._run:
            # speed, the machine and the like are of all members together
            return ScalarCurve(name, label, self._curve_of(self._run, name))
        return ScalarCurve(name, label, points, band(*self._run.spread(name)) if self._run.members > 1 else None)

    def _choose(self, member: int | None) -> None:
        run = self._run
        if run.members == 1:
            return
        number = member if member is not None and member < run.members else 0
        if number not in self._members:
            self._members[number] = run.member(number)
        self._reader = self._members[number]
        self._curves = run if member is None else self._reader

    def seeds(self, member: int | None, names: Mapping[str, str]) -> Seeds | None:
        """Of an ensemble: its members, and the bands of the scalars that `names` names; None for a run of one seed."""
        run = self._run
        if run.members == 1:
            return None
        label = mean_label(run) if member is None else seed_label(run, member)
        return Seeds(
            run.members,
            member,
            label,
            seed_label(run, member or 0),
            {key: band(*run.spread(name)) for key, name in names.items()},
        )

    def index_of(self, head: Head) -> int:
        """Where among the frames the step stands now that the playhead was at."""
        return int(np.searchsorted(self._run.instants, head.step))

    def begin(self, member: int | None = None) -> None:
        """A new snapshot, of one member of an ensemble or of the mean: there is time again to read curves."""
        self._choose(member)
        self._loading, self._unfinished = 0.0, False

    def layer_at(
        self, layer: str, step: int, by_line: bool, cut: Cut | None = None
    ) -> tuple[LayerOverSeeds, LayerImage | None]:
        """A layer at a recorded step, of an ensemble over all seeds where none is chosen, and its heatmap, then of the
        first seed. Lines are counted at `cut`, without at that of the claim."""
        return self._layer(layer, step, self._countable(cut)), self._image(layer, step, by_line)

    def curve(self, name: str) -> Series:
        """Steps and values of a scalar as far as was read, the same object while nothing was added."""
        return self._curve(name)

    def whole_curve(self, name: str) -> Series:
        """Steps and values of a scalar, however long that takes to read."""
        self._curves.curve(name)
        return self._curve(name)

    def _layer(self, name: str, step: int, cut: Cut) -> LayerOverSeeds:
        reader = self._curves
        # of many layers most stay as they are while the next one is looked at
        key = (reader.member_number, name, step, cut)
        if key in self._measures:
            return self._measures[key]
        found = read_layer_over_seeds(reader, name, step, cut, curve=lambda scalar: self._read(reader, scalar))
        if not found.kernels and (cosine := self._reader.similarity(name, step)) is not None:
            found = structs.replace(found, kernels=len(cosine))
        if not self._unfinished:
            while len(self._measures) >= MEASURES_KEPT:
                del self._measures[next(iter(self._measures))]
            self._measures[key] = found
        return found

    def _image(self, layer: str, step: int, by_line: bool) -> LayerImage | None:
        key = (self._reader.member_number, layer, step, by_line)
        if key not in self._images:
            cosine = self._reader.similarity(layer, step)
            if cosine is None:
                return None
            while len(self._images) >= IMAGES_KEPT:
                del self._images[next(iter(self._images))]
            image = image_of(layer, cosine, self._reader.condensation(layer, step), by_line)
            self._images[key] = replace(image, step=self._reader.step_of("similarity", layer, step))
        return self._images[key]

    def _curve(self, name: str) -> Series:
        return self._curve_of(self._curves, name)

    def _curve_of(self, reader: RunReader, name: str) -> Series:
        key = (reader.member_number, name)
        steps, values = self._read(reader, name)
        before = self._series.get(key)
        if before is not None and len(before[0]) == len(steps):
            return before
        found = self._series[key] = (steps, values)
        return found

    def _read(self, reader: RunReader, name: str) -> Series:
        """A curve as far as this snapshot has time for it."""
        while self._loading < self._load_s:
            begun = time.monotonic()
            before = len(reader.curve(name, most=0)[0])
            found = reader.curve(name, most=LOAD_POINTS)
            self._loading += time.monotonic() - begun
            if len(found[0]) - before < LOAD_POINTS:
                return found
        self._unfinished = True
        return reader.curve(name, most=0)

    def _of_seeds(self, names: Sequence[str], step: int) -> np.ndarray:
        """The median over all seeds of each scalar at a step, as far as there is one."""
        found = [_finite_median(self._run.last_of_members(name, step)) for name in names]
        return np.array([value for value in found if np.isfinite(value)])

    def _spectrum(self, layer: str, step: int) -> SpectrumView:
        curves = [self._curve(f"{layer}.eigenvalue.{rank}") for rank in range(1, EIGENVALUE_CURVES + 1)]
        frame = self._reader.spectrum(layer, step)
        shown = SpectrumView(curves=tuple(curve for curve in curves if len(curve[0])))
        if frame is None:
            return shown
        values = frame.values.numpy() ** 2
        if self._curves.members > 1:
            values = self._of_seeds([f"{layer}.eigenvalue.{rank}" for rank in (1, 2)], step)
        first, second = np.sqrt(values[:2]).tolist() if len(values) > 1 else (1.0, 0.0)
        return replace(
            shown,
            values=values,
            doubtful=direction_is_doubtful(first, second),
            ones_overlap=frame.ones_overlap.numpy(),
            source=frame.source,
        )


def _finite_median(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else float("nan")


def band(steps: np.ndarray, values: np.ndarray) -> tuple[Series, Series]:
    """The lowest and the highest member at each step."""
    there = np.isfinite(values).any(axis=1)
    steps, values = steps[there], values[there]
    return (steps, np.nanmin(values, axis=1, initial=np.inf)), (steps, np.nanmax(values, axis=1, initial=-np.inf))
