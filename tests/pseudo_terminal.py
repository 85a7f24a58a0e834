"""A program in a pseudo-terminal of its own, and what it leaves there when it ends."""

from __future__ import annotations

import fcntl
import os
import resource
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import forking

# What programs switch on in a terminal, and how they switch it off.
MODES = {
    "alternate screen": (b"\x1b[?1049h", b"\x1b[?1049l"),
    "hidden cursor": (b"\x1b[?25l", b"\x1b[?25h"),
    "mouse": (b"\x1b[?1003h", b"\x1b[?1003l"),
    "marked pasting": (b"\x1b[?2004h", b"\x1b[?2004l"),
    "focus reports": (b"\x1b[?1004h", b"\x1b[?1004l"),
    "keys of kitty's": (b"\x1b[>", b"\x1b[<u"),
    "no wrapping": (b"\x1b[?7l", b"\x1b[?7h"),
}


class PseudoTerminal:
    """Of 120×40. What the program writes is read while something is waited for, and else not."""

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        *,
        environment: Mapping[str, str],
        ignored: Sequence[signal.Signals] = (),
        forked: bool = False,
    ) -> None:
        """`ignored`: signals that whoever starts the program has it ignore. A program that is `forked` starts fast, and
        the terminal is not its own: what a closed one tells does not come."""
        self._file, self._slave = os.openpty()
        fcntl.ioctl(self._file, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self._modes = termios.tcgetattr(self._slave)
        self.written = b""

        def begin() -> None:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            for number in (signal.SIGINT, signal.SIGQUIT, *ignored):
                signal.signal(number, signal.SIG_IGN if number in ignored else signal.SIG_DFL)

        kind = forking.Forked if forked else forking.Fresh
        self._process: subprocess.Popen[bytes] = kind(
            list(command),
            cwd=folder,
            stdin=self._slave,
            stdout=self._slave,
            stderr=self._slave,
            env={**environment, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"},
            start_new_session=True,
            preexec_fn=None if forked else begin,
        )
        self.pid = self._process.pid

    def read(self, seconds: float = 0.05) -> None:
        """Take what the program writes within that time, or until there is something."""
        if select.select([self._file], [], [], seconds)[0]:
            self.written += os.read(self._file, 65_536)

    def wait_for(self, text: str, seconds: float = 40) -> None:
        """Read until the program has written this."""
        deadline = time.monotonic() + seconds
        while text.encode() not in self.written:
            assert time.monotonic() < deadline, f"waited for {text!r}, and it wrote {self.written[-2_000:]!r}"
            assert self._process.poll() is None, f"ended with {self._process.returncode}: {self.written[-2_000:]!r}"
            self.read()

    def press(self, keys: bytes) -> None:
        """Send keys."""
        os.write(self._file, keys)

    def close(self) -> None:
        """Close the terminal, as a window that is closed does."""
        os.close(self._slave)
        os.close(self._file)
        self._file = self._slave = -1

    def end(self, seconds: float = 20) -> int:
        """The status with which the program ends by itself, negative for a signal."""
        deadline = time.monotonic() + seconds
        while self._process.poll() is None:
            if time.monotonic() > deadline:
                self._process.kill()
                raise AssertionError(f"does not end; it wrote {self.written[-2_000:]!r}")
            if self._file >= 0:
                self.read()
            else:
                time.sleep(0.02)
        while self._file >= 0 and select.select([self._file], [], [], 0.05)[0]:
            self.read()
        return self._process.returncode

    def left_on(self) -> list[str]:
        """What a program that has ended left switched on in the terminal."""
        found = [name for name, (on, off) in MODES.items() if self.written.rfind(on) > self.written.rfind(off)]
        return found + (["keys are not shown"] if termios.tcgetattr(self._slave) != self._modes else [])

    def __enter__(self) -> PseudoTerminal:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        if self._file >= 0:
            self.close()
