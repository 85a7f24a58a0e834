"""What the mouse does, on every screen: whatever a key does that is shown can be clicked."""

from __future__ import annotations

import pytest
from piloting import head, run_screen, shown, snapshot, text, text_has, until
from recording import Recording
from textual.events import MouseEvent, MouseScrollDown, MouseScrollUp
from textual.widget import Widget

from condense_tui.screens.home.screen import HomeScreen
from condense_tui.widgets.heatmap import Heatmap
from condense_tui.widgets.timeline import Timeline


async def test_tabs_can_be_clicked(recorded: Recording) -> None:
    async with shown(recorded.folder, (80, 24)) as pilot:
        await pilot.click("#tabs", offset=(28, 0))
        await text_has(pilot, "eigenvalues of")


async def test_mouse_reads_the_cell_under_it(recorded: Recording) -> None:
    async with shown(recorded.folder) as pilot:
        heatmap = run_screen(pilot).query_one(Heatmap)
        await pilot.hover(heatmap, offset=(0, 0))
        await until(lambda: heatmap.reading is not None, "a reading")
        first = snapshot(pilot).images[0].order[0]
        assert heatmap.reading is not None
        assert heatmap.reading.rows == heatmap.reading.columns == (first,)
        assert heatmap.reading.cosine == pytest.approx(1.0)


async def test_click_on_the_timeline_goes_there(recorded: Recording) -> None:
    async with shown(recorded.folder) as pilot:
        await pilot.click(Timeline, offset=(4, 0))
        await until(lambda: head(pilot).index == 0, "the start")
        assert not head(pilot).following


async def test_the_wheel_on_the_timeline_goes_from_frame_to_frame(recorded: Recording) -> None:
    async with shown(recorded.folder) as pilot:
        last = head(pilot).count - 1
        timeline = run_screen(pilot).query_one(Timeline)
        for index in (last - 1, last - 2):
            timeline.post_message(scrolled(MouseScrollUp, timeline))
            await until(lambda index=index: head(pilot).index == index, "a frame back")
        timeline.post_message(scrolled(MouseScrollDown, timeline))
        await until(lambda: head(pilot).index == last - 1, "a frame on")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_keys_at_the_bottom_can_be_clicked(recorded: Recording, size: tuple[int, int]) -> None:
    async with shown(recorded.folder, size) as pilot:
        last = head(pilot).count - 1

        async def click(words: str, offset: int = 0) -> None:
            line = text(pilot).splitlines()[-1]
            await pilot.click(offset=(line.index(words) + offset, size[1] - 1))

        await click("←→ frame")
        await until(lambda: head(pilot).index == last - 1, "the left half to go back")
        await click("←→ frame", len("←→ frame") - 1)
        await until(lambda: head(pilot).index == last, "the right half to go on")
        await click("? help")
        await text_has(pilot, "Playhead")
        await pilot.press("escape")
        await click("h home")
        await until(lambda: isinstance(pilot.app.screen, HomeScreen), "home")
        await click("q leave")
    assert pilot.app.return_value is None


async def test_answers_to_a_question_can_be_clicked(live: Recording) -> None:
    async with shown(live.folder) as pilot:
        for words, stops in (("n keep training", False), ("y stop", True)):
            await pilot.press("s")
            await text_has(pilot, words)
            line, row = next((line, row) for row, line in enumerate(text(pilot).splitlines()) if words in line)
            await pilot.click(offset=(line.index(words) + 1, row))
            await until(lambda: pilot.app.screen is run_screen(pilot), "the question to close")
            if stops:
                await text_has(pilot, "asked the worker to stop")
            else:
                assert "asked the worker" not in text(pilot)


def scrolled(kind: type, widget: Widget) -> MouseEvent:
    return kind(
        widget=widget,
        x=5,
        y=0,
        delta_x=0,
        delta_y=0,
        button=0,
        shift=False,
        meta=False,
        ctrl=False,
        screen_x=5,
        screen_y=0,
    )
