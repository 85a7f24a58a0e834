"""Text from files and other machines, made safe to show."""

from __future__ import annotations

import contextlib
import unicodedata
from pathlib import Path


def printable(text: str) -> str:
    """`text` on one line, without control, format and surrogate characters: it cannot steer the terminal."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        " " if character in "\t\n\r" else character
        for character in text
        if character in "\t\n\r" or unicodedata.category(character)[0] != "C"
    )


def place_of(text: str) -> Path:
    """`text` as a path with `~` for somebody's home; one whose home is not known is taken as it stands."""
    path = Path(text)
    with contextlib.suppress(RuntimeError):
        path = path.expanduser()
    return path
