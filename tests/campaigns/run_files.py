"""Run files with something wrong in them: read, or refused in one clean line of bounded length, in bounded time."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

from damage import COLUMNS, PAGE, VALUES, any_byte, any_values_allowed, look_at_everything
from recording import Recording

from campaigns.framework import Attempt, Campaign, Scene
from condense_core.runfile.schema import FILE_NAME

PATIENCE_S = 10.0


def originals(root: Path) -> list[Path]:
    """A run, one of several seeds, and one whose worker was killed, with a log beside it."""
    found = []
    for name, members in (("one", 1), ("several", 3), ("killed", 1)):
        recording = Recording(root / name, frames=6, kernels=(6, 4), members=members)
        recording.write(4)
        if name == "killed":
            recording.write()
            copy = root / "killed-copy" / recording.folder.name
            shutil.copytree(recording.folder, copy, ignore=shutil.ignore_patterns("*-shm"))
            found.append(copy)
        else:
            recording.write()
            recording.finish()
            found.append(recording.folder)
        recording.close()
    return found


def mutated(draw: Random, original: Path, folder: Path, others: list[Path]) -> Path:
    """A copy of a run with something wrong; where it is depends on the draw alone."""
    copy = folder / original.name
    shutil.copytree(original, copy)
    file = copy / draw.choice([file.name for file in sorted(copy.glob("run.sqlite*"))])
    content = bytearray(file.read_bytes())
    how = draw.randrange(9)
    if how == 0:
        del content[draw.randrange(len(content)) :]
    elif how == 1:
        at, size = draw.randrange(len(content)), draw.choice((1, 100, PAGE))
        content[at : at + size] = bytes(size) if draw.random() < 0.5 else draw.randbytes(size)
    elif how == 2:
        pages = max(1, len(content) // PAGE)
        at, other = draw.randrange(pages) * PAGE, draw.randrange(pages) * PAGE
        content[at : at + PAGE] = content[other : other + PAGE]
    elif how == 3:
        del content[(at := draw.randrange(len(content))) : at + draw.choice((1, 7, PAGE))]
    elif how == 4:
        other_file = draw.choice(others) / FILE_NAME
        at = draw.randrange(1, max(2, len(content) // PAGE)) * PAGE
        content[at : at + PAGE] = other_file.read_bytes()[at : at + PAGE]
    elif how == 5:
        spoil_a_value(draw, copy)
        return copy
    else:
        for _ in range(draw.choice((1, 1, 2, 8, 64))):
            at = draw.randrange(len(content)) if draw.random() < 0.6 else draw.randrange(min(len(content), PAGE))
            content[at] = any_byte(draw, content[at])
    file.write_bytes(content)
    return copy


def spoil_a_value(draw: Random, copy: Path) -> None:
    """Any value in any column, of all rows or of one, as SQLite keeps it."""
    any_values_allowed(copy)
    with contextlib.closing(sqlite3.connect(copy / FILE_NAME)) as connection:
        for _ in range(draw.choice((1, 1, 3))):
            table = draw.choice(list(COLUMNS))
            column = draw.choice(COLUMNS[table])
            where = "" if draw.random() < 0.5 else f" WHERE rowid = {draw.randrange(1, 40)}"
            value = draw.choice((*VALUES, draw.randbytes(40)))
            connection.execute(f"UPDATE {table} SET {column} = ?{where}", (value,))
        connection.commit()


@contextlib.contextmanager
def opened(scene: Scene) -> Iterator[Attempt]:
    found = originals(scene.folder)
    for folder in found:
        assert look_at_everything(folder) == 0, "the original is not refused"
    refused = 0

    def attempt(draw: Random, folder: Path) -> int:
        nonlocal refused
        copy = mutated(draw, draw.choice(found), folder, found)
        before = sorted(folder.iterdir())
        begun = time.monotonic()
        refused += look_at_everything(copy) > 0
        assert time.monotonic() - begun < PATIENCE_S, "took too long"
        assert sorted(folder.iterdir()) == before
        return 1

    yield attempt
    # it was an attack on what is read
    assert scene.goal < 100 or refused > scene.goal / 10
    scene.notes.append(f"{refused:,} refused, at least in part")


CAMPAIGN = Campaign(
    "run-files",
    "mutated run files, read in process by everything that reads one",
    "files",
    tried=2_000,
    short=25,
    open=opened,
)
