"""Run files with something wrong in them, and everything that is read of one, by the functions that read it."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

from condense_core.errors import RunFileError
from condense_core.remote.server.source import RunSource
from condense_core.remote.wire.rows import RowPacker, RowUnpacker
from condense_core.runfile import checksums
from condense_core.runfile.info import COLUMNS as COLUMNS_OF_RUN
from condense_core.runfile.info import read_run
from condense_core.runfile.reader import RunReader
from condense_core.runfile.schema import FILE_NAME
from condense_core.runs.glance import glance
from condense_core.runs.summary import summarise, to_json

PAGE = 4096
COLUMNS = {
    "run": COLUMNS_OF_RUN,
    "layout": ("id", "names", "kinds", "checksum"),
    "scalar": ("seq", "step", "layout", "data"),
    "place": ("id", "kind", "layer", "checksum"),
    "frame": ("seq", "step", "place", "key", "blob"),
    "event": ("seq", "step", "kind", "text", "time"),
    "command": ("id", "verb", "argument", "sent_at", "taken_at"),
}
# One value of each kind that SQLite has, and those at the limits of what a column may hold.
VALUES: tuple[object, ...] = (
    *(None, "text", "", "9" * 5000, "\x1b[2J\u202e", "nan", "x" * 3000, "{}", '{"a": 1}', b"blob", b"", b"\xff" * 50),
    *(-1, 2**31, 10**12 + 1, 2**62, 2**63 - 1, -(2**63), 1.5, 1e999, -1e999, 1e308),
)


def refused(call: Callable[[], object]) -> bool:
    """Whether there was an error: of ours, in one clean line of bounded length."""
    try:
        call()
    except RunFileError as error:
        text = str(error)
        assert len(text) < 2_000
        assert not any(unicodedata.category(character)[0] == "C" for character in text)
        return True
    return False


def look_quickly(folder: Path) -> bool:
    """What lists and the home screen, and then the reader, see first of a run; whether either was refused."""
    seen = glance(folder)
    assert seen.trouble or seen.info is not None

    def read() -> None:
        with RunReader(folder) as run:
            run.info()
            len(run.instants)
            list(run.events)
            run.similarity(next(iter(run.layers), "conv1"))

    return refused(read) or seen.info is None


def look_at_everything(folder: Path) -> int:
    """All of a run, also as a server sends it; how much of that was refused."""
    found = look_quickly(folder) + refused(lambda: read_run(folder)) + refused(lambda: served(folder))
    try:
        run = RunReader(folder)
    except RunFileError:
        return found
    with run:
        calls: list[Callable[[], object]] = [
            lambda: [run.curve(name) for name in run.curve_names],
            lambda: run.last_seq,
            run.weights,
            lambda: to_json(summarise(run)),
        ]
        with contextlib.suppress(RunFileError):
            for layer in run.layers[:1]:
                kinds = (run.similarity, run.condensation, run.spectrum, run.alignment, run.outputs, run.field)
                calls += [lambda read=read, layer=layer: read(layer, 0) for read in kinds]
        with contextlib.suppress(RunFileError):
            if run.members > 1:
                calls += [lambda: run.spread("loss"), lambda: run.member(1).curve("loss")]
        return found + sum(refused(call) for call in calls)


def served(folder: Path) -> None:
    source, packer, unpacker = RunSource(folder), RowPacker(), RowUnpacker()
    with contextlib.closing(source):
        source.state()
        source.near_the_end()
        source.bytes_after(0, 10_000)
        after, last = 0, source.last_seq()
        while after < last:
            piece = source.piece(after, 2**62, 1_000_000)
            assert piece.last > after
            unpacker.unpack(packer.pack(piece.batch))
            after = piece.last


@contextlib.contextmanager
def bytes_changed(file: Path, changes: dict[int, int]) -> Iterator[None]:
    """The file with some bytes changed, for the length of the block."""
    descriptor = os.open(file, os.O_RDWR)
    try:
        before = {at: os.pread(descriptor, 1, at) for at in changes}
        for at, value in changes.items():
            os.pwrite(descriptor, bytes([value]), at)
        yield
        for at, value in before.items():
            os.pwrite(descriptor, value, at)
    finally:
        os.close(descriptor)


def any_byte(draw: Random, before: int) -> int:
    """Another value of a byte: any, one with a bit changed, or one of the ends."""
    found = draw.choice((draw.randrange(256), before ^ 1 << draw.randrange(8), 0, 255))
    return found if found != before else before ^ 1


def any_values_allowed(folder: Path) -> None:
    """Make the tables anew without types, so that SQLite keeps whatever is put into them."""
    with contextlib.closing(sqlite3.connect(folder / FILE_NAME)) as connection:
        for table, columns in COLUMNS.items():
            connection.execute(f"ALTER TABLE {table} RENAME TO typed")
            connection.execute(f"CREATE TABLE {table} ({', '.join(columns)})")
            connection.execute(f"INSERT INTO {table} SELECT {', '.join(columns)} FROM typed")
            connection.execute("DROP TABLE typed")
        connection.commit()


def sign_again(connection: sqlite3.Connection) -> None:
    """Give all rows the checksums that fit what stands in them, as whoever means harm would."""
    layouts = {
        id_: checksums.of_names(kinds, *json.loads(names))
        for id_, names, kinds in connection.execute("SELECT id, names, kinds FROM layout")
    }
    connection.executemany(
        "UPDATE layout SET checksum = ? WHERE id = ?",
        [(checksums.with_checksum(b"", begin, id_, 0), id_) for id_, begin in layouts.items()],
    )
    scalars = connection.execute("SELECT seq, step, layout, data FROM scalar").fetchall()
    connection.executemany(
        "UPDATE scalar SET data = ? WHERE seq = ?",
        [
            (checksums.with_checksum(data[: -checksums.SIZE], layouts[id_], seq, step), seq)
            for seq, step, id_, data in scalars
        ],
    )
    places = {id_: checksums.of_names(*own) for id_, *own in connection.execute("SELECT id, kind, layer FROM place")}
    connection.executemany(
        "UPDATE place SET checksum = ? WHERE id = ?",
        [(checksums.with_checksum(b"", begin, id_, 0), id_) for id_, begin in places.items()],
    )
    frames = connection.execute("SELECT seq, step, key, place, blob FROM frame").fetchall()
    connection.executemany(
        "UPDATE frame SET blob = ? WHERE seq = ?",
        [
            (checksums.with_checksum(blob[: -checksums.SIZE], places[id_], seq, step, key), seq)
            for seq, step, key, id_, blob in frames
        ],
    )
