"""The run screen: composes the panels, hands each snapshot to them, and turns actions into wishes for the reader."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Horizontal, Vertical
from textual.screen import Screen
from textual.widget import Widget

from condense_core.runs.info import RunInfo, read_info
from condense_core.runs.schema import FILE_NAME, open_reader
from condense_tui.actions import Place, bindings
from condense_tui.assemble import View
from condense_tui.collecting import collect_again
from condense_tui.draw.palette import PALETTES
from condense_tui.draw.timeline import is_logarithmic
from condense_tui.pace import Paced
from condense_tui.reader import CommandFailed, ReaderThread, ReadFailed, SnapshotReady
from condense_tui.screens import figures, steering
from condense_tui.screens.arrange import CHROME, Arrangement, arrange, shows_every_layer
from condense_tui.screens.figures import Axes, Figure
from condense_tui.screens.scrubbing import Scrubbing
from condense_tui.snapshot import Banner as BannerMessage
from condense_tui.snapshot import Header as RunHeader
from condense_tui.snapshot import Snapshot
from condense_tui.widgets.banner import Banner
from condense_tui.widgets.bottom import LogLine
from condense_tui.widgets.field import FieldPanel
from condense_tui.widgets.footer import Footer
from condense_tui.widgets.header import Header
from condense_tui.widgets.layers import Layers, lines_needed
from condense_tui.widgets.log import LogPanel
from condense_tui.widgets.panels import Heatmaps
from condense_tui.widgets.plot import PlotPanel
from condense_tui.widgets.tabs import Tabs
from condense_tui.widgets.timeline import Timeline
from condense_tui.widgets.tiny import Tiny

if TYPE_CHECKING:
    from condense_tui.app import CondenseApp

PLOTS: dict[str, Callable[[Snapshot, Axes], Figure]] = {
    "loss": figures.loss,
    "accuracy": figures.accuracy,
    "output": figures.output,
    "eigenvalues": figures.eigenvalues,
    "prediction": figures.prediction,
}
# Where one panel is shown at a time, the number of the tab that each plot is on.
TAB_OF = {"loss": 2, "accuracy": 2, "output": 5, "eigenvalues": 3, "prediction": 3}
# A plot in the space that the list of layers leaves needs this many rows to be worth looking at.
SPARE_LEAST, SPARE_MOST = 9, 14
# The tabs that every run has; the one after them is for networks with one input.
TABS = 4


@dataclass(frozen=True)
class Choices:
    """What was chosen on this screen; nothing of it is part of the run."""

    tab: int = 1
    zoomed: str | None = None
    palette: int = 0
    by_line: bool = True
    log_y: bool = True
    log_x: bool | None = None


class RunScreen(Scrubbing, Screen[None]):
    """One run, live or recorded."""

    app: CondenseApp
    AUTO_FOCUS = ""
    PLACES: ClassVar[tuple[Place, ...]] = ("run",)
    BINDINGS: ClassVar[list[BindingType]] = bindings(*PLACES)

    def __init__(self, place: Path) -> None:
        """`place` is a run's folder or a run file."""
        super().__init__()
        self.place = place
        self._reader = ReaderThread(place, self.post_message)
        self._snapshot: Snapshot | None = None
        self._arranged: tuple[Arrangement, Choices, bool, bool, int, int] | None = None
        self._view = View()
        self.choices = Choices()
        # Held here, not looked up: a snapshot may still arrive while the screen is being taken down.
        self._header, self._banner, self._tabs = (
            Header(),
            Banner(),
            Tabs("kernels", "curves", "theory", "log", "output"),
        )
        self._left, self._right = Vertical(id="left"), Container(id="right")
        self._list, self._layers = Vertical(id="list", classes="panel"), Layers()
        self._spare, self._field = PlotPanel(id="spare"), FieldPanel()
        self._heatmaps, self._column = Heatmaps(), Vertical(id="plots")
        self._plots = {name: PlotPanel(id=name) for name in PLOTS}
        self._event_log, self._timeline, self._log_line = LogPanel(), Timeline(), LogLine()

    def compose(self) -> ComposeResult:
        yield self._header
        yield self._banner
        yield self._tabs
        with Horizontal(id="body"):
            with self._left:
                with self._list:
                    yield self._layers
                yield self._spare
                yield self._field
            with self._right:
                yield self._heatmaps
                with self._column:
                    yield from self._plots.values()
            yield self._event_log
        yield self._timeline
        yield self._log_line
        yield Footer()
        yield Tiny()

    def on_mount(self) -> None:
        self._list.border_title = "layers"
        for name in PLOTS:
            self._plots[name].border_title = name
        self._arrange()
        # not before there is something to show a snapshot on
        self._reader.start()

    def on_unmount(self) -> None:
        self._reader.stop()

    def on_resize(self, event: events.Resize) -> None:
        self._arrange()

    def on_snapshot_ready(self, message: SnapshotReady) -> None:
        """Show the newest snapshot; under a dialog, keep it until that has closed."""
        if self.is_current or self._snapshot is None:
            self.show(message.snapshot)
            self.call_after_refresh(collect_again)
        else:
            # the reader hears of no painting meanwhile, and so sends one a second and no more
            self._snapshot = message.snapshot

    def on_screen_resume(self) -> None:
        """Show what has happened under a dialog."""
        if self._snapshot is not None:
            self.show(self._snapshot)

    def on_read_failed(self, message: ReadFailed) -> None:
        """Say that reading has ended."""
        self.fail(message.reason)
        self.call_after_refresh(collect_again)

    def on_command_failed(self, message: CommandFailed) -> None:
        """Say that a command did not reach the worker."""
        self.notify(message.reason, severity="error", markup=False)

    def show(self, snapshot: Snapshot) -> None:
        """Put a snapshot on the screen."""
        self._snapshot = snapshot
        self._arrange()
        self._show()
        self.call_after_refresh(self._shown)

    def _shown(self) -> None:
        cast(Paced, self.app).frame_shown(self._reader.painted)

    def fail(self, reason: str) -> None:
        """Say that the file cannot be read any more; what was read stays."""
        self._banner.show(BannerMessage(f"{reason} · q leaves", "error"))

    @property
    def snapshot(self) -> Snapshot | None:
        """What is on the screen."""
        return self._snapshot

    @property
    def settled(self) -> bool:
        """What is on the screen is all that was asked for."""
        return self._reader.idle and all(panel.settled for panel in (*self._plots.values(), self._spare))

    def _show(self) -> None:
        snapshot, choices = self._snapshot, self.choices
        if snapshot is None:
            return
        self._header.show(snapshot)
        self._banner.show(snapshot.banner)
        self._layers.show(snapshot.layers, snapshot.layer)
        self._heatmaps.show(snapshot, PALETTES[choices.palette], choices.by_line)
        self._timeline.show(snapshot)
        self._log_line.show(snapshot)
        self._event_log.show(snapshot)
        log_x = is_logarithmic(snapshot.instants) if choices.log_x is None else choices.log_x
        axes = Axes(choices.log_y, log_x)
        # following, the playhead is at the end of the curves, where a mark would only hide them
        step = None if snapshot.head is None or snapshot.head.following else snapshot.head.step
        spare = "loss" if self.has_class("-compact") else "accuracy"
        self._field.show(snapshot.field)
        self._field.caption(figures.field_title(snapshot), figures.field_remark(snapshot))
        for panel, figure_of in [*zip(self._plots.values(), PLOTS.values(), strict=True), (self._spare, PLOTS[spare])]:
            if not panel.display:
                continue
            figure = figure_of(snapshot, axes)
            panel.caption(figure.title, figure.remark)
            panel.show(figure.spec, step, figure.empty)

    def _arrange(self) -> None:
        """Give every panel its place; nothing is touched where nothing changed."""
        snapshot, choices = self._snapshot, self.choices
        images = () if snapshot is None else snapshot.images
        sides = tuple(len(image.order) for image in images)
        layer = None if snapshot is None else snapshot.layer
        chosen = next((at for at, image in enumerate(images) if image.layer == layer), 0)
        width, height = self.size
        if not (width and height):
            return
        layers = 0 if snapshot is None else len(snapshot.layers)
        one_input = snapshot is not None and (snapshot.outputs is not None or snapshot.field is not None)
        plan = arrange(width, height, sides, chosen, one_input)
        log = choices.zoomed == "events" or (plan.mode == "compact" and choices.tab == 4)
        every_layer = shows_every_layer(width, height, layers)
        self._look(replace(self._view, every_layer=every_layer, worker_log=log))
        with_accuracy = snapshot is not None and len(snapshot.accuracy[0]) > 0
        state = plan, choices, with_accuracy, one_input, layers, height
        if state != self._arranged:
            self._arranged = state
            self._place(plan, with_accuracy, one_input, layers)

    def _place(self, plan: Arrangement, with_accuracy: bool, one_input: bool, layers: int) -> None:
        choices, compact, below = self.choices, plan.mode == "compact", plan.heat_height > 0
        zoomed = choices.zoomed
        self.set_class(compact, "-compact")
        self.set_class(plan.mode == "tiny", "-tiny")
        tabs = self._tabs
        tabs.display = compact and zoomed is None
        tabs.choose(choices.tab, TABS + one_input)

        def seen(name: str, tab: int, normally: bool = True) -> bool:
            if zoomed is not None:
                return name == zoomed
            return choices.tab == tab if compact else normally

        left, right, heatmaps, plots, spare = self._left, self._right, self._heatmaps, self._column, self._spare
        free = self.size.height - CHROME - 2 - lines_needed(layers)
        field, roomy = self._field, not below and free >= SPARE_LEAST
        field.display = one_input and seen("field", 5, normally=roomy)
        left.display = seen("list", 1) or zoomed == "spare" or field.display
        self._list.display = seen("list", 1)
        wanted = (compact or (with_accuracy and not field.display)) and roomy
        spare.display = (seen("list", 1) and wanted and zoomed is None) or zoomed == "spare"
        field.styles.height = min(free, plan.layers // 2 + 2) if zoomed is None and not compact else "1fr"
        spare.styles.height = min(free, SPARE_MOST) if zoomed != "spare" else "1fr"
        heatmaps.display = seen("heatmaps", 1)
        for name, tab in TAB_OF.items():
            normally = name != "accuracy" or (with_accuracy and not spare.display)
            recorded = {"accuracy": with_accuracy, "output": one_input}.get(name, True)
            self._plots[name].display = recorded and seen(name, tab, normally)
        plots.display = any(child.display for child in plots.children)
        right.display = heatmaps.display or plots.display
        right.set_class(below and zoomed is None, "-below")
        self._event_log.display = seen("events", 4, normally=False)
        alone = zoomed is not None or (compact and choices.tab == 5)
        left.styles.width = "1fr" if alone else plan.layers
        plots.styles.width = plan.plots if plan.plots and zoomed is None else "1fr"
        heatmaps.styles.height = plan.heat_height if below and zoomed is None else "1fr"
        if zoomed is None:
            heatmaps.make_room(plan.heat_columns, plan.heatmaps)
        else:
            heatmaps.make_room(1, 1)

    def _look(self, view: View) -> None:
        if view != self._view:
            self._view = view
            self._reader.look(view)

    def _choose(self, choices: Choices) -> None:
        self.choices = choices
        self._arrange()
        self._show()

    def action_layer(self, by: int) -> None:
        """Choose the next or the previous layer."""
        snapshot = self._snapshot
        if snapshot is None or not snapshot.layers:
            return
        names = [view.name for view in snapshot.layers]
        at = names.index(snapshot.layer) if snapshot.layer in names else 0
        self._look(replace(self._view, layer=names[(at + by) % len(names)]))

    def action_member(self, by: int) -> None:
        """Show the next or the previous member of an ensemble; between the last and the first is the mean."""
        snapshot = self._snapshot
        if snapshot is None or snapshot.seeds is None:
            steering.say(self, "this run is of one seed; n, then seeds 10, trains ten")
            return
        chosen, count = snapshot.seeds.chosen, snapshot.seeds.count
        at = (0 if chosen is None else chosen + 1) + by
        self._look(replace(self._view, member=at % (count + 1) - 1 if at % (count + 1) else None))

    def action_order(self) -> None:
        """Order kernels by line or by index."""
        self.choices = replace(self.choices, by_line=not self.choices.by_line)
        self._look(replace(self._view, by_line=self.choices.by_line))

    def action_log(self) -> None:
        """Logarithmic or linear values."""
        self._choose(replace(self.choices, log_y=not self.choices.log_y))

    def action_log_steps(self) -> None:
        """Logarithmic or linear steps."""
        snapshot, chosen = self._snapshot, self.choices.log_x
        now = is_logarithmic(snapshot.instants) if chosen is None and snapshot is not None else bool(chosen)
        self._choose(replace(self.choices, log_x=not now))

    def action_palette(self) -> None:
        """The next colour palette."""
        self._choose(replace(self.choices, palette=(self.choices.palette + 1) % len(PALETTES)))

    def action_zoom(self) -> None:
        """The focused panel on the whole screen, and back."""
        if self.choices.zoomed is not None:
            self._choose(replace(self.choices, zoomed=None))
            return
        self._choose(replace(self.choices, zoomed=_panel_of(self.focused)))

    def action_panel(self, number: int) -> None:
        """Show a tab; where all panels are visible, focus the panel."""
        if number > TABS and (self._snapshot is None or self._snapshot.outputs is None):
            steering.say(self, "only runs of networks with one input have an output and a field to show")
            return
        self._choose(replace(self.choices, tab=number, zoomed=None))
        if self.has_class("-compact"):
            self.set_focus(None)
        elif number == 4:
            self._choose(replace(self.choices, zoomed="events"))
        else:
            targets = {
                1: self._heatmaps.first,
                2: self._plots["loss"],
                3: self._plots["eigenvalues"],
                5: self._plots["output"],
            }
            self.set_focus(targets[number])

    def action_pause(self) -> None:
        """Pause training or go on with it."""
        run = self._run
        if run is not None:
            steering.pause_or_go_on(self, self.place, run.status, self._looked_at)

    def action_stop(self) -> None:
        """Stop training, after asking."""
        run = self._run
        if run is not None:
            steering.stop(self, self.place, run, self._looked_at)

    def action_new(self) -> None:
        """A new run like this one."""
        from condense_tui.screens.form import FormScreen, of_run

        self.app.push_screen(FormScreen(of_run(self._info())))

    def action_reduce(self) -> None:
        """The effective network of this run."""
        from condense_tui.screens.reduce import ReduceScreen

        head = None if self._snapshot is None else self._snapshot.head
        at = None if head is None or head.following else head.step
        self.app.push_screen(ReduceScreen(self.place, at))

    def action_compare(self) -> None:
        """Choose what to compare this run with."""
        from condense_tui.screens.pick import PickScreen

        self.app.push_screen(PickScreen(self.place))

    def action_export(self) -> None:
        """Write the run, or a picture of it, to a file."""
        from condense_tui.screens.export import offer_export

        offer_export(self)

    def on_layers_chosen(self, event: Layers.Chosen) -> None:
        """Choose the layer that was clicked."""
        self._look(replace(self._view, layer=event.name))

    def on_tabs_chosen(self, event: Tabs.Chosen) -> None:
        """Show the tab that was clicked."""
        self.action_panel(event.number)

    def on_timeline_sought(self, event: Timeline.Sought) -> None:
        """Go to the frame nearest to a step."""
        snapshot = self._snapshot
        if snapshot is not None and len(snapshot.instants):
            index = int(abs(snapshot.instants - event.step).argmin())
            self._move(lambda playhead, *_: playhead.go(index))

    @property
    def _run(self) -> RunHeader | None:
        return None if self._snapshot is None else self._snapshot.header

    def _info(self) -> RunInfo:
        with contextlib.closing(open_reader(self.place / FILE_NAME if self.place.is_dir() else self.place)) as file:
            return read_info(file, self.place)

    def _looked_at(self) -> None:
        """Look at the run now: something was done to it."""
        self._reader.look(self._view)


def _panel_of(focused: Widget | None) -> str:
    """Name of the panel that holds the focus; the heatmaps where none does."""
    names = {*PLOTS, "list", "spare", "field", "events"}
    for node in () if focused is None else focused.ancestors_with_self:
        if node.id in names:
            return str(node.id)
    return "heatmaps"
