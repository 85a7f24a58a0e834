"""Thousands of runs in one folder, some of them damaged: each is listed once and found by its name, quickly, by the
command and in the app."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

from bad_runs import UNREADABLE
from recording import Recording

from campaigns.framework import Attempt, Campaign, Scene
from campaigns.pseudo import Screen, restored
from condense_core.runfile.schema import FILE_NAME, writer
from condense_core.runs.glances import Glances
from condense_core.runs.place import find_run, run_folders

A_GO = 50
DAMAGED = 0.02
# For each thousand runs, on a busy machine: all of them read, and looked at once more where nothing has changed.
FIRST_LOOK_S, NEXT_LOOK_S = 20.0, 2.0


@contextlib.contextmanager
def opened(scene: Scene) -> Iterator[Attempt]:
    good = Recording(scene.folder / "original", frames=4, kernels=(6, 4))
    good.write()
    good.finish()
    good.close()
    runs = scene.folder / "runs"
    runs.mkdir()
    made: dict[str, bool] = {}
    draw_names = Random(scene.goal)

    def attempt(draw: Random, _: Path) -> int:
        before = len(made)
        for _ in range(min(A_GO, scene.goal)):
            name = f"26{draw.randrange(1, 13):02}{draw.randrange(1, 29):02}-{draw.randrange(10**6):06}"
            name = f"{name}-digits-gd-{draw_names.randrange(16**4):04x}"
            if name in made:
                continue
            shutil.copytree(good.folder, runs / name)
            with writer(runs / name / FILE_NAME) as connection:
                status = draw.choice(("done", "stopped", "failed", "diverged"))
                connection.execute(
                    "UPDATE run SET id = ?, status = ?, created = ?", (name, status, draw.uniform(1e9, 2e9))
                )
            made[name] = True
            if draw.random() < DAMAGED:
                made[name] = False
                draw.choice(list(UNREADABLE.values()))(runs / name / FILE_NAME)
        wanted = draw.choice([name for name, sound in made.items() if sound] or [good.folder.name])
        if wanted in made:
            assert find_run(runs, wanted) == runs / wanted
        return len(made) - before

    yield attempt
    look(runs, made, scene)
    listed(runs, made, scene)
    at_home(runs, made, scene)


def look(runs: Path, made: dict[str, bool], scene: Scene) -> None:
    """What the home screen's thread does: all runs once, the sound ones read, the others with a reason."""
    assert len(run_folders(runs)) == len(made)
    glances, thousands = Glances(runs), max(1.0, len(made) / 1000)
    begun = time.monotonic()
    found = list(glances.look())
    first = time.monotonic() - begun
    begun = time.monotonic()
    again = list(glances.look())
    next_ = time.monotonic() - begun
    assert sorted(glance.folder.name for glance in found) == sorted(made)
    for glance in found:
        assert (glance.info is not None) == made[glance.folder.name], glance.trouble
    assert [glance.folder for glance in again] == [glance.folder for glance in found]
    assert first < FIRST_LOOK_S * thousands, f"{first:.1f} s for the first look"
    assert next_ < NEXT_LOOK_S * thousands, f"{next_:.1f} s for a look where nothing has changed"
    scene.notes.append(f"{sum(not sound for sound in made.values())} of them damaged")
    scene.notes.append(f"first look {first:.1f} s, the next {next_:.2f} s")


def listed(runs: Path, made: dict[str, bool], scene: Scene) -> None:
    """`runs list` names each sound run, and on standard error each other one."""
    begun = time.monotonic()
    answer = subprocess.run(
        [sys.executable, "-m", "condense_tui", "runs", "list", "--json"],
        env={**os.environ, "CONDENSE_RUNS_DIR": str(runs)},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    scene.notes.append(f"runs list {time.monotonic() - begun:.1f} s")
    assert "Traceback" not in answer.stderr
    assert answer.returncode == 0, answer.stderr[-1000:]
    named = [run["id"] for run in json.loads(answer.stdout)]
    assert sorted(named) == sorted(name for name, sound in made.items() if sound)
    for name, sound in made.items():
        assert sound or name in answer.stderr, f"{name} is damaged, and not named"


def at_home(runs: Path, made: dict[str, bool], scene: Scene) -> None:
    """The home screen comes, answers, and ends, however many runs there are."""
    begun = time.monotonic()
    environment = {**os.environ, "CONDENSE_RUNS_DIR": str(runs)}
    screen = Screen([sys.executable, "-m", "condense_tui"], (120, 40), environment)
    try:
        screen.wait(b"\x1b[?1049h")
        screen.wait(b"digits-gd")
        shown = time.monotonic() - begun
        for key in (b"\x1b[6~", b"\x1b[B", b"\x1b[F", b"\x1b[H"):
            screen.press(key)
            screen.quiet(0.3, 3.0)
        size = screen.megabytes()
        screen.press(b"q")
        deadline = time.monotonic() + 30
        while not screen.ended() and time.monotonic() < deadline:
            screen.read(0.1)
        assert screen.ended(), "q does not end it"
        assert screen.status == 0
        assert restored(screen.written)
        scene.notes.append(f"the app shows them after {shown:.1f} s and takes {size:.0f} MB")
    finally:
        screen.close()


CAMPAIGN = Campaign(
    "many-runs", "runs in one folder, some damaged: listed, found and shown", "runs", tried=5_000, short=40, open=opened
)
