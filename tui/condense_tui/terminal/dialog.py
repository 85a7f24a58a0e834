"""What stands behind a dialog: the screen under it, dim and still.

Textual draws and tints all of it again whenever the dialog changes, which makes every letter typed into a form cost as
much as a whole screen. Here it is drawn once, until the terminal changes its size or the dialog opens again.
"""

from __future__ import annotations

import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.app import RenderResult
from textual.color import TRANSPARENT, Color
from textual.screen import ModalScreen, Screen
from textual.strip import Strip
from textual.style import Style as VisualStyle
from textual.timer import Timer
from textual.visual import RenderOptions, Visual

from condense_tui.terminal.textual_internals import screen_below, strips_of

if TYPE_CHECKING:
    from condense_tui.terminal.shell import Shell

ResultT = TypeVar("ResultT")
# After a resize, how often what stands behind a dialog is looked at, and how many times: nothing tells when the last of
# its plots has been built anew, which takes long on a busy machine.
SETTLING_S = 0.2
LOOKS = 25


class Dialog(ModalScreen[ResultT]):
    """A small screen over another one."""

    app: Shell
    _still: Still | None = None
    _settling: Timer | None = None
    _seen: list[str] | None = None
    _looks = 0

    # a screen may show whatever a widget may, though its annotation says less
    def render(self) -> RenderResult:  # type: ignore[override]
        below = screen_below()
        if self._still is not None and self._still.fits(self):
            return self._still
        if below is None:
            return super().render()
        # a tint changes every cell of the screen, which takes a thin link a second, twice
        self._still = Still(below, TRANSPARENT if self.app.far else self.styles.background, self.app.theme)
        return self._still

    def on_screen_resume(self) -> None:
        self._still = None
        # the terminal may have got another size just before, or since the dialog was asked for
        self._look_after_a_resize()

    def on_resize(self, _: events.Resize) -> None:
        self._look_after_a_resize()

    def _look_after_a_resize(self) -> None:
        """What stands behind takes its new places, and builds its plots anew, after the dialog has been drawn."""
        if time.monotonic() - self.app.resized_at < SETTLING_S * LOOKS:
            self._still, self._seen, self._looks = None, None, 0
            self._settling = self._settling or self.set_interval(SETTLING_S, self._look_behind)

    def _look_behind(self) -> None:
        """Draw what stands behind again where it has changed."""
        if self not in self.app.screen_stack:
            # closed, and not told so yet
            return
        below = self.app.screen_stack[self.app.screen_stack.index(self) - 1]
        seen = [strip.text for strip in strips_of(below, below.size)]
        self._looks += 1
        if seen != self._seen:
            self._seen, self._still = seen, None
            self.refresh()
        if self._looks >= LOOKS:
            self._stop_looking()

    def _stop_looking(self) -> None:
        if self._settling is not None:
            self._settling.stop()
            self._settling = None

    def on_screen_suspend(self) -> None:
        self._stop_looking()


class Still(Visual):
    """The strips of a screen, tinted."""

    def __init__(self, screen: Screen[Any], tint: Color, theme: str) -> None:
        self._made_for = screen.size, theme
        self._strips = [
            Strip([Segment(text, _tinted(style or Style.null(), tint)) for text, style, _ in strip], strip.cell_length)
            for strip in strips_of(screen, screen.size)
        ]

    def fits(self, screen: Screen[Any]) -> bool:
        """Whether it was drawn at the size and in the theme that the screen has now."""
        return self._made_for == (screen.size, screen.app.theme)

    def render_strips(self, width: int, height: int | None, style: VisualStyle, options: RenderOptions) -> list[Strip]:
        strips = self._strips if height is None else self._strips[:height]
        return [*strips, *[Strip.blank(width)] * ((height or 0) - len(strips))]

    def get_optimal_width(self, rules: object, container_width: int) -> int:
        return container_width

    def get_height(self, rules: object, width: int) -> int:
        return len(self._strips)


@lru_cache(maxsize=4096)
def _tinted(style: Style, tint: Color) -> Style:
    plain = style.clear_meta_and_links()

    def dim(colour: RichColor | None) -> RichColor | None:
        return None if colour is None else (Color.from_rich_color(colour) + tint).rich_color

    return plain + Style.from_color(dim(plain.color), dim(plain.bgcolor))
