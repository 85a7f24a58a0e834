"""Messages of a hostile server to a viewer and of a hostile client to a server: whatever comes is stored, answered or
refused in one clean line, in bounded time, and nothing outside the runs folders changes."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from unittest import mock

import hostile
from recording import Recording
from test_hostile import FROM_CLIENT, PATIENCE_S, Viewer, everything, is_clean, valid_messages

from campaigns.framework import Attempt, Campaign, Scene
from condense_core.remote.server.session import Session
from condense_core.remote.wire import messages as say
from condense_core.remote.wire.framing import GREETING, WireError, from_server, pack
from condense_core.runfile.reader import RunReader
from condense_core.runs import create, place

A_GO = 100


class Server:
    """A server's runs folder, and a session in it for each go."""

    def __init__(self, root: Path) -> None:
        self.runs = root / "runs"
        recording = Recording(self.runs, frames=12)
        recording.write()
        (root / "secret").write_text("not to be pulled")
        (recording.folder / "worker.log").write_text("log")
        (recording.folder / "checkpoint.safetensors").symlink_to(root / "secret")
        with RunReader(recording.folder) as reader:
            self.valid = valid_messages(recording.folder.name, reader.info().experiment)
        self.run = recording.folder
        self.started: list[Path] = []
        self.answered = self.broken = 0

    def attacked(self, draw: Random) -> None:
        left = A_GO
        while left > 0:
            left -= max(1, self._connection(draw, left))
        for folder in {*self.started} - {self.run}:
            assert folder.parent == self.runs
            shutil.rmtree(folder)
        self.started.clear()
        assert place.run_folders(self.runs) == [self.run]

    def _connection(self, draw: Random, most: int) -> int:
        said, count = bytearray(), 0
        session, incoming = Session(self.runs, said.extend), from_server()
        incoming.feed(GREETING)
        try:
            session.feed(pack(say.Hello(say.PROTOCOL, "1")))
            for _ in range(most):
                good = pack(draw.choice(self.valid))
                count += 1
                session.feed(draw.choice((good, hostile.wrong(draw, FROM_CLIENT), hostile.damaged(draw, good))))
                session.tick()
        except WireError as error:
            self.broken += 1
            assert is_clean(str(error))
        finally:
            session.close()
        # what it says stays well-formed, and holds nothing that was not to be had
        for message in incoming.feed(bytes(said)):
            self.answered += 1
            assert not isinstance(message, say.FilePiece) or message.data in b"log"
            assert not isinstance(message, say.Refused) or is_clean(message.error)
        return count


@contextlib.contextmanager
def opened(scene: Scene) -> Iterator[Attempt]:
    viewer, server = Viewer(scene.folder / "client"), Server(scene.folder / "server")
    near, far = (
        everything(scene.folder / "client", viewer.runs),
        everything(scene.folder / "server", server.runs),
    )
    sent = 0

    def attempt(draw: Random, _: Path) -> int:
        nonlocal sent
        begun = time.monotonic()
        viewer.attacked(draw)
        server.attacked(draw)
        sent += A_GO
        assert time.monotonic() - begun < 2 * PATIENCE_S, "took too long"
        return A_GO

    with (
        mock.patch.object(create, "start_worker", lambda folder, launcher=(): server.started.append(folder)),
        mock.patch.object(create, "require_engine", lambda: None),
    ):
        yield attempt
    assert everything(scene.folder / "client", viewer.runs) == near, "written outside the viewer's runs"
    assert everything(scene.folder / "server", server.runs) == far, "written outside the server's runs"
    if sent >= 1_000:
        # it was an attack on what works, not on a closed door
        assert viewer.stored > sent / 50
        assert server.answered > sent / 10
    scene.notes.append(f"as many to a server; {viewer.stored:,} stored, {viewer.refused:,} connections refused")
    scene.notes.append(f"{server.answered:,} answers, {server.broken:,} connections ended by the server")


CAMPAIGN = Campaign(
    "wire",
    "messages of a hostile server to a viewer, and as many of a hostile client to a server",
    "messages each way",
    tried=10_000,
    short=100,
    open=opened,
)
