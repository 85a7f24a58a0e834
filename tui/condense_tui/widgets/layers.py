"""The layers of the run: how many kernels, on how many lines, how much of each layer has condensed."""

from __future__ import annotations

from typing import NamedTuple

from rich.cells import cell_len
from rich.style import Style
from textual import events
from textual.message import Message

from condense_core.measure_table import MEASURES
from condense_core.runs.layer_over_seeds import LayerOverSeeds
from condense_core.scalar_names import layer_in_words
from condense_tui.draw import numbers
from condense_tui.draw.bars import bar
from condense_tui.draw.layer_names import GROUPED_FROM, LayerBlock, blocks, fitted, shared, without_shared
from condense_tui.draw.line import Line
from condense_tui.draw.status import condensed_sign
from condense_tui.draw.written import lines_of
from condense_tui.widgets.layer_blocks import BlockLines
from condense_tui.widgets.lines import Lines, justified

# Lines that one layer takes with and without its second line of figures.
_TALL, _SHORT = 5, 3
# From this width on, a line holds the verdict and the number of lines.
_ROOMY = 28
# Cells of a name that still tell it from others.
_LEAST_NAME = 6


def lines_needed(layers: int) -> int:
    """Lines that this many layers take when none of them is cut short."""
    return max(1, layers * _TALL - 1)


class _Row(NamedTuple):
    """A line of the list, and what a click on it is about: a layer, a block, or nothing."""

    line: Line
    layer: str = ""
    block: str = ""


