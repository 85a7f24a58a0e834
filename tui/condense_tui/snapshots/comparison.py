"""Two to six runs at the same step, or at the same loss: assembled in the reader thread for the compare screen."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from condense_core.rows_of_layers import only_kernels, outputs_of
from condense_core.runfile.damage import Damage
from condense_core.runfile.info import RunInfo
from condense_core.runfile.reader import RunReader
from condense_core.runs.layer_over_seeds import LayerOverSeeds
from condense_core.scalar_names import column_of, split
from condense_core.thresholds import Cut
from condense_tui.draw.label import label
from condense_tui.snapshots.assemble import Assembler, band
from condense_tui.snapshots.playhead import Playhead
from condense_tui.snapshots.seeds import seed_label
from condense_tui.snapshots.settings import settings_of
from condense_tui.snapshots.snapshot import Head, LayerImage, Series

By = Literal["step", "loss"]
LETTERS = "ABCDEF"
Band = tuple[Series, Series]
EMPTY: Series = (np.empty(0, np.int64), np.empty(0, np.float64))
NO_BAND: Band = (EMPTY, EMPTY)


@dataclass(frozen=True)
class CompareView:
    """What the screen wants to see: the index of the layer in each run, what is equal, and the order of kernels."""

    layer: int = 0
    by: By = "step"
    by_line: bool = True
    member: int | None = None
    """Index of the seed in each run that has several, the last one in a run that has fewer; None for the means."""
    scalar: str = "coverage"
    """What is drawn beside the loss: a recorded scalar, of a layer without its name (that of the layer shown)."""
    cut: Cut | None = None
    """Where lines are counted; None for the cut of each run's claim."""
    outputs: bool = False
    """Whether outputs of the layer's neurons stand in the place of its kernels, in runs that have recorded them."""


@dataclass(frozen=True)
class Side:
    """One of the runs where the playhead stands. `share` is its loss there over its first; NaN without a loss.

    `note` says why it does not stand where the others do. `loss` and `scalar` are its curves, the loss as a share of
    its first, `scalar` the one that was asked for, empty where the run has none of that name. Of a run of several seeds
    `layer` is over all of them unless one is chosen, `seed` is the one whose heatmap this is, and `bands` are the
    lowest and the highest of all seeds, for each of the two curves.
    """

    letter: str
    name: str
    status: str
    step: int | None
    share: float
    note: str
    layer: LayerOverSeeds | None
    image: LayerImage | None
    loss: Series
    scalar: Series
    seed: str = ""
    bands: tuple[Band, Band] = (NO_BAND, NO_BAND)
    scalar_name: str = ""
    """What the scalar is called in an exported table, with its layer."""


@dataclass(frozen=True)
class Setting:
    """A setting by its dotted name, and its value in each run; None where the run has no such setting."""

    name: str
    values: tuple[str | None, ...]


@dataclass(frozen=True)
class Comparison:
    """All sides at one place of the common axis `places`: steps ascending, or shares of the first loss descending.

    `members`: the most seeds that one of the runs has; `member` is what the view asked for.
    """

    sides: tuple[Side, ...]
    by: By
    head: Head | None
    places: np.ndarray
    layers: int
    active: bool
    members: int = 1
    member: int | None = None
    scalar: str = "coverage"
    scalar_names: tuple[str, ...] = ()
    """All that one of the runs has, those of layers without the layer's name."""
    settings: tuple[Setting, ...] = ()
    """In what the runs' settings differ."""
    alike: tuple[Setting, ...] = ()
    """What all of them have the same."""
    has_outputs: bool = False
    """Outputs of neurons were recorded in one of the runs."""
    outputs: bool = False
    """What the view asked for."""
    damage: tuple[str, ...] = ()
    """What of the runs was left out because it is damaged."""

    @property
    def at(self) -> float | None:
        """Where the playhead stands: a step, or a share of the first loss."""
        return None if self.head is None else float(self.places[self.head.index])

    def same(self, other: Comparison) -> bool:
        """Nothing that is drawn differs; arrays are compared by identity."""
        return (
            (self.by, self.head, self.active, self.member) == (other.by, other.head, other.active, other.member)
            and (self.outputs, self.damage) == (other.outputs, other.damage)
            and (self.scalar, self.scalar_names) == (other.scalar, other.scalar_names)
            and len(self.sides) == len(other.sides)
            and all(_same(a, b) for a, b in zip(self.sides, other.sides, strict=True))
        )


