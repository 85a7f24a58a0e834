"""The app in a terminal of 120×40 while a run grows ten times a second: key to paint, bytes, memory, seeking.

The app runs as a person runs it, in a process of its own behind a pseudo-terminal. After the keys, an hour of updates
is fed in about a minute for the memory, and a recorded run of FRAMES frames is opened and scrubbed. Needs the extra
`test`.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from leftovers import end_tidily
from synthetic import batches, long_run
from terminal import Key, Terminal, report, report_keys
from waiting import PATIENCE_S, wait_until

from condense_core.runfile.writer import RunWriter
from condense_core.runs.create import create_run
from condense_core.scenario import toml
from condense_presets import preset_text

UPDATES_PER_SECOND = 10
HOUR = 3600 * UPDATES_PER_SECOND
# As fast as one process writes and another still reads every row; nobody waits an hour.
ACCELERATED_PER_SECOND = 600
KEYS: tuple[Key, ...] = (
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


class Feed:
    """A run that grows, held as a worker holds it."""

    def __init__(self, runs: Path, per_second: float, count: int) -> None:
        settings = ["steps=100000000", "record.spacing=linear"]
        experiment = toml.build(toml.override(toml.parse(preset_text("digits-deep")), settings))
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
        self._thread.join(PATIENCE_S)
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


def app(*arguments: str) -> Terminal:
    """The app on a run."""
    return Terminal([sys.executable, "-m", "condense_tui", *arguments])


def least(count: int) -> None:
    """Key to paint of an app of one word, on this machine as busy as it is now."""
    hello = Terminal([sys.executable, "-c", HELLO])
    hello.wait_for("painted")
    keys: list[Key] = [("yes", b"k", lambda page: "yes" in page), ("no", b"k", lambda page: "no" in page)]
    report("  the least: one word", [effect.lag for effect in hello.effects(keys, count, (0.15, 0.25))])
    hello.close()


def latency(runs: Path, keys: int) -> None:
    """Key to paint under a live feed, and bytes an update while nothing is pressed."""
    feed = Feed(runs, UPDATES_PER_SECOND, HOUR)
    feed.start()
    viewer = app("attach", feed.folder.name)
    viewer.wait_for("conv1")
    time.sleep(3)
    cpu, fed = viewer.seconds_of_cpu(), feed.fed
    size = viewer.bytes_in(10)
    cpu = viewer.seconds_of_cpu() - cpu
    print(f"live, no key pressed           {size / (feed.fed - fed):8.0f} bytes an update, {cpu * 10:.0f} % of a core")
    print("key to paint")
    found = viewer.effects(KEYS, keys, (0.35, 0.65))
    viewer.close()
    feed.stop()
    least(60)
    report_keys(found, KEYS)


def memory(runs: Path) -> None:
    """Resident memory while an hour of updates comes in."""
    feed = Feed(runs, ACCELERATED_PER_SECOND, HOUR)
    viewer = app("attach", feed.folder.name)
    viewer.wait_for("conv1")
    feed.start()
    shares = (0.1, 0.25, 0.5, 0.75, 1.0)
    print(f"memory at the start            {viewer.megabytes():8.1f} MB")
    for share in shares:
        # twice as long as it takes when nothing holds the writer up
        wait_until(
            lambda fed=share * HOUR: feed.fed >= fed, "the feed", PATIENCE_S + 2 * share * HOUR / ACCELERATED_PER_SECOND
        )
        print(f"after {60 * share:4.0f} min of updates        {viewer.megabytes():8.1f} MB")
    time.sleep(5)
    print(f"five seconds later             {viewer.megabytes():8.1f} MB")
    viewer.close()
    feed.stop()


def seeking(runs: Path, frames: int) -> None:
    """How soon a long recording is on the screen, and how long a seek takes in the reader thread."""
    from condense_core.runfile.reader import RunReader
    from condense_tui.snapshots.assemble import Assembler, ViewRequest
    from condense_tui.snapshots.playhead import Playhead

    folder = long_run(runs, frames)
    begun = time.perf_counter()
    viewer = app("attach", folder.name)
    first = viewer.wait_for("opening", "conv1") - begun
    data = viewer.wait_for("conv1") - begun
    viewer.close()
    print(f"{frames:,} frames: first frame after {1e3 * first:.0f} ms, data after {1e3 * data:.0f} ms")
    with RunReader(folder) as run:
        assembler = Assembler(run)
        assembler.snapshot(Playhead(), ViewRequest())
        while assembler.refresh():
            assembler.snapshot(Playhead(), ViewRequest())
        taken = []
        for index in np.random.default_rng(0).integers(0, frames, 300).tolist():
            begun = time.perf_counter()
            assembler.snapshot(Playhead().go(index), ViewRequest())
            taken.append(time.perf_counter() - begun)
    report("seek to a random frame", taken)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("keys", nargs="?", type=int, default=240, help="how many are pressed (%(default)s)")
    parser.add_argument("frames", nargs="?", type=int, default=100_000, help="of the recorded run (%(default)s)")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CONDENSE_RUNS_DIR"] = folder
        latency(Path(folder), asked.keys)
        memory(Path(folder))
        seeking(Path(folder), asked.frames)


if __name__ == "__main__":
    end_tidily()
    main()
