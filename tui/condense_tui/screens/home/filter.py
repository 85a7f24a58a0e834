"""Typing words that both lists of the home screen are narrowed to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.widget import Widget
    from textual.widgets import Input


HINT = "words to look for, or status:done tag:x lines>1 · enter keeps them · esc clears"


class WordFilter:
    """The field for words; it is there once it was asked for."""

    def __init__(self, above: Widget) -> None:
        """`above` is the widget that the field stands under."""
        self._above = above
        self._field: Input | None = None
        self.words = ""

    @property
    def has_focus(self) -> bool:
        """Whether words are being typed."""
        return self._field is not None and self._field.has_focus

    def open(self) -> None:
        """Show the field, and have the keys go to it."""
        from textual.widgets import Input

        if self._field is None:
            self._field = Input(placeholder=HINT, compact=True)
            self._field.id = "filter"
            self._above.screen.mount(self._field, after=self._above)
        self._field.display = True
        # at once: what is typed with the key that opened it belongs into it
        self._above.screen.set_focus(self._field)

    def read(self) -> None:
        """Take over what has been typed."""
        self.words = "" if self._field is None else self._field.value.strip()

    def keep(self) -> None:
        """Leave the field where it is, or hide it where nothing is in it."""
        if self._field is not None:
            self._field.display = bool(self.words)

    def clear(self) -> bool:
        """Empty and hide the field; whether there was one."""
        if self._field is None:
            return False
        self._field.value = ""
        self._field.display = False
        return True
