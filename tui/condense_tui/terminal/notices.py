"""What a terminal is told besides what it shows: its title, a bell, a notification of the desktop.

tmux and screen stand between. A bell and a title are their own, and they take both. A notification they would drop, so
it goes through them: wrapped as screen wants it, which always passes it on, and as tmux wants it, which does where
`allow-passthrough` is on and drops it otherwise.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Mapping

from condense_core.text import printable

BELL = "\x07"
# Titles are kept on a stack that most terminals have. Where there is none, what is left is no title, not an old one.
KEEP_TITLE, RESTORE_TITLE = "\x1b[22;2t", "\x1b]2;\x07\x1b[23;2t"
# A title beside 10 frames a second would be bytes that nobody reads.
TITLE_EVERY_S = 1.0
# What desktops show of a notification, and less than screen lets through in one piece (256 bytes).
MOST_TEXT = 150
MOST_TITLE = 100
# Bytes that screen lets through in one piece.
SCREENS_MOST = 256
# Bytes for the clipboard: a scenario has some thousand, and terminals take 75,000 and less.
MOST_COPIED = 20_000


def notification(text: str, environment: Mapping[str, str]) -> str:
    """Codes that have a desktop show a text; nothing where the terminal would print them."""
    term = environment.get("TERM", "")
    if term in {"", "dumb", "linux", "unknown"}:
        return ""
    said = _short(text, MOST_TEXT)
    if term.startswith(("foot", "rxvt")) or "VTE_VERSION" in environment:
        # a semicolon would begin the next field
        return passed_through(f"\x1b]777;notify;condense;{said.replace(';', ',')}\x07", environment)
    return passed_through(f"\x1b]9;condense: {said}\x07", environment)


def copied_outside(text: str, environment: Mapping[str, str]) -> str:
    """Codes that put a text into the clipboard of the terminal outside of tmux or screen; nothing where there is none.

    tmux takes what is copied itself only where `set-clipboard` is on, and screen never."""
    codes = f"\x1b]52;c;{base64.b64encode(text.encode()).decode()}\x07"
    outside = passed_through(codes, environment)
    fits = outside.startswith("\x1bPtmux") or len(outside) <= SCREENS_MOST
    return outside if outside != codes and fits else ""


def passed_through(codes: str, environment: Mapping[str, str]) -> str:
    """Codes for the terminal outside of tmux or screen, where there is one."""
    term = environment.get("TERM", "")
    if "TMUX" in environment or term.startswith("tmux"):
        doubled = codes.replace("\x1b", "\x1b\x1b")
        return f"\x1bPtmux;{doubled}\x1b\\"
    # over ssh nobody knows which of the two has set this TERM: tmux drops what is meant for screen, screen would print
    # what is meant for tmux
    if "STY" in environment or term.startswith("screen"):
        return f"\x1bP{codes}\x1b\\"
    return codes


class Title:
    """The title of the terminal, as long as the app has it."""

    def __init__(self, environment: Mapping[str, str], now: Callable[[], float] = time.monotonic) -> None:
        self._possible = environment.get("TERM", "") not in {"", "dumb", "linux", "unknown"}
        self._now = now
        self._kept = False
        self._text = self._before = ""
        self._state = ""
        self._shown_at = 0.0

    def shown(self, text: str, state: str) -> str:
        """Codes that show a text; nothing where it is there already, or where only the step has changed since a moment
        ago."""
        text = _short(text, MOST_TITLE)
        soon = self._kept and state == self._state and self._now() - self._shown_at < TITLE_EVERY_S
        if not self._possible or text == self._text or soon:
            return ""
        keep = "" if self._kept else KEEP_TITLE
        self._kept, self._text, self._state, self._shown_at = True, text, state, self._now()
        return f"{keep}\x1b]2;{text}\x07"

    def given_back(self) -> str:
        """Codes that bring back the title from before; nothing where it was not changed."""
        if not self._kept:
            return ""
        self._kept, self._before, self._text = False, self._text, ""
        return RESTORE_TITLE

    def again(self) -> str:
        """Codes that show what was shown before it was given back."""
        return self.shown(self._before, self._state) if self._before else ""


def _short(text: str, most: int) -> str:
    text = printable(text)
    while len(text.encode()) > most:
        text = text[:-1]
    return text
