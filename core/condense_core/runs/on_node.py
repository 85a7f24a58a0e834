"""A run trained on a node of a cluster, in a folder that lasts as long as its training, and sent back whole.

What goes there is a scenario as text, what comes back is a run file as bytes: both sides check what they are given.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import tempfile
from pathlib import Path

from condense_core.errors import RunFailedError, RunFileError
from condense_core.runfile.info import LOG_NAME, last_words
from condense_core.runfile.reader import RunReader
from condense_core.runfile.schema import FILE_NAME, open_writer
from condense_core.runfile.status import ENDED
from condense_core.runs.create import require_engine, write_run
from condense_core.runs.worker_pool import Pool
from condense_core.scenario import toml
from condense_core.scenario.paths import check_data_is_there

# What a run may take on its way through a cluster's memory: a thousand times the usual, and no node is filled by one.
LARGEST = 512 * 2**20
# Between two moments at which a node's process can be told to stop.
LOOK_S = 0.2

# PyTorch is imported once for all runs that this process is given.
_pool: Pool | None = None


def train_here(experiment: str, *, run: str, preset: str, device: str) -> bytes:
    """Train the scenario in a process of this machine, and give its run file.

    CondenseError if it cannot be trained here: packages or data that are missing, a scenario of another version.
    """
    require_engine()
    parsed = toml.loads(experiment, run)
    check_data_is_there(parsed)
    with tempfile.TemporaryDirectory(prefix="condense-tui-") as work:
        folder = Path(work) / run
        folder.mkdir()
        write_run(folder, parsed, name=f"{preset} {run}", preset=preset, device=device)
        _train(folder)
        return _content(folder)


def accept(content: bytes, experiment: str, folder: Path) -> None:
    """Put a run file that came from elsewhere into `folder`; RunFileError if it is not that experiment's, ended."""
    if len(content) > LARGEST:
        raise RunFileError(f"{folder.name}: a run file of {len(content):,} bytes, more than {LARGEST:,}")
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".{FILE_NAME}.partial"
    try:
        partial.touch(mode=0o600)
        partial.write_bytes(content)
        with RunReader(partial) as run:
            info = run.info()
        if info.status not in ENDED or info.experiment != experiment:
            raise RunFileError(f"{folder.name}: the run file that came back is {info.status}, or of another experiment")
        os.replace(partial, folder / FILE_NAME)  # noqa: PTH105 - replaces atomically
    finally:
        for file in folder.glob(f".{FILE_NAME}.partial*"):
            file.unlink(missing_ok=True)


def _train(folder: Path) -> None:
    """Wait for the run's process; leaving early, by whatever is raised here, stops it."""
    global _pool  # noqa: PLW0603 - one for the process: that is what it is for
    pool = _pool or Pool(1)
    _pool = None
    try:
        pool.start(folder)
        while pool.running:
            pool.ended(LOOK_S)
    except BaseException:
        pool.__exit__()
        raise
    _pool = pool


def _content(folder: Path) -> bytes:
    """The run file with everything in it; RunFailedError if the run's worker went without an end."""
    with RunReader(folder) as run:
        info = run.info()
    if info.status not in ENDED:
        words = info.reason or last_words(folder / LOG_NAME) or info.status
        raise RunFailedError(f"the worker was lost: {words}")
    file = folder / FILE_NAME
    try:
        with contextlib.closing(open_writer(file)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:
        raise RunFileError(f"cannot read {file}: {error}") from None
    size = file.stat().st_size
    if size > LARGEST:
        raise RunFileError(f"the run file takes {size:,} bytes, more than {LARGEST:,}; record fewer frames")
    return file.read_bytes()
