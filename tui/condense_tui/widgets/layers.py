"""The layers of the run: how many kernels, on how many lines, how much of each layer has condensed."""

from __future__ import annotations

from rich.cells import cell_len
from rich.style import Style
from textual import events
from textual.message import Message

from condense_core.measure_table import MEASURES
from condense_core.runs.layer_over_seeds import LayerOverSeeds
from condense_tui.draw import numbers
from condense_tui.draw.bars import bar
from condense_tui.draw.layer_names import fitted, without_shared
from condense_tui.draw.line import Line
from condense_tui.draw.status import condensed_sign
from condense_tui.draw.written import lines_of
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
        self._layers: tuple[LayerOverSeeds, ...] = ()
        self._chosen: str | None = None
        self._success = True
        self._now: int | None = None
        self._at_line: list[str] = []

    def show(self, layers: tuple[LayerOverSeeds, ...], chosen: str | None, *, success: bool, now: int | None) -> None:
        """Show these layers where the playhead stands at step `now`; where the run has diverged and is no `success`,
        none of them in the colour of one."""
        self._layers, self._chosen, self._success, self._now = layers, chosen, success, now
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

    def _from_first(self, height: int, each: int) -> tuple[LayerOverSeeds, ...]:
        """The layers, from one on that leaves the chosen one visible."""
        room = max(1, height // each)
        names = [layer.name for layer in self._layers]
        at = names.index(self._chosen) if self._chosen in names else 0
        first = max(0, min(at - room // 2, len(names) - room))
        return self._layers[first:]

    def _block(self, layer: LayerOverSeeds, width: int, tall: bool) -> list[Line]:
        look = self.look
        unicode = self.ability.unicode
        chosen = layer.name == self._chosen
        edge: tuple[str, Style] = (("▌" if unicode else "|") if chosen else " ", look.accent)
        kernels = f"{numbers.step(layer.kernels)} kernels" if width >= _ROOMY else numbers.step(layer.kernels)
        old = layer.step is not None and self._now is not None and layer.step < self._now
        if old and layer.step is not None:
            kernels = f"of step {numbers.step(layer.step)}"
        plain = without_shared(layer.name, [each.name for each in self._layers])
        style = look.chosen if chosen else look.strong
        named = plain if cell_len(plain) + cell_len(kernels) + 2 <= width else fitted(plain, width - 1)
        lines = [justified([edge, (named, style)], [(kernels, look.muted)], width, look.text)]

        coverage = layer.coverage.middle
        share = f"{numbers.percent(coverage).rjust(6)}{' on lines' if width >= _ROOMY else ''}"
        filled, track = bar(coverage, width - 2 - len(share), unicode)
        lines.append([edge, (filled, self._bar_style(layer)), (track, look.faint), (share, look.text)])
        lines.append([edge, *self._verdict(layer, unicode, width)])
        if tall:
            lines.append([edge, *self._figures(layer, width)])
            lines.append([("", look.text)])
        if old:
            lines = [[part if part == edge else (part[0], look.muted) for part in line] for line in lines]
        return lines

    def _bar_style(self, layer: LayerOverSeeds) -> Style:
        return self.look.accent if not layer.is_condensed else self.look.good if self._success else self.look.muted

    def _verdict(self, layer: LayerOverSeeds, unicode: bool, width: int) -> Line:
        look, condensed = self.look, layer.is_condensed
        if condensed is None:
            return [("not measured", look.muted)]
        style = look.good if condensed and self._success else look.muted
        sign = condensed_sign(condensed, unicode)
        lines = f" · {lines_of(layer.lines)}" if layer.lines.known else ""
        words = ["condensed" if condensed else "not condensed"]
        if layer.seeds > 1:
            count = f"{layer.condensed.yes}/{layer.condensed.known}"
            words = [f"condensed in {count}", f"in {count}"]
        for word in words:
            if lines and cell_len(f"{sign} {word}{lines}") < width:
                return [(f"{sign} {word}", style), (lines, look.text)]
        return [(f"{sign} {words[0]}", style)]

    def _figures(self, layer: LayerOverSeeds, width: int) -> Line:
        """Figures in the order of their weight, as many as fit; the lines, where the verdict has no room for them."""
        parts = []
        above = "".join(text for text, _ in self._verdict(layer, self.ability.unicode, width))
        if layer.lines.known and lines_of(layer.lines) not in above:
            parts.append(lines_of(layer.lines))
        if layer.mean_abs_cos.known:
            parts.append(f"{MEASURES['mean_abs_cos'].head} {layer.mean_abs_cos.middle:.2f}")
        if layer.alignment.known:
            parts.append(f"{MEASURES['alignment'].head} {layer.alignment.middle:.2f}")
        if layer.diverged:
            parts.append(f"{layer.diverged} diverged")
        if layer.kept.known and layer.kept.middle < layer.kernels:
            parts.append(f"{layer.kernels - round(layer.kept.middle)} dropped")
        while parts and len("  ".join(parts)) >= width:
            parts.pop()
        return [("  ".join(parts), self.look.muted)]

    def on_click(self, event: events.Click) -> None:
        if 0 <= event.y < len(self._at_line):
            self.post_message(self.Chosen(self._at_line[event.y]))
