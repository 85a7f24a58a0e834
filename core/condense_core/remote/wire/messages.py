"""What the two ends of an ssh connection say to each other: typed records, every size bounded.

Encoded as msgpack arrays: a later version may add fields at a record's end. `Hello` is the first message each way and
never changes but so, which is how two versions that do not understand each other can still say so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from condense_core import typed
from condense_core.errors import RunFileError
from condense_core.foreign import LONGEST_SCENARIO, decoding
from condense_core.remote.wire.claims import packed_claim, unpacked_claim
from condense_core.remote.wire.list_rows import packed_row, unpacked_row
from condense_core.runfile.info import EVERYTHING, RunAbility, RunInfo, shown
from condense_core.runfile.rows import Moment, Seq, Step
from condense_core.runfile.status import Status
from condense_core.runs.about_run import NOTHING, AboutChange, AboutRun, ChangedFields
from condense_core.runs.glance import Glance
from condense_core.text import printable

if TYPE_CHECKING:
    from condense_core.runs.claim_state import Standing
    from condense_core.runs.row import RunRow

# Raised where an older program could not make sense of what is said. What each added:
# 2: nothing older is spoken.
# 3: run files of format 2: rows of several scalars (`wire.rows`), and a file's format in `Described`. Of earlier ones
#    the rows travel as they did, so each end speaks 2 with one that does: a server answers it with 2.
# 4: runs that somebody's own script trains, which may have no known end, and what can be done with a run.
PROTOCOL, OLDEST_PROTOCOL = 4, 2
# The newest format of a run file of which protocol 2 can send the rows.
FORMAT_OF_PROTOCOL_2 = 1

Id = Annotated[str, Meta(max_length=100, pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$")]
Word = Annotated[str, Meta(max_length=100)]
LineText = Annotated[str, Meta(max_length=2_000)]
ScenarioText = Annotated[str, Meta(max_length=LONGEST_SCENARIO)]
AskNumber = Annotated[int, Meta(ge=0, lt=2**31)]
CreditCount = Annotated[int, Meta(ge=0, le=16)]
ByteBudget = Annotated[int, Meta(ge=1, le=1_000_000)]

# A list of runs is for a person; who has more than this finds the older ones on that machine itself.
MOST_RUNS = 500
# Bytes of such a list: 500 usual runs are a tenth of it, and it stays far from what a message may be.
MOST_LISTED = 3 * 1024 * 1024
# What this version's server answers beyond its protocol.
KNOWN = ["about", "remove"]
# Bytes of a file that travel in one message.
PIECE = 262_144


class Message(msgspec.Struct, frozen=True, array_like=True, tag_field="type"):
    """Base of all messages. `ask` numbers a question; its answer carries the same number."""


class Hello(Message, frozen=True, tag="hello"):
    """Who speaks. From the server also: its host's name, Python's version, which engine packages it lacks, where its
    runs are, and what it can be asked besides."""

    protocol: int
    program: Word
    host: Word = ""
    python: Word = ""
    missing: Annotated[list[Word], Meta(max_length=20)] = []
    runs: LineText = ""
    knows: Annotated[list[Word], Meta(max_length=20)] = []
    """Questions that not every server of this protocol answers (`KNOWN`): who is asked another ends the connection."""


class ListRuns(Message, frozen=True, tag="list"):
    """All runs there; answered by `Runs`. `claims`: with how the claim of each stands, which takes reading it; `rows`:
    with what a list shows of each; `scenarios`: with what each trains. An older program gives none of them."""

    ask: AskNumber
    claims: bool = False
    rows: bool = False
    scenarios: bool = False


class StartRun(Message, frozen=True, tag="start"):
    """Make a run of that scenario (TOML) and start its worker; answered by `Started`. `changed`: the fields that are
    otherwise than in its file; an older server passes over them."""

    ask: AskNumber
    scenario: ScenarioText
    name: Word
    preset: Word
    device: Word
    changed: ChangedFields = ()


class Subscribe(Message, frozen=True, tag="subscribe"):
    """Send the run's rows after sequence number `after`, as far as credit goes, and its state whenever it changes.

    `newest`: where there is much to send, begin near the end; what is left out is asked for with `Fill`.
    """

    ask: AskNumber
    run: Id
    after: Seq
    newest: bool


class Credit(Message, frozen=True, tag="credit"):
    """`count` more messages of rows may be sent."""

    count: CreditCount


class Fill(Message, frozen=True, tag="fill"):
    """Rows after `after` up to and with `last`, as many from the start on as fit into `budget` bytes."""

    after: Seq
    last: Seq
    budget: ByteBudget


class SteerRun(Message, frozen=True, tag="command"):
    """Pause, resume, stop or checkpoint a run's training; answered by `Done`."""

    ask: AskNumber
    run: Id
    verb: Word
    argument: Word = ""


