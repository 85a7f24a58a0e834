"""Text from files and other machines, made safe to show."""

from __future__ import annotations

import unicodedata


def printable(text: str) -> str:
    """`text` on one line, without control, format and surrogate characters: it cannot steer the terminal."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        " " if character in "\t\n\r" else character
        for character in text
        if character in "\t\n\r" or unicodedata.category(character)[0] != "C"
    )
