"""The panels of the run screen: where each of them goes, and what it shows of a snapshot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, Vertical
from textual.widget import Widget

from condense_tui.draw.palette import PALETTES
from condense_tui.screens.arrange import CHROME, LAYERS_LEAST, Arrangement
from condense_tui.screens.run.choices import RunChoices
from condense_tui.snapshots import machine, plots
from condense_tui.snapshots.plots import Axes, Figure
from condense_tui.snapshots.snapshot import Snapshot
from condense_tui.widgets.caption import Captioned
from condense_tui.widgets.field import FieldPanel
from condense_tui.widgets.layers import Layers, lines_needed
from condense_tui.widgets.log import LogPanel
from condense_tui.widgets.panel_grid import PlotGrid
from condense_tui.widgets.panels import Heatmaps
from condense_tui.widgets.plot import PlotPanel
from condense_tui.widgets.search_field import SearchField
from condense_tui.widgets.weights import WeightsPanel

if TYPE_CHECKING:
    from textual.widgets import Input

PLOTS: dict[str, Callable[[Snapshot, Axes], Figure]] = {
    "loss": plots.loss,
    "accuracy": plots.accuracy,
    "scalars": plots.scalars,
    "output": plots.output,
    "eigenvalues": plots.eigenvalues,
    "prediction": plots.prediction,
}
# Where one panel is shown at a time, the number of the tab that each plot is on.
TAB_OF = {"loss": 2, "accuracy": 2, "scalars": 2, "output": 5, "eigenvalues": 3, "prediction": 3}
# Where all panels are visible, the plot that the number's key goes to.
FOCUSED = {2: "loss", 3: "eigenvalues", 5: "output"}
# A plot in the space that the list of layers leaves needs this many rows to be worth looking at.
SPARE_LEAST, SPARE_MOST = 9, 14
# More plots than this side by side say nothing; others are chosen with `/`.
MOST_CURVES = 12


@dataclass(frozen=True)
class Recorded:
    """What of a run there are panels for."""

    layers: int = 0
    accuracy: bool = False
    one_input: bool = False
    curves_alone: bool = False
    """No layer of kernels: a run of somebody else's, read from what it logged."""


class ListPanel(Captioned, Vertical):
    """The frame around the list of layers, and the field for words that narrow it down."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "go(-1)", "previous layer", show=False),
        Binding("down", "go(1)", "next layer", show=False),
        Binding("enter", "fold", "fold", show=False),
    ]

    def __init__(self) -> None:
        super().__init__(id="list", classes="panel")
        self.all_layers = Layers()
        self._finder = SearchField(self.all_layers, "layers · esc: all")
        self._counted = self._over = ""
        self._finds = False

    def compose(self) -> ComposeResult:
        yield self.all_layers

    def say_whether(self, finds: bool) -> None:
        """Say below whether `/` finds layers now."""
        if finds != self._finds:
            self._finds = finds
            self._write()

    def open_finder(self) -> None:
        """Have somebody type words."""
        self._finder.open()

    def leave_finder(self) -> bool:
        """Show all layers again; whether there was a field to leave."""
        return self._finder.close()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Narrow the list down; where the chosen layer has gone from it, the first one that is left is chosen."""
        event.stop()
        self.all_layers.look_for(event.value)
        found = self.all_layers.found
        if found and self.all_layers.chosen not in found:
            self.post_message(Layers.Chosen(found[0]))
        self._write()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep what was found, and go to the list."""
        event.stop()
        self._finder.keep()

    def action_go(self, by: int) -> None:
        """Choose the layer above or below, also while words are typed."""
        self.all_layers.go(by)

    def action_fold(self) -> None:
        """Fold or unfold the chosen layer's block."""
        self.all_layers.fold()

    def name_it(self, counted: str, over: str) -> None:
        """Write above where lines are counted, and below over which seeds; in short where there is no room."""
        self._counted, self._over = counted, over
        self._write()

    def _write(self) -> None:
        room = self.size.width - 4 if self.size.width else LAYERS_LEAST
        title = f"layers · {self._counted}"
        count = self.all_layers.counted
        below = " · ".join(
            words for words in (count, self._over or ("/ finds" if count and self._finds else "")) if words
        )
        below = below if len(below) <= room else count or self._over.partition("of ")[2]
        self.caption(title if len(title) <= room else self._counted, below)


