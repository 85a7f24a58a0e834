"""The layers of the run: how many kernels, on how many lines, how much of each layer has condensed."""

from __future__ import annotations

from rich.style import Style
from textual import events
from textual.message import Message

from condense_tui.draw import numbers
from condense_tui.draw.bars import bar
from condense_tui.snapshots.snapshot import LayerView
from condense_tui.widgets.lines import Line, Lines, justified

# Lines that one layer takes with and without its second line of figures.
_TALL, _SHORT = 5, 3
# From this width on, a line holds the verdict and the number of lines.
_ROOMY = 28


def lines_needed(layers: int) -> int:
    """Lines that so many layers take when none of them is cut short."""
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
        self._views: tuple[LayerView, ...] = ()
        self._chosen: str | None = None
        self._at_line: list[str] = []

    def show(self, views: tuple[LayerView, ...], chosen: str | None) -> None:
        """Show these layers."""
        self._views, self._chosen = views, chosen
        self.rebuild()

    def build(self, width: int, height: int) -> list[Line]:
        self._at_line = []
        if not self._views:
            return [[("no layer measured yet", self.look.muted)]]
        tall = lines_needed(len(self._views)) <= height
        lines: list[Line] = []
        for view in self._from_first(height, _TALL if tall else _SHORT):
            block = self._block(view, width, tall)
            lines += block
            self._at_line += [view.name] * len(block)
        return lines

    def _from_first(self, height: int, each: int) -> tuple[LayerView, ...]:
        """The layers, from one on that leaves the chosen one visible."""
        room = max(1, height // each)
        names = [view.name for view in self._views]
        at = names.index(self._chosen) if self._chosen in names else 0
        first = max(0, min(at - room // 2, len(names) - room))
        return self._views[first:]

    def _block(self, view: LayerView, width: int, tall: bool) -> list[Line]:
        look = self.look
        unicode = self.ability.unicode
        chosen = view.name == self._chosen
        edge: tuple[str, Style] = (("▌" if unicode else "|") if chosen else " ", look.accent)
        name = (view.name, look.chosen if chosen else look.strong)
        kernels = f"{numbers.step(view.kernels)} kernels" if width >= _ROOMY else numbers.step(view.kernels)
        lines = [justified([edge, name], [(kernels, look.muted)], width, look.text)]

        share = f"{numbers.percent(view.coverage).rjust(6)}{' on lines' if width >= _ROOMY else ''}"
        filled, track = bar(view.coverage, width - 2 - len(share), unicode)
        lines.append([edge, (filled, self._bar_style(view)), (track, look.faint), (share, look.text)])
        lines.append([edge, *self._verdict(view, unicode, width)])
        if tall:
            lines.append([edge, *self._figures(view, width)])
            lines.append([("", look.text)])
        return lines

    def _bar_style(self, view: LayerView) -> Style:
        return self.look.good if view.condensed else self.look.accent

    def _verdict(self, view: LayerView, unicode: bool, width: int) -> Line:
        look = self.look
        if view.condensed is None:
            return [("not measured", look.muted)]
        sign = ("◆" if view.condensed else "◇") if unicode else ("*" if view.condensed else "o")
        word = "condensed" if view.condensed else "not condensed"
        if view.condensed_in is not None:
            word = f"condensed in {view.condensed_in[0]}/{view.condensed_in[1]}"
        lines = f" · {numbers.plural(view.lines, 'line')}" if view.lines is not None and width >= _ROOMY else ""
        return [(f"{sign} {word}", look.good if view.condensed else look.muted), (lines, look.text)]

    def _figures(self, view: LayerView, width: int) -> Line:
        """Figures in the order of their weight, as many as fit; the lines, where the verdict has no room for them."""
        parts = []
        if view.lines is not None and width < _ROOMY:
            parts.append(numbers.plural(view.lines, "line"))
        if view.mean_abs_cos == view.mean_abs_cos:
            parts.append(f"|cos| {view.mean_abs_cos:.2f}")
        if view.alignment == view.alignment:
            parts.append(f"v1 {view.alignment:.2f}")
        if view.kept is not None and view.kept < view.kernels:
            parts.append(f"{view.kernels - view.kept} dropped")
        while parts and len("  ".join(parts)) >= width:
            parts.pop()
        return [("  ".join(parts), self.look.muted)]

    def on_click(self, event: events.Click) -> None:
        if 0 <= event.y < len(self._at_line):
            self.post_message(self.Chosen(self._at_line[event.y]))
