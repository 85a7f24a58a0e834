"""A server's session and a viewer's follower joined by a wire that can be cut anywhere, without any process."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support import all_rows

from condense_core.remote.client.follower import Follower
from condense_core.remote.client.link import open_mirror
from condense_core.remote.client.mirror import MirrorFile
from condense_core.remote.server.session import Session
from condense_core.remote.wire.framing import GREETING, from_server, pack
from condense_core.remote.wire.messages import PROTOCOL, Hello, Message
from condense_core.runfile import control
from condense_core.runfile.info import read_run


class Near:
    """The viewer's side of one connection that lasts until `cut`."""

    def __init__(self, far_runs: Path, runs: Path, run: str, *, newest: bool = False, protocol: int = PROTOCOL) -> None:
        self.to_near = bytearray(GREETING)
        self.server = Session(far_runs, self.to_near.extend)
        self.incoming = from_server()
        self._asks = itertools.count(1)
        self.received: list[object] = []
        self.sent: list[Message] = []
        self.send(Hello(protocol, "test"))
        self.host = type("Host", (), {"name": "far"})()
        self.folder = open_mirror(self, run, runs)  # type: ignore[arg-type]
        self._held = control.hold(self.folder)
        self._held.__enter__()
        self.mirror = MirrorFile(self.folder, "far", read_run(self.folder))
        self.follower = Follower(self.mirror, self.send, lambda: next(self._asks), newest=newest)
        self.follower.begin()

    def send(self, message: Message) -> None:
        self.sent.append(message)
        self.server.feed(pack(message))

    def ask(self, question, answer):
        number = next(self._asks)
        self.send(question(number))
        return next(message for message in self._arrive() if isinstance(message, answer) and message.ask == number)

    def _arrive(self, most: int | None = None) -> list[object]:
        data = bytes(self.to_near[:most])
        del self.to_near[:most]
        messages = self.incoming.feed(data)
        self.received += messages
        return messages

    def step(self, most: int | None = None) -> None:
        """What the server has to say, at most so many bytes of it, and the viewer's answer."""
        self.server.tick()
        for message in self._arrive(most):
            self.follower.obey(message)
        self.follower.tick()

    def settle(self, steps: int = 3000) -> None:
        """Go on until the mirror has everything."""
        for _ in range(steps):
            self.step()
            if self.follower.complete and not self.to_near:
                return
        raise AssertionError("the mirror was never complete")

    def cut(self) -> None:
        """The connection is gone; what was under way is lost."""
        self.server.close()
        self.mirror.close()
        self._held.__exit__(None, None, None)


@contextmanager
def following(
    far_runs: Path, runs: Path, run: str, *, newest: bool = False, protocol: int = PROTOCOL
) -> Iterator[Near]:
    near = Near(far_runs, runs, run, newest=newest, protocol=protocol)
    try:
        yield near
    finally:
        near.cut()


def assert_same(mirror: Path, original: Path) -> None:
    """The mirror is the original, row by row."""
    here, there = all_rows(mirror), all_rows(original)
    for table, rows in there.items():
        assert [row[0] for row in here[table]] == [row[0] for row in rows], f"sequence numbers of {table} differ"
        assert here[table] == rows, f"rows of {table} differ"
