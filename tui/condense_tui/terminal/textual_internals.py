"""What we use of Textual that Textual keeps for itself, all in one place.

Seen to be so in 8.2.8. None of it is promised: where a newer version fails, this is where to look. Nothing else in the
program takes a name of Textual's, rich's or plotext's that begins with an underscore, and a test holds that.
"""

from __future__ import annotations

import signal
import time
from abc import abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual._context import visible_screen_stack
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.drivers import linux_driver
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message
from textual.screen import Screen
from textual.strip import Strip

from condense_tui.terminal.background import QUESTION, Answers
from condense_tui.terminal.signals import terminal_is_gone

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.segment import Segment
    from textual.geometry import Size

__all__ = [
    "BackgroundTold",
    "ChopsUpdate",
    "CompositorUpdate",
    "LayoutUpdate",
    "LazyStrip",
    "TappedApp",
    "screen_below",
    "strips_of",
]


@dataclass
class BackgroundTold(Message):
    """The terminal has said what colour its background is, in its own words, so many seconds after the question."""

    colour: str
    seconds: float


# Keys are read in a thread, by a parser that Textual makes there; a process has one terminal.
_answers = Answers(time.monotonic)


class _KeyParser(XTermParser):
    """Textual's, without answers that it does not know and would take for keys."""

    def feed(self, data: str) -> Iterable[Message]:
        typed, colours = _answers.read(data)
        # nothing at all is the end of the input
        if typed or not data:
            yield from super().feed(typed)
        for colour in colours:
            yield BackgroundTold(colour, _answers.since)

    def tick(self) -> Iterable[Message]:
        if overdue := _answers.overdue():
            yield from super().feed(overdue)
        yield from super().tick()


# the driver's own name for the parser that it makes
linux_driver.XTermParser = _KeyParser  # type: ignore[attr-defined]


class TappedApp(App[None]):
    """An app that may write what is new on the screen in its own way and at its own time."""

    def takes(self, update: CompositorUpdate) -> bool:
        """Whether the app sees to an update of the screen itself; otherwise Textual writes it at once."""
        return False

    def write_update(self, update: CompositorUpdate) -> None:
        """Have Textual write an update now."""
        # Textual takes its own updates for renderables of rich, which they are not
        super()._display(self.screen, cast("RenderableType", update))

    @property
    def write_codes(self) -> Callable[[str], None] | None:
        """Writes to the terminal, past everything that is drawn; None if there is no terminal yet."""
        return None if self._driver is None else self._driver.write

    def ask_for_background(self) -> None:
        """Have the terminal say what colour its background is; `BackgroundTold` comes, or nothing."""
        if isinstance(self._driver, LinuxDriver):
            _answers.asked()
            self._driver.write(QUESTION)

    def heed_being_continued(self) -> None:
        """Have SIGCONT start the app's own modes of the terminal once.

        Textual starts them again where they are on, with a second thread that reads keys, and then leaves a terminal
        without echo: after SIGSTOP, of which no program hears, and where a terminal is closed.
        """
        driver = self._driver
        if not isinstance(driver, LinuxDriver):
            return

        def continued(*_: object) -> None:
            if terminal_is_gone():
                # nothing to be started, and what is written now would be waited for without end
                return
            if not driver._must_signal_resume:
                driver.suspend_application_mode()
            driver.resume_application_mode()

        signal.signal(signal.SIGCONT, continued)

    @property
    def crash(self) -> Exception | None:
        """What ended the app, if anything in it went wrong. Textual would print it with the values of all variables,
        and end as if all were well: whoever started the app raises it instead."""
        return self._exception

    def _fatal_error(self) -> None:
        self._close_messages_no_wait()

    def _print_error_renderables(self) -> None:
        self._exit_renderables.clear()

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        update: object = None if self._batch_count else renderable
        if not (isinstance(update, CompositorUpdate) and self.takes(update)):
            super()._display(screen, renderable)


class LazyStrip(Strip):
    """A strip whose segments are made when they are asked for."""

    __slots__ = ("_made",)
    _made: list[Segment]

    def __init__(self, cell_length: int) -> None:
        super().__init__((), cell_length)

    @abstractmethod
    def make(self) -> list[Segment]:
        """The segments, of `cell_length` cells together."""

    @property
    def _segments(self) -> list[Segment]:
        if not self._made:
            self._made = self.make()
        return self._made

    @_segments.setter
    def _segments(self, segments: list[Segment]) -> None:
        self._made = segments


def screen_below() -> Screen[Any] | None:
    """The screen that the one being drawn stands over, for who draws that itself; asking for it takes it."""
    under = visible_screen_stack.get([])
    return under.pop() if under else None


def strips_of(screen: Screen[Any], size: Size | None = None) -> list[Strip]:
    """The lines of a screen as they are drawn."""
    return screen._compositor.render_strips(size)
