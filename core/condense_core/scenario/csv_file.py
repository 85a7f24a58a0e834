"""A table as text, its cells separated by commas: numbers in, and one column to be trained towards.

What the first line and the last column are is found by rules that docs/DATA.md gives.
"""

from __future__ import annotations

import array
import csv
import dataclasses
import functools
import io
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from condense_core.errors import DataError, nearest
from condense_core.foreign import decoding, open_file
from condense_core.scenario.arrays import LARGEST, MOST_INPUTS, OwnArrays, called, classes_of, listed, short_name
from condense_core.text import printable, short

if TYPE_CHECKING:
    from condense_core.scenario.arrays import NumericArray

# Bytes of a file: all of MNIST takes 110 MB, and five seconds to be read.
LARGEST_TEXT = 500_000_000
# Whole numbers of that many different values or fewer are classes, unless it is said what they are.
FEW = 20


def read(place: Path, target: str | None, values: str | None, test: Path | None = None) -> OwnArrays:
    """The table's arrays; DataError in one line where it is missing, or a cell of it cannot be used.

    `target` names the column to be trained towards, by default the last; `values` says whether it holds `classes` or
    `numbers`, by default the rule decides. `test` is a further table of the same columns, that is held out.
    """
    return _read(place, target, values, test, *_state("path", place), *(_state("test_path", test) if test else ()))


# one is kept: what is checked before a run starts is read again to be trained on
@functools.lru_cache(maxsize=1)
def _read(place: Path, target: str | None, values: str | None, test: Path | None, *_changed: int) -> OwnArrays:
    table = _parsed("path", place, target)
    found = table.arrays(values)
    return found if test is None else table.held_out(found, _parsed("test_path", test, target))


def _state(field: str, place: Path) -> tuple[int, int]:
    """What tells that a file has changed."""
    with decoding(DataError, f"data.{field}: {called(place)} cannot be read as CSV"):
        state = place.stat()
    return state.st_mtime_ns, state.st_size


def _parsed(field: str, place: Path, target: str | None) -> _Table:
    source = called(place)
    with decoding(DataError, f"data.{field}: {source} cannot be read as CSV"):
        return _table(place, source, target, place.stat().st_size)


def _table(place: Path, source: str, target: str | None, size: int) -> _Table:
    if size > LARGEST_TEXT:
        raise DataError(
            f"{source}: {size:,} bytes; expected at most {LARGEST_TEXT:,}: keep fewer rows, or use npz:PATH"
        )
    with open_file(place) as opened, io.TextIOWrapper(opened, "utf-8-sig", newline="") as text:
        lines = _lines(csv.reader(text, strict=True))
        first = next(lines, None)
        if first is None:
            raise DataError(f"{source}: empty; expected a row of numbers for each sample")
        second = next(lines, None)
        names = _header(first[1], second and second[1], target, source)
        column = _column(names, target, source) if target is not None else len(first[1]) - 1
        rows = [row for row in (None if names else first, second) if row is not None]
        table = _Table(source, names, len(first[1]), column)
        for number, row in _chained(rows, lines):
            table.take(number, row)
    return table


