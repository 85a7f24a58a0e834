"""A run's scalars as tables of other libraries: of pandas, and of Arrow, from which Parquet files are made. Both are
optional, and imported where they are used."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

import msgspec

from condense_core.errors import MissingExtraError
from condense_core.installation import how_to_add
from condense_core.runfile.reader import RunReader
from condense_core.runs.columns import aligned, curves_of

if TYPE_CHECKING:
    import pandas
    import pyarrow

# Under this name a table's metadata have the run's row.
METADATA = "condense-tui"
# And under this one, where something was left out because it is damaged, what: a list of texts as JSON.
LEFT_OUT = "condense-tui left out"


def require_pyarrow(what: str) -> None:
    """MissingExtraError, which begins with `what`, where there is no pyarrow; nothing is imported."""
    if importlib.util.find_spec("pyarrow") is None:
        raise MissingExtraError(f"{what} needs pyarrow, which is not installed here: {how_to_add('parquet')}")


def arrow_table(run: RunReader, at: int | None = None) -> pyarrow.Table:
    """All scalars up to step `at` as an Arrow table: `step` (int64), then a column of float64 for each, null where it
    was not measured. The schema's metadata have the run's row as JSON under `condense-tui`, and under
    `condense-tui left out` what the reader has left out because it is damaged."""
    require_pyarrow("an Arrow table")
    import pyarrow

    steps, columns = aligned(curves_of(run))
    kept = slice(None) if at is None else slice(int(steps.searchsorted(at, side="right")))
    arrays = {"step": pyarrow.array(steps[kept])}
    for name, found in columns.items():
        arrays[name] = pyarrow.array(found.values[kept], mask=~found.there[kept])
    metadata = {METADATA: msgspec.json.encode(run.info())}
    if run.damage.named:
        metadata[LEFT_OUT] = msgspec.json.encode(run.damage.named)
    return pyarrow.table(arrays).replace_schema_metadata(metadata)


def pandas_frame(run: RunReader) -> pandas.DataFrame:
    """All scalars as a data frame with the index `step`, a column of float64 for each; NaN where it was not measured,
    and where it was and is no number. `attrs` has the run's id."""
    if importlib.util.find_spec("pandas") is None:
        raise MissingExtraError(f"a data frame needs pandas, which is not installed here: {how_to_add('pandas')}")
    import pandas

    steps, columns = aligned(curves_of(run))
    values = {name: found.values for name, found in columns.items()}
    frame = pandas.DataFrame(values, index=pandas.Index(steps, name="step"))
    frame.attrs["run"] = run.info().id
    return frame
