"""Reading, zooming and smoothing the curves of a run, with keys and with the mouse."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from piloting import head, run_screen, settled, shown, snapshot, text, text_has, until
from recording import Recording
from support import some_of
from textual.events import MouseScrollDown, MouseScrollUp
from textual.pilot import Pilot

from condense_tui.draw import numbers
from condense_tui.draw.strokes import smoothed
from condense_tui.widgets.plot import PlotPanel

SIZES = some_of([(80, 24), (120, 40), (200, 60)], one_in=2)


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


def threads(name: str) -> int:
    return len([thread for thread in threading.enumerate() if thread.name.startswith(name)])


async def test_one_thread_builds_all_plots_and_ends_with_the_app(recorded: Recording) -> None:
    """Each keeps some of the memory of what it built."""
    async with shown(recorded.folder, (200, 60)) as pilot:
        await settled(pilot)
        assert (threads("plots"), threads("asyncio")) == (1, 0)
    await until(lambda: threads("plots") == 0, "its end")


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


@pytest.mark.parametrize("size", [(60, 20), *SIZES])
async def test_any_recorded_scalar_can_be_chosen(recorded: Recording, size: tuple[int, int]) -> None:
    async with shown(recorded.folder, size) as pilot:
        await pilot.press("slash")
        await text_has(pilot, "words to look for")
        for words in ("conv2 lines", "gradient"):
            await pilot.press("ctrl+u", *words)
            await until(lambda words=words: words.split()[-1] in text(pilot), "the list")
            await pilot.press("enter")
        await text_has(pilot, "2 of 6")
        await pilot.press("escape")
        await until(lambda: len(snapshot(pilot).scalars) == 2, "the chosen scalars")
        await settled(pilot)
        names = [scalar.name for scalar in snapshot(pilot).scalars]
        assert names == ["conv2.lines", "gradient_norm"]
        await text_has(pilot, "a conv2: lines ")
        panel = run_screen(pilot).query_one("#scalars", PlotPanel)
        assert panel.display
        panel.focus()
        await pilot.press("right")
        await until(lambda: panel.reading is not None, "a reading of both")
        assert panel.reading is not None
        assert [name for name, _ in panel.reading.values] == ["a", "b"]
        await pilot.press("escape", "slash", "ctrl+n", "escape")
        await until(lambda: not panel.display, "the panel to go")


async def test_of_several_seeds_a_chosen_scalar_has_its_band(tmp_path: Path) -> None:
    recording = Recording(tmp_path, members=3)
    recording.write()
    recording.finish()
    async with shown(recording.folder) as pilot:
        await pilot.press("slash", *"loss_ratio", "enter", "escape")
        await until(lambda: len(snapshot(pilot).scalars) == 1, "the chosen scalar")
        (scalar,) = snapshot(pilot).scalars
        assert scalar.band is not None
        (low, high) = scalar.band
        assert (low[1] <= scalar.points[1]).all() and (scalar.points[1] <= high[1]).all()
        assert (low[1] < high[1]).any()
        await pilot.press("full_stop")
        await until(lambda: snapshot(pilot).seeds is not None and snapshot(pilot).seeds.chosen == 0, "the first seed")
        assert snapshot(pilot).scalars[0].points[1][-1] == pytest.approx(high[1][-1])
        # speed is of all seeds together, and shown with each of them
        await pilot.press("slash", "ctrl+n", *"steps_per", "enter", "escape")
        await until(
            lambda: [scalar.name for scalar in snapshot(pilot).scalars] == ["steps_per_second"], "the other scalar"
        )
        assert len(snapshot(pilot).scalars[0].points[0])
