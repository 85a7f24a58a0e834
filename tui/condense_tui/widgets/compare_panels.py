"""What stands over and around the heatmaps of a comparison: one panel a run, and the line at the top."""

from __future__ import annotations

from rich.cells import cell_len

from condense_core.scalar_names import layer_in_words
from condense_tui.draw import numbers
from condense_tui.draw.layer_names import fitted
from condense_tui.draw.line import Line
from condense_tui.draw.palette import Palette
from condense_tui.draw.status import condensed_sign, sign_of
from condense_tui.draw.written import lines_of
from condense_tui.snapshots.comparison import Comparison, Side
from condense_tui.snapshots.difference import difference, size_of
from condense_tui.snapshots.snapshot import LayerImage
from condense_tui.widgets.heatmap import Reading
from condense_tui.widgets.lines import Lines, justified, length
from condense_tui.widgets.panels import HeatPanel

# What of a layer's name stays at least.
LEAST_NAME = 12


class SidePanel(HeatPanel):
    """One run's heatmap: letter, name and layer above; where it stands, and how condensed it is, below."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number

    def show_side(self, side: Side, palette: Palette) -> None:
        """Show one run of a comparison."""
        self.heatmap.show(side.image, palette, "nothing measured yet")
        layer = side.layer
        colour = self.heatmap.look.curves[self._number % len(self.heatmap.look.curves)].color
        if colour is not None:
            self.styles.border_title_color = (
                colour.name if colour.is_default or not colour.triplet else colour.triplet.hex
            )
        run = f"{side.letter} {side.name}"
        # of a long name of a layer, the middle goes before its end does
        room = self.room - cell_len(run) - 3 - (cell_len(side.seed) + 3 if side.seed else 0)
        called = "" if layer is None else layer_in_words(layer.name)
        called = fitted(called, max(LEAST_NAME, room)) if self.size.width else called
        names = (run, called, side.seed)
        parts = [] if side.step is None else [f"step {numbers.step(side.step)}"]
        if side.share == side.share:
            parts.append(f"loss {numbers.percent(side.share)}")
        if layer is not None and layer.lines.known:
            sign = condensed_sign(layer.is_condensed, self.heatmap.ability.unicode)
            parts.append(f"{sign} {lines_of(layer.lines)} at {layer.cut.short}")
            if layer.seeds > 1:
                parts.append(f"condensed in {layer.condensed.yes}/{layer.condensed.known}")
        if side.note:
            parts.insert(0, side.note)
        while len(parts) > 1 and len(" · ".join(parts)) > self.size.width - 4:
            parts.pop(1 if side.note else 0)
        self.label(" · ".join(name for name in names if name), " · ".join(parts))


class DifferencePanel(HeatPanel):
    """The heatmap of one run less that of another, halved so that it has the scale of all heatmaps."""

    def __init__(self) -> None:
        super().__init__()
        self._pair = ""
        self._image: LayerImage | str | None = None
        self._of: tuple[LayerImage, LayerImage] | None = None

    def show_difference(self, a: Side, b: Side, palette: Palette) -> None:
        """Show a − b, or why there is no difference."""
        minus = "−" if self.heatmap.ability.unicode else "-"
        self._pair = f"{a.letter} {minus} {b.letter}"
        if a.image is None or b.image is None:
            self._image, self._of = "nothing measured yet", None
        elif self._of is None or self._of[0] is not a.image or self._of[1] is not b.image:
            self._image, self._of = difference(a.image, b.image), (a.image, b.image)
        words = self._image if isinstance(self._image, str) else ""
        image = None if isinstance(self._image, str) else self._image
        self.heatmap.show(image, palette, f"{self._pair}: {words}")
        layer = "" if a.layer is None else f" · {layer_in_words(a.layer.name)}"
        mean, most = (float("nan"), float("nan")) if image is None else size_of(image)
        remark = "" if image is None else f"mean {numbers.measure(mean, 2)} · largest {numbers.measure(most, 2)} apart"
        self.label(f"({self._pair}) / 2{layer}", remark)

    def words_of(self, reading: Reading, width: int) -> str:
        """The difference itself, not half of it."""
        rows, columns = (str(kernels[0]) for kernels in (reading.rows, reading.columns))
        value = "dropped" if reading.dropped else f"{2 * reading.cosine:+.2f}"
        return f"kernel {rows} · {columns}  {self._pair} {value}"


class CompareHeader(Lines):
    """How many runs, what is the same for all, and where the playhead stands."""

    DEFAULT_CSS = "CompareHeader { height: 1; background: $panel; padding: 0 1; }"

    def __init__(self) -> None:
        super().__init__(id="header")
        self._comparison: Comparison | None = None

    def show(self, comparison: Comparison) -> None:
        """Show what is compared."""
        self._comparison = comparison
        self.rebuild()

    def build(self, width: int, height: int) -> list[Line]:
        look, found = self.look, self._comparison
        brand: Line = [("condense", look.chosen), ("  ", look.text)]
        if found is None:
            return [brand]
        left: Line = [*brand, (f"{len(found.sides)} runs", look.strong)]
        for number, side in enumerate(found.sides):
            sign = sign_of(side.status)
            left.append((f"   {side.letter} ", look.curves[number % len(look.curves)]))
            left.append((f"{sign.sign} {sign.word}", getattr(look, sign.style)))
        place = (
            "nothing measured yet"
            if found.at is None
            else f"same {place_words(found, found.head.index if found.head else 0)}"
        )
        head = found.head
        right: Line = [(place, look.playhead)]
        if head is not None and not head.following:
            speed = f" · {head.speed:g} frames/s" if head.playing else ""
            right.append((f"   frame {head.index + 1} of {head.count}{speed}", look.muted))
        while len(left) > 3 and length(left) + length(right) + 1 > width:
            left.pop()
        return [justified(left, right, width, look.text)]


def place_words(found: Comparison, index: int) -> str:
    """A place on the common axis in words."""
    value = float(found.places[index])
    return f"step {numbers.step(int(value))}" if found.by == "step" else f"loss {_share(value)}"


def _share(share: float) -> str:
    """A share of the first loss: whole per cent, and more digits only where it is small."""
    return f"{100 * share:.3g} %"
