"""The server's side of one connection: bytes of a client in, bytes for it out. Knows nothing of pipes.

What a client can reach is runs in the runs folder, by their ids, and two files in each. It names no paths and no
programs: the launcher of workers is the server's own setting.
"""

from __future__ import annotations

import contextlib
import os
import platform
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from condense_core.errors import CondenseError, RunFileError
from condense_core.foreign import reason
from condense_core.libraries import blame
from condense_core.remote.server.source import RunSource
from condense_core.remote.wire import messages as say
from condense_core.remote.wire.framing import WireError, from_client, pack
from condense_core.remote.wire.rows import RowPacker
from condense_core.remote.wire.version import program_version
from condense_core.runfile.abilities import require_ability
from condense_core.runfile.control import VERBS, send
from condense_core.runfile.info import CHECKPOINT_NAME, LOG_NAME, RunInfo, read_run
from condense_core.runfile.schema import FILE_NAME
from condense_core.runs.about_run import NOTHING, AboutRun, change_about, read_about
from condense_core.runs.glance import Glance, glance, no_base
from condense_core.runs.label import PresetBase
from condense_core.runs.place import is_mirror, run_folders
from condense_core.runs.removal import remove_ended
from condense_core.text import short

if TYPE_CHECKING:
    from condense_core.runs.claim_state import Standing

# Rows of one message: at 1 Mbit/s, half a second.
PIECE_BYTES = 64 * 1024
# With more than this to send, a client that wants the newest first gets it first.
FAR_BEHIND_BYTES = 2 * PIECE_BYTES
# A worker that died changes nothing in its file, so the run's row is looked at now and then nevertheless.
STATE_S = 1.0
PULLED_FILES = (LOG_NAME, CHECKPOINT_NAME)


class _GoneError(RunFileError):
    """A run that is not here, whoever asks again."""