class Layers(Lines):
    """A block of lines a layer where they are few. Many are one line each, in blocks that can be folded, and narrowed
    down to those with some words; the chosen one is always visible. A click chooses a layer, and folds a block."""

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
        self._shown: list[_Row] = []
        self._first = 0
        self._open: set[str] = set()
        self._words: tuple[str, ...] = ()

    def show(self, layers: tuple[LayerOverSeeds, ...], chosen: str | None, *, success: bool, now: int | None) -> None:
        """Show these layers where the playhead stands at step `now`; where the run has diverged and is no `success`,
        none of them in the colour of one."""
        self._layers, self._chosen, self._success, self._now = layers, chosen, success, now
        # where all are visible there is nothing to do in the list that `[` and `]` do not do
        self.can_focus = self.many
        self.rebuild()

    @property
    def many(self) -> bool:
        """There are more layers than are looked at one by one."""
        return len(self._layers) >= GROUPED_FROM

    @property
    def chosen(self) -> str | None:
        """Name of the layer that is shown."""
        return self._chosen

    @property
    def found(self) -> tuple[str, ...]:
        """Names of the layers that have the words which are looked for; of all, without such words."""
        return tuple(
            name for name, said in self._called.items() if all(word in said.casefold() for word in self._words)
        )

    @property
    def counted(self) -> str:
        """How many there are, where not all are visible, and how many of them were found."""
        if not self.many:
            return ""
        count = numbers.plural(len(self._layers), "layer")
        return f"{len(self.found)} of {count}" if self._words else count

    def look_for(self, text: str) -> None:
        """Show only layers whose names have all of these words."""
        self._words = tuple(text.casefold().split())
        self.rebuild()

    def beside(self, name: str | None, by: int) -> str | None:
        """The next or the previous layer among those that were found, folded or not; None where there are none."""
        found = self.found
        if not found:
            return None
        if name in found:
            return found[(found.index(name) + by) % len(found)]
        return found[0 if by > 0 else -1]

    def fold(self, block: str | None = None) -> None:
        """Fold or unfold a block, without a name the one that the chosen layer is in."""
        asked = block or self._chosen
        found = next((each for each in self._blocks if each.label and asked in (each.name, *each.layers)), None)
        if found is not None:
            self._open ^= {found.name}
            self.rebuild()

    def fold_all(self) -> None:
        """Unfold all blocks; where all are, fold them."""
        every = {block.name for block in self._blocks if block.label}
        self._open = set() if every <= self._open else every
        self.rebuild()

    @property
    def _called(self) -> dict[str, str]:
        """What each layer is called in one list of all: without what all names begin with, and with its block."""
        begin = shared([layer.name for layer in self._layers])
        called = {layer.name: layer_in_words(layer.name.removeprefix(begin)) for layer in self._layers}
        for block in self._blocks:
            if block.label:
                called |= {
                    name: f"{block.label}.{short}" for name, short in zip(block.layers, block.short, strict=True)
                }
        return called

    @property
    def _blocks(self) -> tuple[LayerBlock, ...]:
        return blocks(tuple(layer.name for layer in self._layers))

    def go(self, by: int) -> None:
        """Choose the layer above or below."""
        name = self.beside(self._chosen, by)
        if name is not None:
            self.post_message(self.Chosen(name))

    def build(self, width: int, height: int) -> list[Line]:
        self._shown = []
        if not self._layers:
            return [[("no layer measured", self.look.muted)]]
        rows = self._many(width, height) if self.many else self._few(width, height)
        if not rows:
            return [[("no layer has these words", self.look.muted)]]
        self._scroll(rows, height)
        self._shown = rows[self._first : self._first + height]
        return [row.line for row in self._shown]

    def _few(self, width: int, height: int) -> list[_Row]:
        tall = lines_needed(len(self._layers)) <= height
        return [_Row(line, layer.name) for layer in self._layers for line in self._block(layer, width, tall)]

    def _many(self, width: int, height: int) -> list[_Row]:
        own = {layer.name: layer for layer in self._layers}
        draw = BlockLines(self.look, unicode=self.ability.unicode, success=self._success)

        def row(name: str, called: str, indent: int) -> list[_Row]:
            if name == self._chosen:
                return [_Row(line, name) for line in self._block(own[name], width, False, called)]
            line = draw.layer(called, own[name], width - indent - 1)
            line = self._dimmed(line) if self._is_old(own[name]) else line
            return [_Row([(" " * (indent + 1), self.look.text), *line], name)]

        grouped = self._blocks
        if self._words or not grouped:
            called = self._called
            return [each for name in self.found for each in row(name, called[name], 0)]
        folded = [block for block in grouped if block.name not in self._open and block.label]
        # two lines a block where all of them have room
        lines = sum(2 if block.label else 1 for block in grouped) + 2
        tall = lines + sum(len(block.layers) for block in grouped if block not in folded) <= height
        rows: list[_Row] = []
        for block in grouped:
            if not block.label:
                rows += row(block.layers[0], block.short[0], 0)
                continue
            members = [own[name] for name in block.layers]
            opened = block not in folded
            head = draw.block(block.label, members, width, open_=opened, tall=tall)
            old = any(map(self._is_old, members))
            rows += [_Row(self._dimmed(line) if old else line, block=block.name) for line in head]
            for name, short in zip(block.layers, block.short, strict=True):
                if opened or name == self._chosen:
                    rows += row(name, short, 1)
        return rows

    def _scroll(self, rows: list[_Row], height: int) -> None:
        """Change what is at the top as little as shows all of the chosen layer, with its block's name where it is just
        above."""
        mine = [at for at, row in enumerate(rows) if row.layer == self._chosen and row.layer]
        if mine:
            top = mine[0] - 1 if mine[0] and rows[mine[0] - 1].block else mine[0]
            self._first = max(0, min(self._first, len(rows) - height))
            self._first = min(max(self._first, mine[-1] + 1 - height), top)
            # the first one whole
            while self._first < top and rows[self._first].layer == rows[self._first - 1].layer != "":
                self._first += 1
        else:
            self._first = max(0, min(self._first, len(rows) - height))

    def _block(self, layer: LayerOverSeeds, width: int, tall: bool, called: str = "") -> list[Line]:
        """The lines of one layer, under the name that it is `called` here."""
        look = self.look
        unicode = self.ability.unicode
        chosen = layer.name == self._chosen
        edge: tuple[str, Style] = (("▌" if unicode else "|") if chosen else " ", look.accent)
        kernels = numbers.kernels_in_words(layer.kernels, layer.drawn_of)
        if width < _ROOMY:
            kernels = kernels.removesuffix(" kernels")
        old = self._is_old(layer)
        plain = called or without_shared(layer.name, [each.name for each in self._layers])
        if old and layer.step is not None:
            kernels = f"of step {numbers.step(layer.step)}"
            if cell_len(plain) + cell_len(kernels) + 2 > width:
                # of which step they are is worth more than the whole of a name
                kernels = kernels.removeprefix("of ")
                plain = fitted(plain, max(_LEAST_NAME, width - cell_len(kernels) - 2))
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
        return [self._dimmed(line, edge) for line in lines] if old else lines

    def _is_old(self, layer: LayerOverSeeds) -> bool:
        """What is known of it is of an earlier step than the playhead's."""
        return layer.step is not None and self._now is not None and layer.step < self._now

    def _dimmed(self, line: Line, but: tuple[str, Style] | None = None) -> Line:
        """A line of old values, which stand back; the edge of the chosen layer does not."""
        return [part if part == but else (part[0], self.look.muted) for part in line]

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
        if 0 <= event.y < len(self._shown):
            row = self._shown[event.y]
            if row.block:
                self.fold(row.block)
            elif row.layer:
                self.post_message(self.Chosen(row.layer))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self.go(1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self.go(-1)
