"""The app in a terminal of 120×40 while a run grows ten times a second: key to paint, bytes, memory, seeking.

    python benchmarks/app.py [KEYS [FRAMES]]

The app runs as a person runs it, in a process of its own behind a pseudo-terminal. What it writes is kept with the time
at which it came; afterwards a terminal emulator finds the moment at which each key had its effect on the screen, so
that the emulator takes no time from what is measured. Then an hour of updates is fed in about a minute for the memory,
and a recorded run of FRAMES frames is opened and scrubbed. Needs the extra `test`.
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
import tempfile
import termios
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyte
from synthetic import batches, long_run

from condense_core import scenario
from condense_core.runs.create import create_run
from condense_core.runs.writer import RunWriter
from condense_presets import preset_text

COLUMNS, ROWS = 120, 40
UPDATES_PER_SECOND = 10
HOUR = 3600 * UPDATES_PER_SECOND
# As fast as one process writes and another still reads every row; nobody waits an hour.
ACCELERATED_PER_SECOND = 600
# A key's effect on the screen, as the emulator sees it.
KEYS: tuple[tuple[str, bytes, Callable[[str], bool]], ...] = (
    ("← one frame back", b"\x1b[D", lambda page: "looking back" in page),
    ("end: live again", b"\x1b[F", lambda page: "looking back" not in page),
    ("] next layer", b"]", lambda page: "conv2 · 32" in page),
    ("[ layer before", b"[", lambda page: "conv1 · 64" in page),
    ("? help", b"?", lambda page: "esc closes" in page),
    ("q closes help", b"q", lambda page: "esc closes" not in page),
)


HELLO = """
from textual.app import App
from textual.widgets import Static
class Hello(App):
    BINDINGS = [("k", "turn")]
    def compose(self):
        yield Static("painted")
    def action_turn(self):
        shown = self.query_one(Static)
        shown.update("no" if str(shown.render()) == "yes" else "yes")
