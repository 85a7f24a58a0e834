"""The panel with the direction field of a network with one input."""

from __future__ import annotations

from rich.style import Style

from condense_tui.draw import field as draw
from condense_tui.draw.field import FieldTone
from condense_tui.draw.line import Line
from condense_tui.snapshots.snapshot import FieldView
from condense_tui.widgets.caption import Captioned
from condense_tui.widgets.lines import Lines, centred


class FieldPanel(Captioned, Lines, can_focus=True):
    """Arrows in every second column, stable lines and neurons over them."""

    DEFAULT_CSS = "FieldPanel { height: 1fr; width: 1fr; }"

    def __init__(self) -> None:
        super().__init__(id="field", classes="panel")
        self._view: FieldView | None = None

    def show(self, view: FieldView | None) -> None:
        """Show a field; nothing happens where it is the one that is shown."""
        if view is not self._view:
            self._view = view
            self.rebuild()

    def build(self, width: int, height: int) -> list[Line]:
        view = self._view
        if view is None:
            return centred("no field recorded", self.look.muted, width, height)
        rows = draw.draw(
            view.omega,
            view.velocity,
            view.stable,
            width,
            height,
            neurons_M2=view.neurons,
            unicode=self.ability.unicode,
        )
        if not rows:
            return centred("too small for the field", self.look.muted, width, height)
        above: list[Line] = [[]] * ((height - len(rows)) // 2)
        return [*above, *([(text, self._style(tone)) for text, tone in row] for row in rows)]

    def _style(self, tone: int) -> Style:
        look = self.look
        return {
            int(FieldTone.AXIS): look.muted,
            int(FieldTone.SLOW): look.faint,
            int(FieldTone.MIDDLE): look.muted,
            int(FieldTone.FAST): look.text,
            int(FieldTone.STABLE): look.curves[1],
            int(FieldTone.NEURON): look.accent,
        }.get(tone, look.text)
