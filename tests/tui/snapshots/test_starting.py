"""What a run that starts is at, and for how long, is in its run file and on the screen."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from piloting import shown, text, until
from recording import Recording

from condense_core.runfile import control
from condense_core.runfile.info import START_GRACE_S, read_run
from condense_core.runfile.reader import RunReader
from condense_core.runfile.schema import FILE_NAME, writer
from condense_core.scenario.data import Cifar10, Digits, Mnist, Sine
from condense_tui.snapshots.assemble import Assembler, ViewRequest
from condense_tui.snapshots.playhead import Playhead

worker = pytest.importorskip("condense_core.engine.training.worker", reason="torch is not installed")


def stage(folder: Path) -> str:
    return Assembler(RunReader(folder)).snapshot(Playhead(), ViewRequest()).header.stage


def begun(folder: Path, seconds: float) -> None:
    """The stage was written so long ago."""
    with writer(folder / FILE_NAME) as connection:
        connection.execute("UPDATE run SET heartbeat = ?", (time.time() - seconds,))


def test_a_run_that_starts_says_what_it_is_at_and_for_how_long(make_run: Callable[..., Path]) -> None:
    folder = make_run()
    assert stage(folder) == "starting"
    control.say_stage(folder, "importing PyTorch")
    assert stage(folder) == "importing PyTorch"
    begun(folder, 3.2)
    assert stage(folder) == "importing PyTorch 3 s"
    # a clock elsewhere that is wrong
    begun(folder, -5_000)
    assert stage(folder) == "importing PyTorch"


def test_a_run_that_trains_is_at_no_stage(live: Recording) -> None:
    control.say_stage(live.folder, "importing PyTorch")
    assert read_run(live.folder).reason == ""
    assert stage(live.folder) == ""


def test_a_stage_that_cannot_be_written_stops_no_worker(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    control.say_stage(tmp_path, "importing PyTorch")
    assert str(tmp_path) in capfd.readouterr().err


def test_what_a_lost_worker_was_at_is_not_why_it_went_but_when(make_run: Callable[..., Path]) -> None:
    folder = make_run()
    control.say_stage(folder, "importing PyTorch")
    begun(folder, 2 * START_GRACE_S)
    assert (read_run(folder).status, read_run(folder).reason) == ("lost", "while importing PyTorch")
    (folder / "worker.log").write_text("Killed\n")
    assert read_run(folder).reason == "Killed"


def test_a_worker_says_its_stages(make_run: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_run("steps=1")
    seen: list[str] = []

    class Listening(worker.RecordingThread):
        def set_status(self, status: str, reason: str = "", **columns: object) -> None:
            seen.append(f"{status} {reason}".strip())
            super().set_status(status, reason, **columns)

    monkeypatch.setattr(worker, "RecordingThread", Listening)
    assert worker.work(folder) == 0
    assert seen == ["starting drawing the data", "starting preparing the first step", "running", "done"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (Digits(samples=10), "loading digits"),
        (Cifar10(samples=10), "loading CIFAR-10"),
        (Mnist(samples=10, download=True, root="/nowhere"), "downloading MNIST"),
        (Sine(samples=10, inputs=1), "drawing the data"),
    ],
)
def test_data_are_called_by_their_names(data: object, words: str) -> None:
    assert worker._loading(data) == words


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40)])
async def test_the_screen_says_it(make_run: Callable[..., Path], size: tuple[int, int]) -> None:
    folder = make_run()
    control.say_stage(folder, "importing PyTorch")
    begun(folder, 2.2)
    with control.hold(folder):
        async with shown(folder, size) as pilot:
            await until(lambda: re.search(r"importing PyTorch \d+ s", text(pilot)), "the stage and its seconds")
