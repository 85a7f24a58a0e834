"""A finished run as one small file that can be shipped: what a replay shows, and nothing of the machine it is from."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from pathlib import Path

from condense_core.errors import RunFileError
from condense_core.measure_table import OF_THE_MACHINE
from condense_core.runfile.info import RunInfo
from condense_core.runfile.reader import RunReader
from condense_core.runfile.scalars import scalars_of
from condense_core.runfile.schema import FILE_NAME, NEWEST_SEQ, open_writer, version_of
from condense_core.runs.thinning import thin
from condense_core.scenario import toml
from condense_core.scenario.experiment import Experiment

SUFFIX = ".sqlite"
# What a recording may take; a wheel packs it to less than half. A hundred of them stay below 12 MB there.
LARGEST = 260_000
# Steps that are kept at most, where they fit, and those below which it is no film any more: 500 kernels that have
# spread leave room for so many.
MOST_STEPS = 40
FEWEST_STEPS = 6
# Named in place of the machine's host.
HOST = "recording"


class TooLargeError(RunFileError):
    """The recording would be larger than one that ships may be."""


def save_recording(
    folder: Path, file: Path, *, shipped: Experiment | None = None, source: str = "", most_steps: int = MOST_STEPS
) -> int:
    """Write the finished run in `folder` as the recording `file`; its size in bytes.

    `shipped` is the scenario as it ships, where the run names paths of this machine; `source` says in words what was
    trained on. At most `most_steps` steps are kept, fewer where the file would be too large, and of those everything
    that is shown. Leaves out weights (but of networks with one input, whose field shows them), checkpoints' events,
    commands, the host's name and what else is the machine's. TooLargeError above LARGEST, another RunFileError if the
    run is not done or the place cannot be written; nothing is left behind then.
    """
    with RunReader(folder) as run:
        info, layers_have_field = run.info(), bool(run.layers) and run.field(run.layers[0]) is not None
        trained = run.experiment
    if info.status != "done":
        raise RunFileError(f"{info.id} is {info.status}: {info.reason or 'only finished runs can become recordings'}")
    partial = file.with_name(f".{file.name}.partial")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        steps = most_steps
        while True:
            partial.unlink(missing_ok=True)
            with contextlib.closing(open_writer(folder / FILE_NAME)) as connection:
                connection.execute("VACUUM INTO ?", (str(partial),))
            thin(partial, steps, weights=layers_have_field)
            with contextlib.closing(sqlite3.connect(partial, isolation_level=None)) as connection:
                _strip(connection, file.name.removesuffix(SUFFIX), info, shipped or trained, source)
            size = partial.stat().st_size
            if size <= LARGEST:
                break
            if steps <= FEWEST_STEPS:
                raise TooLargeError(f"{file.name} would be {size:,} bytes, more than {LARGEST:,}; record fewer steps")
            steps = max(FEWEST_STEPS, min(steps - 1, steps * LARGEST // size))
        os.replace(partial, file)  # noqa: PTH105 - replaces atomically
    except (OSError, sqlite3.Error) as error:
        raise RunFileError(f"cannot write {file}: {error}; choose another folder with --out") from None
    finally:
        partial.unlink(missing_ok=True)
    return size


def _strip(connection: sqlite3.Connection, name: str, info: RunInfo, shipped: Experiment, source: str) -> None:
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute("DELETE FROM event WHERE kind = 'checkpoint'")
    connection.execute("DELETE FROM command")
    scalars_of(connection).remove(OF_THE_MACHINE)
    if version_of(connection) < 2:
        # a short run is read as fast by an index half the size
        connection.execute("DROP INDEX IF EXISTS scalar_curve")
        connection.execute("CREATE INDEX IF NOT EXISTS scalar_name ON scalar (name)")
    connection.execute(
        "UPDATE run SET id = ?, name = ?, preset = ?, experiment = ?, host = ?, pid = NULL",
        (f"{name}-recording", name, name, toml.dumps(shipped), HOST),
    )
    connection.execute(
        f"INSERT INTO event SELECT newest + 1, (SELECT step FROM run), 'recorded', ?, ? FROM ({NEWEST_SEQ})",
        (_made(info, source), info.created),
    )
    connection.execute("VACUUM")


def _made(info: RunInfo, source: str) -> str:
    """When, at which commit, from what, and with what a recording was made."""
    date = time.strftime("%Y-%m-%d", time.gmtime(info.created))
    at = f" at {info.revision}" if info.revision else ""
    of = f" of {source}" if source else ""
    words = ", ".join(f"{package} {version}" for package, version in info.versions.items() if package != "python")
    return f"a recording that ships with the program, made {date}{at}{of}, with {words}"
