"""Frames around heatmaps: one a layer, side by side where there is room, with one legend for all of them."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.containers import Grid, Vertical

from condense_core.scalar_names import layer_in_words
from condense_tui.draw import numbers
from condense_tui.draw.layer_names import without_shared
from condense_tui.draw.palette import PALETTES, Palette
from condense_tui.snapshots.assemble import MOST_HEATMAPS
from condense_tui.snapshots.snapshot import LayerImage, Snapshot
from condense_tui.widgets.caption import Captioned
from condense_tui.widgets.heatmap import Heatmap, Reading
from condense_tui.widgets.legend import Legend


class HeatPanel(Captioned, Vertical):
    """A heatmap in its frame: the layer above, what the cursor reads below."""

    def __init__(self) -> None:
        super().__init__(classes="panel heat")
        self._unread = ""
        self._titles: tuple[str, ...] = ("",)
        self._reading: Reading | None = None
        self.heatmap = Heatmap()

    def compose(self) -> ComposeResult:
        yield self.heatmap

    def show(
        self,
        image: LayerImage | None,
        palette: Palette,
        empty: str,
        *,
        chosen: bool,
        by_line: bool,
        seed: str,
        now: int | None,
        named: str = "",
    ) -> None:
        """Show one layer where the playhead stands at step `now`; `seed` is whose, where it is one of several, and
        `named` its name where there is little room."""
        old = image is not None and image.step is not None and now is not None and image.step < now
        self.set_class(chosen, "-chosen")
        self.set_class(old, "-old")
        self.heatmap.show(image, palette, empty)
        if image is None:
            self.label("similarity")
            return
        kernels = f" · {numbers.kernels_in_words(image.kernels, image.drawn_of)}"
        order = "" if image.pooled else " by line" if by_line else " by index"
        whose = f" · {seed}" if seed else ""
        whose += f" · step {numbers.step(image.step)}" if old and image.step is not None else ""
        short = named or layer_in_words(image.layer)
        self._titles = (
            f"{layer_in_words(image.layer)}{kernels}{order}{whose}",
            f"{short}{kernels}{whose}",
            f"{short}{whose}",
        )
        self._unread = ""
        self._write()

    def label(self, title: str, unread: str = "") -> None:
        """Write `title` above, and below what the cursor reads, or the words `unread` where it reads nothing."""
        self._titles, self._unread = (title,), unread
        self._write()

    def on_resize(self, event: events.Resize) -> None:
        """The longest of the titles that there is room for now."""
        self._write()

    def on_heatmap_read(self, event: Heatmap.Read) -> None:
        """Write what the cursor reads into the frame."""
        self._reading = event.reading
        self._write()

    def _write(self) -> None:
        read = self.words_of(self._reading, self.size.width - 4) if self._reading else self._unread
        room = self.room or cell_len(self._titles[0])
        self.caption(next((title for title in self._titles if cell_len(title) <= room), self._titles[-1]), read)

    def words_of(self, reading: Reading, width: int) -> str:
        """What the cursor reads, in at most `width` characters where that can be."""
        return reading_words(reading, width)


class Heatmaps(Vertical):
    """All heatmaps of the screen and their legend."""

    DEFAULT_CSS = """
    Heatmaps { width: 1fr; height: 1fr; }
    Heatmaps > Grid { grid-size: 1; height: 1fr; width: 1fr; grid-gutter: 0; }
    """

    def __init__(self) -> None:
        super().__init__(id="heatmaps")
        self.key = ""
        """The key that goes to the chosen layer's heatmap, in whose title it stands."""
        self._grid = Grid()
        self._legend = Legend()
        self._panels: list[HeatPanel] = [HeatPanel()]
        self._drawn: tuple[Palette, int] = (PALETTES[0], 0)

    def compose(self) -> ComposeResult:
        with self._grid:
            yield from self._panels
        yield self._legend

    @property
    def first(self) -> Heatmap:
        """The heatmap that takes the focus."""
        chosen = (panel.heatmap for panel in self._panels if panel.has_class("-chosen"))
        return next(chosen, self._panels[0].heatmap)

    def make_room(self, columns: int, count: int) -> None:
        """Make room for `count` heatmaps in `columns`."""
        count = min(MOST_HEATMAPS, max(1, count))
        if count > len(self._panels):
            new = [HeatPanel() for _ in range(count - len(self._panels))]
            self._panels += new
            self._grid.mount(*new)
        for index, panel in enumerate(self._panels):
            panel.display = index < count
        self._grid.styles.grid_size_columns = columns
        self._grid.styles.grid_size_rows = -(-count // columns)

    def show(self, snapshot: Snapshot, palette: Palette, by_line: bool) -> None:
        """Show the images of a snapshot, in as many panels as there is room for."""
        images = [image for image in snapshot.images if image.layer == snapshot.layer]
        shown = [panel for panel in self._panels if panel.display]
        if len(shown) > 1:
            images = list(snapshot.images)
        empty, now = waiting(snapshot), None if snapshot.head is None else snapshot.head.step
        seed = "" if snapshot.seeds is None else snapshot.seeds.imaged
        for index, panel in enumerate(shown):
            image = images[index] if index < len(images) else None
            chosen = len(shown) > 1 and image is not None and image.layer == snapshot.layer
            panel.key = self.key if chosen or len(shown) == 1 else ""
            named = "" if image is None else without_shared(image.layer, [each.name for each in snapshot.layers])
            panel.show(image, palette, empty, chosen=chosen, by_line=by_line, seed=seed, now=now, named=named)
        dropped = next((int(image.dropped.sum()) for image in snapshot.images if image.layer == snapshot.layer), 0)
        self._drawn = palette, dropped
        self.on_heatmap_laid_out()

    def on_heatmap_laid_out(self) -> None:
        """Say what is drawn: where there is less room than before, kernels may share cells that did not."""
        shown = [panel for panel in self._panels if panel.display]
        self._legend.show(*self._drawn, pooling(shown), all(panel.heatmap.wide for panel in shown))


def pooling(shown: Sequence[HeatPanel]) -> tuple[str, ...]:
    """That kernels share cells, where they do, at length and in short; nothing if every kernel has its own."""
    for panel in shown:
        image, layout = panel.heatmap.image, panel.heatmap.layout_
        if image is not None and layout is not None and (layout.pooled or image.pooled):
            pooled = f"pooled to {len(layout.edges) - 1}"
            return f"{numbers.kernels_in_words(image.kernels, image.drawn_of)} {pooled}", pooled, "pooled"
    return ()


def waiting(snapshot: Snapshot) -> str:
    """What stands where the heatmap will be."""
    run = snapshot.header
    if snapshot.head is not None:
        return f"no similarity {'can be read here' if snapshot.damage else 'recorded for this layer'}"
    if run.status == "starting":
        return f"{run.stage}; waiting for the first frame…"
    return "waiting for the first frame…" if run.active else "the run ended before its first frame"


def reading_words(reading: Reading, width: int) -> str:
    """What the cursor reads, in at most `width` characters where that can be."""

    def name(kernels: tuple[int, ...]) -> str:
        return str(kernels[0]) if len(kernels) == 1 else f"{kernels[0]}…{kernels[-1]}"

    value = "dropped" if reading.dropped else f"cos {numbers.cosine(reading.cosine)}"
    full = f"kernel {name(reading.rows)} · {name(reading.columns)}  {value}"
    return full if cell_len(full) <= width else f"{name(reading.rows)} · {name(reading.columns)} {value}"
