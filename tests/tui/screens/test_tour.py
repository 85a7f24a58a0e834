"""The tour: captions one after the other, each with its panel, and the recording without them at the end."""

from __future__ import annotations

import pytest
from piloting import text, until

from condense_presets import recordings
from condense_tui.app.app import CondenseApp
from condense_tui.screens.run.screen import RunScreen
from condense_tui.screens.run.tour import STOPS, TourScreen
from condense_tui.snapshots.playhead import Play

# What a panel of that number shows.
IN_FRONT = {1: "conv1", 2: "loss", 3: "eigenvalues"}


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40)])
async def test_every_caption_is_whole_and_its_panel_is_in_front(size: tuple[int, int]) -> None:
    app = CondenseApp(recordings()["digits-gd"], tour=True)
    async with app.run_test(size=size) as pilot:

        def there(number: int) -> bool:
            words = " ".join(text(pilot).split())
            stop = STOPS[number]
            return f"{number + 1}/{len(STOPS)} {stop.caption.where}" in words and stop.caption.text in words

        for number, stop in enumerate(STOPS):
            await until(lambda n=number: isinstance(app.screen, TourScreen) and there(n), f"caption {number + 1}")
            screen = app.screen
            assert isinstance(screen, TourScreen)
            assert screen.choices.tab == stop.panel
            await until(lambda panel=stop.panel: IN_FRONT[panel] in text(pilot), "the panel in front")
            assert "too small" not in text(pilot)
            await pilot.press("space" if number % 2 else "right")
        await until(lambda: type(app.screen) is RunScreen, "the recording without captions")


async def test_frames_are_those_of_the_captions_and_back_is_back() -> None:
    app = CondenseApp(recordings()["digits-gd"], tour=True)
    async with app.run_test(size=(120, 40)) as pilot:

        def step() -> int:
            screen = app.screen
            assert isinstance(screen, RunScreen)
            shown = screen.snapshot
            return -1 if shown is None or shown.head is None else shown.head.step

        await until(lambda: isinstance(app.screen, TourScreen) and "1/8" in text(pilot), "the first caption")
        await until(lambda: step() == 0, "the first frame")
        await pilot.press("space")
        await until(lambda: step() > 0, "frames that play")
        await pilot.press("space")
        await until(lambda: step() == 200, "the last frame")
        await pilot.press("left", "left", "left")
        await until(lambda: "1/8" in text(pilot) and step() == 0, "the first caption again")
        await pilot.press("escape")
        await until(lambda: type(app.screen) is RunScreen, "the end of the tour")


async def test_a_recording_is_played_from_a_step_at_a_speed() -> None:
    place = recordings()["digits-gd"]
    app = CondenseApp(place, play=Play(100, 5))
    async with app.run_test(size=(120, 40)):
        steps: list[int] = []

        def seen() -> bool:
            screen = app.screen
            if isinstance(screen, RunScreen) and screen.snapshot is not None and screen.snapshot.head is not None:
                steps.append(screen.snapshot.head.step)
            return len(set(steps)) > 2

        await until(seen, "frames that play")
        # the first snapshot is from before anything could be asked for
        played = [step for step in dict.fromkeys(steps) if step < 200]
        assert played and played[0] >= 95 and played == sorted(played)
