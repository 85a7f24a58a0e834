"""A finished run as one small file that can be shipped: what a replay shows, and nothing of the machine it is from."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from pathlib import Path

from condense_core.errors import RunFileError
from condense_core.runfile.reader import RunReader
from condense_core.runfile.schema import FILE_NAME, NEWEST_SEQ, open_writer

SUFFIX = ".sqlite"
# What a recording may take: ten of them are still less than the program itself.
LARGEST = 300_000
# Named in place of the machine's host.
HOST = "recording"


class TooLargeError(RunFileError):
    """The recording would be larger than one that ships may be."""


def save_recording(folder: Path, file: Path) -> int:
    """Write the finished run in `folder` as the recording `file`; its size in bytes.

    Leaves out weights, checkpoints' events, commands, and the host's name. TooLargeError above LARGEST, another
    RunFileError if the run is not done or the place cannot be written; nothing is left behind then.
    """
    with RunReader(folder) as run:
        info = run.info()
    if info.status != "done":
        raise RunFileError(f"{info.id} is {info.status}: {info.reason or 'only finished runs can become recordings'}")
    partial = file.with_name(f".{file.name}.partial")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        partial.unlink(missing_ok=True)
        with contextlib.closing(open_writer(folder / FILE_NAME)) as connection:
            connection.execute("VACUUM INTO ?", (str(partial),))
        with contextlib.closing(sqlite3.connect(partial, isolation_level=None)) as connection:
            _strip(connection, file.name.removesuffix(SUFFIX), info.versions, info.created)
        size = partial.stat().st_size
        if size > LARGEST:
            raise TooLargeError(f"{file.name} would be {size:,} bytes, more than {LARGEST:,}; record fewer steps")
        os.replace(partial, file)  # noqa: PTH105 - replaces atomically
    except (OSError, sqlite3.Error) as error:
        raise RunFileError(f"cannot write {file}: {error}; choose another folder with --out") from None
    finally:
        partial.unlink(missing_ok=True)
    return size


def _strip(connection: sqlite3.Connection, name: str, versions: dict[str, str], created: float) -> None:
    made = time.strftime("%Y-%m-%d", time.gmtime(created))
    words = ", ".join(f"{package} {version}" for package, version in versions.items() if package != "python")
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute("DELETE FROM frame WHERE kind = 'weights'")
    connection.execute("DELETE FROM event WHERE kind = 'checkpoint'")
    connection.execute("DELETE FROM command")
    # a short run is read as fast by an index half the size
    connection.execute("DROP INDEX IF EXISTS scalar_curve")
    connection.execute("CREATE INDEX IF NOT EXISTS scalar_name ON scalar (name)")
    connection.execute("UPDATE run SET id = ?, name = ?, host = ?, pid = NULL", (f"{name}-recording", name, HOST))
    connection.execute(
        f"INSERT INTO event SELECT newest + 1, (SELECT step FROM run), 'recorded', ?, ? FROM ({NEWEST_SEQ})",
        (f"a recording that ships with the program, made {made} with {words}", created),
    )
    connection.execute("VACUUM")
