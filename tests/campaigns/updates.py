"""Updates of the app as fast as they are drawn, without its limit of frames a second: it does not grow.

A day at ten a second has 864,000. What is updated is what changes in a run between two measurements (step, time) and,
every hundredth time, a measurement more, so that the curves, which the app holds, grow as those of a long run.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

from recording import Recording

from campaigns.framework import Attempt, Campaign, Scene
from campaigns.long_run import growth
from campaigns.pseudo import QUESTION, Screen, restored

GROWTH_MB = 10.0
A_GO = 200
START, EVERY = 200, 100
SIZE = (120, 40)
A_DAY = 864_000
# The app, with nothing between two frames but their drawing.
UNLIMITED = """
import sys
from condense_tui.readers import thread
thread.FRAMES_PER_SECOND = thread.ANSWERS_PER_SECOND = 10_000
thread.POLL_S = 0.001
from condense_tui.main import main
sys.exit(main())
"""


class _Feed(threading.Thread):
    """Updates a run faster than it can be drawn."""

    def __init__(self, recording: Recording) -> None:
        super().__init__()
        self._recording = recording
        self._ended = threading.Event()
        self.measured = 0
        """How many more measurements are to be there."""

    def run(self) -> None:
        recording, count = self._recording, 0
        while not self._ended.wait(0.002):
            count += 1
            step = int(recording.steps[recording.written - 1]) + count
            recording.writer.update(step=step, seconds=count / 10, heartbeat=time.time())
            if recording.written < START + self.measured:
                recording.write(1)

    def end(self) -> None:
        self._ended.set()
        self.join()


@contextlib.contextmanager
def opened(scene: Scene) -> Iterator[Attempt]:
    recording = Recording(scene.folder, kernels=(32, 16), lines=(2, 1), steps=10**8, frames=12_000, spacing="linear")
    recording.write(START)
    environment = {**os.environ, "CONDENSE_RUNS_DIR": str(scene.folder)}
    samples: list[tuple[float, float]] = []
    count = 0
    with recording.worker():
        screen = Screen([sys.executable, "-c", UNLIMITED, "attach", recording.folder.name], SIZE, environment)
        feed, begun = _Feed(recording), time.monotonic()
        feed.start()

        def attempt(_: Random, __: Path) -> int:
            nonlocal count
            frames = drawn(screen, min(A_GO, scene.goal))
            count += frames
            feed.measured = count // EVERY
            samples.append((float(count), screen.megabytes()))
            return frames

        try:
            yield attempt
            took = time.monotonic() - begun
            end(screen)
        finally:
            feed.end()
            screen.close()
    if len(samples) > 20:
        grown = growth(samples, count)
        assert grown <= GROWTH_MB, f"it grew by {grown:.1f} MB in {count:,} updates"
        scene.notes.append(f"{count / took:.0f} a second, {grown:+.2f} MB by a line fitted after the warm-up")
        scene.notes.append(f"which over {A_DAY:,} would be {growth(samples, A_DAY):+.1f} MB")


def drawn(screen: Screen, least: int) -> int:
    """Wait for so many frames; how many came."""
    frames, deadline = 0, time.monotonic() + 120
    while frames < least:
        assert time.monotonic() < deadline, "nothing is drawn any more"
        assert not screen.ended(), f"it ended with {screen.status}"
        before = len(screen.written)
        screen.read(1.0)
        # after each frame the app asks the terminal whether it has drawn it
        frames += screen.written.count(QUESTION, max(0, before - len(QUESTION) + 1))
        if len(screen.written) > 300_000:
            screen.written = screen.written[-100_000:]
    return frames


def end(screen: Screen) -> None:
    screen.press(b"q")
    deadline = time.monotonic() + 60
    while not screen.ended() and time.monotonic() < deadline:
        screen.read(0.1)
    assert screen.status == 0, f"status {screen.status}"
    assert restored(screen.written)


CAMPAIGN = Campaign(
    "updates", "updates of the app as fast as they are drawn", "updates", tried=A_DAY, short=30, open=opened
)
