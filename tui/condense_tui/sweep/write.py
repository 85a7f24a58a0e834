"""The results of a sweep as files: CSV always, Parquet where pyarrow is installed."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from condense_core.errors import MissingExtraError
from condense_core.installation import how_to_add
from condense_tui.documents.csv_text import csv_text
from condense_tui.documents.files import clear_partial, ready_folder, write_file
from condense_tui.sweep.axes import Axis, typed
from condense_tui.sweep.plan import Sweep
from condense_tui.sweep.results import CellResult, TableRow, Value, columns, seed_columns
from condense_tui.sweep.slope import Slope, slopes_table


def write_tables(results: Sequence[CellResult], sweep: Sweep, show: str) -> list[Path]:
    """results.csv and seeds.csv in the sweep's folder, with what its picture shows, and both as Parquet where that can
    be written."""
    tables = (
        ("results", columns(show), [row for result in results for row in result.rows]),
        ("seeds", seed_columns(show), [row for result in results for row in result.seeds]),
    )
    written = []
    for name, known, rows in tables:
        written.append(replace(sweep.out / f"{name}.csv", _csv(_in_order(known, sweep.axes), rows).encode()))
        if has_parquet():
            written.append(replace(sweep.out / f"{name}.parquet", _parquet(_in_order(known, sweep.axes), rows)))
    return written


def write_slopes(sweep: Sweep, found: Sequence[Slope]) -> Path:
    """slopes.csv in the sweep's folder."""
    known, rows = slopes_table(sweep, found)
    return replace(sweep.out / "slopes.csv", _csv(known, rows).encode())


def has_parquet() -> bool:
    """Whether pyarrow is installed; nothing is imported."""
    return importlib.util.find_spec("pyarrow") is not None


def require_parquet() -> None:
    """MissingExtraError if results.parquet cannot be written."""
    if not has_parquet():
        raise MissingExtraError(f"--parquet needs pyarrow, which is not installed here: {how_to_add('parquet')}")


def replace(file: Path, content: bytes) -> Path:
    """Put the content in the file's place atomically: a reader sees either the old or the new content."""
    clear_partial(file)
    write_file(ready_folder(file.parent) / file.name, content, force=True)
    return file


def _in_order(columns: Mapping[str, type], axes: Sequence[Axis]) -> dict[str, type]:
    """All columns with their types, the swept keys after the first three."""
    names = list(columns)
    swept = {axis.key: _type_of([typed(value) for value in axis.values]) for axis in axes}
    return {name: columns[name] for name in names[:3]} | swept | {name: columns[name] for name in names[3:]}


def _type_of(values: Sequence[Value]) -> type:
    kinds = {type(value) for value in values}
    if len(kinds) == 1:
        return kinds.pop()
    return float if kinds <= {int, float} else str


def _csv(columns: Mapping[str, type], rows: Sequence[TableRow]) -> str:
    return csv_text([columns, *([_cell(row[name]) for name in columns] for row in rows)])


def _cell(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else repr(value)
    return str(value)


def _parquet(columns: Mapping[str, type], rows: Sequence[TableRow]) -> bytes:
    import pyarrow
    import pyarrow.parquet

    kinds = {str: pyarrow.string(), int: pyarrow.int64(), float: pyarrow.float64(), bool: pyarrow.bool_()}
    schema = pyarrow.schema([(name, kinds[kind]) for name, kind in columns.items()])
    arrays = {name: [None if row[name] is None else kind(row[name]) for row in rows] for name, kind in columns.items()}
    sink = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(pyarrow.table(arrays, schema=schema), sink)
    content: bytes = sink.getvalue().to_pybytes()
    return content
