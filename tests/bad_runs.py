"""Runs that cannot be read, each in another way, for tests of what lists many runs."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

from condense_core.runfile.schema import FILE_NAME


def _changed(statement: str) -> Callable[[Path], None]:
    def change(file: Path) -> None:
        with contextlib.closing(sqlite3.connect(file)) as connection:
            connection.execute(statement)
            connection.commit()

    return change


def _replaced(before: bytes, after: bytes) -> Callable[[Path], None]:
    def change(file: Path) -> None:
        content = file.read_bytes()
        assert before in content
        file.write_bytes(content.replace(before, after))

    return change


UNREADABLE: dict[str, Callable[[Path], None]] = {
    "garbage": lambda file: file.write_bytes(b"garbage" * 1000),
    "empty": lambda file: file.write_bytes(b""),
    # SQLite repeats this byte in its error, which then is no text
    "byte": _replaced(b"CREATE TABLE event", b"CREATE TABLE ev\xffnt"),
    "short": lambda file: os.truncate(file, 5000),
    "text": _changed("UPDATE run SET name = CAST(x'ff' AS TEXT)"),
    "time": _changed("UPDATE run SET created = 9e999"),
    "status": _changed("UPDATE run SET status = 'owned'"),
    "steps": _changed("UPDATE run SET steps = 'many'"),
    "missing": _changed("DROP TABLE event"),
    "row": _changed("DELETE FROM run"),
    "later": _changed("PRAGMA user_version = 99"),
}


# Listed like any other, and wrong only where it is looked at.
UNSHOWABLE: dict[str, Callable[[Path], None]] = {
    "digits": _changed("UPDATE run SET experiment = 'ensemble.members = ' || printf('%.5000c', '9')"),
    "hexadecimal": _changed("UPDATE run SET experiment = 'ensemble.members = 0x' || printf('%.5000c', 'f')"),
    "step": _changed("UPDATE event SET step = 'text'"),
    "frames": _changed("UPDATE frame SET blob = x'00'"),
}


def spoilt(good: Path, how: str) -> Path:
    """A copy of a run beside it, spoilt in that way; its name has the way at its end."""
    folder = good.with_name(f"{good.name}-{how}")
    shutil.copytree(good, folder)
    (UNREADABLE | UNSHOWABLE)[how](folder / FILE_NAME)
    return folder