class Continue(Message, frozen=True, tag="continue"):
    """Start a worker that goes on with a stopped run from its last checkpoint; answered by `Started`."""

    ask: AskNumber
    run: Id


class Pull(Message, frozen=True, tag="pull"):
    """Bytes of one of the run's files (worker.log, checkpoint.safetensors) from `offset` on; answered by `FilePiece`.

    A negative offset counts from the end. From offset 0 on, all pieces are of one state of the file.
    """

    ask: AskNumber
    run: Id
    file: Word
    offset: Annotated[int, Meta(ge=-(2**50), lt=2**50)]


class ChangeAbout(Message, frozen=True, tag="about"):
    """Change what a person says of a run; answered by `Done`. Only for a server that knows `about`."""

    ask: AskNumber
    run: Id
    change: AboutChange


class RemoveRun(Message, frozen=True, tag="remove"):
    """Delete a run that nobody trains; answered by `Done`. Only for a server that knows `remove`."""

    ask: AskNumber
    run: Id


class Ping(Message, frozen=True, tag="ping"):
    """Answered by `Pong` with the same token."""

    token: Seq


ToServer = (
    Hello
    | ListRuns
    | StartRun
    | Subscribe
    | Credit
    | Fill
    | SteerRun
    | Continue
    | Pull
    | Ping
    | ChangeAbout
    | RemoveRun
)


