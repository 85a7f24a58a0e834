"""After a resize the screen is as if it had been drawn anew: no rows are left over, none are old behind a dialog."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from piloting import at_home, run_screen, settled, shown, text, text_has, until
from recording import Recording
from support import some_of
from textual import events
from textual.pilot import Pilot

from condense_tui.app.app import CondenseApp

SIZES = [((80, 24), (120, 40)), ((120, 40), (80, 24)), ((60, 20), (200, 60)), ((200, 60), (80, 24))]


async def drawn_anew(pilot: Pilot[None]) -> str:
    """The screen, once every widget has thrown away what it keeps drawn."""
    for widget in pilot.app.screen.query("*"):
        widget.refresh()
    await pilot.pause(0.2)
    return text(pilot)


@pytest.mark.parametrize("sizes", some_of(SIZES, one_in=2))
async def test_a_filtered_home_has_no_rows_left_over(
    tmp_path: Path, sizes: tuple[tuple[int, int], tuple[int, int]]
) -> None:
    before, after = sizes
    for number in range(4):
        recording = Recording(tmp_path / "runs", frames=5)
        recording.write()
        recording.writer.update(name=f"run{number}")
        recording.finish()
        recording.close()
    app = CondenseApp(runs=tmp_path / "runs")
    async with app.run_test(size=before) as pilot:
        screen = await at_home(app)
        await text_has(pilot, "run0")
        await until(lambda: screen.lists.catalogue is not None, "the presets")
        await pilot.press("tab", "slash", *"fig03-tanh", "enter")
        await text_has(pilot, "fcn-fig03-tanh")
        await pilot.resize_terminal(*after)
        await until(lambda: len(text(pilot).splitlines()) == after[1], "the new size")
        await pilot.pause(0.3)
        assert text(pilot) == await drawn_anew(pilot)
        assert "run0" not in text(pilot)


@pytest.mark.parametrize("sizes", some_of(SIZES, one_in=2))
@pytest.mark.parametrize("key", some_of(["e", "question_mark", "n"], one_in=3))
async def test_behind_a_dialog_stands_the_screen_at_its_new_size(
    recorded: Recording, key: str, sizes: tuple[tuple[int, int], tuple[int, int]]
) -> None:
    before, after = sizes
    async with shown(recorded.folder, after) as pilot:
        await settled(pilot)
        wanted = text(pilot).splitlines()
    async with shown(recorded.folder, before) as pilot:
        await settled(pilot)
        await pilot.press(key)
        await until(lambda: len(pilot.app.screen_stack) > 2, "the dialog")
        await pilot.resize_terminal(*after)
        # the first and the last line are behind no dialog
        await until(lambda: text(pilot).splitlines()[0] == wanted[0], f"the header at its new width: {wanted[0]!r}")
        await until(lambda: text(pilot).splitlines()[-1] == wanted[-1], "the footer in its new place")


@pytest.mark.parametrize("later", some_of([0.0, 0.01, 0.04], one_in=3))
async def test_a_dialog_that_is_opened_right_after_a_resize_has_no_old_screen_behind_it(
    recorded: Recording, later: float
) -> None:
    """The key comes before the screen has its new size, or before its plots are built for that."""

    def sides(pilot: Pilot[None]) -> list[tuple[str, str]]:
        return [(line[:12], line[-12:]) for line in text(pilot).splitlines()]

    async with shown(recorded.folder, (120, 40)) as pilot:
        await settled(pilot)
        wanted = sides(pilot)
    async with shown(recorded.folder, (80, 24)) as pilot:
        await settled(pilot)
        app = pilot.app
        # it waits until all is over, which the key does not
        resized = asyncio.create_task(pilot.resize_terminal(120, 40))
        await asyncio.sleep(later)
        app.post_message(events.Key("e", "e"))
        await until(lambda: len(app.screen_stack) > 2, "the dialog")
        await until(lambda: sides(pilot) == wanted, "what is beside the dialog at its new size")
        await resized


async def test_the_legend_says_that_kernels_share_cells_once_their_room_is_taken(tmp_path: Path) -> None:
    recording = Recording(tmp_path)
    recording.write()
    recording.finish()
    recording.close()
    async with shown(recording.folder, (80, 24)) as pilot:
        await text_has(pilot, "kernels by line")
        await settled(pilot)
        assert "pooled" not in text(pilot)
        # as a banner does, after the last snapshot was shown
        run_screen(pilot)._reader.stop()
        pilot.app.screen.query_one("#heatmaps").styles.height = 14
        await text_has(pilot, "pooled to ")
        pilot.app.screen.query_one("#heatmaps").styles.height = "1fr"
        await until(lambda: "pooled" not in text(pilot), "no kernels that share cells")
