"""Reading a run file, live or finished: what a screen, a command and an export ask for, read when it is asked for.

Opening costs the same whatever the length of the run; a curve or a frame is read at its first use, and from then on
only what was appended. Everything in the file is data: types are checked, text is stripped of control characters.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from condense_core.errors import RunFileError, ScenarioError
from condense_core.runfile import control, frames, rows
from condense_core.runfile.curves import Curve, FloatArray, IntArray, Spreads, WholeCurve, value_at
from condense_core.runfile.damage import Damage
from condense_core.runfile.decoded_frames import DecodedFrames
from condense_core.runfile.info import RunInfo, read_info
from condense_core.runfile.layer_frames import F, LayerFrames
from condense_core.runfile.open_file import OpenFile
from condense_core.runfile.rows import Event
from condense_core.runfile.scalars import scalars_of
from condense_core.runfile.schema import FILE_NAME, has_table, one_moment, open_reader, reading
from condense_core.runfile.whole_rows import WholeRows
from condense_core.scenario import watched
from condense_core.scenario.claims import Claim
from condense_core.scenario.experiment import Experiment
from condense_core.scenario.gist import members_and_claim
from condense_core.scenario.toml import loads
from condense_core.scenario.watched import Watched, is_watched
from condense_core.text import printable

# Curves of all layers; a bound on hostile files.
MOST_CURVES = 4_096
# Steps at which weights are kept: a run keeps twenty.
MOST_KEPT = 1_000


class KnownScenario(NamedTuple):
    """A scenario, and its text as run files have it: reading that takes longer than all else that is read of a run."""

    text: str
    experiment: Experiment


class RunReader(LayerFrames):
    """One open run file. Use it from one thread at a time; `close` it, or use it as a context."""

    member_number: int | None = None
    """Which member of an ensemble this reads; none for the mean of its scalars and the frames of the first."""

    def __init__(
        self,
        place: Path,
        known: KnownScenario | None = None,
        *,
        opened: OpenFile | None = None,
        damage: Damage | None = None,
    ) -> None:
        """`place` is a run's folder, or a run file by itself. `known` is a scenario that need not be read again where
        the run trains it; `opened` the file of a run in a folder, which is open already. `damage` says what becomes of
        what is damaged: it is refused, unless that leaves it out."""
        with reading(place):
            whole = opened is not None or place.is_dir()
            self.folder = place if whole else place.parent
            self.file = place / FILE_NAME if whole else place
        self._connection = open_reader(self.file, alone=not whole) if opened is None else opened.connection
        self._curves: dict[str, Curve] = {}
        self._in_one_pass = False
        self._all_rows: tuple[WholeRows | None] | None = None
        self._spreads: Spreads | None = None
        self._events: list[Event] = []
        self._layers: tuple[str, ...] = ()
        self._experiment: Experiment | None = None
        self._known: tuple[int, Claim | None] | None = None
        self._scenario = None if opened is None else opened.info.experiment
        self._may_be = known
        self._data_version = -1
        with self._checked():
            self._scalars = scalars_of(self._connection) if opened is None else opened.scalars
            # holes of a mirror are filled behind what was read, see remote/client/mirror.py
            self._mirrored = has_table(self._connection, "hole")
            self.damage = damage or Damage()
            self._frames = DecodedFrames(self._connection, self.file, self.damage, mirrored=self._mirrored)
        self._filled = 0

    def info(self) -> RunInfo:
        """The run's row as it is now; RunFileError if its file was removed meanwhile, of which the open one says
        nothing."""
        if not self.file.exists():
            raise RunFileError(f"the run was removed while it was being watched: there is no {self.file} any more")
        found = read_info(self._connection, self.folder)
        # which never changes
        self._scenario = found.experiment
        if self._may_be is not None and self._may_be.text == found.experiment:
            self._experiment = self._experiment or self._may_be.experiment
        return found

    @property
    def experiment(self) -> Experiment:
        """The scenario that the run trains, fully resolved; RunFileError where a script of its own trains it."""
        if self._experiment is None:
            found = self.subject
            if isinstance(found, Watched):
                raise RunFileError(f"{self.info().id} has no scenario: it was trained by a script of its own")
            self._experiment = found
        return self._experiment

    @property
    def subject(self) -> Experiment | Watched:
        """What the run trains: a scenario, or a network of somebody's own that was watched."""
        if self._experiment is not None:
            return self._experiment
        text = self.info().experiment
        if self._experiment is not None:
            return self._experiment
        try:
            return watched.loads(text, "its training") if is_watched(text) else loads(text, "its scenario")
        except ScenarioError as error:
            raise RunFileError(f"cannot read {self.file}: {error}") from error

    @property
    def members(self) -> int:
        """How many members the run trains as one: 1 unless it is an ensemble."""
        return self.experiment.ensemble.members if self._experiment is not None else self._gist[0]

    @property
    def claim(self) -> Claim | None:
        """What the run must show, None where its scenario makes no claim."""
        return self.experiment.claim if self._experiment is not None else self._gist[1]

    @property
    def _gist(self) -> tuple[int, Claim | None]:
        """What a list asks of a scenario, in a tenth of the time that all of it takes."""
        if self._known is None:
            text = self.info().experiment if self._scenario is None else self._scenario
            try:
                self._known = members_and_claim(text, "its scenario")
            except ScenarioError as error:
                raise RunFileError(f"cannot read {self.file}: {error}") from error
        return self._known

    def member(self, number: int) -> RunReader:
        """The same open file, read as the run of one member: its scalars, frames and scenario. Not to be closed.

        For a run that is no ensemble member 0 is the run itself; ValueError for a number that is not there.
        """
        if not 0 <= number < self.members:
            raise ValueError(f"member {number}: expected 0 to {self.members - 1}")
        if self.members == 1:
            return self
        own = copy.copy(self)
        own.member_number = number
        own._experiment = self.experiment.member(number)
        own._curves = {}
        own._spreads = self._of_members
        return own

    def spread(self, name: str) -> tuple[IntArray, FloatArray]:
        """Steps (N,) and values (N, members) of one scalar; NaN if a member was not measured. For a run that is no
        ensemble, its curve as one column."""
        if self.members == 1:
            steps, values = self.curve(name)
            return steps, values[:, None]
        self._read_members()
        return self._of_members.spread(name)

    def last_of_members(self, name: str, at: int | None = None) -> FloatArray:
        """Each member's newest value (members,) of one scalar, at or before step `at` where given; NaN if it has none.
        For a run that is no ensemble, the one value."""
        if self.members == 1:
            return np.array([self.last(name, at)])
        self._read_members()
        return self._of_members.last(name, at)

    def of_draws(self, name: str, at: int | None = None) -> list[float]:
        """The same as plain numbers."""
        return [self.last(name, at)] if self.members == 1 else self.last_of_members(name, at).tolist()

    @property
    def _of_members(self) -> Spreads:
        if self._spreads is None:
            self._spreads = Spreads(self.members)
        return self._spreads

    def _read_members(self) -> None:
        self._forget_what_was_filled()
        spreads = self._of_members
        with self._checked():
            for found in self._frames.after(frames.Members, "", spreads.last_step, spreads.seq):
                spreads.append(*found)

    def one_moment(self) -> contextlib.AbstractContextManager[None]:
        """All reads in the block see the file as of one commit, and find it open: each takes a third of the time."""
        return one_moment(self._connection)

    def refresh(self) -> bool:
        """Whether anything was committed since the last call; some microseconds where nothing was."""
        with self._checked():
            (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        changed = version != self._data_version
        self._data_version = int(version)
        return bool(changed)

    @property
    def last_seq(self) -> int:
        """The highest sequence number in the file; 0 in an empty one."""
        with self._checked():
            return rows.newest(self._connection)

    @property
    def last_step(self) -> int:
        """The highest step of all that was measured or logged; -1 where nothing was."""
        with self._checked():
            tables = (f"SELECT ifnull(max(step), -1) FROM {table}" for table in ("scalar", "frame"))
            return max(int(step) for table in tables for (step,) in self._connection.execute(table))

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers with frames of similarity or condensation, in the order of the network."""
        self._forget_what_was_filled()
        if not self._layers:
            with self._checked():
                self._layers = self._frames.table.measured_layers()
        return self._layers

    @property
    def instants(self) -> IntArray:
        """Steps that a playhead can stand at, ascending: all that were measured."""
        return self.curve("loss")[0]

    @property
    def newest_step(self) -> int | None:
        """The last of `instants`, None where there is none. Reads no curve for it."""
        if self.member_number is not None or "loss" in self._curves:
            steps = self.instants
            return int(steps[-1]) if len(steps) else None
        with self._checked():
            newest = self._scalars.newest("loss")
            self.damage.of_scalars(self._scalars.wrong)
        return None if newest is None else newest.step

    @property
    def newest_seq(self) -> int:
        """The number of the row that was last measured, 0 where none was; what is logged between is not counted."""
        with self._checked():
            newest = self._scalars.newest("loss")
        return 0 if newest is None else newest.seq

    @property
    def curve_names(self) -> tuple[str, ...]:
        """Names of all scalars recorded so far."""
        with self._checked():
            return tuple(map(printable, self._scalars.names(MOST_CURVES)))

    def curve(self, name: str, most: int | None = None) -> tuple[IntArray, FloatArray]:
        """Steps and values of one scalar up to now; NaN and ±inf as they were measured. Both empty if unknown.

        With `most`, at most that many points more than were read before: whoever must not wait long asks again.
        """
        self._forget_what_was_filled()
        if self.member_number is not None:
            self._read_members()
            return self._of_members.curve(name, self.member_number)
        curve = self._curves.setdefault(name, Curve())
        with self._checked():
            if self._in_one_pass and curve.seq == 0 and (found := self._from_all_rows(name)) is not None:
                curve.take(found)
            for stretch in self._scalars.stretches(name, curve.seq, most):
                curve.append(stretch)
            self.damage.of_scalars(self._scalars.wrong)
        return curve.steps, curve.values

    @contextlib.contextmanager
    def in_one_pass(self) -> Iterator[None]:
        """Around what reads most of the curves: their rows are read once, and not once for each. Of a long run the
        first curve then takes as long as some, and `most` bounds none."""
        if self._in_one_pass:
            yield
            return
        self._in_one_pass = True
        try:
            yield
        finally:
            self._in_one_pass, self._all_rows = False, None

    def _from_all_rows(self, name: str) -> WholeCurve | None:
        if self._all_rows is None:
            self._all_rows = (self._scalars.whole(),)
        (found,) = self._all_rows
        return None if found is None else found.curve(name)

    def last(self, name: str, at: int | None = None) -> float:
        """The newest value of a scalar, at or before step `at` where given; NaN if there is none."""
        if at is None and self.member_number is None and name not in self._curves:
            return self.newest(name)
        return value_at(self.curve(name), at)

    def newest(self, name: str) -> float:
        """The newest value of a scalar, of an ensemble the mean; NaN if there is none. Reads no curve for it."""
        with self._checked():
            found = self._scalars.newest(name)
            self.damage.of_scalars(self._scalars.wrong)
        return rows.number(None if found is None else found.value)

    def weights(self, step: int | None = None) -> tuple[int, dict[str, npt.NDArray[np.floating]]] | None:
        """The newest recorded weights, at or before `step` where given, and their step; None if there are none."""
        with self._checked():
            found = self._frames.newest(frames.Weights, "", self._member, step)
        return None if found is None else (found[0], found[1].numpy())

    @property
    def weight_steps(self) -> IntArray:
        """Steps at which the weights were kept, ascending."""
        with self._checked():
            return np.array(self._frames.table.steps("weights", "", self._member, MOST_KEPT), np.int64)

    def similarity(self, layer: str, step: int | None = None) -> npt.NDArray[np.float32] | None:
        """The layer's cosine similarities, (side, side), at or before `step`; None if there are none."""
        with self._checked():
            return self._frames.similarity(layer, self._member, step)

    def similarity_steps(self, layer: str) -> list[int]:
        """Steps of which the layer's matrix was recorded, ascending."""
        with self._checked():
            return self._frames.table.steps("similarity", layer, self._member)

    def frames_by_step(self) -> dict[int, int]:
        """How many frames each step has, weights and their singular values not counted: those are kept at a few of the
        steps."""
        with self._checked():
            return self._frames.table.counts(without=("weights", "singular"))

    def step_of(self, kind: frames.Kind, layer: str, step: int | None = None) -> int | None:
        """The step of the layer's newest frame of that kind, at or before `step` where given; None if there is none."""
        with self._checked():
            return self._frames.table.step_of(kind, layer, self._member, step)

    @property
    def events(self) -> list[Event]:
        """All events so far, in the order in which they were recorded."""
        self._forget_what_was_filled()
        last = self._events[-1].seq if self._events else 0
        with self._checked():
            cursor = self._connection.execute(
                "SELECT seq, step, kind, text, time FROM event WHERE seq > ? ORDER BY seq", (last,)
            )
            for chunk in rows.chunks(cursor, Event, "event"):
                self._events += [row._replace(kind=printable(row.kind), text=printable(row.text)) for row in chunk]
        return self._events

    def send(self, verb: control.Verb, argument: str = "") -> None:
        """Leave a command for the worker."""
        control.send(self.folder, verb, argument)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def __enter__(self) -> RunReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _forget_what_was_filled(self) -> None:
        """Read a mirror again from its start where rows were put in before those that were read."""
        if not self._mirrored:
            return
        with self._checked():
            row = rows.one(self._connection.execute("SELECT filled FROM mirror"), rows.Numbered, "mirror")
        filled = (row and row.seq) or 0
        if filled != self._filled:
            self._filled = filled
            self._read_anew()

    def _read_anew(self) -> None:
        self._curves, self._events, self._layers, self._all_rows = {}, [], (), None
        self._scalars.read_anew()
        # a member's own scenario does not say how many there are
        self._spreads = None if self._spreads is None else Spreads(self._spreads.members)

    @property
    def _member(self) -> int:
        return self.member_number or 0

    def _newest(self, kind: type[F], layer: str, step: int | None) -> F | None:
        with self._checked():
            found = self._frames.newest(kind, layer, self._member, step)
        return None if found is None else found[1]

    def _checked(self) -> contextlib.AbstractContextManager[None]:
        return reading(self.file)
