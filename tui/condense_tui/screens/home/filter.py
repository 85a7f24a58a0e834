"""Typing words that both lists of the home screen are narrowed to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from textual.message import Message
from textual.screen import Screen

if TYPE_CHECKING:
    from textual.widgets import Input

    from condense_tui.widgets.listing import Listing
    from condense_tui.widgets.tabs import Tabs


class Filtering:
    """The field for words; it is there once it was asked for."""

    runs: Listing[Any]
    presets: Listing[Any]
    _tabs: Tabs
    _filter: Input | None = None
    _words = ""

    def _show(self) -> None:
        """Show what has the words."""
        raise NotImplementedError

    @property
    def _on_filter(self) -> bool:
        return self._filter is not None and self._filter.has_focus

    def action_filter(self) -> None:
        """Type words; both lists show what has them."""
        from textual.widgets import Input

        screen = cast(Screen[Any], self)
        if self._filter is None:
            self._filter = Input(placeholder="words to look for · enter keeps the filter · esc clears it", compact=True)
            self._filter.id = "filter"
            screen.mount(self._filter, after=self._tabs)
        self._filter.display = True
        self._filter.focus()

    def on_input_changed(self, event: Message) -> None:
        """Narrow both lists."""
        self._words = "" if self._filter is None else self._filter.value.strip()
        self._show()

    def on_input_submitted(self) -> None:
        """Keep the words, and choose."""
        only_presets = not self.runs.chosen and self.presets.chosen
        self._back_to(self.presets if only_presets else None)
        if self._filter is not None:
            self._filter.display = bool(self._words)

    def key_escape(self) -> None:
        """Show everything again."""
        if self._filter is not None:
            self._filter.value = ""
            self._filter.display = False
            self._back_to(None)

    def _back_to(self, listing: Listing[Any] | None) -> None:
        """Give a list the focus, without one that which was chosen last."""
        chosen = self.presets if self._tabs.chosen == 2 else self.runs
        cast(Screen[Any], self).set_focus(listing or chosen)
