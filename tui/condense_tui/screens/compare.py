"""The compare screen: two to six runs at the same step or the same loss, heatmaps side by side, curves overlaid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Grid, Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen

from condense_tui.actions import Place, bindings
from condense_tui.collecting import collect_again
from condense_tui.comparison import By, CompareThread, CompareView, Comparison, Side
from condense_tui.draw import numbers
from condense_tui.draw.palette import PALETTES, Palette
from condense_tui.draw.plot import Curve, Spec
from condense_tui.draw.status import sign_of
from condense_tui.draw.timeline import is_logarithmic
from condense_tui.reader import ReadFailed, SnapshotReady
from condense_tui.screens.arrange import LEGEND, columns_for
from condense_tui.screens.scrubbing import Scrubbing
from condense_tui.snapshot import Banner as BannerMessage
from condense_tui.snapshot import Series
from condense_tui.widgets.banner import Banner
from condense_tui.widgets.footer import Footer
from condense_tui.widgets.legend import Legend
from condense_tui.widgets.lines import Line, Lines, justified, length
from condense_tui.widgets.panels import HeatPanel, pooling
from condense_tui.widgets.plot import PlotPanel
from condense_tui.widgets.scrubber import Scrubber
from condense_tui.widgets.tabs import Tabs
from condense_tui.widgets.tiny import Tiny

LEAST_WIDTH, LEAST_HEIGHT = 60, 16
# Heatmaps above curves need this much; with less the two become tabs.
BOTH_WIDTH, BOTH_HEIGHT = 90, 32
# Header, timeline and footer.
CHROME = 3
PLOTS_SHARE, PLOTS_LEAST = 0.3, 10


@dataclass(frozen=True)
class Choices:
    """What was chosen on this screen; nothing of it is part of the runs."""

    tab: int = 1
    palette: int = 0
    log_y: bool = True
    log_x: bool | None = None


class CompareScreen(Scrubbing, Screen[None]):
    """Several runs at one place."""

    AUTO_FOCUS = ""
    PLACES: ClassVar[tuple[Place, ...]] = ("compare",)
    BINDINGS: ClassVar[list[BindingType]] = bindings(*PLACES)

    def __init__(self, places: tuple[Path, ...]) -> None:
        super().__init__()
        self._reader = CompareThread(places, self.post_message)
        self._view = CompareView()
        self._comparison: Comparison | None = None
        self.choices = Choices()
        self._header, self._banner, self._tabs = CompareHeader(), Banner(), Tabs("kernels", "curves")
        self._grid, self._legend = Grid(id="sides"), Legend()
        self._panels = [SidePanel(number) for number in range(len(places))]
        self._heat, self._curves = Vertical(id="heat"), Horizontal(id="curves")
        self._loss, self._coverage = PlotPanel(id="loss"), PlotPanel(id="coverage")
        self._scrubber = Scrubber()

    def compose(self) -> ComposeResult:
        yield self._header
        yield self._banner
        yield self._tabs
        with Vertical(id="body"):
            with self._heat:
                with self._grid:
                    yield from self._panels
                yield self._legend
            with self._curves:
                yield self._loss
                yield self._coverage
        yield self._scrubber
        yield Footer("compare")
        yield Tiny("to compare runs", (LEAST_WIDTH, LEAST_HEIGHT))

    def on_mount(self) -> None:
        self._arrange()
        self._reader.start()

    def on_unmount(self) -> None:
        self._reader.stop()

    def on_resize(self, event: events.Resize) -> None:
        self._arrange()

    def on_snapshot_ready(self, message: SnapshotReady) -> None:
        """Show the newest comparison."""
        self._comparison = message.snapshot
        if self.is_current:
            self._draw()
            self.call_after_refresh(collect_again)

    def on_screen_resume(self) -> None:
        """Show what has happened under a dialog."""
        if self._comparison is not None:
            self._draw()

    def _draw(self) -> None:
        self._arrange()
        self._show()
        self.call_after_refresh(self._reader.painted)

    def on_read_failed(self, message: ReadFailed) -> None:
        """Say that one of the files cannot be read; what was read stays."""
        self._banner.show(BannerMessage(f"{message.reason} · esc goes back", "error"))

    @property
    def comparison(self) -> Comparison | None:
        """What is on the screen."""
        return self._comparison

    def _arrange(self) -> None:
        width, height = self.size
        found, tab = self._comparison, self.choices.tab
        tiny = width < LEAST_WIDTH or height < LEAST_HEIGHT
        both = width >= BOTH_WIDTH and height >= BOTH_HEIGHT
        self.set_class(tiny, "-tiny")
        self._tabs.display = not both and not tiny
        self._tabs.choose(tab)
        self._heat.display = both or tab == 1
        self._curves.display = self._loss.display = self._coverage.display = both or tab == 2
        plots = max(PLOTS_LEAST, round(PLOTS_SHARE * height)) if both else 0
        self._curves.styles.height = plots or "1fr"
        sides = tuple(
            len(side.image.order) if side.image is not None else 32 for side in (found.sides if found else ())
        ) or (32,) * len(self._panels)
        columns = columns_for(sides, width, height - CHROME - LEGEND - plots - (not both))
        self._grid.styles.grid_size_columns = columns
        self._grid.styles.grid_size_rows = -(-len(sides) // columns)

    def _show(self) -> None:
        found, choices = self._comparison, self.choices
        if found is None:
            return
        palette = PALETTES[choices.palette]
        self._header.show(found)
        for panel, side in zip(self._panels, found.sides, strict=True):
            panel.show_side(side, palette)
        dropped = sum(int(side.image.dropped.sum()) for side in found.sides if side.image is not None)
        self._legend.show(palette, dropped, pooling(self._panels))
        first, last = ("", "") if not len(found.places) else (_place(found, 0), _place(found, -1))
        self._scrubber.show(found.head, first, last)
        log_x = any(is_logarithmic(side.loss[0]) for side in found.sides) if choices.log_x is None else choices.log_x
        following = found.head is None or found.head.following or found.by == "loss"
        step = None if following or found.at is None else int(found.at)
        self._loss.border_title = Content("loss, share of the first")
        self._coverage.border_title = Content("kernels on lines")
        loss = Spec(_curves(found, lambda side: side.loss), 0, 0, log_y=choices.log_y, log_x=log_x)
        coverage = Spec(_curves(found, lambda side: side.coverage), 0, 0, log_x=log_x, bounds=(0.0, 1.0))
        for plot, spec in ((self._loss, loss), (self._coverage, coverage)):
            if plot.display:
                plot.show(spec if spec.curves else None, step)

    def _choose(self, choices: Choices) -> None:
        self.choices = choices
        self._arrange()
        self._show()

    def _look(self, view: CompareView) -> None:
        self._view = view
        self._reader.look(view)

    def action_same(self) -> None:
        """Same step, or same loss."""
        by: By = "loss" if self._view.by == "step" else "step"
        # a place on one axis means nothing on the other
        self.action_live()
        self._look(replace(self._view, by=by))

    def action_layer(self, by: int) -> None:
        """The next or the previous layer of every run."""
        if self._comparison is not None and self._comparison.layers:
            self._look(replace(self._view, layer=(self._view.layer + by) % self._comparison.layers))

    def action_order(self) -> None:
        """Order kernels by line or by index."""
        self._look(replace(self._view, by_line=not self._view.by_line))

    def action_log(self) -> None:
        """Logarithmic or linear values."""
        self._choose(replace(self.choices, log_y=not self.choices.log_y))

    def action_log_steps(self) -> None:
        """Logarithmic or linear steps."""
        found, chosen = self._comparison, self.choices.log_x
        now = any(is_logarithmic(side.loss[0]) for side in found.sides) if chosen is None and found else bool(chosen)
        self._choose(replace(self.choices, log_x=not now))

    def action_palette(self) -> None:
        """The next colour palette."""
        self._choose(replace(self.choices, palette=(self.choices.palette + 1) % len(PALETTES)))

    def action_panel(self, number: int) -> None:
        """Show a tab; where all is visible, focus it."""
        self._choose(replace(self.choices, tab=number))
        self.set_focus(None if self._tabs.display else self._loss if number == 2 else self._panels[0].heatmap)

    def action_back(self) -> None:
        """Back to where one came from."""
        if self.focused is not None:
            self.set_focus(None)
        else:
            self.dismiss()

    def on_tabs_chosen(self, event: Tabs.Chosen) -> None:
        """Show the tab that was clicked."""
        self.action_panel(event.number)

    def on_scrubber_sought(self, event: Scrubber.Sought) -> None:
        """Go to the place that was clicked."""
        self._move(lambda playhead, *_: playhead.go(event.index))


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
        parts = [] if side.step is None else [f"step {numbers.step(side.step)}"]
        if side.share == side.share:
            parts.append(f"loss {numbers.percent(side.share)}")
        if layer is not None and layer.lines is not None:
            sign = (
                ("◆" if layer.condensed else "◇") if self.heatmap.ability.unicode else "*" if layer.condensed else "o"
            )
            parts.append(f"{sign} {numbers.plural(layer.lines, 'line')}")
        if side.note:
            parts.insert(0, side.note)
        while len(parts) > 1 and len(" · ".join(parts)) > self.size.width - 4:
            parts.pop(1 if side.note else 0)
        self.label(f"{side.letter} {side.name}" + (f" · {layer.name}" if layer else ""), " · ".join(parts))


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
        unicode = self.ability.unicode
        for number, side in enumerate(found.sides):
            sign = sign_of(side.status)
            left.append((f"   {side.letter} ", look.curves[number % len(look.curves)]))
            left.append((f"{sign.sign if unicode else sign.plain} {sign.word}", getattr(look, sign.style)))
        place = (
            "nothing measured yet"
            if found.at is None
            else f"same {_place(found, found.head.index if found.head else 0)}"
        )
        head = found.head
        right: Line = [(place, look.playhead)]
        if head is not None and not head.following:
            speed = f" · {head.speed:g} frames/s" if head.playing else ""
            right.append((f"   frame {head.index + 1} of {head.count}{speed}", look.muted))
        while len(left) > 3 and length(left) + length(right) + 1 > width:
            left.pop()
        return [justified(left, right, width, look.text)]


def _curves(found: Comparison, series: Callable[[Side], Series]) -> tuple[Curve, ...]:
    """One curve a side, with its letter on it."""
    return tuple(
        Curve(side.letter, *series(side), tone=number, label=side.letter)
        for number, side in enumerate(found.sides)
        if len(series(side)[0])
    )


def _place(found: Comparison, index: int) -> str:
    """A place on the common axis in words."""
    value = float(found.places[index])
    return f"step {numbers.step(int(value))}" if found.by == "step" else f"loss {_share(value)}"


def _share(share: float) -> str:
    """A share of the first loss: whole per cent, and more digits only where it is small."""
    return f"{100 * share:.3g} %"
