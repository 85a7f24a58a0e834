"""The compare screen: two to six runs at the same step or the same loss, heatmaps side by side, curves overlaid."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Grid, Horizontal, Vertical

from condense_core.scalar_names import kind_of, label_of
from condense_core.thresholds import other_cut
from condense_tui.actions import Place
from condense_tui.draw.palette import PALETTES
from condense_tui.draw.plot import Spec
from condense_tui.draw.strokes import BAND, PlotCurve
from condense_tui.draw.timeline import is_logarithmic
from condense_tui.keys import bindings
from condense_tui.readers.compare import compare_thread
from condense_tui.readers.thread import ReadFailed, SnapshotReady
from condense_tui.screens.arrange import LEGEND, columns_for
from condense_tui.screens.look_keys import Choices, LookKeys, preferred_cut, usual
from condense_tui.screens.playback import Playback, next_member
from condense_tui.screens.played import PlayedScreen
from condense_tui.snapshots.comparison import Band, By, CompareView, Comparison, Side
from condense_tui.snapshots.playhead import Playhead
from condense_tui.snapshots.snapshot import BannerText, Series
from condense_tui.terminal.garbage import collect_again
from condense_tui.terminal.habits import Habits
from condense_tui.terminal.toast import say
from condense_tui.widgets.banner import Banner
from condense_tui.widgets.compare_panels import CompareHeader, DifferencePanel, SidePanel, place_words
from condense_tui.widgets.footer import Footer
from condense_tui.widgets.legend import Legend
from condense_tui.widgets.panels import pooling
from condense_tui.widgets.plot import PlotPanel
from condense_tui.widgets.scrubber import Scrubber
from condense_tui.widgets.tabs import Tabs
from condense_tui.widgets.too_small import Tiny

LEAST_WIDTH, LEAST_HEIGHT = 60, 16
# Heatmaps above curves need this much; with less the two become tabs.
BOTH_WIDTH, BOTH_HEIGHT = 90, 32
# Header, timeline and footer.
CHROME = 3
PLOTS_SHARE, PLOTS_LEAST = 0.3, 10


@dataclass(frozen=True)
class CompareChoices(Choices):
    """`against` is the run whose heatmap is taken from that of the first; 0 for none."""

    against: int = 0


class CompareScreen(PlayedScreen):
    """Several runs at one place."""

    AUTO_FOCUS = ""
    PLACES: ClassVar[tuple[Place, ...]] = ("compare",)
    BINDINGS: ClassVar[list[BindingType]] = bindings(*PLACES)

    def __init__(self, places: tuple[Path, ...], habits: Habits) -> None:
        """`habits` is what was chosen before, and keeps what will be."""
        super().__init__()
        preferences = habits.preferences
        self._habits = habits
        self._view = CompareView(by_line=preferences.order == "line", cut=preferred_cut(preferences))
        self._reader = compare_thread(places, self.post_message, self._view, Playhead.at_speed(preferences.speed))
        self._playback = Playback(self._reader.move, habits)
        self._look_keys: LookKeys[CompareChoices] = LookKeys(
            self, CompareChoices(**usual(preferences)), self._choices_changed, self._is_recorded_log, habits
        )
        self._comparison: Comparison | None = None
        self._header, self._banner, self._tabs = CompareHeader(), Banner(), Tabs({1: "kernels", 2: "curves"})
        self._grid, self._legend = Grid(id="sides"), Legend()
        self._panels = [SidePanel(number) for number in range(len(places))]
        self._difference = DifferencePanel()
        self._heat, self._curves = Vertical(id="heat"), Horizontal(id="curves")
        self._loss, self._scalar = PlotPanel(id="loss"), PlotPanel(id="scalar")
        self._scrubber, self._footer = Scrubber(), Footer("compare")

    def compose(self) -> ComposeResult:
        yield self._header
        yield self._banner
        yield self._tabs
        with Vertical(id="body"):
            with self._heat:
                with self._grid:
                    yield from self._panels
                    yield self._difference
                yield self._legend
            with self._curves:
                yield self._loss
                yield self._scalar
        yield self._scrubber
        yield self._footer
        yield Tiny("to compare runs", (LEAST_WIDTH, LEAST_HEIGHT))

    def on_mount(self) -> None:
        self._arrange()
        self._reader.start()

    def on_unmount(self) -> None:
        self._reader.stop()

    def on_resize(self, event: events.Resize) -> None:
        self._arrange()

    def on_snapshot_ready(self, message: SnapshotReady[Comparison]) -> None:
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
        damage = () if self._comparison is None else self._comparison.damage
        self._banner.show(BannerText(" · ".join(damage), "error") if damage else None)
        self.call_after_refresh(self._reader.painted)

    def on_read_failed(self, message: ReadFailed) -> None:
        """Say that one of the files cannot be read; what was read stays."""
        self._banner.show(BannerText(f"{message.reason} · press esc to go back", "error"))

    @property
    def choices(self) -> CompareChoices:
        """How the comparison is shown."""
        return self._look_keys.choices

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
        self._panels[0].key, self._loss.key = ("1", "2") if both else ("", "")
        self._heat.display = both or tab == 1
        self._curves.display = self._loss.display = self._scalar.display = both or tab == 2
        plots = max(PLOTS_LEAST, round(PLOTS_SHARE * height)) if both else 0
        self._curves.styles.height = plots or "1fr"
        sides = tuple(
            len(side.image.order) if side.image is not None else 32 for side in (found.sides if found else ())
        ) or (32,) * len(self._panels)
        self._difference.display = bool(self.choices.against)
        sides += sides[:1] if self.choices.against else ()
        columns = columns_for(sides, width, height - CHROME - LEGEND - plots - (not both))
        self._grid.styles.grid_size_columns = columns
        self._grid.styles.grid_size_rows = -(-len(sides) // columns)

    def on_heatmap_laid_out(self) -> None:
        """Say what is drawn of the heatmaps, also where a resize has changed it."""
        sides = () if self._comparison is None else self._comparison.sides
        dropped = sum(int(side.image.dropped.sum()) for side in sides if side.image is not None)
        self._legend.show(PALETTES[self.choices.palette], dropped, pooling(self._panels))

    def _show(self) -> None:
        found, choices = self._comparison, self.choices
        if found is None:
            return
        palette = PALETTES[choices.palette]
        self._header.show(found)
        for panel, side in zip(self._panels, found.sides, strict=True):
            panel.show_side(side, palette)
        if choices.against:
            self._difference.show_difference(found.sides[0], found.sides[choices.against], palette)
        self.on_heatmap_laid_out()
        first, last = ("", "") if not len(found.places) else (place_words(found, 0), place_words(found, -1))
        self._scrubber.show(found.head, first, last)
        several = {"layer": found.layers > 1, "member": found.members > 1, "rows": found.has_outputs}
        called = {"rows": "weights" if found.outputs else "outputs"} | ({} if found.active else {"live": "last"})
        without = frozenset(name for name, of_use in several.items() if not of_use)
        self._footer.show("compare", without, called)
        following = found.head is None or found.head.following or found.by == "loss"
        step = None if following or found.at is None else int(found.at)
        whose = "mean of the seeds, and their range" if found.member is None else "one seed, and the range of all seeds"
        whose = whose if found.members > 1 else ""
        self._loss.label("loss / first loss", whose)
        title = label_of(found.scalar) + (": kernels on lines" if found.scalar == "coverage" else "")
        title += "" if any(len(side.scalar[0]) for side in found.sides) else ": not recorded in any of these runs"
        self._scalar.label(title, whose)
        losses = _curves(found, lambda side: (side.loss, side.bands[0]))
        scalars = _curves(found, lambda side: (side.scalar, side.bands[1]))
        log_x = self._look_keys.log_x
        loss = Spec(losses, 0, 0, log_y=choices.log_y, log_x=log_x, smooth=choices.smooth)
        kind = kind_of(found.scalar)
        bounds = (0.0, 1.0) if kind in {"share", "cosine", "flag"} else None
        scalar = Spec(
            scalars,
            0,
            0,
            log_y=choices.log_y and kind == "value",
            log_x=log_x,
            bounds=bounds,
            smooth=choices.smooth,
            stamp=zlib.crc32(found.scalar.encode()),
            of=" ".join(side.scalar_name for side in found.sides),
        )
        for plot, spec in ((self._loss, loss), (self._scalar, scalar)):
            if plot.display:
                plot.show(spec if spec.curves else None, step)

    def _is_recorded_log(self) -> bool:
        found = self._comparison
        return found is not None and any(is_logarithmic(side.loss[0]) for side in found.sides)

    def _choices_changed(self) -> None:
        self._arrange()
        self._show()

    def _look(self, view: CompareView) -> None:
        self._view = view
        self._reader.look(view)

    def action_same(self) -> None:
        """Same step, or same loss."""
        by: By = "loss" if self._view.by == "step" else "step"
        # a place on one axis means nothing on the other
        self._playback.live()
        self._look(replace(self._view, by=by))

    def action_layer(self, by: int) -> None:
        """The next or the previous layer of every run."""
        if self._comparison is not None and self._comparison.layers:
            self._look(replace(self._view, layer=(self._view.layer + by) % self._comparison.layers))

    def action_rows(self) -> None:
        """From the weights of the layer to the outputs of its neurons, and back."""
        if self._comparison is None or not self._comparison.has_outputs:
            say(self, "outputs of neurons were recorded in none of these runs")
            return
        self._look(replace(self._view, outputs=not self._view.outputs))

    def action_member(self, by: int) -> None:
        """The next or the previous seed of every run that has several; between the last and the first are the means."""
        found = self._comparison
        if found is None or found.members == 1:
            say(self, "these runs have one seed each; in a run, press n and set seeds to 10")
            return
        self._look(replace(self._view, member=next_member(self._view.member, by, found.members)))

    def action_order(self) -> None:
        """Order kernels by line or by index."""
        self._look(replace(self._view, by_line=not self._view.by_line))
        self._habits.keep("order", "line" if self._view.by_line else "index")

    def action_scalars(self) -> None:
        """Choose what is drawn beside the loss."""
        from condense_tui.screens.dialogs.scalars import ScalarPicker

        def chosen(names: tuple[str, ...] | None) -> None:
            if names:
                self._look(replace(self._view, scalar=names[0]))
                self._look_keys.choose(replace(self.choices, tab=2))

        names = () if self._comparison is None else self._comparison.scalar_names
        self.app.push_screen(ScalarPicker(names, (self._view.scalar,), most=1), chosen)

    def action_difference(self) -> None:
        """The first run's heatmap less the next one's; after the last, none."""
        against = (self.choices.against + 1) % len(self._panels)
        self._look_keys.choose(replace(self.choices, against=against, tab=1))

    def action_settings(self) -> None:
        """In what the runs' settings differ."""
        from condense_tui.screens.compare.settings import SettingsScreen

        if self._comparison is not None:
            self.app.push_screen(SettingsScreen(self._comparison))

    def action_export(self) -> None:
        """Write the curves that are shown, or a picture of the screen, to a file."""
        from condense_tui.screens.compare.export import offer_export

        offer_export(self, self._comparison, self.choices.smooth)

    def action_cut(self) -> None:
        """Count lines at the other cut, the same in every run."""
        layers = [side.layer for side in self._comparison.sides if side.layer] if self._comparison is not None else []
        if layers:
            self._look(replace(self._view, cut=other_cut(self._view.cut or layers[0].cut)))

    def action_panel(self, number: int) -> None:
        """Show a tab; where all is visible, focus it."""
        self._look_keys.choose(replace(self.choices, tab=number))
        self.set_focus(None if self._tabs.display else self._loss if number == 2 else self._panels[0].heatmap)

    def action_back(self) -> None:
        """Go back."""
        if self.focused is not None:
            self.set_focus(None)
        else:
            self.dismiss()

    def on_tabs_chosen(self, event: Tabs.Chosen) -> None:
        """Show the tab that was clicked."""
        self.action_panel(event.number)

    def on_scrubber_sought(self, event: Scrubber.Sought) -> None:
        """Go to the place that was clicked."""
        self._playback.go(event.index)


def _curves(found: Comparison, shown: Callable[[Side], tuple[Series, Band]]) -> tuple[PlotCurve, ...]:
    """One curve a side, with its letter on it, and the bands of those that have several seeds behind them."""
    curves, bands = [], []
    for number, side in enumerate(found.sides):
        series, (low, high) = shown(side)
        if len(series[0]):
            curves.append(PlotCurve(f"{side.letter} {side.seed}", *series, tone=number, label=side.letter))
        if len(low[0]):
            name = f"{side.letter} {{}} of {side.seed}"
            bands += [
                PlotCurve(name.format(end), *ends, BAND + 1 + number) for end, ends in (("low", low), ("high", high))
            ]
    return (*curves, *bands)
