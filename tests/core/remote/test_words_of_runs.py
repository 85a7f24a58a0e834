"""Names, notes and tags over the wire: from there to here, changed from here, and between programs of two ages."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from pairing import Near
from recording import Recording

from condense_core.errors import RunFileError
from condense_core.remote.server.session import Session
from condense_core.remote.wire import messages as say
from condense_core.remote.wire.framing import GREETING, WireError, from_client, from_server, pack
from condense_core.remote.wire.list_rows import packed_row, unpacked_row
from condense_core.runfile.info import read_run
from condense_core.runs.about_run import NOTHING, AboutChange, AboutRun, change_about, read_about
from condense_core.runs.glance import Glance, glance


@pytest.fixture
def there(tmp_path: Path) -> Path:
    recording = Recording(tmp_path / "far", frames=3, kernels=(8,), lines=(1,))
    recording.write()
    recording.finish()
    recording.close()
    return recording.folder


@pytest.fixture
def ask(there: Path):
    """Ask a server for something; its answers."""
    sent = bytearray()
    session = Session(there.parent, sent.extend)
    incoming = from_server()
    incoming.feed(GREETING)
    session.feed(pack(say.Hello(say.PROTOCOL, "test")))

    def asking(*messages: say.Message) -> list[object]:
        sent.clear()
        for message in messages:
            session.feed(pack(message))
        return incoming.feed(bytes(sent))

    (hello,) = incoming.feed(bytes(sent))
    assert hello.knows == say.KNOWN
    return asking


def test_words_come_with_a_copy_and_what_was_written_here_stays(there: Path, tmp_path: Path) -> None:
    change_about(there, AboutChange(name="there", tags=("a",)))
    near = Near(there.parent, tmp_path / "near", there.name)
    assert read_about(near.folder) == AboutRun(name="there", tags=("a",))
    near.cut()
    change_about(near.folder, AboutChange(name="here"))
    change_about(there, AboutChange(note="later", tags=("b",)))
    again = Near(there.parent, tmp_path / "near", there.name)
    assert read_about(again.folder) == AboutRun(name="here", note="later", tags=("a", "b"))
    again.cut()


def test_words_are_changed_there(there: Path, ask) -> None:
    change = AboutChange(name="mine", tags=("x",), archived=True)
    assert ask(say.ChangeAbout(7, there.name, change)) == [say.Done(7)]
    assert read_about(there) == AboutRun(name="mine", tags=("x",), archived=True)
    (refused,) = ask(say.ChangeAbout(8, there.name, AboutChange(tags=("no tag",))))
    assert "is not a tag" in refused.error
    (refused,) = ask(say.ChangeAbout(9, "another", AboutChange(name="x")))
    assert refused.gone


def test_a_run_is_removed_there_unless_it_trains(there: Path, tmp_path: Path, ask) -> None:
    live = Recording(there.parent, frames=3, kernels=(8,), lines=(1,))
    live.write()
    with live.worker():
        (refused,) = ask(say.RemoveRun(1, live.folder.name))
        assert "still training" in refused.error
    assert ask(say.RemoveRun(2, there.name)) == [say.Done(2)]
    assert not there.exists() and live.folder.exists()
    live.close()


def test_a_list_has_what_it_shows_of_each_run_where_that_is_asked_for(there: Path, ask) -> None:
    change_about(there, AboutChange(name="mine"))
    (plain,) = ask(say.ListRuns(1))
    assert plain.rows == []
    (full,) = ask(say.ListRuns(1, claims=True, rows=True))
    ((row,), troubles) = full.with_rows()
    seen = glance(there)
    assert troubles == []
    assert (row.glance.label, row.glance.loss, row.glance.layers) == ("mine", seen.loss, seen.layers)
    assert row.glance.info.experiment == ""
    (whole,) = ask(say.ListRuns(1, rows=True, scenarios=True))
    assert whole.with_rows()[0][0].glance.info.experiment == seen.info.experiment


def test_older_programs_understand_what_is_said_and_are_asked_nothing_new(there: Path, ask) -> None:
    class OldHello(say.Message, frozen=True, tag="hello"):
        protocol: int
        program: str
        host: str = ""
        python: str = ""
        missing: tuple[str, ...] = ()
        runs: str = ""

    class OldDescribed(say.Message, frozen=True, tag="described"):
        ask: int
        info: dict[str, object]
        format: int = 1

    encode, decode = msgspec.msgpack.encode, msgspec.msgpack.decode
    new = say.Hello(say.PROTOCOL, "x", knows=say.KNOWN)
    assert decode(encode(new), type=OldHello) == OldHello(say.PROTOCOL, "x")
    (old,) = from_server().feed(GREETING + pack(OldHello(say.PROTOCOL, "x")))
    assert old.knows == [], "which is how a client knows not to ask"
    described = next(m for m in ask(say.Subscribe(1, there.name, 0, False)) if isinstance(m, say.Described))
    assert decode(encode(described), type=OldDescribed).format == described.format
    (sent,) = from_server().feed(GREETING + pack(OldDescribed(1, msgspec.to_builtins(described.info), 1)))
    assert sent.about == NOTHING
    old_list = say.Runs.of(1, [read_run(there)], [])
    ((row,), troubles) = old_list.with_rows()
    assert (row.glance.label, row.glance.loss, row.claim, troubles) == ("digits-gd", (), None, [])


@pytest.mark.parametrize(
    "spoilt",
    [
        b"\x01",
        msgspec.msgpack.encode([[1.0] * 100]),
        msgspec.msgpack.encode([[], [], {"name": "x" * 100}]),
        msgspec.msgpack.encode([[], [], {"tags": ["a b"]}]),
        msgspec.msgpack.encode([[], [], {}, ["x" * 300]]),
    ],
)
def test_a_row_that_makes_no_sense_hides_no_run(there: Path, spoilt: bytes) -> None:
    info = read_run(there)
    with pytest.raises(RunFileError):
        unpacked_row(msgspec.Raw(spoilt), info)
    body = msgspec.Raw(msgspec.msgpack.encode(info))
    rows, troubles = say.Runs(1, [body], [], [], [msgspec.Raw(spoilt)]).with_rows()
    assert [row.glance.info.id for row in rows] == [info.id]
    assert len(troubles) == 1 and troubles[0].startswith(info.id) and troubles[0].isprintable()


def test_texts_of_a_row_cannot_steer_the_terminal(there: Path) -> None:
    info = read_run(there)
    about = AboutRun(name="a\x1b[2Jb", note="\x07")
    shown = unpacked_row(packed_row(Glance(folder=there, info=info, about=about, differs=("lr \x1b[31m",))), info)
    assert (shown.label, shown.about.note, shown.differs) == ("a[2Jb", "", ("lr [31m",))


def test_a_change_out_of_bounds_ends_the_connection(there: Path) -> None:
    incoming = from_client()
    incoming.feed(pack(say.Hello(say.PROTOCOL, "x")))
    with pytest.raises(WireError):
        incoming.feed(pack(say.ChangeAbout(1, there.name, AboutChange(note="x" * 3_000))))
