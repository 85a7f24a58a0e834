"""The file with what a person says of a run, and the name in it alone, which a shell waits for: without msgspec."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path

from condense_core.errors import RunFileError
from condense_core.foreign import bounded_text, decoding, open_file, toml_table
from condense_core.text import printable

ABOUT_NAME = "about.toml"
LONGEST_NAME = 80
# Bytes of the file: the longest note, name and tags in four bytes a character.
LARGEST = 32_768


def written(folder: Path) -> bytes:
    """The file of the run in a folder, or its beginning, a byte more than it may have; nothing where there is none, or
    a run file lies somewhere by itself."""
    file = f"{folder}/{ABOUT_NAME}"
    try:
        with open_file(file) as opened:
            return opened.read(LARGEST + 1)
    except (FileNotFoundError, NotADirectoryError):
        return b""
    except OSError as error:
        raise RunFileError(f"cannot read {file}: {error.strerror}") from None


def given_names(runs: Path, folders: Iterable[str]) -> dict[str, str]:
    """Names that a person gave to runs, by the names of their folders in `runs`: of thousands, of which few have one.

    A file that makes no sense gives no name; home and `runs list` say what is wrong with it.
    """
    found: dict[str, str] = {}
    for folder in folders:
        with contextlib.suppress(RunFileError):
            data = written(runs / folder)
            # every cell of a sweep has such a file, and to read all of them as TOML takes half a second
            if b"name" in data and (name := _name(data)):
                found[folder] = name
    return found


def _name(data: bytes) -> str:
    with decoding(RunFileError, f"{ABOUT_NAME} makes no sense"):
        name = toml_table(bounded_text(data, LARGEST)).get("name")
    return printable(name) if isinstance(name, str) and len(name) <= LONGEST_NAME else ""