class Body(Horizontal):
    """Everything between the header and the timeline."""

    def __init__(self) -> None:
        super().__init__(id="body")
        # Held here, not looked up: a snapshot may still arrive while the screen is being taken down.
        self._left, self._right = Vertical(id="left"), Container(id="right")
        self.list = ListPanel()
        self._spare, self._field = PlotPanel(id="spare"), FieldPanel()
        self._heatmaps, self._column = Heatmaps(), Vertical(id="plots")
        self._plots = {name: PlotPanel(id=name) for name in PLOTS}
        self.log_panel = LogPanel()
        self._weights, self._machine = WeightsPanel(), PlotGrid(5, id="machine")
        # in the place of all panels above, where there are no kernels
        self._curves = PlotGrid(MOST_CURVES, id="curves")

    def compose(self) -> ComposeResult:
        with self._left:
            yield self.list
            yield self._spare
            yield self._field
        with self._right:
            yield self._heatmaps
            with self._column:
                yield from self._plots.values()
        yield self.log_panel
        yield self._weights
        yield self._machine
        yield self._curves

    def on_mount(self) -> None:
        self.list.caption("layers")
        for name in PLOTS:
            self._plots[name].border_title = name

    @property
    def settled(self) -> bool:
        """All plots are built."""
        plots = (*self._plots.values(), self._spare)
        return self._machine.settled and self._curves.settled and all(panel.settled for panel in plots)

    def show(self, snapshot: Snapshot, choices: RunChoices, axes: Axes, *, compact: bool) -> None:
        """Show a snapshot."""
        now = None if snapshot.head is None else snapshot.head.step
        self.list.all_layers.show(
            snapshot.layers, snapshot.layer, success=snapshot.header.status != "diverged", now=now
        )
        seeds = snapshot.seeds
        over = f"median of {seeds.count} seeds" if seeds is not None and seeds.chosen is None else ""
        self.list.name_it(f"lines at {snapshot.cut.short}", over)
        self._heatmaps.show(snapshot, PALETTES[choices.palette], choices.by_line)
        self.log_panel.show(snapshot)
        self._field.show(snapshot.field)
        self._field.caption(plots.field_title(snapshot), plots.field_remark(snapshot))
        # following, the playhead is at the end of the curves, where a mark would only hide them
        step = None if snapshot.head is None or snapshot.head.following else snapshot.head.step
        if self._weights.display:
            self._weights.show(snapshot, axes.log_y)
        if self._machine.display:
            self._machine.show(machine.figures(snapshot, axes), step)
        if self._curves.display:
            self._curves.show(plots.each_scalar(snapshot, axes), step)
        spare = PLOTS["loss" if compact else "accuracy"]
        for panel, figure_of in [*zip(self._plots.values(), PLOTS.values(), strict=True), (self._spare, spare)]:
            if not panel.display:
                continue
            figure = figure_of(snapshot, axes)
            panel.set_class(figure.old, "-old")
            panel.show(figure.spec, step, figure.empty)
            panel.label(figure.title_in, figure.remark)

    def _name_keys(self, *, shown: bool) -> None:
        """Write into the titles which keys go to the panels, where they stand side by side; tabs say it themselves."""
        self._heatmaps.key = "1" if shown else ""
        for number, name in FOCUSED.items():
            self._plots[name].key = str(number) if shown else ""

    def place(self, plan: Arrangement, choices: RunChoices, recorded: Recorded, height: int) -> None:
        """Give every panel its place on a screen of that height."""
        compact, below, zoomed = plan.mode == "compact", plan.heat_height > 0, choices.zoomed
        self._name_keys(shown=not compact and zoomed is None)

        in_front = not compact or choices.tab in {1, TAB_OF["scalars"]}
        curves = recorded.curves_alone and (in_front if zoomed is None else zoomed in {"curves", "heatmaps"})
        self._curves.display = curves

        def seen(name: str, tab: int, normally: bool = True) -> bool:
            if curves:
                return False
            if zoomed is not None:
                return name == zoomed
            return choices.tab == tab if compact else normally

        left, right, heatmaps, plots, spare = self._left, self._right, self._heatmaps, self._column, self._spare
        free = height - CHROME - 2 - lines_needed(recorded.layers)
        field, roomy = self._field, not below and free >= SPARE_LEAST
        field.display = recorded.one_input and seen("field", 5, normally=roomy)
        left.display = seen("list", 1) or zoomed == "spare" or field.display
        self.list.display = seen("list", 1)
        wanted = (compact or (recorded.accuracy and not field.display)) and roomy
        spare.display = (seen("list", 1) and wanted and zoomed is None) or zoomed == "spare"
        field.styles.height = min(free, plan.layers // 2 + 2) if zoomed is None and not compact else "1fr"
        spare.styles.height = min(free, SPARE_MOST) if zoomed != "spare" else "1fr"
        heatmaps.display = seen("heatmaps", 1)
        for name, tab in TAB_OF.items():
            normally = name != "accuracy" or (recorded.accuracy and not spare.display)
            # side by side in a small terminal, a third plot would say nothing
            accuracy = recorded.accuracy and not (compact and choices.scalars and zoomed is None)
            there = {"accuracy": accuracy, "output": recorded.one_input, "scalars": bool(choices.scalars)}.get(
                name, True
            )
            self._plots[name].display = there and seen(name, tab, normally)
        plots.display = any(child.display for child in plots.children)
        right.display = heatmaps.display or plots.display
        right.set_class(below and zoomed is None, "-below")
        self.log_panel.display = seen("events", 4, normally=False)
        self._weights.display = seen("weights", 6, normally=False)
        self._machine.display = seen("machine", 7, normally=False)
        alone = zoomed is not None or (compact and choices.tab == 5)
        left.styles.width = "1fr" if alone else plan.layers
        plots.styles.width = plan.plots if plan.plots and zoomed is None else "1fr"
        heatmaps.styles.height = plan.heat_height if below and zoomed is None else "1fr"
        if zoomed is None:
            heatmaps.make_room(plan.heat_columns, plan.heatmaps)
        else:
            heatmaps.make_room(1, 1)

    def finds_layers(self, focused: Widget | None, *, compact: bool, choices: RunChoices) -> bool:
        """Whether words that are typed look for layers: there are many, and their list is in front."""
        if not self.list.all_layers.many or not self.list.display:
            return False
        in_front = compact and focused is None and choices.tab == 1 and choices.zoomed is None
        return in_front or choices.zoomed == "list" or self.panel_of(focused) == "list"

    def panel(self, number: int) -> Widget:
        """What takes the focus for a tab's number, where all panels are visible."""
        if self._curves.display:
            return self._curves.panels[0]
        return self._plots[FOCUSED[number]] if number in FOCUSED else self._heatmaps.first

    @staticmethod
    def panel_of(focused: Widget | None) -> str:
        """Name of the panel that holds the focus; the heatmaps where none does."""
        names = {*PLOTS, "list", "spare", "field", "events", "weights", "machine", "curves"}
        for node in () if focused is None else focused.ancestors_with_self:
            if node.id in names:
                return str(node.id)
        return "heatmaps"
