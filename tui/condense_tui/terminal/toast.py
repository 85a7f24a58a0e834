"""A short message in the corner of a screen; a long one over it, since it would lie over what the screen shows."""

from __future__ import annotations

import textwrap
from typing import Any, ClassVar, Literal

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

# Rows below the panels that a message may cover.
MOST_ROWS = 2


class Told(ModalScreen[None]):
    """A message that is read to its end, until a key is pressed."""

    DEFAULT_CSS = """
    Told { align: center middle; }
    Told > VerticalScroll {
        width: 76; max-width: 95%; height: auto; max-height: 90%;
        background: $surface; border: round $frame-focus; border-title-color: $title; padding: 0 1;
    }
    Told Static { background: $surface; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q", "dismiss(None)", "close", show=False)]

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def compose(self) -> ComposeResult:
        with VerticalScroll() as box:
            box.border_title, box.border_subtitle = "message", "enter close"
            yield Static(self._text, markup=False)


def say(screen: Screen[Any], text: str, *, error: bool = False) -> None:
    """Show `text` in place of the message before, so that a key pressed five times is not answered five times. An
    error stays longer."""
    screen.app.clear_notifications()
    tell(screen, text, "error" if error else "information", 8 if error else 4)


def tell(screen: Screen[Any], text: str, severity: Literal["information", "error"], timeout: float) -> None:
    """Show `text` for `timeout` seconds, or until a key is pressed where it is long."""
    if len(textwrap.wrap(text, max(1, screen.app.size.width - 2))) > MOST_ROWS:
        screen.app.push_screen(Told(text))
    else:
        screen.notify(text, timeout=timeout, severity=severity, markup=False)
