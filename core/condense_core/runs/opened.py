"""`open_run`: what was recorded of a run, for Python. Everything is read when it is asked for, and nothing is invented:
what was not measured is NaN, absent, or an error that names the nearest steps.   # M kernels, K entries a kernel
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from condense_core.errors import RunFileError, nearest
from condense_core.runfile.curves import FloatArray, IntArray, value_at
from condense_core.runfile.display_order import by_line
from condense_core.runfile.frames import Condensation
from condense_core.runfile.kept_weights import kernels_of
from condense_core.runfile.reader import RunReader
from condense_core.runfile.rows import Event
from condense_core.runfile.status import Status
from condense_core.runs.claim_state import Standing
from condense_core.runs.columns import column
from condense_core.runs.named import find_recording, shipped_here
from condense_core.runs.place import runs_folder
from condense_core.runs.standing import standing
from condense_core.scalar_names import split
from condense_core.scenario import toml
from condense_core.scenario.watched import PlainValue, Watched
from condense_core.text import short
from condense_core.thresholds import DROPPED

if TYPE_CHECKING:
    import pandas
    import pyarrow

StepChoice = Literal["exact", "before", "nearest"]
"""Which step is taken where the one asked for was not measured: none, the last one before it, or the nearest one."""

# What a scenario says besides the settings of its training.
_NO_SETTINGS = frozenset({"about", "claim", "name", "quick"})


@dataclass(frozen=True, eq=False)
class LayerSimilarity:
    """How similar a layer's kernels are at a step that was measured.

    `cosine` (M, M) float32: of each pair of kernels, in the network's order, NaN where one has no direction. Of more
    than 256 kernels it is pooled: blocks of neighbours in the order of display, `pooled` true, and the arrays below are
    still of each kernel. They are empty where lines were not counted: `line` (M,) is the number of each kernel's line,
    -1 on none, -2 left out for its small norm; `side` (M,) is +1 or -1, the side of it that the kernel points to.
    """

    layer: str
    step: int
    cosine: npt.NDArray[np.float32]
    kernels: int
    pooled: bool
    line: npt.NDArray[np.int16]
    side: npt.NDArray[np.int8]
    norm: npt.NDArray[np.float32]

    @property
    def kept(self) -> npt.NDArray[np.int64]:
        """Numbers of the kernels that are large enough to have a direction."""
        return np.flatnonzero(self.line != DROPPED)

    @property
    def order(self) -> npt.NDArray[np.int64]:
        """Numbers of the kernels in the order in which screens show them, those of one line together: `cosine[order][:,
        order]`, where it is not pooled."""
        return by_line(self.line, self.side)


@dataclass(frozen=True, eq=False)
class KeptWeights:
    """All parameters of a network at a step at which they were kept, by name, as `conv1.weight`."""

    step: int
    parameters: dict[str, npt.NDArray[Any]]

    def kernels(self, layer: str) -> FloatArray:
        """A layer's kernels (M, K), a bias their last entry; RunFileError where it has no weights here."""
        found = kernels_of(self.parameters, layer)
        if found is None:
            layers = [name.removesuffix(".weight") for name in self.parameters if name.endswith(".weight")]
            raise RunFileError(f"weights of step {self.step:,}: no layer {short(layer)}; {nearest(layer, layers)}")
        return found


