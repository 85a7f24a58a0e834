"""A day's updates of the app, at most as far apart as it draws: it does not grow.

A day at ten a second has 864,000. What is updated is what changes in a run between two measurements (step, time) and,
every hundredth time, a measurement more, so that the curves, which the app holds, grow as those of a long run. An
update has come when the app has shown it, or one after it: of several that come while a frame is drawn it draws the
last, as it does for everybody. It has no limit of frames a second here; how many it drew is said.
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
A_DAY = 864_000
# How many an attempt waits for.
A_GO = 2_000
# A day in twelve minutes, or as fast as the machine writes them.
PER_SECOND = 1_200.0
START, EVERY = 200, 100
SIZE = (120, 40)
# The app, with nothing between two frames but their drawing; which update it shows stands in the file TOLD.
UNLIMITED = """
import os, sys
from condense_tui.readers import thread
from condense_tui.screens.run.screen import RunScreen
thread.FRAMES_PER_SECOND = thread.ANSWERS_PER_SECOND = 10_000
thread.POLL_S = 0.001
told, show = os.open(os.environ["TOLD"], os.O_WRONLY | os.O_CREAT), RunScreen.show
def shown(screen, snapshot):
    show(screen, snapshot)
    os.pwrite(told, b"%20d" % snapshot.header.step, 0)
RunScreen.show = shown
from condense_tui.main import main
sys.exit(main())
"""


class _Feed(threading.Thread):
    """Updates a run, each by a step, and measures it at every hundredth; until `goal` were made."""

    def __init__(self, recording: Recording, goal: int) -> None:
        super().__init__()
        self._recording, self._goal = recording, goal
        self._ended = threading.Event()
        self.first = int(recording.steps[recording.written - 1])
        """The step of the last measurement before the first update."""

    def run(self) -> None:
        recording, begun = self._recording, time.monotonic()
        for count in range(1, self._goal + 1):
            step = self.first + count
            if step >= recording.steps[recording.written]:
                recording.write(1)
            recording.writer.update(step=step, seconds=count / 10, heartbeat=time.time())
            ahead = begun + count / PER_SECOND - time.monotonic()
            if self._ended.wait(ahead) if ahead > 0 else self._ended.is_set():
                return

    def end(self) -> None:
        self._ended.set()
        self.join()


@contextlib.contextmanager
def opened(scene: Scene) -> Iterator[Attempt]:
    measured = START + scene.goal // EVERY + 2
    recording = Recording(
        scene.folder, kernels=(32, 16), lines=(2, 1), steps=EVERY * measured, frames=measured + 1, spacing="linear"
    )
    recording.write(START)
    told = scene.folder / "told"
    environment = {**os.environ, "CONDENSE_RUNS_DIR": str(scene.folder), "TOLD": str(told)}
    samples: list[tuple[float, float]] = []
    count = frames = 0
    with recording.worker():
        screen = Screen([sys.executable, "-c", UNLIMITED, "attach", recording.folder.name], SIZE, environment)
        feed, begun = _Feed(recording, scene.goal), time.monotonic()

        def shown() -> int:
            """How many updates have come."""
            return max(0, int(told.read_text() or feed.first) - feed.first) if told.exists() else 0

        def attempt(_: Random, __: Path) -> int:
            nonlocal count, frames
            before, goal = count, min(scene.goal, count + A_GO)
            deadline = time.monotonic() + 120
            while count < goal:
                assert time.monotonic() < deadline, "nothing is drawn any more"
                assert not screen.ended(), f"it ended with {screen.status}"
                frames += drawn(screen)
                count = shown()
            samples.append((float(count), screen.megabytes()))
            return count - before

        try:
            # not before it is there: what came until then it never drew
            screen.wait(b"conv1")
            feed.start()
            yield attempt
            took = time.monotonic() - begun
            end(screen)
        finally:
            feed.end()
            screen.close()
    scene.notes.append(f"{frames:,} drawn, {frames / took:.0f} a second")
    if len(samples) > 20:
        grown = growth(samples, count)
        scene.notes.append(f"{grown:+.2f} MB by a line fitted after the warm-up, {samples[-1][1]:.0f} MB at the end")
        assert grown <= GROWTH_MB, f"it grew by {grown:.1f} MB in {count:,} updates"


def drawn(screen: Screen) -> int:
    """Read what comes within a moment; how many frames came."""
    before = len(screen.written)
    screen.read(1.0)
    # after each frame the app asks the terminal whether it has drawn it
    frames = screen.written.count(QUESTION, max(0, before - len(QUESTION) + 1))
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
    "updates", "a day's updates of the app, drawn as fast as it can", "updates", tried=A_DAY, short=30, open=opened
)
