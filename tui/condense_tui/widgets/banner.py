"""A message above everything else: what happened, and what to press or type."""

from __future__ import annotations

import textwrap

from textual.geometry import Size

from condense_tui.draw.line import Line
from condense_tui.snapshots.snapshot import BannerText
from condense_tui.widgets.lines import Lines

_SIGNS = {"note": ("‖", "="), "warning": ("▲", "!"), "error": ("✖", "x")}


# Of a terminal's rows a message takes one in six, and no fewer than these: what it is about stays in sight.
SHARE, LEAST_ROWS = 6, 3
PRESS = " · press "


def within(text: str, width: int, rows: int) -> list[str]:
    """The text in at most so many rows. Of a longer one its beginning and the key to press stay; a reason stands in the
    log to its end."""
    whole = textwrap.wrap(text, width)
    if len(whole) <= rows:
        return whole
    said, found, key = text.rpartition(PRESS)
    ending = textwrap.wrap(f"…{PRESS}{key}", width) if found else []
    room = max(0, rows - len(ending))
    kept = textwrap.wrap(said if found else text, width)[:room]
    if not found and kept:
        kept[-1] = f"{kept[-1][: width - 1]}…"
    return [*kept, *ending][:rows]


class Banner(Lines):
    """Takes no room while there is no message."""

    DEFAULT_CSS = """
    Banner { height: auto; padding: 0 1; display: none; background: $panel; }
    Banner.-shown { display: block; }
    Banner.-note { background: $warning 18%; }
    Banner.-warning { background: $warning 25%; }
    Banner.-error { background: $error 28%; }
    """

    def __init__(self) -> None:
        super().__init__(id="banner")
        self._message: BannerText | None = None

    def show(self, message: BannerText | None) -> None:
        """Show a message, or nothing."""
        if message == self._message:
            return
        self._message = message
        self.set_class(message is not None, "-shown")
        for severity in _SIGNS:
            self.set_class(message is not None and message.severity == severity, f"-{severity}")
        # a longer message takes more lines
        self.refresh(layout=True)
        self.rebuild()

    def build(self, width: int, height: int) -> list[Line]:
        message, look = self._message, self.look
        if message is None:
            return []
        sign = _SIGNS[message.severity][0 if self.ability.unicode else 1]
        style = look.bad if message.severity == "error" else look.warn
        texts = within(message.text, max(8, width - len(sign) - 1), max(LEAST_ROWS, self.app.size.height // SHARE))
        return [[(f"{sign} " if at == 0 else "  ", style), (text, look.strong)] for at, text in enumerate(texts)]

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return max(1, len(self.build(width, viewport.height)))