class Comparer:
    """Open run files and the place at which all of them are shown."""

    def __init__(self, places: Sequence[Path]) -> None:
        with contextlib.ExitStack() as opened:
            self._readers = [opened.enter_context(RunReader(place, damage=Damage(left_out=True))) for place in places]
            self._kept = opened.pop_all()
        self._assemblers = [Assembler(reader) for reader in self._readers]
        self._means: list[_Shares | None] = [None] * len(places)
        self._shares: list[_Shares | None] = [None] * len(places)
        self._names: tuple[tuple[int, ...], tuple[str, ...]] = ((), ())
        self._settings: tuple[tuple[Setting, ...], tuple[Setting, ...]] | None = None
        self._axis: tuple[tuple[object, ...], np.ndarray] = ((), np.empty(0))

    def refresh(self) -> bool:
        """Whether anything was committed to any of the runs since the last call."""
        # every one is asked: one that is not would look changed at the next call
        changed = [assembler.refresh() for assembler in self._assemblers]
        return any(changed)

    def index_of(self, head: Head) -> int:
        """Where the playhead was: a place of the axis has no other name than its number."""
        return head.index

    def close(self) -> None:
        """Close all files."""
        self._kept.close()

    def snapshot(self, playhead: Playhead, view: CompareView) -> Comparison:
        """All runs at the playhead."""
        # places are those of the means, and so the playhead stays where it is from one seed to the next
        means = [self._share(self._means, index, None) for index in range(len(self._readers))]
        chosen = [None if view.member is None else min(view.member, run.members - 1) for run in self._readers]
        shares = [self._share(self._shares, index, member) for index, member in enumerate(chosen)]
        infos = [reader.info() for reader in self._readers]
        active = any(info.active for info in infos)
        places = self._places_of(view.by, means)
        head = None
        if len(places):
            index = playhead.index(len(places))
            head = Head(index, len(places), index, playhead.following, playhead.playing, playhead.speed)
        sides = tuple(
            self._side(
                number,
                info,
                shares[number],
                None if head is None else self._stand(shares[number], view.by, places[head.index], info.active),
                view,
            )
            for number, info in enumerate(infos)
        )
        layers = max((len(only_kernels(reader.layers)) for reader in self._readers), default=0)
        members = max(reader.members for reader in self._readers)
        return Comparison(
            sides,
            view.by,
            head,
            places,
            layers,
            active,
            members,
            view.member,
            view.scalar,
            self._scalar_names(tuple(len(share.steps) > 0 for share in means)),
            *self._compared(),
            has_outputs=any(only_kernels(reader.layers) != reader.layers for reader in self._readers),
            outputs=view.outputs,
            damage=tuple(
                f"{side.letter}: {run.damage.text}"
                for side, run in zip(sides, self._readers, strict=True)
                if run.damage.text
            ),
        )

    def _scalar_names(self, measured: tuple[int, ...]) -> tuple[str, ...]:
        """Read when a run has its first measurements: later ones bring no new names."""
        if self._names[0] != measured:
            found: dict[str, None] = {}
            for run in self._readers:
                own = dict.fromkeys(run.curve_names)
                for layer in run.layers:
                    own |= {name.removeprefix(f"{layer}."): None for name in own}
                found |= {name: None for name in own if split(name)[0] not in run.layers}
            self._names = measured, tuple(sorted(found))
        return self._names[1]

    def _compared(self) -> tuple[tuple[Setting, ...], tuple[Setting, ...]]:
        """The settings that differ, and those that do not."""
        if self._settings is None:
            values = [settings_of(run.subject) for run in self._readers]
            names = dict.fromkeys(name for run in values for name in run)
            found = [Setting(name, tuple(run.get(name) for run in values)) for name in names]
            differ = tuple(setting for setting in found if len(set(setting.values)) > 1)
            self._settings = differ, tuple(setting for setting in found if len(set(setting.values)) == 1)
        return self._settings

    def _share(self, kept: list[_Shares | None], index: int, member: int | None) -> _Shares:
        assembler = self._assemblers[index]
        assembler.begin(member)
        # whole: it is the axis that all are compared on
        loss = assembler.whole_curve("loss")
        known = kept[index]
        if known is None or known.loss is not loss:
            known = kept[index] = _shares(loss, self._readers[index])
        return known

    def _places_of(self, by: By, shares: list[_Shares]) -> np.ndarray:
        key = (by, *(id(share) for share in shares))
        if self._axis[0] != key:
            if by == "step":
                places = np.unique(np.concatenate([share.steps for share in shares]))
            else:
                every = np.concatenate([share.lowest for share in shares])
                places = np.unique(every[np.isfinite(every)])[::-1]
            self._axis = (key, places)
        return self._axis[1]

    def _stand(self, shares: _Shares, by: By, place: float, active: bool) -> tuple[int, str] | None:
        """Index of a run's frame at a place of the axis, and a note where it is not really there."""
        count = len(shares.steps)
        if not count:
            return None
        if by == "step":
            index = int(np.searchsorted(shares.steps, place, side="right")) - 1
            if index < 0:
                return 0, "starts later"
            gone = place > shares.steps[-1]
            return index, "" if not gone else "not reached yet" if active else "ended earlier"
        reached = np.flatnonzero(shares.lowest <= place)
        if len(reached):
            return int(reached[0]), ""
        if not np.isfinite(shares.lowest).any():
            return count - 1, "no finite loss"
        return count - 1, "not reached yet" if active else "never reached"

    def _side(
        self, number: int, info: RunInfo, shares: _Shares, stand: tuple[int, str] | None, view: CompareView
    ) -> Side:
        assembler, run = self._assemblers[number], self._readers[number]
        layers = only_kernels(run.layers)
        side = Side(
            letter=LETTERS[number],
            name=label(run.folder, info),
            status=info.status,
            step=None,
            share=float("nan"),
            note="nothing measured",
            layer=None,
            image=None,
            loss=shares.curve,
            scalar=EMPTY,
        )
        if stand is None:
            return side
        index, note = stand
        step = int(shares.steps[index])
        side = replace(side, step=step, share=float(shares.curve[1][index]), note=note)
        layer = layers[min(view.layer, len(layers) - 1)] if layers else ""
        if view.outputs and outputs_of(layer) in run.layers:
            layer = outputs_of(layer)
        name = next((name for name in (f"{layer}.{view.scalar}", view.scalar) if len(assembler.curve(name)[0])), "")
        if name:
            called = column_of(name, run.prediction_source(split(name)[0]))
            side = replace(side, scalar=assembler.curve(name), scalar_name=called)
        if not layers:
            return side
        seen, image = assembler.layer_at(layer, step, view.by_line, view.cut)
        side = replace(side, layer=seen, image=image)
        if run.members == 1:
            return side
        bands = shares.band, band(*run.spread(name)) if name else NO_BAND
        seed = seed_label(run, min(view.member or 0, run.members - 1))
        return replace(side, seed=seed, bands=bands)


