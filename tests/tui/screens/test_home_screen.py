"""The home screen: what a newcomer sees, and everything that can be done there."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from piloting import at_home, run_screen, shown, text, text_has, until
from recording import Recording
from support import some_of
from textual.pilot import Pilot

from condense_core.runfile.info import CHECKPOINT_NAME
from condense_presets import recordings
from condense_tui.app.app import CondenseApp
from condense_tui.screens.compare.screen import CompareScreen
from condense_tui.screens.dialogs.form import FormScreen
from condense_tui.screens.home.screen import HomeScreen
from condense_tui.screens.run.screen import RunScreen
from condense_tui.widgets.listing import Listing

SIZES = some_of([(80, 24), (120, 40), (200, 60)], one_in=2)


@asynccontextmanager
async def home(runs: Path, size: tuple[int, int] = (120, 40)) -> AsyncIterator[Pilot[None]]:
    """The app at home, with both lists read."""
    app = CondenseApp(runs=runs)
    async with app.run_test(size=size, notifications=True) as pilot:
        screen = await at_home(app)
        await until(lambda: screen.lists.catalogue is not None and screen.lists.glances is not None, "both lists")
        await pilot.pause()
        yield pilot


@pytest.fixture
def recorded(tmp_path: Path) -> Callable[..., Recording]:
    """Makes a finished run by name."""

    def make(name: str = "digits-gd", status: str = "done", **options: object) -> Recording:
        recording = Recording(tmp_path / "runs", **options)
        recording.write()
        recording.writer.update(name=name)
        recording.finish(status)
        recording.close()
        return recording

    return make


def screen(pilot: Pilot[None]) -> HomeScreen:
    found = pilot.app.screen
    assert isinstance(found, HomeScreen)
    return found


@pytest.mark.parametrize("size", SIZES)
async def test_empty_state_says_how_to_begin(tmp_path: Path, size: tuple[int, int]) -> None:
    async with home(tmp_path, size) as pilot:
        await text_has(pilot, "digits-gd")
        if size[0] < 100:
            await pilot.press("tab")
        await text_has(pilot, "no runs yet")
        # the last line of the panel, which takes its whole height a moment later
        await text_has(pilot, "digits-gd is a good one to start")
        assert "leave" in text(pilot)
        assert len(text(pilot).splitlines()) == size[1]


@pytest.mark.parametrize("size", SIZES)
async def test_runs_show_status_loss_and_lines(recorded: Callable[..., Recording], size: tuple[int, int]) -> None:
    folder = recorded().folder
    recorded("broken", "diverged")
    async with home(folder.parent, size) as pilot:
        await text_has(pilot, "conv1 2")
        page = text(pilot)
        for words in ("✔  digits-gd", "done", "✖  broken", "diverged", "◆ conv2 1", "█"):
            assert words in page


async def test_list_follows_what_happens(recorded: Callable[..., Recording], tmp_path: Path) -> None:
    live = Recording(tmp_path / "runs", steps=4000)
    live.write(30)
    with live.worker():
        async with home(live.folder.parent) as pilot:
            await text_has(pilot, "live")
            assert "1 training" in text(pilot)
            live.write()
            live.finish()
            await text_has(pilot, "done")
            assert "training" not in text(pilot).splitlines()[0]
            recorded("another")
            await text_has(pilot, "another")
    await until(lambda: not pilot.app._home._thread.is_alive(), "the thread to end with the app")


async def test_enter_opens_a_run_and_h_comes_back(recorded: Callable[..., Recording]) -> None:
    folder = recorded().folder
    async with home(folder.parent) as pilot:
        await pilot.press("enter")
        await until(lambda: isinstance(pilot.app.screen, RunScreen), "the run screen")
        await text_has(pilot, "kernels by line")
        reader = run_screen(pilot)._reader
        assert reader.is_alive()
        await pilot.press("h")
        await until(lambda: isinstance(pilot.app.screen, HomeScreen), "home")
        await until(lambda: not reader.is_alive(), "the reader of the run that was left to end")
        await pilot.press("enter")
        await until(lambda: isinstance(pilot.app.screen, RunScreen), "the run again")


async def test_coming_home_finds_the_cursor_on_what_was_shown(recorded: Callable[..., Recording]) -> None:
    older = recorded("older").folder
    recorded("newer")
    async with home(older.parent) as pilot:
        pilot.app.open_run(older)
        await text_has(pilot, "kernels by line")
        await pilot.press("h")
        await until(lambda: isinstance(pilot.app.screen, HomeScreen), "home")
        await until(lambda: screen(pilot).lists.runs.chosen.folder == older, "the cursor on the older run")
        assert screen(pilot).lists.runs.has_focus
        pilot.app.open_run(recordings()["digits-ce"])
        await text_has(pilot, "digits-ce · recording")
        await pilot.press("h")
        await until(lambda: isinstance(pilot.app.screen, HomeScreen), "home")
        await until(lambda: screen(pilot).lists.presets.chosen.name == "digits-ce", "the cursor on the preset")
        assert screen(pilot).lists.presets.has_focus


@pytest.mark.parametrize("size", [(60, 20), (120, 40)])
async def test_home_of_an_app_that_began_on_a_run_has_the_cursor_there(
    recorded: Callable[..., Recording], size: tuple[int, int]
) -> None:
    older = recorded("older").folder
    recorded("newer")
    async with shown(older, size, CondenseApp(older, runs=older.parent)) as pilot:
        await pilot.press("h")
        await until(lambda: isinstance(pilot.app.screen, HomeScreen), "home")
        lists = screen(pilot).lists
        await until(lambda: lists.runs.chosen and lists.runs.chosen.folder == older, "the cursor on the run")
        await until(lambda: lists.catalogue is not None, "the presets")
        await pilot.pause()
        assert lists.runs.has_focus
        assert lists.runs_panel.display


async def test_home_of_an_app_that_began_on_a_recording_has_the_cursor_on_its_preset(
    recorded: Callable[..., Recording],
) -> None:
    runs = recorded("older").folder.parent
    recording = recordings()["digits-ce"]
    async with shown(recording, app=CondenseApp(recording, runs=runs)) as pilot:
        await pilot.press("h")
        await until(lambda: isinstance(pilot.app.screen, HomeScreen), "home")
        lists = screen(pilot).lists
        await until(lambda: lists.presets.chosen and lists.presets.chosen.name == "digits-ce", "the cursor there")
        await until(lambda: lists.glances is not None, "the runs")
        await pilot.pause()
        assert lists.presets.has_focus


async def test_the_list_that_keys_go_to_is_marked_at_once(recorded: Callable[..., Recording]) -> None:
    def marked(listing: Listing) -> bool:
        edges = {line[0] for line in listing._lines if line[0][0] == "▌"}
        assert len(edges) == 1, "one cursor"
        return edges == {("▌", listing.look.accent)}

    async with home(recorded().folder.parent) as pilot:
        lists = screen(pilot).lists.runs, screen(pilot).lists.presets
        for there in ((True, False), (False, True)):
            await until(lambda there=there: tuple(map(marked, lists)) == there, f"the mark: {there}")
            await pilot.press("tab")


async def test_clicks_choose_and_open(recorded: Callable[..., Recording]) -> None:
    recorded("older")
    folder = recorded("newer").folder
    async with home(folder.parent) as pilot:
        names = [glance.info.name for glance in screen(pilot).lists.glances]
        await pilot.click("#runs", offset=(8, 2))
        await until(lambda: screen(pilot).lists.runs.chosen.info.name == names[1], "the second run under the cursor")
        await pilot.click("#runs", offset=(8, 2), times=2)
        await until(lambda: isinstance(pilot.app.screen, RunScreen), "the clicked run")


async def test_filter_narrows_both_lists_and_escape_shows_all(recorded: Callable[..., Recording]) -> None:
    recorded("mine")
    folder = recorded("other").folder
    async with home(folder.parent) as pilot:
        await pilot.press("slash")
        await pilot.press(*"mine")
        await text_has(pilot, "runs 1 of 2")
        assert "no preset contains these words" in text(pilot)
        await pilot.press("escape")
        await text_has(pilot, "runs 2")
        assert "digits-deep" in text(pilot)


async def test_space_plays_a_recording_without_training(tmp_path: Path) -> None:
    async with home(tmp_path) as pilot:
        await pilot.press("space")
        await until(lambda: isinstance(pilot.app.screen, RunScreen), "the recording")
        await text_has(pilot, "digits-gd · recording")
        assert run_screen(pilot).place == recordings()["digits-gd"]
        assert not list(tmp_path.iterdir())


async def test_space_says_where_there_is_no_recording(tmp_path: Path) -> None:
    async with home(tmp_path) as pilot:
        for words in ("space play", "m mark"):
            assert words in text(pilot).splitlines()[-1]
        screen(pilot).lists.presets.choose("fcn-fig02-tanh")
        # what would only say so is not offered
        await until(lambda: "play" not in text(pilot).splitlines()[-1], "the keys of that preset")
        assert "mark" not in text(pilot).splitlines()[-1] and "⏎ start" in text(pilot).splitlines()[-1]
        await pilot.press("space")
        await text_has(pilot, "fcn-fig02-tanh has no recording")
        assert isinstance(pilot.app.screen, HomeScreen)


async def test_enter_on_a_preset_opens_its_form(tmp_path: Path) -> None:
    async with home(tmp_path) as pilot:
        await pilot.press("enter")
        await until(lambda: isinstance(pilot.app.screen, FormScreen), "the form")
        await text_has(pilot, "train digits-gd")
        await pilot.press("escape")
        await until(lambda: isinstance(pilot.app.screen, HomeScreen), "the form to close")


async def test_marked_runs_and_recordings_are_compared(recorded: Callable[..., Recording]) -> None:
    folder = recorded("mine").folder
    async with home(folder.parent) as pilot:
        await pilot.press("c")
        await text_has(pilot, "mark two to six")
        await pilot.press("m")
        await text_has(pilot, "1 marked")
        await pilot.press("tab", "m", "c")
        await until(lambda: isinstance(pilot.app.screen, CompareScreen), "the compare screen")
        await text_has(pilot, "A mine · conv1")
        assert "B digits-gd · conv1" in text(pilot)
        await pilot.press("escape")
        await until(lambda: isinstance(pilot.app.screen, HomeScreen), "home again")


async def test_more_than_six_can_be_marked_and_not_compared(recorded: Callable[..., Recording]) -> None:
    for number in range(7):
        folder = recorded(f"run{number}", frames=8).folder
    async with home(folder.parent) as pilot:
        await pilot.press(*["m"] * 7)
        await text_has(pilot, "7 marked")
        await pilot.press("c")
        await text_has(pilot, "7 are marked")
        assert screen(pilot).is_current


async def test_stopping_and_pausing_from_the_list(tmp_path: Path) -> None:
    live = Recording(tmp_path / "runs")
    live.write(10)
    with live.worker():
        async with home(live.folder.parent) as pilot:
            await pilot.press("p")
            await until(lambda: [c.verb for c in live.writer.take_commands()] == ["pause"], "pause in the run file")
            await pilot.press("s")
            await text_has(pilot, "Stop training digits-gd?")
            await pilot.press("y")
            await until(lambda: [c.verb for c in live.writer.take_commands()] == ["stop"], "stop in the run file")


async def test_going_on_with_what_cannot_go_on_says_why(recorded: Callable[..., Recording]) -> None:
    done = recorded().folder
    async with home(done.parent) as pilot:
        await pilot.press("p")
        await text_has(pilot, "training has ended; there is nothing to pause")


async def test_a_stopped_run_goes_on_from_the_list(
    recorded: Callable[..., Recording], monkeypatch: pytest.MonkeyPatch
) -> None:
    resumed: list[Path] = []
    monkeypatch.setattr("condense_core.runs.create.require_engine", lambda: None)
    monkeypatch.setattr("condense_core.runs.create.resume_run", resumed.append)
    stopped = recorded(status="stopped").folder
    async with home(stopped.parent) as pilot:
        await pilot.press("p")
        await text_has(pilot, "training starts again from step 0")
        (stopped / CHECKPOINT_NAME).touch()
        await pilot.press("p")
        await text_has(pilot, "training resumes from its last checkpoint")
    assert resumed == [stopped, stopped]


async def test_a_damaged_run_is_a_row_that_says_so(recorded: Callable[..., Recording]) -> None:
    folder = recorded().folder
    bad = folder.parent / "250101-000000-bad-0000"
    bad.mkdir()
    (bad / "run.sqlite").write_text("not a database")
    async with home(folder.parent) as pilot:
        await text_has(pilot, "unreadable")
        await pilot.press("end", "enter")
        await text_has(pilot, "file is not a database")
        assert isinstance(pilot.app.screen, HomeScreen)


async def test_runs_of_another_machine_show_their_host(recorded: Callable[..., Recording]) -> None:
    recording = recorded()
    other = Recording(recording.folder.parent)
    other.write()
    other.writer.update(host="gpu-7", name="far", status="done")
    async with home(recording.folder.parent) as pilot:
        await text_has(pilot, "far on gpu-7")


async def test_home_lists_hundreds_of_runs(tmp_path: Path) -> None:
    first = Recording(tmp_path / "runs", frames=8)
    first.write()
    first.finish()
    first.close()
    for number in range(300):
        copy = first.folder.with_name(f"260101-{number:06}-copy-0000")
        copy.mkdir()
        os.link(first.folder / "run.sqlite", copy / "run.sqlite")
    async with home(first.folder.parent) as pilot:
        await text_has(pilot, "runs 301")
        begun = time.monotonic()
        await pilot.press("end")
        await until(lambda: screen(pilot).lists.runs.chosen.folder.name == "260101-000000-copy-0000", "the oldest run")
        assert time.monotonic() - begun < 5, "moving in a long list must not read runs"


@pytest.mark.parametrize("size", [(39, 20), (60, 11), (10, 3)])
async def test_too_small_says_so_and_recovers(tmp_path: Path, size: tuple[int, int]) -> None:
    async with home(tmp_path, size) as pilot:
        if size[0] > 20:
            await text_has(pilot, "too small")
        await pilot.resize_terminal(60, 20)
        await text_has(pilot, "digits-gd")


async def test_text_from_a_run_file_steers_nothing(recorded: Callable[..., Recording]) -> None:
    recording = recorded()
    other = Recording(recording.folder.parent)
    other.write()
    nasty = "\x1b[2J[bold red]boom[/] \x07\u202e"
    other.writer.update(name=nasty, host=nasty, reason=nasty, status="failed", preset=nasty)
    async with home(recording.folder.parent) as pilot:
        await text_has(pilot, "[bold red]boom[/]")
        assert not set(text(pilot)) & {"\x1b", "\x07", "\u202e"}


async def test_help_of_the_home_screen_lists_its_actions(tmp_path: Path) -> None:
    async with home(tmp_path) as pilot:
        await pilot.press("question_mark")
        await text_has(pilot, "Show only entries with the words you type")
        assert "Logarithmic" not in text(pilot)


async def test_leaving_from_home_ends_the_app(tmp_path: Path) -> None:
    async with home(tmp_path) as pilot:
        await pilot.press("q")
    assert pilot.app.return_value is None
    assert pilot.app.visited == []


async def test_keys_that_are_typed_fast_go_where_the_last_one_led(tmp_path: Path) -> None:
    app = CondenseApp(runs=tmp_path / "runs")
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await at_home(app)
        await until(lambda: screen.lists.presets.chosen is not None, "the presets")
        # no list has heard yet that the keys are its
        screen.action_other()
        screen.action_other()
        screen.action_open()
        await until(lambda: len(app.screen_stack) > 2, "the form")
        await pilot.press("escape")
        assert screen.lists.on_presets
        assert screen.lists.presets_panel.display
