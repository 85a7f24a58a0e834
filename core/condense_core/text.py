"""Text from files and other machines, made safe to show."""

from __future__ import annotations

import contextlib
import unicodedata
from pathlib import Path


def printable(text: str) -> str:
    """`text` on one line, without control, format and surrogate characters: it cannot steer the terminal."""
    if text.isprintable():
        # none of those characters is
        return text
    return "".join(
        " " if character in "\t\n\r" else character
        for character in text
        if character in "\t\n\r" or unicodedata.category(character)[0] != "C"
    )


def short(value: object, most: int = 60) -> str:
    """`value` as Python writes it, of a long one its beginning; whatever it is, it can be shown."""
    if isinstance(value, str | bytes):
        # the rest would only be written to be cut
        value = value[: most + 1]
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - a number of more digits than Python writes, alone or in a list; a list in itself
        return f"{'a number' if isinstance(value, int) else type(value).__name__} too long to be shown"
    text = printable(text)
    return text if len(text) <= most else f"{text[:most]}…"


def place_of(text: str) -> Path:
    """`text` as a path with `~` for somebody's home; one whose home is not known is taken as it stands."""
    path = Path(text)
    with contextlib.suppress(RuntimeError):
        path = path.expanduser()
    return path


def steps_in_words(steps: list[int]) -> str:
    """Steps, ascending, in a few words: all of them, or the first ones and the last."""
    if len(steps) == 1:
        return f"step {steps[0]} only"
    if len(steps) <= 6:
        return f"steps {', '.join(map(str, steps))}"
    return f"{len(steps)} steps: {', '.join(map(str, steps[:4]))} … {steps[-1]}"
