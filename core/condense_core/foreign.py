"""What others wrote: files, other machines, a person's text. Whatever goes wrong reading it becomes one error of ours.

A list of exceptions to catch is always too short: SQLite, TOML, msgpack and Python's own numbers each have their own,
and a hostile text finds the one that was forgotten. So a boundary catches all of them, in one place.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
from io import BufferedReader
from pathlib import Path
from types import TracebackType
from typing import Any

from condense_core.errors import CondenseError
from condense_core.text import printable
from condense_core.validation import in_words

# Characters of a whole scenario: a hundred times a long one. So much is read of a person's, of a file's, over the wire.
LONGEST_SCENARIO = 500_000
# Characters of somebody else's words in a message of ours.
LONGEST_REASON = 200
# What passes a boundary as it is: what is ours already, and mistakes in the program, which nothing that is read makes.
PASSING = (CondenseError, NameError, ImportError)
# Parts of a dotted key, twice the levels of the deepest scenario: Python's own reader takes memory that grows with the
# square of them, some kB of text a GB.
MOST_PARTS = 32
_PART = r"""(?:[\w-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')"""
_LONG_KEY = re.compile(rf"(?<![\w-])(?:{_PART}[ \t]*+\.[ \t]*+){{{MOST_PARTS}}}")


def decoding(kind: type[CondenseError], about: object) -> contextlib.AbstractContextManager[None]:
    """Around code that decodes what others wrote: anything raised there becomes `kind`, `ABOUT: WHY` in one line of
    bounded length. An error that is ours already passes as it is."""
    return _Decoding(kind, about)


class _Decoding(contextlib.AbstractContextManager[None]):
    # a class: a generator takes as long as what a list decodes of a run
    def __init__(self, kind: type[CondenseError], about: object) -> None:
        self._kind, self._about = kind, about

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(error, Exception) and not isinstance(error, PASSING):
            raise self._kind(f"{self._about}: {reason(error)}") from error


def reason(error: BaseException) -> str:
    """Why, in one printable line of at most LONGEST_REASON characters; never empty."""
    if isinstance(error, UnicodeDecodeError):
        return _not_utf8(error.object)
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if isinstance(error, MemoryError):
        return "too large for memory"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    # of text that is none SQLite repeats all there is
    text = _words(error).partition(" with text ")[0]
    if type(error).__module__ == "msgspec":
        text = in_words(text)
    if "integer string conversion" in text:
        return "a number of thousands of digits"
    text = printable(text[: 4 * LONGEST_REASON]).strip()
    # what is wrong with a value is said in words; other errors of Python's own mean nothing without their names
    named = type(error).__module__ != "builtins" or isinstance(error, ValueError | ArithmeticError | OSError)
    text = text if named and text else f"{type(error).__name__}: {text}".removesuffix(": ")
    return text if len(text) <= LONGEST_REASON else f"{text[:LONGEST_REASON]}…"


def open_file(file: str | Path) -> BufferedReader:
    """A file for reading; OSError also for a pipe, which would be waited for without end, and for other things that are
    no files."""
    descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a file", str(file))
    return os.fdopen(descriptor, "rb")


def text_of(data: bytes) -> str:
    """UTF-8 text, without the byte order mark that some editors put before it; UnicodeDecodeError for anything else."""
    return data.decode("utf-8-sig")


def read_text(file: Path, largest: int) -> str:
    """The whole of a text file; OSError, UnicodeDecodeError, or ValueError for more than `largest` bytes."""
    with file.open("rb") as opened:
        return bounded_text(opened.read(largest + 1), largest)


def bounded_text(data: bytes, largest: int) -> str:
    """`text_of`; ValueError for more than `largest` bytes."""
    if len(data) > largest:
        raise ValueError(f"larger than {largest:,} bytes")
    return text_of(data)


def toml_table(text: str) -> dict[str, Any]:
    """TOML text as plain tables; tomllib.TOMLDecodeError, or another error of Python's own where the text is hostile.
    Its length is the caller's to bound."""
    import tomllib

    # most texts have too few dots for it
    if text.count(".") >= MOST_PARTS and _LONG_KEY.search(text):
        raise RecursionError
    # some editors put a mark before text that is UTF-8
    return tomllib.loads(text.removeprefix("\ufeff"))


def _not_utf8(data: bytes) -> str:
    utf16 = data[:2] in {b"\xff\xfe", b"\xfe\xff"}
    return "not UTF-8 text but UTF-16; save it as UTF-8" if utf16 else "not UTF-8 text"


def _words(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - an error that holds what cannot be written, such as a number too long
        return ""
