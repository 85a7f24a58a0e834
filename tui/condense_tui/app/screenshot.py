"""The app's own screen as SVG, drawn without a terminal at any size."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

from textual.filter import LineFilter

from condense_tui.app.app import CondenseApp
from condense_tui.documents.files import ExportError
from condense_tui.draw.ability import Ability, Depth
from condense_tui.export.fonts import with_plain_fonts
from condense_tui.export.wish import DrawnScreen, Wish
from condense_tui.screens.run.screen import RunScreen
from condense_tui.terminal import look
from condense_tui.widgets.layers import Layers
from condense_tui.widgets.timeline import Timeline

# The first frame takes half a second on a slow machine; what takes so much longer will not come.
PATIENCE_S = 60.0


class _Headless(CondenseApp):
    """The app in true colour, whatever terminal the command was given in."""

    def __init__(self, place: Path, dark: bool) -> None:
        super().__init__(place)
        self.ability = Ability(Depth.TRUE, True)
        self.theme = look.DARK if dark else look.LIGHT

    def get_line_filters(self) -> Sequence[LineFilter]:
        return ()

    async def ready(self, what: str, *, skip_damage: bool) -> RunScreen:
        """The run screen, once everything it was asked for is drawn; ExportError if it does not come, or what is
        damaged is missing on it and not to be skipped."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            screen = next((screen for screen in self.screen_stack if isinstance(screen, RunScreen)), None)
            if screen is not None and screen.snapshot is not None and screen.snapshot.damage and not skip_damage:
                raise ExportError(
                    f"the screen was not drawn: {screen.snapshot.damage}; what is whole is drawn with --skip-damage"
                )
            if screen is not None and screen.snapshot is not None and screen.settled:
                return screen
            if screen is not None and screen.trouble:
                raise ExportError(f"the screen was not drawn: {screen.trouble}")
            if self.return_code is not None or time.monotonic() > deadline:
                raise ExportError(f"the screen was not drawn: timed out waiting for {what}")
            await asyncio.sleep(0.02)


def draw_screen(place: Path, wish: Wish) -> DrawnScreen:
    """The screen of the run at `wish.at`, as it is in a terminal of `wish.size`."""
    return asyncio.run(_draw(place, wish))


async def _draw(place: Path, wish: Wish) -> DrawnScreen:
    app = _Headless(place, wish.dark is not False)
    async with app.run_test(size=wish.size) as pilot:
        screen = await app.ready("the first frame", skip_damage=wish.skip_damage)
        for _ in range(wish.palette):
            screen.action_palette()
        if wish.layer is not None:
            screen.on_layers_chosen(Layers.Chosen(wish.layer))
        screen.show_member(wish.member)
        if wish.at is not None:
            screen.on_timeline_sought(Timeline.Sought(wish.at))
        await pilot.pause()
        screen = await app.ready(f"step {wish.at}", skip_damage=wish.skip_damage)
        await pilot.pause()
        title = screen.snapshot.header.name if screen.snapshot is not None else "condense"
        left_out = screen.snapshot.damaged if screen.snapshot is not None else ()
        return DrawnScreen(with_plain_fonts(app.export_screenshot(title=title)), left_out)
