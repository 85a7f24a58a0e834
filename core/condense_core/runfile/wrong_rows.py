"""Rows of scalars with a wrong checksum: of a file that is damaged a curve is shown without them, and that is said."""

from __future__ import annotations

import itertools
import sqlite3
import struct
from collections.abc import Mapping, Sequence
from typing import Any

from condense_core.runfile import checksums
from condense_core.runfile.layouts import RowLayout
from condense_core.runfile.rows import DamagedError

# Rows that are looked at at a time.
CHUNK = 1_000
# So many and more are no damage here and there.
MOST_WRONG = 10_000

# A row of `scalar` as SQLite hands it out: number, step, layout, data.
AnyRow = tuple[int, Any, Any, Any]


class WrongRows:
    """Those of one open run file, as far as it was read. A curve reads a few bytes of each of its rows, a checksum all
    of them: so each row is looked at once, for all curves."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._looked_at = -1
        self.steps: dict[int, int] = {}
        """Steps of those that were found, by the numbers of the rows."""

    def forget(self) -> None:
        """Begin anew: rows were put in before those that were looked at."""
        self._looked_at = -1
        self.steps = {}

    def look(self, upto: int, layouts: Mapping[int, RowLayout]) -> None:
        """Look at the rows up to a number that were not looked at before."""
        if upto <= self._looked_at:
            return
        cursor = self._connection.execute(
            "SELECT seq, step, layout, data FROM scalar WHERE seq > ? AND seq <= ?", (self._looked_at, upto)
        )
        begins = {id_: layout.checksum for id_, layout in layouts.items()}
        last = self._looked_at
        while found := cursor.fetchmany(CHUNK):
            if found[0][0] <= last:
                # a page that stands in two places, which would never end
                raise DamagedError("scalar: row numbers that do not increase")
            last = found[-1][0]
            try:
                wrong = checksums.wrong(found, begins)
            except (KeyError, TypeError, struct.error):
                raise DamagedError(f"scalar: no row of scalars among those from {found[0][0]} on") from None
            for seq, step in wrong:
                self.note(seq, step)
        self._looked_at = upto

    def without_in_columns(
        self, found: Sequence[Sequence[Any]], layouts: Mapping[int, RowLayout]
    ) -> list[Sequence[Any]]:
        """`without` of the rows that follow on those before, of which each value is of its type, by their columns."""
        wrong = dict(checksums.wrong(zip(*found, strict=True), {id_: own.checksum for id_, own in layouts.items()}))
        self._looked_at = max(self._looked_at, found[0][-1])
        if wrong:
            for seq, step in wrong.items():
                self.note(seq, step)
            kept = [seq not in wrong for seq in found[0]]
            found = [list(itertools.compress(column, kept)) for column in found]
        return [*found[:3], [data[: -checksums.SIZE] for data in found[3]]]

    def without(self, found: Sequence[AnyRow], layouts: Mapping[int, RowLayout]) -> list[AnyRow]:
        """Rows that were taken out whole without those with a wrong checksum; what is no row of scalars is not said
        here."""
        begins = {id_: layout.checksum for id_, layout in layouts.items()}
        try:
            # as nearly always
            if not checksums.wrong(found, begins):
                return list(found)
        except (KeyError, TypeError, struct.error):
            # some are no rows of scalars
            pass
        sizes = {id_: layout.size + checksums.SIZE for id_, layout in layouts.items()}
        rows = [
            row
            for row in found
            if isinstance(row[1], int) and isinstance(row[3], bytes) and len(row[3]) == sizes.get(row[2])
        ]
        for seq, step in checksums.wrong(rows, begins):
            self.note(seq, step)
        return [row for row in found if row[0] not in self.steps]

    def is_wrong(self, layout: RowLayout, seq: int, step: Any, data: Any) -> bool:
        """Whether a row that was taken out whole has a wrong checksum; what is no row of scalars is not said here."""
        if (
            not isinstance(data, bytes)
            or not isinstance(step, int)
            or checksums.is_whole(data, layout.checksum, seq, step)
        ):
            return False
        self.note(seq, step)
        return True

    def note(self, seq: int, step: int) -> None:
        """Keep that a row is wrong; DamagedError where nearly all are."""
        self.steps[seq] = step
        if len(self.steps) > MOST_WRONG:
            raise DamagedError(f"scalar: more than {MOST_WRONG:,} rows with a wrong checksum")
