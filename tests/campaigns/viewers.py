"""Twenty viewers in the app at one run that grows, keys pressed in each: it is written as if nobody looked, and each
viewer ends with its terminal as it was."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

from pairing import all_rows
from recording import Recording

from campaigns.framework import Attempt, Campaign, Scene
from campaigns.pseudo import Screen, restored
from condense_core.runfile.info import read_run
from condense_core.runfile.schema import FILE_NAME

GROWING = Path(__file__).parents[1] / "e2e" / "growing.py"
INSTANTS = 600
KEYS = (b"\x1b[C", b"\x1b[D", b"\x1b[F", b"]", b"o", b"u", b"z", b"1", b"2", b"\x1b")


@contextlib.contextmanager
def opened(scene: Scene) -> Iterator[Attempt]:
    alone = Recording(scene.folder, kernels=(32, 12), lines=(2, 1), steps=10 * INSTANTS, frames=INSTANTS)
    alone.write()
    alone.finish()
    alone.close()
    unwatched = alone.folder

    def attempt(draw: Random, folder: Path) -> int:
        rate = 20 if scene.goal > 5 else 200
        command = [sys.executable, str(GROWING), str(folder / "runs"), str(INSTANTS), str(rate)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as growing:
            screens: list[Screen] = []
            try:
                assert growing.stdout is not None
                name = growing.stdout.readline().strip()
                run = folder / "runs" / name
                environment = {**os.environ, "CONDENSE_RUNS_DIR": str(folder / "runs")}
                attach = [sys.executable, "-m", "condense_tui", "attach", name]
                screens += [Screen(attach, draw.choice(((80, 24), (120, 40))), environment) for _ in range(scene.goal)]
                begun = time.monotonic()
                while growing.poll() is None:
                    for screen in screens:
                        screen.read(0.0)
                        assert not screen.ended(), f"a viewer ended with {screen.status}: {screen.written[-500:]!r}"
                        if draw.random() < 0.02:
                            screen.press(draw.choice(KEYS))
                    time.sleep(0.01)
                    assert time.monotonic() - begun < 300
                assert growing.returncode == 0
                check_whole(run, unwatched)
                for screen in screens:
                    leave(screen)
                # those who had it open when it was closed leave the log, which is empty
                left = {file.name: file.stat().st_size for file in run.iterdir() if not file.name.endswith("-shm")}
                assert left.pop(FILE_NAME)
                assert not any(left.values()), f"left behind: {left}"
            finally:
                for screen in screens:
                    screen.close()
                growing.kill()
        return scene.goal

    yield attempt


def check_whole(run: Path, unwatched: Path) -> None:
    """Every row is there as it was written where nobody looked; events but for their time."""
    assert read_run(run).status == "done"
    here, there = all_rows(run), all_rows(unwatched)
    for table in ("scalar", "frame", "event"):
        columns = -1 if table == "event" else None
        assert [row[:columns] for row in here[table]] == [row[:columns] for row in there[table]], table


def leave(screen: Screen) -> None:
    deadline = time.monotonic() + 60
    while not screen.ended():
        assert time.monotonic() < deadline, "q does not end it"
        screen.press(b"\x1b")
        screen.quiet(0.2, 0.5)
        screen.press(b"q")
        screen.quiet(0.2, 0.5)
    screen.quiet(0.05)
    assert screen.status == 0, f"status {screen.status}"
    assert b"Traceback" not in screen.written
    assert restored(screen.written)


CAMPAIGN = Campaign(
    "viewers", "apps at one run that grows, keys pressed in each", "viewers", tried=20, short=1, open=opened
)