class Run:
    """A run, finished or still training: `open_run` opens one.

    It is read as far as it is each time something is asked for. Use it from one thread at a time; `close` it, or use it
    as a context. Wrong names and steps, and damage, are a RunFileError (condense_core.errors) of one line.
    """

    def __init__(self, place: Path) -> None:
        """`place` is a run's folder, or a run file by itself."""
        self._reader = RunReader(place)

    @property
    def id(self) -> str:
        """The run's id."""
        return self._reader.info().id

    @property
    def name(self) -> str:
        """What it is called; runs can have the same name."""
        return self._reader.info().name

    @property
    def folder(self) -> Path:
        """The folder of its file."""
        return self._reader.folder

    @property
    def created(self) -> datetime.datetime:
        """When it was made, in UTC."""
        return datetime.datetime.fromtimestamp(self._reader.info().created, datetime.UTC)

    @property
    def status(self) -> Status:
        """starting, running, paused, done, stopped, failed, diverged or lost (its process is gone)."""
        return self._reader.info().status

    @property
    def reason(self) -> str:
        """Why it has that status; often empty."""
        return self._reader.info().reason

    @property
    def step(self) -> int:
        """How far it is."""
        return self._reader.info().step

    @property
    def steps(self) -> int | None:
        """How far it is to go; None where nobody knows."""
        return self._reader.info().steps

    @property
    def seeds(self) -> int:
        """How many seeds it trains as one; 1 for most runs."""
        return self._reader.members

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers that were measured, in the network's order."""
        return self._reader.layers

    @property
    def curves(self) -> tuple[str, ...]:
        """Names of everything that was recorded over steps, as exported tables have them: `loss`, `conv1.lines`, …"""
        return tuple(self._columns())

    @property
    def measured(self) -> IntArray:
        """Steps at which something was measured, ascending."""
        return np.unique(self._reader.instants)

    @property
    def scenario(self) -> dict[str, Any] | None:
        """The scenario that was trained, with every default, as nested plain values; None where a script of somebody's
        own trained the network."""
        subject = self._reader.subject
        return None if isinstance(subject, Watched) else toml.parse(self._reader.info().experiment, "its scenario")

    @property
    def config(self) -> dict[str, PlainValue]:
        """Settings by dotted names: a scenario's, as `--set` takes them, or what a watched script gave as `config`."""
        subject = self._reader.subject
        if isinstance(subject, Watched):
            return dict(subject.config)
        settings = {name: value for name, value in (self.scenario or {}).items() if name not in _NO_SETTINGS}
        found: dict[str, PlainValue] = {}
        _flatten("", settings, found)
        return found

    @property
    def claim(self) -> Standing | None:
        """How the scenario's claim stands (`state`, `text`, `findings`); None where it makes none."""
        return standing(self._reader)

    def events(self) -> tuple[Event, ...]:
        """What happened, in order: each has `step`, `kind`, `text` and `time` (seconds since 1970)."""
        return tuple(self._reader.events)

    def curve(self, name: str, *, seed: int | None = None) -> tuple[IntArray, FloatArray]:
        """Steps (S,) and values (S,) of one of `curves`, as they were measured: NaN and ±inf too.

        `seed`, from 0, is one of several; without it the mean over them.
        """
        reader = self._of(seed)
        steps, values = reader.curve(self._scalar(name))
        if seed is not None and not len(steps):
            raise RunFileError(f"{self.id}: {short(name)} is of all seeds together; leave seed out")
        # the reader's own arrays grow
        return steps.copy(), values.copy()

    def spread(self, name: str) -> tuple[IntArray, FloatArray]:
        """Steps (S,) and values (S, seeds) of one of `curves`; NaN where a seed was not measured."""
        steps, values = self._reader.spread(self._scalar(name))
        return steps.copy(), values.copy()

    def table(
        self, step: int | None = None, *, at: StepChoice = "exact", seed: int | None = None
    ) -> dict[str, dict[str, float]]:
        """What was measured at a step, by layer and measure; the network's own under the name "".

        The last measured step without `step`. A measure that was not taken at that step is absent.
        """
        reader = self._of(seed)
        chosen = _chosen(self.id, "nothing", np.unique(reader.instants), step, at)
        found: dict[str, dict[str, float]] = {}
        for words, scalar in self._columns().items():
            steps, values = reader.curve(scalar)
            if chosen in steps:
                layer = split(scalar)[0]
                value = value_at((steps, values), chosen)
                found.setdefault(layer, {})[words.removeprefix(f"{layer}." if layer else "")] = value
        return found

    def similarity(
        self, layer: str, step: int | None = None, *, at: StepChoice = "exact", seed: int | None = None
    ) -> LayerSimilarity:
        """How similar a layer's kernels are, at a step or at the last one that was measured.

        `at` says what is taken where the step was not measured: "exact" is an error that names the nearest ones,
        "before" the last one before it, "nearest" the nearest. `seed`, from 0: one of several, else the first.
        """
        reader = self._of(seed)
        if layer not in self.layers:
            raise RunFileError(
                f"{self.id}: no layer {short(layer)}; {nearest(layer, self.layers) if self.layers else 'it has none'}"
            )
        chosen = _chosen(self.id, f"similarity of {layer}", reader.similarity_steps(layer), step, at)
        cosine = reader.similarity(layer, chosen)
        if cosine is None:
            raise RunFileError(f"{self.id}: step {chosen:,} of {layer} has not been copied here yet")
        own = reader.step_of("condensation", layer, chosen) == chosen
        frame = reader.condensation(layer, chosen) if own else None
        return _similarity(layer, chosen, cosine, frame)

    @property
    def kept_weights(self) -> IntArray:
        """Steps at which the weights were kept, ascending: few, of small networks alone."""
        return self._reader.weight_steps

    def weights(self, step: int | None = None, *, at: StepChoice = "exact", seed: int | None = None) -> KeptWeights:
        """All parameters of the network, at a step of `kept_weights` or at the last of them; `at` and `seed` as in
        `similarity`. RunFileError where none were kept."""
        reader = self._of(seed)
        chosen = _chosen(self.id, "weights", reader.weight_steps, step, at)
        found = reader.weights(chosen)
        assert found is not None
        return KeptWeights(chosen, {name: value.copy() for name, value in found[1].items()})

    def to_pandas(self, *, seed: int | None = None) -> pandas.DataFrame:
        """Every curve as a data frame: a row for each step, NaN where something was not measured. Of several seeds the
        mean, and `NAME@0`, `NAME@1`, … of each. MissingExtraError without pandas."""
        from condense_core.runs.data_frames import pandas_frame

        return pandas_frame(self._of(seed))

    def to_arrow(self, *, seed: int | None = None) -> pyarrow.Table:
        """The same as an Arrow table with the column `step`, null where something was not measured, as in
        `export --to parquet`. MissingExtraError without pyarrow."""
        from condense_core.runs.data_frames import arrow_table

        return arrow_table(self._of(seed))

    def close(self) -> None:
        """Close the file."""
        self._reader.close()

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        info = self._reader.info()
        of = "" if info.steps is None else f" of {info.steps:,}"
        seeds = f", {self.seeds} seeds" if self.seeds > 1 else ""
        return f"<Run {info.id}: {info.status}, step {info.step:,}{of}{seeds}>"

    def _repr_html_(self) -> str:
        from condense_core.runs.as_html import run_as_html

        values = self.table() if len(self._reader.instants) else {}
        return run_as_html(self._reader, int(self.measured[-1]) if values else None, values)

    def _columns(self) -> dict[str, str]:
        """Recorded scalars by the names of their columns."""
        return {column(self._reader, name): name for name in self._reader.curve_names}

    def _scalar(self, name: str) -> str:
        columns = self._columns()
        if name not in columns:
            raise RunFileError(f"{self.id}: no curve {short(name)}; {nearest(name, columns)}")
        return columns[name]

    def _of(self, seed: int | None) -> RunReader:
        if seed is None:
            return self._reader
        if not 0 <= seed < self.seeds:
            there = f"0 to {self.seeds - 1}" if self.seeds > 1 else "0: the run has one seed"
            raise RunFileError(f"{self.id}: seed {seed}: expected {there}")
        return self._reader.member(seed)


