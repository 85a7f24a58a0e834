"""The top line of the home screen."""

from __future__ import annotations

from pathlib import Path

from condense_tui.draw.line import Line
from condense_tui.widgets.lines import Lines, justified


class HomeHeader(Lines):
    """What the program is, and where the runs are."""

    DEFAULT_CSS = "HomeHeader { height: 1; background: $panel; padding: 0 1; }"

    def __init__(self) -> None:
        super().__init__(id="header")
        self._says: tuple[str, int] | None = None

    def show(self, folder: Path, active: int) -> None:
        """Show where the runs are, and how many of them are training."""
        home = Path.home()
        self._says = (f"~/{folder.relative_to(home)}" if folder.is_relative_to(home) else str(folder), active)
        self.rebuild()

    def build(self, width: int, height: int) -> list[Line]:
        look = self.look
        left: Line = [("condense", look.chosen), ("  watch the kernels of neural networks condense", look.muted)]
        if self._says is None:
            return [left]
        folder, active = self._says
        training = f"{'●' if self.ability.unicode else '*'} {active} training" if active else ""
        right: Line = [(training, look.good), (f"   runs in {folder}", look.muted)]
        if len(folder) + 70 > width:
            right = right[:1]
        return [justified(left, right, width, look.text)]
