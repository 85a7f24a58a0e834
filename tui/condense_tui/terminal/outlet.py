"""The way out to the terminal: what is new on the screen, in frames of a size that the terminal can take."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.console import Console
from textual.geometry import Region

from condense_tui.terminal.outgoing import Outgoing
from condense_tui.terminal.pace import Call, Pace
from condense_tui.terminal.textual_internals import CompositorUpdate

# ssh sends what it finds in one encrypted packet, of which nothing is seen before its last byte has come: what matters
# first goes in a packet of its own, and the rest when ssh has taken that.
PACKET_BYTES = 1_200
PACKET_S = 0.006


class CodesUpdate(CompositorUpdate):
    """Codes that are written at once."""

    def __init__(self, codes: str) -> None:
        self._codes = codes

    def render_segments(self, console: Console) -> str:
        return self._codes


class Outlet:
    """Passes updates on to the terminal as fast as it shows them."""

    def __init__(
        self,
        pace: Pace,
        write: Callable[[CodesUpdate], None],
        later: Callable[[float, Call], object],
        first: Callable[[], Sequence[Region]],
    ) -> None:
        """`write` puts a frame on the terminal, `later(seconds, call)` is a timer, and `first` says which regions of
        the screen are to come first."""
        self._pace = pace
        self._write = write
        self._later = later
        self._first = first
        self._outgoing = Outgoing(far=pace.far)
        self._waiting_for_room: Call | None = None
        # also where a dialog stood that has just closed
        self._soon: Sequence[Region] = ()
        pace.more = self._pass_on

    @property
    def settled(self) -> bool:
        """Everything has been written."""
        return self._outgoing.settled

    def forget(self) -> None:
        """The terminal has changed its size or comes back from elsewhere: what it shows is not known."""
        self._outgoing.forget()

    def update(self, update: CompositorUpdate, console: Console) -> None:
        """Write what is new in an update, now or as soon as there is room for it."""
        self._outgoing.take(update, console)
        urgent = min(PACKET_BYTES, self._pace.room(urgent=True))
        if self._pace.far and self._outgoing.size > PACKET_BYTES and self._send(0, urgent):
            self._later(PACKET_S, self._pass_on)
        else:
            self._pass_on()

    def frame_shown(self, done: Call) -> None:
        """Call `done` once all that was drawn has been written."""
        if self.settled:
            done()
        else:
            self._waiting_for_room = done

    def key_pressed(self) -> None:
        """What answers a key waits for nothing."""
        waiting, self._waiting_for_room = self._waiting_for_room, None
        if waiting is not None:
            waiting()

    def _pass_on(self) -> None:
        while not self.settled:
            room, urgent = self._pace.room(), self._pace.room(urgent=True)
            if not (urgent and self._send(room, urgent)):
                self._pace.wait()
                return
        self._soon = self._first()
        self.key_pressed()

    def _send(self, room: int, urgent: int) -> bool:
        self._soon = self._first() or self._soon
        pieces = self._outgoing.give(room, urgent, self._soon)
        if pieces:
            written = b"".join([piece.written for piece in pieces])
            self._write(CodesUpdate(written.decode()))
            self._pace.sent(len(written))
        return bool(pieces)