class Runs(Message, frozen=True, tag="runs"):
    """The runs there, the newest first; without their scenarios. Each is a `RunInfo` by itself, so that one which makes
    no sense hides no other; `troubles` says a line for each that could not be read there. `claims` has how the claim
    of each run stands, in their order, where that was asked for, and `rows` what a list shows of it; from an older
    program nothing."""

    ask: AskNumber
    runs: Annotated[list[msgspec.Raw], Meta(max_length=MOST_RUNS)]
    troubles: Annotated[list[LineText], Meta(max_length=MOST_RUNS)] = []
    claims: Annotated[list[msgspec.Raw], Meta(max_length=MOST_RUNS)] = []
    rows: Annotated[list[msgspec.Raw], Meta(max_length=MOST_RUNS)] = []

    @classmethod
    def of(
        cls,
        ask: int,
        runs: Sequence[RunInfo],
        troubles: Sequence[str],
        claims: Sequence[Standing | None] = (),
        glances: Sequence[Glance] = (),
        *,
        scenarios: bool = False,
    ) -> Runs:
        """The message that lists these runs, as many as it holds; `claims` and `glances` are of each, or none."""
        packed: list[msgspec.Raw] = []
        stand, rows = [packed_claim(claim) for claim in claims], [packed_row(glance) for glance in glances]
        size = 0
        for number, run in enumerate(runs):
            body = msgspec.msgpack.encode(run if scenarios else msgspec.structs.replace(run, experiment=""))
            size += len(body) + sum(len(bytes(more[number])) for more in (stand, rows) if more)
            if size > MOST_LISTED or len(packed) == MOST_RUNS:
                troubles = [*troubles, f"{len(runs) - len(packed)} older runs are not listed"]
                break
            packed.append(msgspec.Raw(body))
        troubles = [trouble[:2_000] for trouble in troubles][-MOST_RUNS:]
        return cls(ask, packed, troubles, stand[: len(packed)], rows[: len(packed)])

    def unpacked(self) -> tuple[list[RunInfo], list[str]]:
        """The runs, with texts that can be shown, and a line for each that cannot be read."""
        troubles = [printable(trouble) for trouble in self.troubles]
        return [info for _, info in self._readable(troubles)], troubles

    def with_claims(self) -> tuple[list[tuple[RunInfo, Standing | None]], list[str]]:
        """The same, each run with how its claim stands; None where it makes none, or where that is not known."""
        troubles = [printable(trouble) for trouble in self.troubles]
        return [(info, self._claim(number, info, troubles)) for number, info in self._readable(troubles)], troubles

    def with_rows(self) -> tuple[list[RunRow], list[str]]:
        """The same, each run as a list shows it, of an older program without what a list shows beside its row."""
        from condense_core.runs.row import RunRow

        troubles = [printable(trouble) for trouble in self.troubles]
        rows = []
        for number, info in self._readable(troubles):
            glance = Glance(folder=Path(info.id), info=info)
            if number < len(self.rows):
                try:
                    glance = unpacked_row(self.rows[number], info)
                except RunFileError as error:
                    troubles.append(f"{info.id}: {error}")
            rows.append(RunRow(glance, self._claim(number, info, troubles)))
        return rows, troubles

    def _readable(self, troubles: list[str]) -> Iterator[tuple[int, RunInfo]]:
        """Each run that makes sense, with its number; a line in `troubles` for each other."""
        for number in range(len(self.runs)):
            try:
                yield number, self._run(number)
            except RunFileError as error:
                troubles.append(str(error))

    def _claim(self, number: int, info: RunInfo, troubles: list[str]) -> Standing | None:
        if number >= len(self.claims):
            return None
        try:
            return unpacked_claim(self.claims[number])
        except RunFileError as error:
            troubles.append(f"{info.id}: {error}")
            return None

    def _run(self, number: int) -> RunInfo:
        with decoding(RunFileError, f"run {number + 1} of {len(self.runs)} is malformed"):
            return shown(typed.from_msgpack(self.runs[number], RunInfo))


class Started(Message, frozen=True, tag="started"):
    """The run was made, or goes on, and has a worker."""

    ask: AskNumber
    run: Id


class Described(Message, frozen=True, tag="described"):
    """The run that was subscribed to, whole, the version of its file, and what a person there says of the run. Follows
    every `Subscribe`."""

    ask: AskNumber
    info: RunInfo
    format: Annotated[int, Meta(ge=1, lt=2**31)] = 1
    about: AboutRun = NOTHING


class RunState(Message, frozen=True, tag="state"):
    """What changes of the run's row, with its status as seen there, and the last sequence number in its file."""

    status: Status
    reason: LineText
    step: Step
    seconds: Moment
    heartbeat: Moment
    device: LineText
    host: LineText
    pid: Seq | None
    last_seq: Seq
    can: Annotated[tuple[RunAbility, ...], Meta(max_length=10)] = EVERYTHING


class Rows(Message, frozen=True, tag="rows"):
    """All rows after sequence number `after` up to and with `last`, packed. `fill`: the answer to a `Fill`."""

    after: Seq
    last: Seq
    fill: bool
    packed: bytes


class FilePiece(Message, frozen=True, tag="piece"):
    """Bytes from `offset` of a file of `size` bytes; none at its end."""

    ask: AskNumber
    offset: Seq
    size: Seq
    data: Annotated[bytes, Meta(max_length=PIECE)]


class Done(Message, frozen=True, tag="done"):
    """It was done."""

    ask: AskNumber


class Refused(Message, frozen=True, tag="refused"):
    """It was not done: why, in one line for the person, and the exit code that goes with it.

    `gone`: because the run is not there, or is another one; who asks again is told the same.
    """

    ask: AskNumber
    error: LineText
    exit_code: Annotated[int, Meta(ge=1, le=125)]
    gone: bool = False


class Pong(Message, frozen=True, tag="pong"):
    """The answer to a `Ping`."""

    token: Seq


ToClient = Hello | Runs | Started | Described | RunState | Rows | FilePiece | Done | Refused | Pong
