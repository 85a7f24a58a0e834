"""The first frame: nothing on it needs NumPy or the run file, so it is there as soon as Textual is."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.screen import Screen

from condense_tui.draw.line import Line
from condense_tui.widgets.lines import Lines, centred


class Opening(Screen[None]):
    """Says which run is being opened."""

    def __init__(self, run: str) -> None:
        super().__init__()
        self._run = run

    def compose(self) -> ComposeResult:
        yield OpeningLines(self._run)


class OpeningLines(Lines):
    """The name of the program where it will stay, and that of the run in the middle."""

    DEFAULT_CSS = "OpeningLines { width: 1fr; height: 1fr; }"

    def __init__(self, run: str) -> None:
        super().__init__()
        self._run = run

    def build(self, width: int, height: int) -> list[Line]:
        brand: Line = [(" condense", self.look.chosen)]
        words = "".join(character for character in self._run if character.isprintable())
        return [brand, *centred(f"opening {words}…", self.look.muted, width, height - 1)]
