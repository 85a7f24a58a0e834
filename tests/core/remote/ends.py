"""Both ends of a connection, each attacked by the other: what they are sent, and what must hold meanwhile."""

from __future__ import annotations

import contextlib
import shutil
import unicodedata
from pathlib import Path
from random import Random

from hostile import damaged, rows, wrong
from recording import Recording

from condense_core.errors import CondenseError
from condense_core.remote.client.follower import Follower
from condense_core.remote.client.mirror import MirrorFile, make_mirror_folder
from condense_core.remote.server.session import Session
from condense_core.remote.wire import messages as say
from condense_core.remote.wire.framing import GREETING, WireError, from_server, pack
from condense_core.remote.wire.rows import RowPacker
from condense_core.runfile import control
from condense_core.runfile.info import read_run
from condense_core.runfile.reader import RunReader
from condense_core.runs import place
from condense_core.runs.summary import summarise

# Messages of one attack.
A_GO = 100

FROM_SERVER = (
    say.Hello,
    say.Runs,
    say.Started,
    say.Described,
    say.RunState,
    say.Rows,
    say.FilePiece,
    say.Done,
    say.Refused,
)
FROM_CLIENT = tuple(kind for kind in say.Message.__subclasses__() if issubclass(kind, say.ToServer))


def everything(root: Path, without: Path) -> dict[Path, int]:
    """Files under `root` that are not under `without`, and their sizes."""
    return {file: file.stat().st_size for file in root.rglob("*") if without not in file.parents and file != without}


def is_clean(text: str) -> bool:
    return not any(unicodedata.category(character) in {"Cc", "Cf", "Cs"} for character in text)


def listed(message: say.Runs) -> list[str]:
    """What is shown of a list of runs."""
    runs, troubles = message.unpacked()
    assert len(runs) + len(troubles) >= len(message.runs)
    return [*troubles, *(text for run in runs for text in (run.id, run.name, run.reason, run.device, *run.versions))]


class Viewer:
    """A mirror that a hostile server writes to, made anew where it got too large to be looked at quickly."""

    def __init__(self, root: Path) -> None:
        self.runs = root / "near"
        self.original = Recording(root / "original", frames=3)
        self.original.write()
        with RunReader(self.original.folder) as reader:
            self.info = reader.info()
        self.sent = 0
        self.stored = 0
        self.refused = 0

    def attacked(self, draw: Random) -> None:
        folder = make_mirror_folder(self.runs, "far", self.info.id)
        with control.hold(folder):
            mirror = MirrorFile(folder, "far", self.info)
            left = A_GO
            try:
                while left:
                    left -= self.connection(draw, mirror, left)
            finally:
                mirror.close()
        self.look(folder)

    def connection(self, draw: Random, mirror: MirrorFile, most: int) -> int:
        """One connection with a hostile server, until the viewer has enough of it; how many messages that took."""
        incoming, packer = from_server(), RowPacker()
        follower = Follower(mirror, lambda _: None, iter(range(1, 10**6)).__next__, newest=True)
        follower.begin()
        incoming.feed(GREETING + pack(say.Hello(say.PROTOCOL, "1")))
        follower.obey(say.Described(1, self.info, mirror.format))
        for count in range(1, most + 1):
            self.sent += 1
            before = mirror.top
            try:
                for message in incoming.feed(self.message(draw, mirror, packer)):
                    follower.obey(message)
                    if isinstance(message, say.Runs):
                        assert all(is_clean(text) for text in listed(message))
                follower.tick()
            except CondenseError as error:
                self.refused += 1
                assert is_clean(str(error))
                return count
            self.stored += mirror.top > before
        return most

    def message(self, draw: Random, mirror: MirrorFile, packer: RowPacker) -> bytes:
        kind = draw.randrange(4)
        if kind == 0:
            return wrong(draw, FROM_SERVER)
        if kind == 1:
            return damaged(draw, wrong(draw, FROM_SERVER))
        hole = mirror.first_hole()
        fill = hole is not None and draw.random() < 0.5
        after = hole.after if fill and hole else mirror.top + draw.choice((0, 0, 0, 7))
        wire = rows(draw, packer, after, fill)
        return damaged(draw, wire) if kind == 2 else wire

    def look(self, folder: Path) -> None:
        """Everything that a screen shows is read: as one clean line of error, or as clean text."""
        with contextlib.suppress(CondenseError):
            info = read_run(folder)
            assert all(is_clean(text) for text in (info.name, info.reason, info.host, info.device))
        with RunReader(folder) as run:
            for look in (lambda: run.events, lambda: run.curve_names, lambda: run.layers, lambda: summarise(run)):
                try:
                    look()
                except CondenseError as error:
                    assert is_clean(str(error))
            with contextlib.suppress(CondenseError):
                assert all(is_clean(event.kind + event.text) for event in run.events)
                assert all(is_clean(name) for name in (*run.curve_names, *run.layers))
                for layer in run.layers:
                    with contextlib.suppress(CondenseError):
                        run.similarity(layer)
                        run.condensation(layer)
            size = run.file.stat().st_size
        if size > 2_000_000:
            shutil.rmtree(folder)


def valid_messages(run: str, scenario: str) -> list[say.Message]:
    """What a client may well ask, and some of what it may not."""
    return [
        say.ListRuns(1),
        say.Subscribe(2, run, 0, True),
        say.Subscribe(3, run, 0, False),
        say.Credit(16),
        say.Fill(0, 100, 1_000_000),
        say.SteerRun(4, run, "stop"),
        say.Pull(5, run, "worker.log", 0),
        say.Pull(6, run, "checkpoint.safetensors", 0),
        say.Pull(7, run, "../../secret", 0),
        say.Ping(8),
        say.StartRun(9, scenario, "x", "", "cpu"),
        say.Continue(10, run),
    ]


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
        """Runs whose workers would have been started."""
        self.sent = self.answered = self.broken = 0

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
                self.sent += 1
                session.feed(draw.choice((good, wrong(draw, FROM_CLIENT), damaged(draw, good))))
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