@dataclass(frozen=True)
class _Shares:
    """A run's loss as shares of its first, the lowest of them up to each step, and of several seeds their band."""

    loss: Series
    steps: np.ndarray
    curve: Series
    lowest: np.ndarray
    band: Band


def _shares(loss: Series, run: RunReader) -> _Shares:
    steps, values = loss
    if len(steps) > 1 and np.any(np.diff(steps) < 0):
        # a resumed run records some steps twice
        order = np.argsort(steps, kind="stable")
        steps, values = steps[order], values[order]
    first = values[0] if len(values) else np.nan
    share = values / first if np.isfinite(first) and first > 0 else np.full(len(values), np.nan)
    lowest = np.minimum.accumulate(np.where(np.isnan(share), np.inf, share)) if len(share) else share
    return _Shares(loss, steps, (steps, share), np.where(np.isinf(lowest), np.nan, lowest), _band_of_shares(run))


def _band_of_shares(run: RunReader) -> Band:
    """The lowest and the highest share of the first loss, each seed's of its own."""
    if run.members == 1:
        return NO_BAND
    steps, values = run.spread("loss")
    first = values[:1]
    return band(steps, values / np.where(first > 0, first, np.nan))


def _same(a: Side, b: Side) -> bool:
    return (
        (a.name, a.status, a.step, a.note, a.layer, a.seed) == (b.name, b.status, b.step, b.note, b.layer, b.seed)
        and a.image is b.image
        and a.loss is b.loss
        and a.scalar is b.scalar
    )