def _lines(reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """Rows with the number of the line that they end in; empty lines are passed over."""
    for row in reader:
        if row and any(cell.strip() for cell in row):
            yield reader.line_num, row  # type: ignore[attr-defined]


def _chained(
    rows: list[tuple[int, list[str]]], rest: Iterator[tuple[int, list[str]]]
) -> Iterator[tuple[int, list[str]]]:
    yield from rows
    yield from rest


def _header(first: list[str], second: list[str] | None, target: str | None, source: str) -> list[str]:
    """Names of the columns; empty where the first row is a sample. It is a header where a cell of it is no number and
    the one below it is, or where a column is asked for by name."""
    if len(first) < 2:
        other = next((f"{sign!r}" for sign in (";", "\t") if sign in first[0]), "")
        found = f"cells separated by {other}" if other else "one column"
        raise DataError(f"{source}: {found}; expected two or more columns, separated by commas")
    below = second or []
    named = target is not None or any(
        _number(cell) is None and _number(under) is not None for cell, under in zip(first, below, strict=False)
    )
    if not named:
        return []
    names = [cell.strip() for cell in first]
    if "" in names:
        raise DataError(
            f"{source}: column {names.index('') + 1} has no name, as where an index was written along; leave it out"
            " (pandas: index=False) or name it"
        )
    return names


def _column(names: list[str], target: str, source: str) -> int:
    if target not in names:
        raise DataError(f"{source}: data.target: no column {short(target)}; {nearest(target, map(short_name, names))}")
    if names.count(target) > 1:
        raise DataError(
            f"{source}: data.target: {names.count(target)} columns are called {short(target)}; expected one"
        )
    return names.index(target)


def _number(cell: str) -> float | None:
    """What the cell says as a number; None where it is none. Python's own digits with `_` between them are none."""
    try:
        return None if "_" in cell else float(cell)
    except ValueError:
        return None


class _Table:
    def __init__(self, source: str, names: list[str], columns: int, target: int) -> None:
        if columns - 1 > MOST_INPUTS:
            raise DataError(f"{source}: {columns:,} columns; expected at most {MOST_INPUTS + 1:,}")
        self._source, self._names, self._columns, self._place = source, names, columns, target
        self._classes: dict[int | str, int] | None = None
        self._cells = array.array("d")
        self._target: list[str] = []
        self._most = LARGEST // (8 * (columns - 1))

    def take(self, number: int, row: list[str]) -> None:
        """One row, the `number`th line of the file."""
        if len(row) != self._columns:
            raise DataError(
                f"{self._source}: line {number} has {len(row):,} cells; expected {self._columns:,}, as in the first"
                " line"
            )
        if len(self._target) >= self._most:
            raise DataError(
                f"{self._source}: more than {self._most:,} rows of {self._columns:,} cells; keep fewer rows"
            )
        self._target.append(row.pop(self._place).strip())
        if not self._taken_at_once(row):
            for place, cell in enumerate(row):
                value = _number(cell)
                if value is None or not math.isfinite(value):
                    raise self._refused(number, place + (place >= self._place), cell)
                self._cells.append(value)

    def _taken_at_once(self, row: list[str]) -> bool:
        """Whether the row was nothing but plain finite numbers, as most are."""
        try:
            found = list(map(float, row))
        except ValueError:
            return False
        if "_" in "".join(row) or not math.isfinite(sum(found)):
            return False
        self._cells.extend(found)
        return True

    def arrays(self, values: str | None) -> OwnArrays:
        """All rows as arrays."""
        import numpy as np

        input_NI, where = self._inputs(), self._where
        if not _are_classes(self._target, [_number(cell) for cell in self._target], values):
            return OwnArrays(source=self._source, input=input_NI, target=self._numbers())
        advice = "; of numbers to be trained towards: data.values=numbers"
        whole = all(_is_whole(cell) for cell in self._target)
        target: NumericArray = np.array([int(cell) for cell in self._target] if whole else self._target)
        value_C, number_N = classes_of(target, where, advice)
        self._classes = {value: number for number, value in enumerate(value_C.tolist())}
        return OwnArrays(
            source=self._source,
            input=input_NI,
            target=number_N,
            class_names=tuple(printable(str(value)) for value in value_C.tolist()),
        )

    def held_out(self, trained: OwnArrays, test: _Table) -> OwnArrays:
        """`trained`, which are this table's arrays, with those of a table of the same columns as their test set."""
        if (test._names, test._columns) != (self._names, self._columns):
            raise DataError(f"{test._source}: {test._in_words}; expected those of {self._source}: {self._in_words}")
        test_input = test._inputs()
        test_target = test._numbers() if self._classes is None else test._numbered(self._classes, self._source)
        return dataclasses.replace(trained, test_input=test_input, test_target=test_target)

    @property
    def _in_words(self) -> str:
        return f"columns {listed(tuple(self._names))}" if self._names else f"{self._columns:,} columns without names"

    @property
    def _where(self) -> str:
        return f"{self._source}: {self._called(self._place)}"

    def _inputs(self) -> NumericArray:
        """Inputs (N, I), of rows that all have a target."""
        import numpy as np

        if not self._target:
            raise DataError(f"{self._source}: a header and no rows; expected a row of numbers for each sample")
        if "" in self._target:
            raise DataError(f"{self._where} is empty in row {self._target.index('') + 1}; expected a value in each row")
        return np.frombuffer(self._cells, np.float64).reshape(len(self._target), self._columns - 1)

    def _numbers(self) -> NumericArray:
        """The target column as numbers (N, 1)."""
        import numpy as np

        number = [_number(cell) for cell in self._target]
        for row, value in enumerate(number):
            if value is None or not math.isfinite(value):
                got = short(self._target[row], 40)
                raise DataError(f"{self._where} is {got} in row {row + 1}; expected a finite number")
        return np.array(number, np.float64)[:, None]

    def _numbered(self, classes: Mapping[int | str, int], source: str) -> NumericArray:
        """The target column (N,) as numbers of the classes that another table has."""
        import numpy as np

        whole = any(isinstance(value, int) for value in classes)
        number = []
        for row, cell in enumerate(self._target):
            found = classes.get(int(cell) if whole and _is_whole(cell) else cell)
            if found is None:
                raise DataError(
                    f"{self._where} is {short(cell, 40)} in row {row + 1}, which is no class of {source}: "
                    f"{listed(tuple(str(value) for value in classes))}"
                )
            number.append(found)
        return np.array(number, np.int64)

    def _refused(self, line: int, place: int, cell: str) -> DataError:
        got = f"{short(cell.strip(), 40)}" if cell.strip() else "empty"
        return DataError(
            f"{self._source}: line {line}, {self._called(place)} is {got}; expected a finite number (leave text"
            " columns out, or write them as numbers)"
        )

    def _called(self, place: int) -> str:
        name = f" ({printable(short_name(self._names[place]))})" if self._names else ""
        return f"column {place + 1}{name}"


def _are_classes(cells: list[str], number: list[float | None], values: str | None) -> bool:
    if values is not None:
        return values == "classes"
    if any(value is None for value in number):
        return True
    return all(_is_whole(cell) for cell in cells) and len(set(cells)) <= FEW


def _is_whole(cell: str) -> bool:
    """A whole number as one writes it, that int64 holds: `3` and `-1`, not `3.0` and `3e5`."""
    digits = cell.removeprefix("-").removeprefix("+")
    return digits.isascii() and digits.isdigit() and len(digits) <= 18
