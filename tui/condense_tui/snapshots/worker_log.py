"""What a worker or a watched script wrote, as text that cannot control the terminal: the end of it."""

from __future__ import annotations

import os
import re
from collections import deque
from pathlib import Path

from condense_core.foreign import open_file
from condense_core.text import printable

# A script that prints at every step writes without end: what is read at once, and what is kept of it.
MOST_BYTES = 256 * 1024
MOST_LINES = 5_000
# A line that never ends, such as an array of a million numbers, says nothing beyond this.
LONGEST_LINE = 1_000
# Colours, cursor moves and whole strings for the terminal, of libraries that think they have one: taken out whole, not
# only their escape.
_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*[0-~]"
)


class WorkerLog:
    """The last lines of a file; of one that grows only what is new is read."""

    def __init__(self, file: Path | None) -> None:
        """`file` is None if there can be no log, as for a recording."""
        self._file = file
        self._forget()

    def _forget(self) -> None:
        self._state = (-1, -1, -1)
        self._read_to = 0
        # a line that has not ended yet
        self._rest = b""
        self._kept: deque[str] = deque(maxlen=MOST_LINES)
        self._lines: tuple[str, ...] = ()
        self.first = 0
        """How many lines stood before those that are kept, as far as they were read."""

    def lines(self) -> tuple[str, ...]:
        """At most MOST_LINES lines; none if there is no file. The same object while nothing was written."""
        if self._file is None:
            return ()
        try:
            with open_file(self._file) as file:
                status = os.fstat(file.fileno())
                state = (status.st_ino, status.st_mtime_ns, status.st_size)
                if state != self._state:
                    if status.st_ino != self._state[0] or status.st_size < self._read_to:
                        self._forget()
                    begin = max(self._read_to, status.st_size - MOST_BYTES)
                    file.seek(begin)
                    data = file.read(status.st_size - begin)
                    self._take(data, follows=begin == self._read_to)
                    self._read_to, self._state = begin + len(data), state
        except FileNotFoundError:
            self._forget()
        except OSError as error:
            self._lines = (f"cannot read {self._file}: {error.strerror}",)
        return self._lines

    def _take(self, data: bytes, *, follows: bool) -> None:
        """Add what was read; where it does not follow on what was read before, its first line may be cut."""
        if not follows:
            # and at least the line that may be cut
            self.first += len(self._kept) + 1
            self._kept.clear()
            self._rest = b""
        ended, newline, self._rest = (self._rest + data).rpartition(b"\n")
        if newline:
            new = shown(ended, whole=follows)
            self.first += max(0, len(self._kept) + len(new) - MOST_LINES)
            self._kept.extend(new)
        # of a line without end, the end
        self._rest = self._rest[-MOST_BYTES:]
        last = shown(self._rest, whole=True)
        self._lines = (*self._kept, *last)[-MOST_LINES:]


def shown(text: bytes, whole: bool) -> tuple[str, ...]:
    """Lines of a log's end, the first one left out where it may be cut; a line that overwrote itself as it ended."""
    lines = text.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")
    if not whole and len(lines) > 1:
        lines = lines[1:]
    ended = [printable(_ESCAPES.sub("", line.rstrip("\r").rsplit("\r", 1)[-1])) for line in lines]
    return tuple(_short(line) for line in ended if line.strip())


def _short(line: str) -> str:
    return line if len(line) <= LONGEST_LINE else line[: LONGEST_LINE - 1] + "…"
