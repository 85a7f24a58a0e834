"""What one connection does for one mirror. Knows nothing of pipes: messages in, messages out.

Two credits: the server sends two messages of rows, and another for each that was stored here. On a slow link nothing
more is ever under way, so what arrives is never old. Where the server leapt to the newest rows, the holes that this
left are filled one question at a time, of a size that the link carries in a blink.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from condense_core.errors import HostError, RunGoneError
from condense_core.remote.client.mirror import Hole, MirrorFile
from condense_core.remote.wire import messages as say
from condense_core.remote.wire.framing import WireError
from condense_core.remote.wire.rows import RowUnpacker
from condense_core.runfile.status import ACTIVE

CREDITS = 2
PING_S = 1.0
# Pings go out every second: nothing for so long, and the connection is dead, whatever TCP hopes for.
SILENCE_S = 10.0
# A fill's answer should take about this long, so that the newest rows never wait long behind it.
FILL_S = 0.2
FILL_LEAST, FILL_MOST = 16 * 1024, 512 * 1024


class RunRefusedError(HostError):
    """The far side is there, and cannot read the run."""


class Follower:
    """Follows one run from the mirror's last row on."""

    def __init__(
        self, mirror: MirrorFile, send: Callable[[say.Message], None], ask: Callable[[], int], *, newest: bool
    ) -> None:
        self._mirror = mirror
        self._send = send
        self._ask = ask
        self._newest = newest
        self._unpacker = RowUnpacker()
        self._subscription = 0
        self._described = False
        self._state: say.RunState | None = None
        self._withheld: say.RunState | None = None
        self._reopened = False
        self._fill: tuple[Hole, float] | None = None
        self._budget = FILL_LEAST
        self._pings: dict[int, float] = {}
        self._next_ping = 0.0
        self._commands: dict[int, int] = {}
        self._heard = time.monotonic()
        self._shown = 0.0
        self._delay: float | None = None
        self._trouble = ""

    def begin(self) -> None:
        """Subscribe after the last row that is here."""
        self._subscription = self._ask()
        self._send(say.Subscribe(self._subscription, self._mirror.run, self._mirror.top, self._newest))
        self._send(say.Credit(CREDITS))

    @property
    def complete(self) -> bool:
        """All rows are here that there were when the far side last spoke of its run."""
        state = self._state
        return state is not None and self._mirror.top >= state.last_seq and self._mirror.first_hole() is None

    @property
    def described(self) -> bool:
        """The far side has the run, and it is the one mirrored here."""
        return self._described

    def obey(self, message: say.ToClient) -> None:
        """Store what a message brings; HostError if it is not what was asked for."""
        self._heard = time.monotonic()
        if isinstance(message, say.Rows):
            self._rows(message)
        elif isinstance(message, say.RunState):
            self._state = self._withheld = message
        elif isinstance(message, say.Described) and message.ask == self._subscription:
            there = message.info.id, message.info.created, message.format
            if there != (self._mirror.run, self._mirror.created, self._mirror.format):
                raise self._gone(f"{self._mirror.run} there is not the run that was copied here")
            self._described = True
        elif isinstance(message, say.Pong):
            sent = self._pings.pop(message.token, None)
            self._delay = self._delay if sent is None else self._heard - sent
        elif isinstance(message, say.Done):
            self._command_ended(message.ask, "")
        elif isinstance(message, say.Refused):
            if message.ask in {0, self._subscription}:
                raise self._gone(message.error) if message.gone else RunRefusedError(message.error)
            self._command_ended(message.ask, message.error)
        self._tell_state()

    def tick(self) -> None:
        """Ping, pass commands on, ask for what is missing, and note how the connection is; call it often."""
        now = time.monotonic()
        if now - self._heard > SILENCE_S:
            raise HostError(f"no answer for {SILENCE_S:.0f} s")
        if now >= self._next_ping:
            self._next_ping = now + PING_S
            token = self._ask()
            self._pings = {token: now, **dict(list(self._pings.items())[:20])}
            self._send(say.Ping(token))
        if not self._described:
            return
        for command in self._mirror.waiting_commands():
            if command.id not in self._commands.values():
                ask = self._ask()
                self._commands[ask] = command.id
                self._send(say.SteerRun(ask, self._mirror.run, command.verb, command.argument[:100]))
        if self._fill is None and (hole := self._mirror.first_hole()) is not None:
            self._fill = hole, now
            self._send(say.Fill(hole.after, hole.last, self._budget))
        if now >= self._shown + PING_S:
            self._shown = now
            heard = time.time() - (now - self._heard)
            self._mirror.link("connected", delay=self._delay, heard=heard, trouble=self._trouble)

    def _gone(self, why: str) -> RunGoneError:
        kept = self._mirror.folder.name
        return RunGoneError(
            f"{self._mirror.host}: {why}; what was copied of it is kept: condense-tui replay {kept}",
            "the run is no longer there; what was copied of it is shown",
        )

    def _rows(self, message: say.Rows) -> None:
        if not self._described:
            raise HostError("malformed answer: rows before the run was described")
        try:
            batch = self._unpacker.unpack(message.packed)
        except WireError as error:
            raise HostError(str(error)) from None
        if not message.fill:
            self._mirror.append(message.after, message.last, batch)
            self._send(say.Credit(1))
            return
        if self._fill is None or self._fill[0].after != message.after:
            raise HostError("malformed answer: rows that were not requested")
        (hole, asked), self._fill = self._fill, None
        self._mirror.fill(hole.after, message.last, batch)
        quick = time.monotonic() - asked < FILL_S
        self._budget = min(FILL_MOST, 2 * self._budget) if quick else max(FILL_LEAST, self._budget // 2)

    def _tell_state(self) -> None:
        """A run counts as ended only once its last rows are here: a reader that waits for the end reads them next."""
        state = self._withheld
        if state is None or not self._described:
            return
        if state.status in ACTIVE or self.complete:
            self._withheld = None
            self._mirror.state(state)
        elif not self._reopened:
            # it went on and ended while nobody looked
            self._reopened = True
            self._mirror.state(msgspec.structs.replace(state, status="running"))

    def _command_ended(self, ask: int, trouble: str) -> None:
        command = self._commands.pop(ask, None)
        if command is not None:
            self._mirror.passed_on(command)
            self._trouble = trouble
