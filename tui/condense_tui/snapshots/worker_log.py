"""The end of a worker's log, as text that cannot control the terminal."""

from __future__ import annotations

import os
import re
from pathlib import Path

from condense_core.foreign import open_file
from condense_core.text import printable

# A worker writes little; one that writes without end is not read from its beginning.
MOST_BYTES = 64 * 1024
MOST_LINES = 400
# Colours and cursor moves of libraries that think they have a terminal: taken out whole, not only their escape.
_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")


class WorkerLog:
    """The last lines of a file, read again only when it has grown."""

    def __init__(self, file: Path | None) -> None:
        """`file` is None if there can be no log, as for a recording."""
        self._file = file
        self._state = (-1, -1)
        self._lines: tuple[str, ...] = ()

    def lines(self) -> tuple[str, ...]:
        """At most MOST_LINES lines; none if there is no file."""
        if self._file is None:
            return ()
        try:
            with open_file(self._file) as file:
                status = os.fstat(file.fileno())
                state = (status.st_mtime_ns, status.st_size)
                if state != self._state:
                    file.seek(max(0, status.st_size - MOST_BYTES))
                    self._lines = shown(file.read(MOST_BYTES), whole=status.st_size <= MOST_BYTES)
                    self._state = state
        except FileNotFoundError:
            self._lines = ()
        except OSError as error:
            self._lines = (f"cannot read {self._file}: {error.strerror}",)
        return self._lines


def shown(text: bytes, whole: bool) -> tuple[str, ...]:
    """Lines of a log's end, the first one left out where it may be cut; a line that overwrote itself as it ended."""
    lines = text.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")
    if not whole and len(lines) > 1:
        lines = lines[1:]
    ended = [printable(_ESCAPES.sub("", line.rstrip("\r").rsplit("\r", 1)[-1])) for line in lines]
    return tuple(line for line in ended if line.strip())[-MOST_LINES:]