class Session:
    """One client. `feed` what it sends, `tick` often; what is meant for it goes to `write`."""

    def __init__(
        self, runs: Path, write: Callable[[bytes], None], launcher: Sequence[str] = (), base: PresetBase = no_base
    ) -> None:
        """`base` gives the presets' scenarios, by which runs are called in lists."""
        self._runs, self._base = runs, base
        self._write = write
        self._launcher = tuple(launcher)
        self._incoming = from_client()
        self._met = False
        self._protocol = say.PROTOCOL
        self._source: RunSource | None = None
        self._packer = RowPacker()
        self._newest = False
        self._head = 0
        self._last = 0
        self._credit = 0
        self._fills: list[say.Fill] = []
        self._state: say.RunState | None = None
        self._state_due = 0.0
        self._pulled: tuple[str, str, BinaryIO] | None = None

    def feed(self, data: bytes) -> None:
        """Obey what these bytes ask for; WireError if they are no messages, after which there is no going on."""
        for message in self._incoming.feed(data):
            if not self._met and not isinstance(message, say.Hello):
                raise WireError("malformed message: the first one was not a hello")
            self._obey(message)

    @property
    def following(self) -> bool:
        """Whether there is a run to look at."""
        return self._source is not None

    def tick(self) -> bool:
        """Send what is new in the run that was subscribed to; whether anything was sent."""
        source = self._source
        if source is None:
            return False
        with self._refusing(0, self._leave):
            return self._send_news(source)
        return True

    def close(self) -> None:
        """Close what is open."""
        self._leave()
        if self._pulled is not None:
            self._pulled[2].close()

    def _obey(self, message: say.ToServer) -> None:
        ask = getattr(message, "ask", 0)
        with self._refusing(ask):
            if isinstance(message, say.Hello):
                # an older client refuses any number but its own
                self._protocol = say.OLDEST_PROTOCOL if message.protocol == say.OLDEST_PROTOCOL else say.PROTOCOL
                self._greet()
            elif isinstance(message, say.Ping):
                self._say(say.Pong(message.token))
            elif isinstance(message, say.Credit):
                self._credit = min(16, self._credit + message.count)
            elif isinstance(message, say.Fill):
                self._fills = [*self._fills, message][:4]
            elif isinstance(message, say.ListRuns):
                self._list(message)
            elif isinstance(message, say.Subscribe):
                self._subscribe(message)
            elif isinstance(message, say.StartRun):
                self._start(message)
            elif isinstance(message, say.Continue):
                self._continue(message)
            elif isinstance(message, say.SteerRun):
                self._command(message)
            elif isinstance(message, say.ChangeAbout):
                change_about(self._folder(message.run), message.change)
                self._say(say.Done(message.ask))
            elif isinstance(message, say.RemoveRun):
                remove_ended(self._folder(message.run))
                self._say(say.Done(message.ask))
            else:
                self._pull(message)

    @contextlib.contextmanager
    def _refusing(self, ask: int, first: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Whatever goes wrong in the block is said to the client, after `first` is done: the session goes on, for there
        are other runs. Only a client that is gone ends it."""
        try:
            yield
        except (BrokenPipeError, ConnectionResetError, TimeoutError):
            raise
        except Exception as error:  # noqa: BLE001 - what is forgotten here would end all that the client watches there
            first()
            if isinstance(error, CondenseError):
                self._refuse(ask, error)
            elif isinstance(error, OSError):
                self._refuse(ask, RunFileError(f"{error.strerror or error} ({error.filename or self._runs})"))
            else:
                unexpected = f"unexpected {type(error).__name__}: {reason(error)}; please report it"
                self._refuse(ask, RunFileError(blame(error) or unexpected))

    def _greet(self) -> None:
        from condense_core.runs.create import missing_packages

        self._met = True
        self._say(
            say.Hello(
                self._protocol,
                program_version(),
                socket.gethostname()[:100],
                f"{platform.python_version()}"[:100],
                missing_packages(),
                str(self._runs)[:2_000],
                say.KNOWN,
            )
        )

    def _list(self, message: say.ListRuns) -> None:
        found: list[RunInfo] = []
        claims: list[Standing | None] = []
        troubles: list[str] = []
        glances: list[Glance] = []
        for folder in run_folders(self._runs):
            if is_mirror(folder):
                continue
            if len(found) > say.MOST_RUNS:
                break
            try:
                info = self._glance(folder, glances, troubles) if message.rows else read_run(folder)
            except RunFileError as error:
                troubles.append(str(error))
                continue
            if info.steps is None and self._protocol == say.OLDEST_PROTOCOL:
                # to a program of that protocol a row without an end is damaged
                troubles.append(f"{info.id} is trained by a script of its own, {self._newer_needed('show')}")
                continue
            found.append(info)
            if message.claims:
                claims.append(self._claim_of(folder, info, troubles))
        self._say(say.Runs.of(message.ask, found, troubles, claims, glances, scenarios=message.scenarios))

    def _glance(self, folder: Path, glances: list[Glance], troubles: list[str]) -> RunInfo:
        """The run, with what a list shows of it added to `glances`; RunFileError where it cannot be read."""
        seen = glance(folder, self._base)
        if seen.info is None:
            raise RunFileError(seen.trouble)
        if seen.trouble:
            troubles.append(seen.trouble)
        glances.append(seen)
        return seen.info

    @staticmethod
    def _newer_needed(verb: str) -> str:
        return f"which your condense-tui cannot {verb}; update it to one like that of this machine, {program_version()}"

    def _claim_of(self, folder: Path, info: RunInfo, troubles: list[str]) -> Standing | None:
        """How a run's claim stands; a run of which that cannot be read is listed nevertheless."""
        from condense_core.runs.standing import read_standing

        try:
            return read_standing(folder, info)
        except RunFileError as error:
            troubles.append(str(error))
            return None

    def _subscribe(self, message: say.Subscribe) -> None:
        self._leave()
        source = RunSource(self._folder(message.run))
        try:
            if self._protocol == say.OLDEST_PROTOCOL and source.format > say.FORMAT_OF_PROTOCOL_2:
                raise RunFileError(
                    f"{message.run} is recorded in format {source.format}, {self._newer_needed('receive')}"
                )
            info, last = source.info(), source.last_seq()
        except CondenseError:
            source.close()
            raise
        if message.after > last:
            source.close()
            raise _GoneError(
                f"{message.run} has {last} rows here and {message.after} in the copy, so it is another run"
            )
        self._source, self._head, self._last, self._newest = source, message.after, last, message.newest
        self._say(say.Described(message.ask, info, source.format, self._about(message.run)))

    def _about(self, run: str) -> AboutRun:
        """What is said of the run here; words that make no sense keep nobody from following it."""
        try:
            return read_about(self._folder(run))
        except RunFileError:
            return NOTHING

    def _leave(self) -> None:
        if self._source is not None:
            self._source.close()
        self._source, self._state = None, None
        self._fills, self._credit = [], 0

    def _send_news(self, source: RunSource) -> bool:
        sent = self._send_state(source)
        if self._credit and self._last > self._head:
            self._credit -= 1
            self._send_piece(source)
            return True
        if self._fills:
            fill = self._fills.pop(0)
            piece = source.piece(fill.after, min(fill.last, self._head), fill.budget)
            self._say(say.Rows(fill.after, piece.last, True, self._packer.pack(piece.batch)))
            return True
        return sent

    def _send_state(self, source: RunSource) -> bool:
        now = time.monotonic()
        if not source.changed() and now < self._state_due:
            return False
        if source.removed:
            raise _GoneError(f"{source.run} was removed from {self._runs}")
        state, before = source.state(), self._state
        self._last = state.last_seq
        same = before is not None and (state.status, state.reason, state.device) == (
            before.status,
            before.reason,
            before.device,
        )
        # a heartbeat and a step once a second are enough; what happened is told at once
        if (same and now < self._state_due) or state == before:
            return False
        self._state, self._state_due = state, now + STATE_S
        self._say(state)
        return True

    def _send_piece(self, source: RunSource) -> None:
        after = self._head
        if self._newest and source.bytes_after(after, FAR_BEHIND_BYTES) > FAR_BEHIND_BYTES:
            after = max(after, source.near_the_end())
        piece = source.piece(after, 2**62, PIECE_BYTES)
        self._head = piece.last
        self._say(say.Rows(after, piece.last, False, self._packer.pack(piece.batch)))

    def _start(self, message: say.StartRun) -> None:
        from condense_core.runs.create import create_run, require_engine, start_worker
        from condense_core.scenario import toml
        from condense_core.scenario.device import device_named

        require_engine()
        device_named(message.device)
        experiment = toml.loads(message.scenario, message.preset or "scenario")
        folder = create_run(
            experiment,
            runs=self._runs,
            name=message.name,
            preset=message.preset,
            device=message.device,
            changed=message.changed,
        )
        start_worker(folder, self._launcher)
        self._say(say.Started(message.ask, folder.name))

    def _continue(self, message: say.Continue) -> None:
        from condense_core.runs.create import require_engine, resume_run

        require_engine()
        resume_run(self._folder(message.run), self._launcher)
        self._say(say.Started(message.ask, message.run))

    def _command(self, message: say.SteerRun) -> None:
        folder = self._folder(message.run)
        with_reader = RunSource(folder)
        try:
            info = with_reader.info()
        finally:
            with_reader.close()
        verb = next((verb for verb in VERBS if verb == message.verb), None)
        if verb is None:
            raise RunFileError(f"unknown command {short(message.verb)}; expected one of {', '.join(VERBS)}")
        if not info.active:
            raise RunFileError(f"{info.id} is {info.status}; there is nothing to {verb}")
        if verb != "checkpoint" or info.trainer != "engine":
            require_ability(info, "stop" if verb == "stop" else "pause")
        send(folder, verb, message.argument)  # type: ignore[arg-type]
        self._say(say.Done(message.ask))

    def _pull(self, message: say.Pull) -> None:
        if message.file not in PULLED_FILES:
            raise RunFileError(f"no file {short(message.file)} to pull; expected one of {', '.join(PULLED_FILES)}")
        opened = self._pulled_file(message)
        try:
            size = opened.seek(0, os.SEEK_END)
            offset = max(0, size + message.offset) if message.offset < 0 else min(message.offset, size)
            opened.seek(offset)
            data = opened.read(say.PIECE)
        except OSError as error:
            raise RunFileError(f"cannot read {message.file} of {message.run}: {error.strerror}") from None
        self._say(say.FilePiece(message.ask, offset, size, data))

    def _pulled_file(self, message: say.Pull) -> BinaryIO:
        """The file, kept open from its beginning on: a checkpoint that is replaced meanwhile is still read whole."""
        before = self._pulled
        if before is not None and before[:2] == (message.run, message.file) and message.offset > 0:
            return before[2]
        file = self._folder(message.run) / message.file
        if before is not None:
            before[2].close()
            self._pulled = None
        try:
            descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            raise RunFileError(f"{message.run} has no {message.file} ({error.strerror})") from None
        opened = os.fdopen(descriptor, "rb")
        self._pulled = message.run, message.file, opened
        return opened

    def _folder(self, run: str) -> Path:
        folder = self._runs / run
        if is_mirror(folder) or not (folder / FILE_NAME).is_file():
            raise _GoneError(f"no run {short(run)} in {self._runs}")
        return folder

    def _refuse(self, ask: int, error: CondenseError) -> None:
        self._say(say.Refused(ask, str(error)[:2_000], error.exit_code, isinstance(error, _GoneError)))

    def _say(self, message: say.Message) -> None:
        self._write(pack(message))
