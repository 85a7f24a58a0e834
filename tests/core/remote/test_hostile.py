"""Neither end believes the other: no message makes it crash, hang, write elsewhere or pass an escape on.

$CONDENSE_FUZZ_MESSAGES says how many mutated messages each end is sent (100000 takes some minutes).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
import unicodedata
from pathlib import Path
from random import Random

import pytest
from hostile import TEXTS, damaged, rows, wrong
from hypothesis import given, settings
from hypothesis import strategies as st
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
from condense_core.runs import create, place
from condense_core.runs.summary import summarise

MESSAGES = int(os.environ.get("CONDENSE_FUZZ_MESSAGES", "4000"))
A_GO = 100
GOES = settings(max_examples=max(1, MESSAGES // A_GO), deadline=None, database=None)
# Far longer than any of it takes on a busy machine; far shorter than a hang.
PATIENCE_S = 10.0

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


def test_a_hostile_server(tmp_path):
    viewer = Viewer(tmp_path)
    before = everything(tmp_path, viewer.runs)

    @GOES
    @given(st.integers(0, 2**32))
    def attack(seed):
        begun = time.monotonic()
        viewer.attacked(Random(seed))
        assert time.monotonic() - begun < PATIENCE_S

    while viewer.sent < MESSAGES:
        attack()
    assert everything(tmp_path, viewer.runs) == before
    # it was an attack on what works, not on a closed door
    assert viewer.stored > viewer.sent / 50
    assert viewer.refused > 0
    assert {folder.name for folder in viewer.runs.iterdir()} <= {f"{viewer.info.id}@far"}


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


def test_a_hostile_client(tmp_path, monkeypatch):
    runs = tmp_path / "runs"
    recording = Recording(runs, frames=12)
    recording.write()
    (tmp_path / "secret").write_text("not to be pulled")
    (recording.folder / "worker.log").write_text("log")
    (recording.folder / "checkpoint.safetensors").symlink_to(tmp_path / "secret")
    started: list[Path] = []
    monkeypatch.setattr(create, "start_worker", lambda folder, launcher=(): started.append(folder))
    monkeypatch.setattr(create, "require_engine", lambda: None)
    with RunReader(recording.folder) as reader:
        scenario = reader.info().experiment
    before = everything(tmp_path, runs)
    run = recording.folder.name
    valid = valid_messages(run, scenario)
    counts = {"sent": 0, "answered": 0, "broken": 0}

    def connection(draw: Random, most: int) -> int:
        said = bytearray()
        session = Session(runs, said.extend)
        incoming = from_server()
        incoming.feed(GREETING)
        count = 0
        try:
            session.feed(pack(say.Hello(say.PROTOCOL, "1")))
            for count in range(1, most + 1):  # noqa: B007
                good = pack(draw.choice(valid))
                session.feed(draw.choice((good, wrong(draw, FROM_CLIENT), damaged(draw, good))))
                session.tick()
        except WireError as error:
            counts["broken"] += 1
            assert is_clean(str(error))
        finally:
            session.close()
        # what it says stays well-formed, and holds nothing that was not to be had
        for message in incoming.feed(bytes(said)):
            counts["answered"] += 1
            assert not isinstance(message, say.FilePiece) or message.data in b"log"
            assert not isinstance(message, say.Refused) or is_clean(message.error)
        counts["sent"] += count
        return count

    @GOES
    @given(st.integers(0, 2**32))
    def attack(seed):
        begun = time.monotonic()
        draw, left = Random(seed), A_GO
        while left > 0:
            left -= max(1, connection(draw, left))
        for folder in {*started} - {recording.folder}:
            assert folder.parent == runs
            shutil.rmtree(folder)
        started.clear()
        assert time.monotonic() - begun < PATIENCE_S

    while counts["sent"] < MESSAGES:
        attack()
    assert everything(tmp_path, runs) == before
    assert counts["answered"] > counts["sent"] / 10
    assert [folder.name for folder in place.run_folders(runs)] == [run]


@pytest.mark.parametrize("run", ["../../x", "/etc", "a/b", "", "x@far", "..", ".hidden", "A", "x" * 200, "x\0"])
def test_an_id_from_elsewhere_is_never_a_path(tmp_path, run):
    with pytest.raises(CondenseError):
        make_mirror_folder(tmp_path / "runs", "far", run)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", TEXTS)
def test_a_hosts_name_is_never_a_path(name):
    folder = place.mirror_folder(Path("/runs"), "a-run", name or "host")
    assert folder.parent == Path("/runs")
    assert place._is_name(folder.name)
