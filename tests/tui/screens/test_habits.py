"""What is chosen in the app is there the next time, and nothing is lost of a file that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest
from piloting import ToldApp, at_home, run_screen, settled, shown, snapshot, text_has, until
from recording import Recording

from condense_core.preferences import Preferences, find_preferences, preferences_file, write_preferences
from condense_core.thresholds import COARSE
from condense_tui.app.app import CondenseApp
from condense_tui.draw.palette import PALETTES
from condense_tui.screens.compare.screen import CompareScreen
from condense_tui.snapshots.playhead import SPEEDS
from condense_tui.terminal import look
from condense_tui.terminal.habits import remembered


def kept() -> Preferences:
    found = find_preferences()
    assert not found.trouble
    return found.preferences


async def test_what_is_chosen_with_keys_is_there_the_next_time(recorded: Recording) -> None:
    async with shown(recorded.folder, app=CondenseApp(recorded.folder, habits=remembered())) as pilot:
        assert not preferences_file().exists(), "nothing was chosen yet"
        await pilot.press("T", "t", "t", "l", "L", "o", "u", "plus")
        await until(lambda: kept().speed == 20.0, "the speed to be kept, which goes through the reader")
        await until(lambda: kept().cut == "0.8" and kept().order == "index", "the rest to be kept")
    found = kept()
    assert (found.theme, found.palette, found.axes.values, found.axes.steps) == ("light", "reef", "linear", "linear")
    async with shown(recorded.folder, app=CondenseApp(recorded.folder, habits=remembered())) as pilot:
        choices = run_screen(pilot).choices
        assert pilot.app.theme == look.LIGHT
        assert (PALETTES[choices.palette].name, choices.log_y, choices.log_x) == ("reef", False, False)
        assert snapshot(pilot).cut == COARSE
        await text_has(pilot, "kernels by index")
        await pilot.press("space")
        await until(lambda: snapshot(pilot).head.speed == 20.0, "the speed of before")
        await pilot.press("u", "L", "o")
        await until(lambda: kept().cut == "claim" and kept().axes.steps == "auto" and kept().order == "line", "both")


async def test_comparing_begins_with_what_was_chosen_too(recorded: Recording) -> None:
    write_preferences({"palette": "orchid", "order": "index", "axes.values": "linear", "speed": 50.0, "cut": "0.8"})
    app = CondenseApp(recorded.folder, habits=remembered())
    async with shown(recorded.folder, app=app) as pilot:
        app.compare([recorded.folder, recorded.folder])
        await until(lambda: isinstance(app.screen, CompareScreen) and app.screen.comparison, "the comparison")
        screen = app.screen
        assert isinstance(screen, CompareScreen)
        assert screen.comparison is not None
        assert PALETTES[screen.choices.palette].name == "orchid"
        assert not screen.choices.log_y
        assert screen.comparison.sides[0].layer.cut == COARSE
        await pilot.press("o")
        await until(lambda: kept().order == "line", "the order to be kept")


async def test_in_the_same_app_the_next_run_is_shown_as_the_one_before(recorded: Recording) -> None:
    async with shown(recorded.folder) as pilot:
        await pilot.press("t", "l")
        before = run_screen(pilot)
        pilot.app.open_run(recorded.folder)
        await until(lambda: run_screen(pilot) is not before, "another screen")
        assert (run_screen(pilot).choices.palette, run_screen(pilot).choices.log_y) == (1, False)
        await settled(pilot)
    assert not preferences_file().exists(), "an app without habits keeps nothing"


async def test_a_broken_file_is_said_once_and_stays_as_it_is(tmp_path: Path) -> None:
    file = preferences_file()
    file.parent.mkdir()
    file.write_text("theme = 'blue'")
    app = ToldApp(runs=tmp_path, habits=remembered())
    # wide: a message of more than two rows is a dialog
    async with app.run_test(size=(200, 60), notifications=True) as pilot:
        await at_home(app)
        await until(lambda: len(app.told) == 1, "what is wrong with it")
        assert "theme: unknown 'blue'; expected" in app.told[0]
        assert app.theme == look.DARK
        await pilot.press("T")
        await until(lambda: app.theme == look.LIGHT, "the light theme")
        await until(lambda: not app.habits._at_work, "the attempt to keep it")
        assert len(app.told) == 1
    assert file.read_text() == "theme = 'blue'"


async def test_that_something_cannot_be_kept_is_said_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = ToldApp(runs=tmp_path, habits=remembered())
    preferences_file().parent.write_text("no folder")
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await at_home(app)
        await pilot.press("T")
        await until(lambda: len(app.told) == 1, "that it cannot be kept")
        assert "cannot write" in app.told[0]
        await pilot.press("T")
        await until(lambda: app.theme == look.DARK and not app.habits._at_work, "the attempt to keep it")
        assert len(app.told) == 1


def test_palettes_and_speeds_are_those_of_the_app() -> None:
    assert tuple(palette.name for palette in PALETTES) == ("ember", "orchid", "reef")
    assert Preferences().palette == PALETTES[0].name
    assert Preferences().speed in SPEEDS
