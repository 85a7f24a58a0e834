"""What the two ends of an ssh connection say to each other: typed records, every size bounded.

Encoded as msgpack arrays: a later version may add fields at a record's end. `Hello` is the first message each way and
never changes but so, which is how two versions that do not understand each other can still say so.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from condense_core.runfile.info import RunInfo
from condense_core.runfile.status import Status

# Raised where an older program could not make sense of what is said; the client refuses any other number than its own.
PROTOCOL = 2

Id = Annotated[str, Meta(max_length=100, pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$")]
Word = Annotated[str, Meta(max_length=100)]
Line = Annotated[str, Meta(max_length=2_000)]
Scenario = Annotated[str, Meta(max_length=500_000)]
Seq = Annotated[int, Meta(ge=0, lt=2**62)]
Ask = Annotated[int, Meta(ge=0, lt=2**31)]
Count = Annotated[int, Meta(ge=0, le=16)]
Budget = Annotated[int, Meta(ge=1, le=1_000_000)]
Moment = Annotated[float, Meta(ge=-1e12, le=1e12)]

# A list of runs is for a person; who has more than this finds the older ones on that machine itself.
MOST_RUNS = 500
# Bytes of a file that travel in one message.
PIECE = 262_144


class Message(msgspec.Struct, frozen=True, array_like=True, tag_field="type"):
    """Base of all messages. `ask` numbers a question; its answer carries the same number."""


class Hello(Message, frozen=True, tag="hello"):
    """Who speaks. From the server also: its host's name, Python's version, and which engine packages it lacks."""

    protocol: int
    program: Word
    host: Word = ""
    python: Word = ""
    missing: Annotated[list[Word], Meta(max_length=20)] = []
    runs: Line = ""


class ListRuns(Message, frozen=True, tag="list"):
    """All runs there; answered by `Runs`."""

    ask: Ask


class Start(Message, frozen=True, tag="start"):
    """Make a run of that scenario (TOML) and start its worker; answered by `Started`."""

    ask: Ask
    scenario: Scenario
    name: Word
    preset: Word
    device: Word


class Subscribe(Message, frozen=True, tag="subscribe"):
    """Send the run's rows after sequence number `after`, as far as credit goes, and its state whenever it changes.

    `newest`: where there is much to send, begin near the end; what is left out is asked for with `Fill`.
    """

    ask: Ask
    run: Id
    after: Seq
    newest: bool


class Credit(Message, frozen=True, tag="credit"):
    """`count` more messages of rows may be sent."""

    count: Count


class Fill(Message, frozen=True, tag="fill"):
    """Rows after `after` up to and with `last`, as many from the start on as fit into `budget` bytes."""

    after: Seq
    last: Seq
    budget: Budget


class Command(Message, frozen=True, tag="command"):
    """Pause, resume, stop or checkpoint a run's training; answered by `Done`."""

    ask: Ask
    run: Id
    verb: Word
    argument: Word = ""


class Continue(Message, frozen=True, tag="continue"):
    """Start a worker that goes on with a stopped run from its last checkpoint; answered by `Started`."""

    ask: Ask
    run: Id


class Pull(Message, frozen=True, tag="pull"):
    """Bytes of one of the run's files (worker.log, checkpoint.safetensors) from `offset` on; answered by `Piece`.

    A negative offset counts from the end. From offset 0 on, all pieces are of one state of the file.
    """

    ask: Ask
    run: Id
    file: Word
    offset: Annotated[int, Meta(ge=-(2**50), lt=2**50)]


class Ping(Message, frozen=True, tag="ping"):
    """Answered by `Pong` with the same token."""

    token: Seq


ToServer = Hello | ListRuns | Start | Subscribe | Credit | Fill | Command | Continue | Pull | Ping


class Runs(Message, frozen=True, tag="runs"):
    """The runs there, the newest first; without their scenarios."""

    ask: Ask
    runs: Annotated[list[RunInfo], Meta(max_length=MOST_RUNS)]


class Started(Message, frozen=True, tag="started"):
    """The run was made, or goes on, and has a worker."""

    ask: Ask
    run: Id


class Described(Message, frozen=True, tag="described"):
    """The run that was subscribed to, whole. Follows every `Subscribe`."""

    ask: Ask
    info: RunInfo


class State(Message, frozen=True, tag="state"):
    """What changes of the run's row, with its status as seen there, and the last sequence number in its file."""

    status: Status
    reason: Line
    step: Seq
    seconds: Moment
    heartbeat: Moment
    device: Line
    host: Line
    pid: Seq | None
    last_seq: Seq


class Rows(Message, frozen=True, tag="rows"):
    """All rows after sequence number `after` up to and with `last`, packed. `fill`: the answer to a `Fill`."""

    after: Seq
    last: Seq
    fill: bool
    packed: bytes


class Piece(Message, frozen=True, tag="piece"):
    """Bytes from `offset` of a file of `size` bytes; none at its end."""

    ask: Ask
    offset: Seq
    size: Seq
    data: Annotated[bytes, Meta(max_length=PIECE)]


class Done(Message, frozen=True, tag="done"):
    """It was done."""

    ask: Ask


class Refused(Message, frozen=True, tag="refused"):
    """It was not done: why, in one line for the person, and the exit code that goes with it."""

    ask: Ask
    error: Line
    exit_code: Annotated[int, Meta(ge=1, le=125)]


class Pong(Message, frozen=True, tag="pong"):
    """The answer to a `Ping`."""

    token: Seq


ToClient = Hello | Runs | Started | Described | State | Rows | Piece | Done | Refused | Pong
