"""What a list shows of a run: its row, some points of its loss, lines per layer. Without NumPy, in about a millisecond.

The whole of a long run is never read: every value is found by its index. `Glances` remembers what it has read and
looks again only at files that have changed, and at runs whose worker may have died, which changes no file.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from condense_core.errors import RunFileError
from condense_core.runfile.info import RunInfo, read_info
from condense_core.runfile.rows import Named, Point, Seq, newest_value, number, one, rows
from condense_core.runfile.schema import FILE_NAME, SCALAR_NAMES, open_reader, reading
from condense_core.runs.place import run_folders
from condense_core.text import printable

# As many points as the widest sparkline in a list has characters.
POINTS = 24
# Above this many layers a list shows no single one any more.
MOST_LAYERS = 16

Signature = tuple[int, ...]


class _Row(NamedTuple):
    seq: Seq


class LayerGlance(msgspec.Struct, frozen=True):
    """A layer by the newest measurement: number of lines (a mean over members), and whether it counts as condensed."""

    name: str
    lines: float
    condensed: bool


class Glance(msgspec.Struct, frozen=True, kw_only=True):
    """A run in a list. `loss`: POINTS values or fewer over all that was recorded, NaN and ±inf as they were measured.

    A file that cannot be read has no `info`, and `trouble` says why.
    """

    folder: Path
    info: RunInfo | None
    loss: tuple[float, ...] = ()
    layers: tuple[LayerGlance, ...] = ()
    trouble: str = ""


def glance(folder: Path) -> Glance:
    """The run in `folder` as it is now."""
    try:
        with contextlib.closing(open_reader(folder / FILE_NAME)) as connection, reading(folder):
            info = read_info(connection, folder)
            return Glance(folder=folder, info=info, loss=_loss(connection), layers=_layers(connection))
    except RunFileError as error:
        return Glance(folder=folder, info=None, trouble=str(error))


class Glances:
    """Glances at all runs of a folder, kept from one look to the next. Use it from one thread."""

    def __init__(self, runs: Path) -> None:
        self._runs = runs
        self._known: dict[Path, tuple[Signature, Glance]] = {}

    def look(self) -> Iterator[Glance]:
        """Every run, the newest first, each read only where it may have changed."""
        folders = run_folders(self._runs)
        for gone in self._known.keys() - set(folders):
            del self._known[gone]
        for folder in folders:
            signature = _signature(folder)
            known = self._known.get(folder)
            if known is None or known[0] != signature or (known[1].info is not None and known[1].info.active):
                known = self._known[folder] = (signature, glance(folder))
            yield known[1]


def _signature(folder: Path) -> Signature:
    """Sizes and times of the run file and of its write-ahead log."""
    found: list[int] = []
    for name in (FILE_NAME, f"{FILE_NAME}-wal"):
        try:
            state = os.stat(folder / name)  # noqa: PTH116 - called for every run, every second
        except OSError:
            found += (0, 0)
        else:
            found += (state.st_mtime_ns, state.st_size)
    return tuple(found)


def _loss(connection: sqlite3.Connection) -> tuple[float, ...]:
    first, last = (
        one(
            connection.execute(f"SELECT seq FROM scalar WHERE name = 'loss' ORDER BY seq {way} LIMIT 1"), _Row, "scalar"
        )
        for way in ("", "DESC")
    )
    if first is None or last is None:
        return ()
    found: dict[int, float] = {}
    for place in range(POINTS):
        at = first.seq + (last.seq - first.seq) * place // (POINTS - 1)
        cursor = connection.execute(
            "SELECT seq, step, value FROM scalar WHERE name = 'loss' AND seq >= ? ORDER BY seq LIMIT 1", (at,)
        )
        point = one(cursor, Point, "scalar")
        if point is not None:
            found[point.seq] = number(point.value)
    return tuple(found.values())


def _layers(connection: sqlite3.Connection) -> tuple[LayerGlance, ...]:
    cursor = connection.execute(
        f"SELECT name FROM ({SCALAR_NAMES}) WHERE name LIKE '%.lines' AND name NOT LIKE '%@%' LIMIT ?", (MOST_LAYERS,)
    )
    names = rows(cursor, Named, "scalar")
    found = []
    for (name,) in names:
        cursor = connection.execute("SELECT seq FROM scalar WHERE name = ? ORDER BY seq LIMIT 1", (name,))
        since = one(cursor, _Row, "scalar")
        layer = name.removesuffix(".lines")
        lines, condensed = newest_value(connection, name), newest_value(connection, f"{layer}.condensed")
        # over members it is a mean: condensed in most of them
        found.append((since.seq if since else 0, LayerGlance(printable(layer), lines, condensed > 0.5)))
    return tuple(layer for _, layer in sorted(found, key=lambda pair: pair[0]))
