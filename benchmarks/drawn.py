"""The app drawn over `ssh -t` through a thin link while a run goes on there: how long until a key shows its effect.

    python benchmarks/drawn.py [KEYS [MBIT_PER_S [ROUND_TRIP_MS]]]

Needs OpenSSH's server, which is started on loopback. The run has three layers of 32 kernels and is recorded ten times a
second. Lags are printed beside that of a bare `ssh -t HOST cat`, which only echoes: what is above it is ours. Bytes are
those that came between a key and its effect. What arrives is kept with its time, and drawn by an emulator afterwards.
"""

from __future__ import annotations

import fcntl
import os
import pty
import random
import select
import signal
import statistics
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pyte
from remote import ANSWER, QUESTION, SIZE, Training, through, trained
from sshd import FarSide
from thin_link import ThinLink

from condense_core.remote.hosts import find_host

# A key, and how the screen looks once it has had its effect.
KEYS: tuple[tuple[str, bytes, Callable[[str], bool]], ...] = (
    ("← looks back", b"\x1b[D", lambda page: "looking back" in page),
    ("home: first frame", b"\x1b[H", lambda page: "frame 1 of" in page),
    ("end: live again", b"\x1b[F", lambda page: "looking back" not in page),
    ("] next layer", b"]", lambda page: "conv2 · 32" in page),
    ("[ layer before", b"[", lambda page: "conv1 · 32" in page),
    ("? help", b"?", lambda page: "─ keys" in page),
    ("q closes help", b"q", lambda page: "─ keys" not in page),
)


class Terminal:
    """A program behind a pseudo-terminal of 120×40; what it writes, with the time at which it came."""

    def __init__(self, command: list[str], *, answers: bool) -> None:
        self.pid, self._file = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], command, {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"})
        fcntl.ioctl(self._file, termios.TIOCSWINSZ, SIZE)
        self.written: list[tuple[float, bytes]] = []
        self._answers = answers
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def press(self, key: bytes) -> float:
        now = time.perf_counter()
        os.write(self._file, key)
        return now

    def wait_for(self, text: bytes, seconds: float = 90) -> None:
        deadline = time.perf_counter() + seconds
        while text not in b"".join([data for _, data in list(self.written)]):
            if time.perf_counter() > deadline:
                raise SystemExit(f"{text!r} did not come in {seconds} s")
            time.sleep(0.1)

    def close(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self._thread.join()
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
            self.written.append((time.perf_counter(), data))
            if self._answers:
                # a question may come in two parts
                os.write(self._file, ANSWER * (tail + data).count(QUESTION))
                tail = (tail + data).rpartition(QUESTION)[2][1 - len(QUESTION) :]


def echo(host: str, count: int) -> list[float]:
    """Lags of a program that does nothing but echo."""
    terminal = Terminal(["ssh", "-t", host, "stty raw -echo; echo ready; cat"], answers=False)
    terminal.wait_for(b"ready")
    lags = []
    for _ in range(count):
        time.sleep(random.uniform(0.05, 0.15))
        before = len(terminal.written)
        pressed = terminal.press(b"x")
        time.sleep(0.5)
        lags.append(terminal.written[before][0] - pressed)
    terminal.close()
    return lags


def pressed(terminal: Terminal, count: int) -> list[tuple[int, float]]:
    """Press all keys over and over at random moments; which was pressed when."""
    presses = []
    for at in range(count):
        which = at % len(KEYS)
        presses.append((which, terminal.press(KEYS[which][1])))
        time.sleep(random.uniform(0.9, 1.5))
    time.sleep(2)
    return presses


def effects(terminal: Terminal, presses: list[tuple[int, float]]) -> list[tuple[int, float, int]]:
    """For each press: which key, how long until its effect was on the screen, and the bytes that came meanwhile."""
    screen = pyte.Screen(120, 40)
    stream = pyte.ByteStream(screen)
    found = []
    waiting = list(presses)
    counted = 0
    for when, data in terminal.written:
        stream.feed(data)
        if not waiting or when < waiting[0][1]:
            continue
        if len(waiting) > 1 and when > waiting[1][1]:
            # not even when the next key was pressed: at least that long
            which, pressed_at = waiting.pop(0)
            print(f"    no effect of {KEYS[which][0]} for {waiting[0][1] - pressed_at:.2f} s")
            found.append((which, waiting[0][1] - pressed_at, counted))
            counted = 0
        counted += len(data)
        if KEYS[waiting[0][0]][2]("\n".join(screen.display)):
            which, pressed_at = waiting.pop(0)
            found.append((which, when - pressed_at, counted))
            counted = 0
    return found


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def lags_of(values: list[float]) -> str:
    return f"median {1e3 * statistics.median(values):5.0f} ms   p95 {1e3 * percentile(values, 0.95):5.0f} ms"


def report(found: list[tuple[int, float, int]]) -> None:
    for which, (name, *_) in enumerate(KEYS):
        lags = [lag for key, lag, _ in found if key == which]
        counts = [count for key, _, count in found if key == which]
        middle, most = statistics.median(counts) / 1e3, percentile([float(count) for count in counts], 0.95) / 1e3
        print(f"    {name:18} {lags_of(lags)}   {middle:5.1f} kB, p95 {most:5.1f} kB   ({len(lags)})")
    print(f"    {'all keys':18} {lags_of([lag for _, lag, _ in found])}")


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 140
    rate = 1e6 * float(sys.argv[2]) if len(sys.argv) > 2 else 1e6
    trip = float(sys.argv[3]) / 1e3 if len(sys.argv) > 3 else 0.1
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        original = trained(folder / "trained")
        (folder / "far").mkdir()
        far = FarSide(folder / "far")
        os.environ.update(far.environment)
        try:
            through(far, ThinLink(far.port, rate, trip / 2))
            print(f"{rate / 1e6:g} Mbit/s, {1e3 * trip:g} ms round trip")
            print(f"  bare ssh -t, echo      {lags_of(echo('far', 30))}")
            for answers, name in ((True, "answers"), (False, "never answers")):
                training = Training(far.runs, original, spectra=True)
                training.start()
                print(f"  a terminal that {name}")
                draw(far, count, answers)
                training.end()
        finally:
            far.close()


def draw(far: FarSide, count: int, answers: bool) -> None:
    environment = f"TERM=xterm-256color COLORTERM=truecolor CONDENSE_RUNS_DIR={far.runs}"
    command = f"env {environment} {find_host('far').command} attach"
    terminal = Terminal(["ssh", "-t", "far", command], answers=answers)
    terminal.wait_for(b"eigenvalues")
    time.sleep(3)
    begun, before = time.perf_counter(), len(terminal.written)
    presses = pressed(terminal, count)
    seconds = time.perf_counter() - begun
    terminal.close()
    drawn = sum(len(data) for _, data in terminal.written[before:]) / seconds
    frames = sum(data.count(b"\x1b[?2026l") + data.count(QUESTION) for _, data in terminal.written[before:]) / seconds
    print(f"    {drawn / 1e3:.1f} kB/s, {frames:.1f} frames/s")
    report(effects(terminal, presses))


if __name__ == "__main__":
    main()