def open_run(name: str | Path, *, runs_dir: str | Path | None = None) -> Run:
    """Open a run by its id or name or a part of one, by the path of its folder or file, or by a preset's name, whose
    recording ships with the program. RunFileError where it is none of these, or cannot be read.

    `runs_dir` is the folder of runs; by default $CONDENSE_RUNS_DIR, or the user's own.
    """
    runs = runs_folder(None if runs_dir is None else Path(runs_dir))
    return Run(find_recording(str(name), runs, shipped_here()))


def _chosen(run: str, what: str, steps: Sequence[int] | IntArray, step: int | None, at: StepChoice) -> int:
    """The measured step that is meant; RunFileError where there is none."""
    measured = np.asarray(steps, np.int64)
    if at not in {"exact", "before", "nearest"}:
        raise ValueError(f"at: expected exact, before or nearest, got {at!r}")
    if not len(measured):
        raise RunFileError(f"{run}: {'no step was measured' if what == 'nothing' else f'no {what} recorded'}")
    if step is None:
        return int(measured[-1])
    after = int(np.searchsorted(measured, step))
    if after < len(measured) and measured[after] == step:
        return step
    around = [int(each) for each in measured[max(0, after - 1) : after + 1]]
    if at == "nearest":
        # of two that are as near, the earlier one
        return min(around, key=lambda each: abs(each - step))
    if at == "before" and after:
        return around[0]
    near = " and ".join(f"{each:,}" for each in around)
    missing = "nothing was measured" if what == "nothing" else f"no {what}"
    raise RunFileError(f"{run}: {missing} at step {step:,}; the nearest: {near} (at='nearest' takes the nearest)")


def _similarity(layer: str, step: int, cosine: npt.NDArray[np.float32], frame: Condensation | None) -> LayerSimilarity:
    nothing = np.empty(0)
    kernels = len(cosine) if frame is None else frame.kernels
    return LayerSimilarity(
        layer=layer,
        step=step,
        cosine=cosine,
        kernels=kernels,
        pooled=len(cosine) < kernels,
        line=(nothing if frame is None else frame.label.numpy()).astype(np.int16),
        side=(nothing if frame is None else frame.sign.numpy()).astype(np.int8),
        norm=(nothing if frame is None else frame.norm.numpy()).astype(np.float32),
    )


def _flatten(name: str, value: Any, into: dict[str, PlainValue]) -> None:
    if isinstance(value, dict):
        for key, each in value.items():
            _flatten(f"{name}.{key}" if name else key, each, into)
    elif isinstance(value, list):
        for number, each in enumerate(value):
            _flatten(f"{name}.{number}", each, into)
    else:
        into[name] = value
