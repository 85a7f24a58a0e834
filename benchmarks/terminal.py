"""A program behind a pseudo-terminal, keys pressed in it, and when each had its effect on the screen.

What the program writes is kept with the time at which it came; afterwards a terminal emulator finds the moment of each
effect, so that the emulator takes no time from what is measured.
"""

from __future__ import annotations

import fcntl
import os
import pty
import random
import select
import signal
import struct
import sys
import termios
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyte
from waiting import PATIENCE_S

SIZE = (120, 40)
# What comes is to get its time at once, also while what came before is being drawn.
sys.setswitchinterval(0.0005)
# What a terminal that knows synchronised output answers to the question whether it does.
QUESTION, ANSWER = b"\x1b[?2026$p", b"\x1b[?2026;2$y"

# A key's name, its bytes, and how the screen looks once it has had its effect.
Key = tuple[str, bytes, Callable[[str], bool]]


class Effect(NamedTuple):
    """What came of one key: seconds until the screen showed it, and bytes that came meanwhile."""

    name: str
    lag: float
    bytes: int


class Terminal:
    """A program that runs as a person runs it; `answers` to what modern terminals are asked, or not."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        size: tuple[int, int] = SIZE,
        answers: bool = False,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self.size = size
        self._name = " ".join(command)
        self.begun = time.perf_counter()
        self.pid, self._file = pty.fork()
        if self.pid == 0:
            environment = {**environment, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8"}
            # the size of the terminal that the benchmark was started from, which a shell may say so
            for variable in ("COLUMNS", "LINES"):
                environment.pop(variable, None)
            os.execvpe(command[0], list(command), environment)
        fcntl.ioctl(self._file, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        self.written: list[tuple[float, bytes]] = []
        self._spent: dict[float, float] = {}
        self._answers = answers
        self._screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self._screen)
        self._fed = 0
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def press(self, key: bytes) -> float:
        """Send a key; the time at which it went."""
        now = time.perf_counter()
        os.write(self._file, key)
        return now

    def wait_for(self, *texts: str, seconds: float = PATIENCE_S) -> float:
        """The time at which one of the texts was on the screen."""

        def shows(page: str) -> bool:
            return any(text in line for text in texts for line in page.split("\n"))

        return self.wait_until_shown(shows, " or ".join(map(repr, texts)), seconds)

    def wait_until_shown(self, shows: Callable[[str], bool], what: str, seconds: float = PATIENCE_S) -> float:
        """The time at which the screen, lines of text, was so.

        The screen is emulated: on its way a word may come in parts, with colours or other places between.
        """
        deadline = time.perf_counter() + seconds
        while True:
            if shows("\n".join(self._screen.display)):
                return self.written[self._fed - 1][0] if self._fed else self.begun
            if self._fed < len(self.written):
                self._stream.feed(self.written[self._fed][1])
                self._fed += 1
                continue
            ended = not self._thread.is_alive()
            if ended or time.perf_counter() > deadline:
                shown = "\n".join(line.rstrip() for line in self._screen.display).strip()
                why = "ended" if ended else f"took more than {seconds:g} s"
                raise SystemExit(f"{self._name} {why} before {what} was on its screen, which is:\n{shown}")
            time.sleep(0.002)

    def bytes_in(self, seconds: float) -> int:
        """Bytes that come from now on for so long."""
        before = len(self.written)
        time.sleep(seconds)
        return sum(len(chunk) for _, chunk in self.written[before:])

    def effects(self, keys: Sequence[Key], count: int, pause: tuple[float, float]) -> list[Effect]:
        """Press keys, one after the other and over again, `count` in all, at random moments; what came of each."""
        presses = []
        for at in range(count):
            key = keys[at % len(keys)]
            presses.append((key, self.press(key[1])))
            time.sleep(random.uniform(*pause))
        time.sleep(pause[1])
        return _effects(list(self.written), presses, self.size)

    def megabytes(self) -> float:
        """Resident memory."""
        return _megabytes(self.pid)

    def seconds_of_cpu(self) -> float:
        """Processor time that all threads of the program took so far."""
        # its clock's number, as clock_getcpuclockid(3) makes it on Linux
        return time.clock_gettime((~self.pid << 3) | 2)

    def seconds_of_cpu_at(self, when: float) -> float:
        """Processor time that the program had taken when it wrote what came at that time."""
        return self._spent[when]

    def megabytes_in_all(self) -> float:
        """Resident memory of the program and all that it has started."""
        return sum(map(_megabytes, _family(self.pid)))

    def seconds_of_cpu_in_all(self) -> float:
        """Processor time of the program and all that it has started, as far as they run."""
        return sum(map(_seconds_of_cpu, _family(self.pid)))

    def close(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        # which still asks for its clock
        self._thread.join(PATIENCE_S)
        os.waitpid(self.pid, 0)
        os.close(self._file)

    def _read(self) -> None:
        tail = b""
        while True:
            try:
                if not select.select([self._file], [], [], 1.0)[0]:
                    continue
                data = os.read(self._file, 65_536)
            except OSError:
                return
            now = time.perf_counter()
            self._spent[now] = self.seconds_of_cpu()
            self.written.append((now, data))
            if self._answers:
                # a question may come in two parts
                os.write(self._file, ANSWER * (tail + data).count(QUESTION))
                tail = (tail + data).rpartition(QUESTION)[2][1 - len(QUESTION) :]


def _megabytes(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS"))


def _seconds_of_cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _family(pid: int) -> list[int]:
    """The process and all that come from it."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in _family(int(child)))]


def _effects(
    written: list[tuple[float, bytes]], presses: list[tuple[Key, float]], size: tuple[int, int]
) -> list[Effect]:
    screen = pyte.Screen(*size)
    stream = pyte.ByteStream(screen)
    found: list[Effect] = []
    waiting, counted = list(presses), 0
    for when, data in written:
        stream.feed(data)
        if len(waiting) > 1 and when > waiting[1][1]:
            # not even when the next key was pressed: at least that long
            (name, _, _), pressed = waiting.pop(0)
            print(f"    no effect of {name} for {waiting[0][1] - pressed:.2f} s")
            found.append(Effect(name, waiting[0][1] - pressed, counted))
            counted = 0
        if not waiting or when < waiting[0][1]:
            continue
        counted += len(data)
        (name, _, shows), pressed = waiting[0]
        if shows("\n".join(screen.display)):
            found.append(Effect(name, when - pressed, counted))
            del waiting[0]
            counted = 0
    return found


def report(what: str, seconds: Sequence[float], more: str = "") -> None:
    """One line: median and tail of times, in milliseconds, and what else there is to say."""
    median, p95, p99 = (1e3 * np.quantile(seconds, share, method="higher") for share in (0.5, 0.95, 0.99))
    print(f"{what:34} median {median:6.1f}   p95 {p95:6.1f}   p99 {p99:6.1f} ms   ({len(seconds)}){more}")


def report_keys(found: Sequence[Effect], keys: Sequence[Key]) -> None:
    """A line for each key, and one for all."""
    for name, _, _ in keys:
        of_key = [effect for effect in found if effect.name == name]
        if of_key:
            came = np.median([effect.bytes for effect in of_key]) / 1e3
            report(f"  {name}", [effect.lag for effect in of_key], f"   {came:5.1f} kB until then")
    report("  all keys", [effect.lag for effect in found])