Hello().run()
"""


class Terminal:
    """The app behind a pseudo-terminal, and everything that it wrote with the time at which it came."""

    def __init__(self, *arguments: str, module: str = "-m condense_tui") -> None:
        self.pid, self._file = pty.fork()
        if self.pid == 0:
            environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8"}
            os.execvpe(sys.executable, [sys.executable, *module.split(), *arguments], environment)
        fcntl.ioctl(self._file, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.written: list[tuple[float, bytes]] = []
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def press(self, key: bytes) -> float:
        """Send a key; the time at which it went."""
        now = time.perf_counter()
        os.write(self._file, key)
        return now

    def wait_for(self, text: bytes, seconds: float = 60) -> float:
        """The time at which `text` had come."""
        deadline = time.perf_counter() + seconds
        while time.perf_counter() < deadline:
            seen = b""
            for when, chunk in list(self.written):
                seen += chunk
                if text in seen:
                    return when
            time.sleep(0.02)
        raise SystemExit(f"{text!r} did not come in {seconds} s")

    def megabytes(self) -> float:
        """Resident memory of the app."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS"))

    def seconds_of_cpu(self) -> float:
        """Processor time that the app has taken so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self._thread.join()
        os.close(self._file)

    def _read(self) -> None:
        while True:
            try:
                if not select.select([self._file], [], [], 1.0)[0]:
                    continue
                chunk = os.read(self._file, 65_536)
            except OSError:
                return
            self.written.append((time.perf_counter(), chunk))


class Feed:
    """A run that grows, held as a worker holds it."""

    def __init__(self, runs: Path, per_second: float, count: int) -> None:
        settings = ["steps=100000000", "record.spacing=linear"]
        experiment = scenario.build(scenario.override(scenario.parse(preset_text("digits-deep")), settings))
        self.folder = create_run(experiment, runs=runs, name="fed")
        self.fed = 0
        self._lock = os.open(self.folder, os.O_RDONLY)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self._per_second = per_second
        self._ended = threading.Event()
        # what is to be written is made before: its making is no part of what is measured
        self._cycle = list(batches(256))
        self._count = count
        self._writer = RunWriter(self.folder)
        self._writer.update(status="running", device="cpu")
        self._append()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()
        self._writer.close()
        os.close(self._lock)

    def _append(self) -> None:
        self._writer.append(self._cycle[self.fed % len(self._cycle)]._replace(step=self.fed))
        if self.fed % 10 == 0:
            self._writer.update(step=self.fed, heartbeat=time.time(), seconds=self.fed / 10)
        self.fed += 1

    def _work(self) -> None:
        begun = time.perf_counter()
        first = self.fed
        while not self._ended.is_set() and self.fed < self._count:
            self._append()
            ahead = (self.fed - first) / self._per_second - (time.perf_counter() - begun)
            if ahead > 0:
                self._ended.wait(ahead)


def least(keys: int) -> list[float]:
    """Key to paint of an app of one word, on this machine as busy as it is now, in milliseconds."""
    app = Terminal("-c", HELLO, module="")
    app.wait_for(b"painted")
    pressed = []
    for number in range(keys):
        word = "no" if number % 2 else "yes"
        pressed.append(("hello", app.press(b"k"), lambda page, word=word: word in page))
        time.sleep(random.uniform(0.15, 0.25))
    app.close()
    return effects(app.written, pressed)["hello"]


def latency(runs: Path, keys: int) -> None:
    """Key to paint under a live feed, and bytes an update while nothing is pressed."""
    feed = Feed(runs, UPDATES_PER_SECOND, HOUR)
    feed.start()
    app = Terminal("attach", feed.folder.name)
    app.wait_for(b"conv1")
    time.sleep(3)
    quiet = len(app.written)
    cpu, fed = app.seconds_of_cpu(), feed.fed
    time.sleep(10)
    live = app.written[quiet:]
    cpu = app.seconds_of_cpu() - cpu
    size = sum(len(chunk) for _, chunk in live)
    print(f"live, no key pressed           {size / (feed.fed - fed):8.0f} bytes an update, {cpu * 10:.0f} % of a core")
    pressed = []
    for number in range(keys):
        what, key, effect = KEYS[number % len(KEYS)]
        pressed.append((what, app.press(key), effect))
        time.sleep(random.uniform(0.35, 0.65))
    written = app.written
    app.close()
    feed.stop()
    taken = effects(written, pressed)
    for what, _, _ in KEYS:
        report(f"key to paint, {what}", taken[what])
    report("the least: one word", least(60))
    report("key to paint, all", [value for values in taken.values() for value in values])


def effects(
    written: list[tuple[float, bytes]], pressed: list[tuple[str, float, Callable[[str], bool]]]
) -> dict[str, list[float]]:
    """Milliseconds from each key to the first write after which the screen shows its effect."""
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.ByteStream(screen)
    found: dict[str, list[float]] = {what: [] for what, _, _ in pressed}
    chunks = iter(written)
    chunk = next(chunks, None)
    for index, (what, at, effect) in enumerate(pressed):
        until = pressed[index + 1][1] if index + 1 < len(pressed) else float("inf")
        done = None
        while chunk is not None and chunk[0] < until:
            stream.feed(chunk[1])
            if done is None and chunk[0] > at and effect("\n".join(screen.display)):
                done = 1e3 * (chunk[0] - at)
            chunk = next(chunks, None)
        found[what].append(float("inf") if done is None else done)
    return found


def report(what: str, values: list[float]) -> None:
    median, p95, p99 = (np.quantile(values, share, method="higher") for share in (0.5, 0.95, 0.99))
    print(f"{what:30} median {median:6.1f}   p95 {p95:6.1f}   p99 {p99:6.1f} ms   ({len(values)} keys)")


def memory(runs: Path) -> None:
    """Resident memory while an hour of updates comes in."""
    feed = Feed(runs, ACCELERATED_PER_SECOND, HOUR)
    app = Terminal("attach", feed.folder.name)
    app.wait_for(b"conv1")
    feed.start()
    shares = (0.1, 0.25, 0.5, 0.75, 1.0)
    print(f"memory at the start            {app.megabytes():8.1f} MB")
    for share in shares:
        while feed.fed < share * HOUR:
            time.sleep(0.2)
        print(f"after {60 * share:4.0f} min of updates        {app.megabytes():8.1f} MB")
    time.sleep(5)
    print(f"five seconds later             {app.megabytes():8.1f} MB")
    app.close()
    feed.stop()


def seeking(runs: Path, frames: int) -> None:
    """How soon a long recording is on the screen, and how long a seek takes in the reader thread."""
    from condense_core.runs.reader import RunReader
    from condense_tui.assemble import Assembler, View
    from condense_tui.playhead import Playhead

    folder = long_run(runs, frames)
    begun = time.perf_counter()
    app = Terminal("attach", folder.name)
    first = app.wait_for(b"opening") - begun
    data = app.wait_for(b"conv1") - begun
    app.close()
    print(f"{frames:,} frames: first frame after {1e3 * first:.0f} ms, data after {1e3 * data:.0f} ms")
    with RunReader(folder) as run:
        assembler = Assembler(run)
        assembler.snapshot(Playhead(), View())
        while assembler.refresh():
            assembler.snapshot(Playhead(), View())
        taken = []
        for index in np.random.default_rng(0).integers(0, frames, 300).tolist():
            begun = time.perf_counter()
            assembler.snapshot(Playhead().go(index), View())
            taken.append(1e3 * (time.perf_counter() - begun))
    report("seek to a random frame", taken)


def main() -> None:
    keys = int(sys.argv[1]) if len(sys.argv) > 1 else 240
    frames = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CONDENSE_RUNS_DIR"] = folder
        latency(Path(folder), keys)
        memory(Path(folder))
        seeking(Path(folder), frames)


if __name__ == "__main__":
    main()
