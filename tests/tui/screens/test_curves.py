"""Reading, zooming and smoothing the curves of a run, with keys and with the mouse."""

from __future__ import annotations

import numpy as np
import pytest
from piloting import head, run_screen, settled, shown, snapshot, text, text_has, until
from recording import Recording
from textual.events import MouseScrollDown, MouseScrollUp
from textual.pilot import Pilot

from condense_tui.draw import numbers
from condense_tui.draw.strokes import smoothed
from condense_tui.widgets.plot import PlotPanel

SIZES = [(80, 24), (120, 40), (200, 60)]


def loss(pilot: Pilot[None]) -> PlotPanel:
    return run_screen(pilot).query_one("#loss", PlotPanel)


async def focused(pilot: Pilot[None]) -> PlotPanel:
    """The loss, with the focus."""
    await pilot.press("2")
    await settled(pilot)
    panel = loss(pilot)
    panel.focus()
    await pilot.pause()
    return panel


@pytest.mark.parametrize("size", SIZES)
async def test_the_cursor_reads_step_and_value(recorded: Recording, size: tuple[int, int]) -> None:
    async with shown(recorded.folder, size) as pilot:
        panel = await focused(pilot)
        await pilot.press("right", "right")
        await pilot.pause()
        reading = panel.reading
        assert reading is not None
        steps, values = snapshot(pilot).loss
        (at,) = np.flatnonzero(steps == reading.x)
        assert reading.values == (("loss", values[at]),)
        await text_has(pilot, f"step {int(reading.x):,} · {numbers.measure(float(values[at]), 4)}")
        # the playhead stays where it is, until it is called for
        assert head(pilot).following
        await pilot.press("enter")
        await until(lambda: head(pilot).step == reading.x, "the playhead at the cursor")
        await pilot.press("escape")
        assert panel.reading is None
        await pilot.press("escape", "left")
        await until(lambda: head(pilot).step < reading.x, "arrows to move the playhead again")


async def test_zoom_and_pan(recorded: Recording) -> None:
    async with shown(recorded.folder) as pilot:
        panel = await focused(pilot)
        await pilot.press("up", "up", "up")
        await settled(pilot)
        window = panel.window
        assert window is not None
        steps, _ = snapshot(pilot).loss
        assert steps[0] < window[0] < window[1] < steps[-1]
        assert "zoom ×3.4" in text(pilot)
        await pilot.press("ctrl+right")
        await settled(pilot)
        assert panel.window is not None and panel.window[0] > window[0]
        # a cursor that leaves the view takes it along
        for _ in range(12):
            await pilot.press("shift+left")
            await settled(pilot)
        assert panel.window[0] == pytest.approx(steps[0], abs=1)
        await pilot.press("0")
        await settled(pilot)
        assert panel.window is None
        assert "zoom" not in text(pilot).split("loss")[0].splitlines()[-1]


async def test_the_mouse_reads_zooms_and_pans(recorded: Recording) -> None:
    async with shown(recorded.folder) as pilot:
        await settled(pilot)
        panel = loss(pilot)
        await pilot.hover(panel, offset=(15, 4))
        await until(lambda: panel.reading is not None, "a reading under the pointer")
        left, top = panel.region.offset
        turn = (panel, 15, 4, 0, 0, 0, False, False, False, left + 15, top + 4)
        for _ in range(2):
            panel.post_message(MouseScrollUp(*turn))
            await settled(pilot)
        zoomed = panel.window
        assert zoomed is not None
        await pilot.mouse_down(panel, offset=(20, 4))
        await pilot.hover(panel, offset=(10, 4))
        await pilot.mouse_up(panel, offset=(10, 4))
        await settled(pilot)
        assert panel.window is not None and panel.window[0] > zoomed[0]
        for _ in range(8):
            panel.post_message(MouseScrollDown(*turn))
            await settled(pilot)
        assert panel.window is None


async def test_a_double_click_seeks(recorded: Recording) -> None:
    async with shown(recorded.folder) as pilot:
        await settled(pilot)
        panel = loss(pilot)
        await pilot.click(panel, offset=(15, 4), times=2)
        await until(lambda: not head(pilot).following, "the playhead to be moved")
        assert panel.reading is not None
        await until(lambda: panel.reading is not None and head(pilot).step == panel.reading.x, "the step pointed at")


@pytest.mark.parametrize("size", SIZES)
async def test_smoothing_is_said_and_is_an_average(recorded: Recording, size: tuple[int, int]) -> None:
    async with shown(recorded.folder, size) as pilot:
        panel = await focused(pilot)
        await pilot.press("m", "m")
        await settled(pilot)
        await text_has(pilot, "EMA 0.9")
        await pilot.press("right")
        reading = panel.reading
        assert reading is not None
        steps, values = snapshot(pilot).loss
        (at,) = np.flatnonzero(steps == reading.x)
        assert reading.values[0][1] == pytest.approx(smoothed(values, 0.9)[at])
        await pilot.press("m", "m", "m")
        await settled(pilot)
        assert "EMA" not in text(pilot)


async def test_a_focused_curve_says_what_its_keys_do(recorded: Recording) -> None:
    async with shown(recorded.folder) as pilot:
        await focused(pilot)
        await text_has(pilot, "← → read · ↑ ↓ zoom")
