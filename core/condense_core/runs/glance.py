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

import msgspec

from condense_core.errors import RunFileError
from condense_core.runfile.info import RunInfo, read_info
from condense_core.runfile.schema import FILE_NAME, NEWEST_VALUE, SCALAR_NAMES, open_reader
from condense_core.runs.place import run_folders
from condense_core.text import printable

# As many points as the widest sparkline in a list has characters.
POINTS = 24
# Above this many layers a list shows no single one any more.
MOST_LAYERS = 16

Signature = tuple[int, ...]


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
        with contextlib.closing(open_reader(folder / FILE_NAME)) as connection:
            info = read_info(connection, folder)
            return Glance(folder=folder, info=info, loss=_loss(connection), layers=_layers(connection))
    except RunFileError as error:
        return Glance(folder=folder, info=None, trouble=str(error))
    except (sqlite3.Error, TypeError, ValueError) as error:
        return Glance(folder=folder, info=None, trouble=f"{folder} is damaged: {printable(str(error))}")


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
    """Sizes and times of the run file and of its log of commits."""
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
    ends = [
        connection.execute(f"SELECT seq FROM scalar WHERE name = 'loss' ORDER BY seq {way} LIMIT 1").fetchone()
        for way in ("", "DESC")
    ]
    if None in ends:
        return ()
    (first,), (last,) = ends
    found: dict[int, float] = {}
    for point in range(POINTS):
        at = first + (last - first) * point // (POINTS - 1)
        seq, value = connection.execute(
            "SELECT seq, value FROM scalar WHERE name = 'loss' AND seq >= ? ORDER BY seq LIMIT 1", (at,)
        ).fetchone()
        found[seq] = float("nan") if value is None else float(value)
    return tuple(found.values())


def _layers(connection: sqlite3.Connection) -> tuple[LayerGlance, ...]:
    names = connection.execute(
        f"SELECT name FROM ({SCALAR_NAMES}) WHERE name LIKE '%.lines' AND name NOT LIKE '%@%' LIMIT ?",
        (MOST_LAYERS,),
    ).fetchall()
    found = []
    for (name,) in names:
        (since,) = connection.execute("SELECT seq FROM scalar WHERE name = ? ORDER BY seq LIMIT 1", (name,)).fetchone()
        layer = name.removesuffix(".lines")
        lines, condensed = _newest(connection, name), _newest(connection, f"{layer}.condensed")
        # over members it is a mean: condensed in most of them
        found.append((since, LayerGlance(printable(layer), lines, condensed > 0.5)))
    return tuple(layer for _, layer in sorted(found, key=lambda pair: pair[0]))


def _newest(connection: sqlite3.Connection, name: str) -> float:
    row = connection.execute(NEWEST_VALUE, (name,)).fetchone()
    return float("nan") if row is None or row[0] is None else float(row[0])
