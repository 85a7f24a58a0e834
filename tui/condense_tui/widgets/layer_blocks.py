"""A block of layers in one line or two: how many they are, how many have condensed, and on how many lines they lie."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.cells import cell_len

from condense_core.runs.layer_over_seeds import LayerOverSeeds
from condense_core.scalar_names import layer_in_words
from condense_tui.draw import numbers
from condense_tui.draw.layer_names import fitted
from condense_tui.draw.line import Line
from condense_tui.draw.status import condensed_sign
from condense_tui.draw.written import lines_of
from condense_tui.terminal.look import Look
from condense_tui.widgets.lines import justified


class BlockLines:
    """Draws blocks, and layers in a line each, in a look. `success` False: nothing in the colour of one."""

    def __init__(self, look: Look, *, unicode: bool, success: bool) -> None:
        self._look, self._unicode = look, unicode
        self._good = look.good if success else look.muted

    def block(self, label: str, layers: Sequence[LayerOverSeeds], width: int, *, open_: bool, tall: bool) -> list[Line]:
        """A block's own lines, two where `tall`; the sign says whether its layers are listed below."""
        look = self._look
        sign = ("▾" if open_ else "▸") if self._unicode else ("-" if open_ else "+")
        said = _standing(layers)
        count = numbers.plural(len(layers), "layer")
        if tall:
            head: Line = [(f"{sign} ", look.key), (fitted(label, width - len(count) - 3), look.strong)]
            return [
                justified(head, [(count, look.muted)], width, look.text),
                [("  ", look.text), *self._words(said, layers, width - 2, count="")],
            ]
        room = max(4, min(cell_len(label), width // 3)) + 3
        words = self._words(said, layers, width - room, count=count)
        taken = sum(cell_len(text) for text, _ in words)
        return [
            justified(
                [(f"{sign} ", look.key), (fitted(label, max(1, width - taken - 3)), look.strong)],
                words,
                width,
                look.text,
            )
        ]

    def layer(self, name: str, layer: LayerOverSeeds, width: int) -> Line:
        """A layer in one line: whether it has condensed, and its lines."""
        look, condensed = self._look, layer.is_condensed
        if condensed is None:
            said: Line = [(numbers.UNKNOWN, look.muted)]
        else:
            count = lines_of(layer.lines) if width >= 24 else _short_lines(layer)
            said = [(f"{condensed_sign(condensed, self._unicode)} ", self._good if condensed else look.muted)]
            said.append((count, look.text))
        room = width - sum(cell_len(text) for text, _ in said) - 1
        return justified([(fitted(layer_in_words(name), max(1, room)), look.text)], said, width, look.text)

    def _words(self, said: _Standing | None, layers: Sequence[LayerOverSeeds], room: int, *, count: str) -> Line:
        """How many of a block's layers have condensed, and from how few lines to how many; in short where there is
        little room. Where nothing is measured yet, `count`."""
        look = self._look
        if said is None:
            return [(count or "not measured yet", look.muted)]
        of = f"{said.condensed} of {said.known}"
        for words, lines in (
            (f"{of} condensed", f" · {said.lines}"),
            (of, f" · {said.lines}"),
            (of.replace(" of ", "/"), f" · {said.lines}"),
            (of.replace(" of ", "/"), f" · {said.range}"),
        ):
            if 2 + cell_len(words) + cell_len(lines) <= room:
                break
        all_ = said.condensed == said.known
        sign = condensed_sign(all_, self._unicode)
        return [(f"{sign} {words}", self._good if all_ else look.muted), (lines, look.text)]


class _Standing:
    """How many layers of a block have condensed, and the range of their lines."""

    def __init__(self, condensed: int, known: int, low: float, high: float) -> None:
        self.condensed, self.known = condensed, known
        self.range = f"{low:g}" if low == high else f"{low:g}–{high:g}"
        self.lines = f"{self.range} line{'' if low == high == 1 else 's'}"


def _standing(layers: Sequence[LayerOverSeeds]) -> _Standing | None:
    known = [layer for layer in layers if layer.is_condensed is not None and not math.isnan(layer.lines.low)]
    if not known:
        return None
    low, high = min(layer.lines.low for layer in known), max(layer.lines.high for layer in known)
    return _Standing(sum(bool(layer.is_condensed) for layer in known), len(known), low, high)


def _short_lines(layer: LayerOverSeeds) -> str:
    lines = layer.lines
    if not lines.known:
        return numbers.UNKNOWN
    return f"{lines.middle:g}" if lines.alike else f"{lines.low:g}–{lines.high:g}"
