"""`y` copies what the cursor reads, the run's id, or the command that makes it again, through the terminal."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from piloting import ToldApp, at_home, run_screen, settled, shown, text_has, until
from recording import Recording

from condense_core.runfile.info import read_run
from condense_tui.resolve.again import command_of
from condense_tui.screens.dialogs.copying import CopyScreen
from condense_tui.terminal.notices import MOST_COPIED, SCREENS_MOST, copied_outside
from condense_tui.widgets.heatmap import Heatmap
from condense_tui.widgets.plot import PlotPanel


async def test_id_and_command_of_a_run(recorded: Recording) -> None:
    app = ToldApp(recorded.folder)
    async with shown(recorded.folder, app=app) as pilot:
        info = read_run(recorded.folder)
        await pilot.press("y")
        await until(lambda: isinstance(app.screen, CopyScreen), "the choice")
        await text_has(pilot, info.id)
        await pilot.press("enter")
        await until(lambda: app.clipboard == info.id, "the id")
        assert app.told == ["sent to the terminal's clipboard: id"]
        await pilot.press("y")
        await until(lambda: isinstance(app.screen, CopyScreen), "the choice")
        await pilot.press("2")
        await until(lambda: app.clipboard == command_of(info), "the command")
        assert app.clipboard.startswith("condense-tui run")
        await pilot.press("y")
        await until(lambda: isinstance(app.screen, CopyScreen), "the choice")
        await pilot.press("9", "escape")
        await until(lambda: not isinstance(app.screen, CopyScreen), "back")
        assert len(app.told) == 2


async def test_the_number_under_the_cursor_comes_first(recorded: Recording) -> None:
    app = ToldApp(recorded.folder)
    async with shown(recorded.folder, app=app) as pilot:
        await settled(pilot)
        heatmap = run_screen(pilot).query(Heatmap).first()
        heatmap.focus()
        await pilot.press("right", "down")
        await until(lambda: heatmap.reading, "a reading")
        await pilot.press("y")
        await until(lambda: isinstance(app.screen, CopyScreen), "the choice")
        assert heatmap.reading is not None
        await pilot.press("enter")
        await until(lambda: app.clipboard, "a number")
        assert float(app.clipboard) == pytest.approx(heatmap.reading.cosine, rel=1e-8)
        panel = run_screen(pilot).query_one("#loss", PlotPanel)
        panel.focus()
        await pilot.press("right", "right")
        await until(lambda: panel.reading, "a reading of the curve")
        assert panel.reading is not None
        await pilot.press("y")
        await until(lambda: isinstance(app.screen, CopyScreen), "the choice")
        await pilot.press("down", "up", "y")
        await until(lambda: float(app.clipboard) == pytest.approx(panel.reading.values[0][1], rel=1e-8), "the loss")


async def test_a_preset_and_a_run_of_the_home_screen(recorded: Recording) -> None:
    app = ToldApp(runs=recorded.folder.parent)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await at_home(app)
        await text_has(pilot, "digits-gd")
        await pilot.press("1", "y")
        await until(lambda: isinstance(app.screen, CopyScreen), "the choice")
        await pilot.press("1")
        await until(lambda: app.clipboard == recorded.folder.name, "the id")
        await pilot.press("2")
        await until(lambda: app.screen.lists.presets.chosen, "the presets")
        await pilot.press("y")
        await until(lambda: isinstance(app.screen, CopyScreen), "the choice")
        await pilot.press("2")
        await until(lambda: app.clipboard == f"condense-tui run {app.screen.lists.presets.chosen.name}", "a command")


async def test_what_is_too_long_for_a_terminal_is_not_sent(tmp_path: Path) -> None:
    app = ToldApp(runs=tmp_path)
    async with app.run_test():
        assert app.copy("x" * MOST_COPIED) == ""
        assert app.copy("ü" * MOST_COPIED).startswith("too long to be copied")
        assert app.clipboard == "x" * MOST_COPIED


def test_the_clipboard_outside_of_tmux_and_screen_is_reached() -> None:
    code = base64.b64encode(b"an id").decode()
    assert copied_outside("an id", {"TERM": "xterm"}) == ""
    assert copied_outside("an id", {"TMUX": "x"}) == f"\x1bPtmux;\x1b\x1b]52;c;{code}\x07\x1b\\"
    assert copied_outside("an id", {"TERM": "screen", "STY": "x"}) == f"\x1bP\x1b]52;c;{code}\x07\x1b\\"
    assert copied_outside("x" * SCREENS_MOST, {"STY": "x"}) == "", "screen would let half of it through"
