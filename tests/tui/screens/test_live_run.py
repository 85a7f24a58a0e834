"""A run that trains: followed, steered, left, and what is said when it ends."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from pathlib import Path

import pytest
from piloting import head, run_screen, shown, snapshot, text, text_has, until
from recording import Recording

from condense_tui.app.app import CondenseApp
from condense_tui.app.launch import open_app


def commands(recording: Recording) -> list[str]:
    with contextlib.closing(sqlite3.connect(recording.folder / "run.sqlite")) as connection:
        return [verb for (verb,) in connection.execute("SELECT verb FROM command ORDER BY id")]


async def test_live_run_is_followed_and_grows(live: Recording) -> None:
    async with shown(live.folder) as pilot:
        await text_has(pilot, "live")
        before = head(pilot).step
        live.write(5)
        await until(lambda: head(pilot).step > before, "a newer frame")
        await pilot.press("space")
        await text_has(pilot, "looking back")
        stood = head(pilot).step
        live.write(5)
        await until(lambda: head(pilot).count >= snapshot(pilot).instants.size, "the run to grow")
        assert head(pilot).step == stood


async def test_pause_and_resume_training(live: Recording) -> None:
    async with shown(live.folder) as pilot:
        await pilot.press("p")
        await until(lambda: commands(live) == ["pause"], "the command in the run file")
        live.writer.update(status="paused")
        await text_has(pilot, "training is paused")
        assert " left" not in text(pilot).splitlines()[0], "nobody knows how long a pause lasts"
        assert "p resume" in text(pilot).splitlines()[-1]
        await pilot.press("p")
        await until(lambda: commands(live) == ["pause", "resume"], "the second command")


async def test_a_run_that_is_removed_elsewhere_says_so(live: Recording) -> None:
    async with shown(live.folder) as pilot:
        await text_has(pilot, "live")
        shutil.rmtree(live.folder)
        await text_has(pilot, "was removed while")


async def test_stop_training_asks_first(live: Recording) -> None:
    async with shown(live.folder) as pilot:
        await pilot.press("s")
        await text_has(pilot, "Stop training digits-gd?")
        await pilot.press("n")
        await until(lambda: pilot.app.screen is run_screen(pilot), "the question to close")
        assert commands(live) == []
        await pilot.press("s", "y")
        await until(lambda: commands(live) == ["stop"], "the command in the run file")


async def test_nothing_to_pause_or_stop_after_the_end(recorded: Recording) -> None:
    async with shown(recorded.folder) as pilot:
        await pilot.press("p")
        await text_has(pilot, "nothing to pause")
        await pilot.press("s")
        await text_has(pilot, "nothing to stop")
        assert commands(recorded) == []


async def left(recording: Recording) -> list[Path]:
    """Runs that were opened in an app that was opened on that one, and left."""
    app = CondenseApp(recording.folder)
    async with shown(recording.folder, app=app) as pilot:
        await pilot.press("q")
    return app.visited


async def test_leaving_a_live_run_says_that_it_goes_on(
    live: Recording, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    visited = await left(live)
    monkeypatch.setattr("condense_tui.app.app.launch", lambda *_, **__: visited)
    assert open_app(live.folder) == 0
    name = live.folder.name
    assert capsys.readouterr().err == f"{name} continues training; to watch it again: condense-tui attach {name}\n"


async def test_leaving_a_finished_run_says_nothing(
    recorded: Recording, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    visited = await left(recorded)
    assert visited == [recorded.folder]
    monkeypatch.setattr("condense_tui.app.app.launch", lambda *_, **__: visited)
    assert open_app(recorded.folder) == 0
    assert capsys.readouterr().err == ""


async def test_waiting_for_the_first_frame(tmp_path: Path) -> None:
    recording = Recording(tmp_path)
    async with shown(recording.folder) as pilot:
        await text_has(pilot, "waiting for the first frame")
        for key in ("left", "right", "home", "end", "space", "o", "l", "z", "z", "t", "bracketright", "1", "up"):
            await pilot.press(key)
        with recording.worker():
            recording.write(3)
            await until(lambda: snapshot(pilot).head is not None, "the first frame")
            await text_has(pilot, "conv1 · 32 kernels")


@pytest.mark.parametrize(
    ("status", "reason", "words"),
    [
        ("running", "", "worker lost at step 4,000"),
        ("diverged", "loss became nan", "diverged at step 4,000: loss became nan"),
        ("failed", "the disk is full", "failed at step 4,000: the disk is full"),
        ("stopped", "", "stopped"),
    ],
)
async def test_ends_that_need_a_word(tmp_path: Path, status: str, reason: str, words: str) -> None:
    recording = Recording(tmp_path)
    recording.write()
    recording.finish(status, reason)
    async with shown(recording.folder) as pilot:
        await text_has(pilot, words)
        await pilot.press("left")
        await until(lambda: not head(pilot).following, "scrubbing to work all the same")
