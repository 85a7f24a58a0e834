"""Clocks that are up to an hour apart: a run elsewhere that trains is never called lost, one whose worker died is, and
a run whose worker's clock was wrong ends as any other.

The worker's clock is wrong by the shim, the viewer's by another amount; the run's row says another machine, so that its
lock says nothing, and each look at it is a first one or one that follows on others.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from unittest import mock

from support import rows, wait_for

from campaigns import workers
from campaigns.framework import Attempt, Campaign, Scene
from campaigns.workers import Worker
from condense_core.errors import RunFileError
from condense_core.runfile import beats
from condense_core.runfile.info import LOST_AFTER_S, read_run
from condense_core.runfile.schema import FILE_NAME, writer
from condense_core.runs.create import create_run, ready_to_resume

HOUR = 3600
_time = time.time


def skew(draw: Random) -> int:
    """Seconds, up to an hour either way; often so few that they are near the limits."""
    return draw.choice((draw.randint(-HOUR, HOUR), draw.randint(-20, 20), -HOUR, HOUR))


def seen_from(seconds: float) -> contextlib.AbstractContextManager[object]:
    """The block is a viewer's, whose clock is wrong by so much."""
    return mock.patch("time.time", lambda: _time() + seconds)


def elsewhere(run: Path) -> None:
    """Have the run's row say that another machine trains it."""
    with writer(run / FILE_NAME) as connection:
        connection.execute("UPDATE run SET host = 'another-machine'")


@contextlib.contextmanager
def opened(scene: Scene) -> Iterator[Attempt]:
    with workers.zygote(scene.folder):
        whole = workers.trained(workers.experiment("dense"), scene.folder)
        looks = 0

        def attempt(draw: Random, folder: Path) -> int:
            nonlocal looks
            there, here = skew(draw), skew(draw)
            (folder / "skews").write_text(f"the worker's clock {there:+} s, the viewer's {here:+} s")
            run = create_run(workers.experiment("dense", "steps=1000000000"), runs=folder, device="cpu")
            worker = Worker(run, SHIM_CLOCK=str(there))
            try:
                wait_for(lambda: read_run(run).status == "running", seconds=60)
                elsewhere(run)
                with seen_from(here):
                    again = draw.random() < 0.5
                    until = time.monotonic() + draw.choice((0.5, 2.5, 1.5 * LOST_AFTER_S if scene.goal > 5 else 0.5))
                    while time.monotonic() < until:
                        if not again:
                            beats._looks.clear()
                        info = read_run(run)
                        looks += 1
                        assert info.status == "running", f"called {info.status} while it trains"
                        time.sleep(draw.uniform(0.0, 0.4))
                    with contextlib.suppress(RunFileError):
                        ready_to_resume(run)
                        raise AssertionError("a run that is being trained could be resumed")
                    worker.kill()
                    beats._looks.clear()
                    wait_for(lambda: read_run(run).status == "lost", seconds=LOST_AFTER_S + 20)
            finally:
                worker.kill()
            end_as_any_other(draw, folder / "other", whole)
            return 1

        yield attempt
        scene.notes.append(f"{looks:,} looks at runs that train, one called resumable or lost would be a failure")


def end_as_any_other(draw: Random, folder: Path, whole: Path) -> None:
    """Killed and resumed by workers whose clocks differ by hours."""
    run = create_run(workers.experiment("dense"), runs=folder, device="cpu")
    Worker(run, SHIM_CLOCK=str(skew(draw)), SHIM_UNDER=str(run), SHIM_DIE=f"{draw.randrange(50, 1500)} WSR").ended()
    assert Worker(run, SHIM_CLOCK=str(skew(draw))).ended() == 0
    assert rows(run) == rows(whole)
    assert workers.weights(run) == workers.weights(whole)


CAMPAIGN = Campaign(
    "clock",
    "clocks of worker and viewer up to an hour apart, either way",
    "pairs of clocks",
    tried=25,
    short=1,
    open=opened,
)
