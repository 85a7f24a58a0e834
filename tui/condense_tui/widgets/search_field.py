"""A field for words to look for, under what is searched; it is there once it was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.widget import Widget
    from textual.widgets import Input


class SearchField:
    """Shows and hides the field; what is typed reaches the panel that holds it as `Input.Changed`."""

    def __init__(self, under: Widget, hint: str) -> None:
        """`under` is the widget that the field stands under, `hint` what it says while nothing is in it."""
        self._under, self._hint = under, hint
        self._field: Input | None = None

    @property
    def has_focus(self) -> bool:
        """Words are being typed."""
        return self._field is not None and self._field.has_focus

    @property
    def words(self) -> str:
        """What has been typed."""
        return "" if self._field is None else self._field.value.strip()

    def open(self) -> None:
        """Show the field, and have the keys go to it."""
        if self._field is None:
            # the first frame does not wait for it
            from textual.widgets import Input

            self._field = Input(placeholder=self._hint, compact=True, classes="finder")
            self._under.screen.mount(self._field, after=self._under)
        self._field.display = True
        # at once: what is typed with the key that opened it belongs into it
        self._under.screen.set_focus(self._field)

    def keep(self) -> None:
        """Give the keys back; the field stays where something is in it."""
        if self._field is not None:
            self._field.display = bool(self.words)
            self._under.focus()

    def close(self) -> bool:
        """Empty and hide the field; whether there was one."""
        if self._field is None or not self._field.display:
            return False
        self._field.value = ""
        self._field.display = False
        self._under.focus()
        return True
