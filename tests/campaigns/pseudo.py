"""A program in a pseudo-terminal, and whether what it wrote there is only what a terminal should ever get from it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path

# What a terminal that knows synchronised output answers to the question whether it does.
QUESTION, ANSWER = b"\x1b[?2026$p", b"\x1b[?2026;2$y"
_SEQUENCE = re.compile(
    "\x1b(?:\\[([<=>?]?)([0-9;:]*)([ -/]*)([@-~])|([\\]P^_X])([^\x07\x1b]*)(?:\x07|\x1b\\\\)|([ -/]*[0-~]))"
)
Kind = tuple[str, ...]


class Screen:
    """A program that believes it has a terminal; what it has written so far is in `written`."""

    def __init__(self, command: Sequence[str], size: tuple[int, int], environment: Mapping[str, str]) -> None:
        self.pid, self._file = pty.fork()
        if self.pid == 0:
            variables = {**environment, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8"}
            for name in ("COLUMNS", "LINES"):
                variables.pop(name, None)
            os.execvpe(command[0], list(command), variables)
        fcntl.ioctl(self._file, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        self.written = b""
        self.status: int | None = None

    def read(self, seconds: float) -> bool:
        """Take what comes for at most so long; whether something came. What is asked is answered."""
        if not select.select([self._file], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self._file, 65_536)
        except OSError:
            data = b""
        if not data:
            # it has ended, or closed its terminal
            time.sleep(min(seconds, 0.05))
            return False
        asked = self.written.count(QUESTION)
        self.written += data
        with contextlib.suppress(OSError):
            os.write(self._file, ANSWER * (self.written.count(QUESTION) - asked))
        return True

    def quiet(self, for_: float = 0.25, most: float = 8.0) -> None:
        """Read until nothing has come for a while."""
        deadline = time.monotonic() + most
        while self.read(for_) and time.monotonic() < deadline:
            pass

    def wait(self, text: bytes, most: float = 60.0) -> None:
        """Read until this has come, or the program has ended."""
        deadline = time.monotonic() + most
        while text not in self.written and not self.ended():
            assert time.monotonic() < deadline, f"{text!r} never came"
            self.read(0.2)

    def press(self, keys: bytes) -> None:
        with contextlib.suppress(OSError):
            os.write(self._file, keys)

    def ended(self) -> bool:
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
        return self.status is not None

    def megabytes(self) -> float:
        """Resident memory."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS"))

    def close(self) -> None:
        if not self.ended():
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self._file)


def kinds(written: bytes) -> set[Kind]:
    """The kinds of sequences in what was written: their letters, and numbers where these choose what is done."""
    text = written.decode("utf-8", "surrogateescape")
    found: set[Kind] = set()
    for match in _SEQUENCE.finditer(text):
        private, numbers, between, final, string, content, other = match.groups()
        if final:
            # colours and places are any numbers; what is switched on or asked for is not
            found.add(("CSI", private, between, final, "" if final in "mABCDGHf" else numbers))
        elif string:
            # a title tells the name of a run, whatever that is; longer or with what steers it is none of ours
            title = string == "]" and content.startswith("2;") and content.isprintable() and len(content) < 110
            found.add((string, "2;title" if title else content))
        else:
            found.add(("ESC", other))
    return found


def foreign(written: bytes, known: set[Kind]) -> list[str]:
    """What a terminal should never have got: sequences of no known kind, and characters that steer without one."""
    text = written.decode("utf-8", "surrogateescape")
    found = [repr(kind) for kind in kinds(written) - known]
    rest = _SEQUENCE.sub("", text)
    steering = {
        character
        for character in rest
        if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn"} and character not in "\r\n\t\b"
    }
    return found + [f"U+{ord(character):04X}" for character in sorted(steering)]


def restored(written: bytes) -> bool:
    """Whether the terminal was left as it was found: off the second screen, cursor shown, mouse and paste off."""
    on = {b"\x1b[?1049h": b"\x1b[?1049l", b"\x1b[?25l": b"\x1b[?25h", b"\x1b[?2004h": b"\x1b[?2004l"}
    on |= {b"\x1b[?1000h": b"\x1b[?1000l", b"\x1b[?1004h": b"\x1b[?1004l", b"\x1b[>1u": b"\x1b[<u"}
    return all(written.rfind(begin) < 0 or written.rfind(end) > written.rfind(begin) for begin, end in on.items())
