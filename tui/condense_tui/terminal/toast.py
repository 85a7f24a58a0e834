"""A short message in the corner of a screen."""

from __future__ import annotations

from typing import Any

from textual.screen import Screen


def say(screen: Screen[Any], text: str, *, error: bool = False) -> None:
    """Show `text` in place of the message before, so that a key pressed five times is not answered five times. An
    error stays longer."""
    screen.app.clear_notifications()
    screen.notify(text, timeout=8 if error else 4, severity="error" if error else "information", markup=False)
