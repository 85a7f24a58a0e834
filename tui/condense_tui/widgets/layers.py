"""The layers of the run: how many kernels, on how many lines, how much of each layer has condensed."""

from __future__ import annotations

from collections.abc import Mapping

from rich.style import Style
from textual import events
from textual.message import Message

from condense_core.measure_table import MEASURES
from condense_core.runfile.layer_measures import LayerMeasures
from condense_tui.draw import numbers
from condense_tui.draw.bars import bar
from condense_tui.draw.line import Line
from condense_tui.widgets.lines import Lines, justified

# Lines that one layer takes with and without its second line of figures.
_TALL, _SHORT = 5, 3
# From this width on, a line holds the verdict and the number of lines.
_ROOMY = 28


def lines_needed(layers: int) -> int:
    """Lines that this many layers take when none of them is cut short."""
    return max(1, layers * _TALL - 1)


class Layers(Lines):
    """A block of lines a layer; a click chooses one."""

    DEFAULT_CSS = "Layers { height: 1fr; width: 1fr; }"

    class Chosen(Message):
        """A layer was clicked."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def __init__(self) -> None:
        super().__init__(id="layers")
        self._layers: tuple[LayerMeasures, ...] = ()
        self._condensed_in: Mapping[str, tuple[int, int]] = {}
        self._chosen: str | None = None
        self._at_line: list[str] = []

    def show(
        self, layers: tuple[LayerMeasures, ...], chosen: str | None, condensed_in: Mapping[str, tuple[int, int]]
    ) -> None:
        """Show these layers, of an ensemble with the members in which each is condensed."""
        self._layers, self._chosen, self._condensed_in = layers, chosen, condensed_in
        self.rebuild()

    def build(self, width: int, height: int) -> list[Line]:
        self._at_line = []
        if not self._layers:
            return [[("no layer measured yet", self.look.muted)]]
        tall = lines_needed(len(self._layers)) <= height
        lines: list[Line] = []
        for layer in self._from_first(height, _TALL if tall else _SHORT):
            block = self._block(layer, width, tall)
            lines += block
            self._at_line += [layer.name] * len(block)
        return lines

    def _from_first(self, height: int, each: int) -> tuple[LayerMeasures, ...]:
        """The layers, from one on that leaves the chosen one visible."""
        room = max(1, height // each)
        names = [layer.name for layer in self._layers]
        at = names.index(self._chosen) if self._chosen in names else 0
        first = max(0, min(at - room // 2, len(names) - room))
        return self._layers[first:]

    def _block(self, layer: LayerMeasures, width: int, tall: bool) -> list[Line]:
        look = self.look
        unicode = self.ability.unicode
        chosen = layer.name == self._chosen
        edge: tuple[str, Style] = (("▌" if unicode else "|") if chosen else " ", look.accent)
        name = (layer.name, look.chosen if chosen else look.strong)
        kernels = f"{numbers.step(layer.kernels)} kernels" if width >= _ROOMY else numbers.step(layer.kernels)
        lines = [justified([edge, name], [(kernels, look.muted)], width, look.text)]

        share = f"{numbers.percent(layer.coverage).rjust(6)}{' on lines' if width >= _ROOMY else ''}"
        filled, track = bar(layer.coverage, width - 2 - len(share), unicode)
        lines.append([edge, (filled, self._bar_style(layer)), (track, look.faint), (share, look.text)])
        lines.append([edge, *self._verdict(layer, unicode, width)])
        if tall:
            lines.append([edge, *self._figures(layer, width)])
            lines.append([("", look.text)])
        return lines

    def _bar_style(self, layer: LayerMeasures) -> Style:
        return self.look.good if layer.condensed else self.look.accent

    def _verdict(self, layer: LayerMeasures, unicode: bool, width: int) -> Line:
        look = self.look
        if layer.condensed is None:
            return [("not measured", look.muted)]
        sign = ("◆" if layer.condensed else "◇") if unicode else ("*" if layer.condensed else "o")
        word = "condensed" if layer.condensed else "not condensed"
        if layer.name in self._condensed_in:
            members, of = self._condensed_in[layer.name]
            word = f"condensed in {members}/{of}"
        lines = f" · {numbers.plural(layer.lines, 'line')}" if layer.lines is not None and width >= _ROOMY else ""
        return [(f"{sign} {word}", look.good if layer.condensed else look.muted), (lines, look.text)]

    def _figures(self, layer: LayerMeasures, width: int) -> Line:
        """Figures in the order of their weight, as many as fit; the lines, where the verdict has no room for them."""
        parts = []
        if layer.lines is not None and width < _ROOMY:
            parts.append(numbers.plural(layer.lines, "line"))
        if layer.mean_abs_cos == layer.mean_abs_cos:
            parts.append(f"{MEASURES['mean_abs_cos'].head} {layer.mean_abs_cos:.2f}")
        if layer.alignment == layer.alignment:
            parts.append(f"{MEASURES['alignment'].head} {layer.alignment:.2f}")
        if layer.kept is not None and layer.kept < layer.kernels:
            parts.append(f"{layer.kernels - layer.kept} dropped")
        while parts and len("  ".join(parts)) >= width:
            parts.pop()
        return [("  ".join(parts), self.look.muted)]

    def on_click(self, event: events.Click) -> None:
        if 0 <= event.y < len(self._at_line):
            self.post_message(self.Chosen(self._at_line[event.y]))
