"""Helpers for tests of the app: starting it on a run, waiting on conditions, reading the screen as text."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from condense_tui.app.app import CondenseApp
from condense_tui.screens.home.screen import HomeScreen
from condense_tui.screens.run.screen import RunScreen
from condense_tui.snapshots.snapshot import Head, Snapshot
from condense_tui.terminal.textual_internals import strips_of
from condense_tui.widgets.plot import PlotPanel

# Far longer than anything here takes; only a failing test waits that long.
PATIENCE_S = 20.0


class ToldApp(CondenseApp):
    """The app, with all that was said in its corner."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.told: list[str] = []

    def notify(self, message: str, **options: Any) -> None:
        self.told.append(message)
        super().notify(message, **options)


async def until(condition: Callable[[], object], what: str) -> None:
    """Return as soon as `condition` holds; fail with `what` when it does not in time."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for: {what}"
        await asyncio.sleep(0.01)


async def at_home(app: CondenseApp) -> HomeScreen:
    """The home screen, once it is shown."""
    await until(lambda: isinstance(app.screen, HomeScreen), "the home screen")
    screen = app.screen
    assert isinstance(screen, HomeScreen)
    return screen


@asynccontextmanager
async def shown(place: Path, size: tuple[int, int] = (120, 40), app: CondenseApp | None = None) -> AsyncIterator[Pilot]:
    """The app on a run, with its first snapshot on the screen."""
    app = app or CondenseApp(place)
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(lambda: any(isinstance(screen, RunScreen) for screen in app.screen_stack), "the run screen")
        await until(lambda: run_screen(pilot).snapshot is not None, "the first snapshot")
        await pilot.pause()
        yield pilot


async def settled(pilot: Pilot) -> None:
    """Everything that was asked for is drawn."""
    screen = run_screen(pilot)
    await until(lambda: all(panel.settled for panel in screen.query(PlotPanel)), "plots to be built")
    await until(lambda: screen._reader.idle, "the reader to have nothing to say")
    await pilot.pause()


def run_screen(pilot: Pilot) -> RunScreen:
    return next(screen for screen in pilot.app.screen_stack if isinstance(screen, RunScreen))


def snapshot(pilot: Pilot) -> Snapshot:
    found = run_screen(pilot).snapshot
    assert found is not None
    return found


def head(pilot: Pilot) -> Head:
    found = snapshot(pilot).head
    assert found is not None
    return found


def text(pilot: Pilot) -> str:
    """The characters on the screen, lines separated."""
    strips = strips_of(pilot.app.screen)
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


async def text_has(pilot: Pilot, words: str) -> None:
    await until(lambda: words in text(pilot), f"{words!r} on the screen")
