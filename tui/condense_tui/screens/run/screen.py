"""The run screen: composes the panels, hands each snapshot to them, and turns actions into wishes for the reader."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType

from condense_tui.actions import Place
from condense_tui.draw.timeline import is_logarithmic
from condense_tui.keys import bindings
from condense_tui.readers.run import run_thread
from condense_tui.readers.thread import ReadFailed, SnapshotReady
from condense_tui.screens.arrange import Arrangement, arrange, shows_every_layer
from condense_tui.screens.look_keys import LookKeys, preferred_cut, usual
from condense_tui.screens.playback import Playback
from condense_tui.screens.played import PlayedScreen
from condense_tui.screens.run.asked import Asked
from condense_tui.screens.run.at_hand import Front, at_hand, curves_of, heatmaps_of, recorded_of
from condense_tui.screens.run.body import Body, Recorded
from condense_tui.screens.run.choices import LARGE, OF_ONE_INPUT, TABS, RunChoices
from condense_tui.screens.run.commands import ShownRunCommands
from condense_tui.snapshots import plots
from condense_tui.snapshots.assemble import ViewRequest
from condense_tui.snapshots.news import News, title_of
from condense_tui.snapshots.playhead import Play, Playhead
from condense_tui.snapshots.plots import Axes
from condense_tui.snapshots.snapshot import BannerText, Snapshot
from condense_tui.terminal.garbage import collect_again
from condense_tui.terminal.habits import Habits
from condense_tui.terminal.toast import say
from condense_tui.widgets.banner import Banner
from condense_tui.widgets.claim import ClaimLine, lines_for
from condense_tui.widgets.footer import Footer
from condense_tui.widgets.header import Header
from condense_tui.widgets.layers import Layers
from condense_tui.widgets.log_line import LogLine
from condense_tui.widgets.plot import PlotPanel
from condense_tui.widgets.tabs import Tabs
from condense_tui.widgets.timeline import Timeline
from condense_tui.widgets.too_small import Tiny


class RunScreen(PlayedScreen):
    """One run, live or recorded."""

    AUTO_FOCUS = ""
    PLACES: ClassVar[tuple[Place, ...]] = ("run",)
    BINDINGS: ClassVar[list[BindingType]] = bindings(*PLACES)

    def __init__(self, place: Path, habits: Habits, play: Play | None = None) -> None:
        """`place` is a run's folder or a run file; `habits` is what was chosen before, and keeps what will be; `play`
        has it played from a step, at so many frames a second or as fast as ever."""
        super().__init__()
        self._to_play = play
        self.place = place
        preferences = habits.preferences
        by_line, cut = preferences.order == "line", preferred_cut(preferences)
        view = ViewRequest(by_line=by_line, cut=cut)
        speed = preferences.speed if play is None or play.speed is None else play.speed
        self._reader = run_thread(place, self.post_message, view, Playhead.at_speed(speed))
        self._asked = Asked(view, self._reader.look, habits)
        self._playback = Playback(self._reader.move, habits)
        self._commands = ShownRunCommands(self, place, lambda: self._snapshot, self._asked.again)
        self._look_keys: LookKeys[RunChoices] = LookKeys(
            self,
            RunChoices(by_line=by_line, **usual(preferences)),
            self._choices_changed,
            self._is_recorded_log,
            habits,
        )
        self._snapshot: Snapshot | None = None
        self._news = News()
        self._arranged: tuple[Arrangement, RunChoices, Recorded, int, int] | None = None
        # held here, not looked up: a snapshot may still arrive while the screen is being taken down
        self._tabs = Tabs(TABS)
        self._header, self._claim, self._banner, self._body = Header(), ClaimLine(), Banner(), Body()
        self._timeline, self._log_line, self._footer = Timeline(), LogLine(), Footer()

    def compose(self) -> ComposeResult:
        yield self._header
        yield self._claim
        yield self._banner
        yield self._tabs
        yield self._body
        yield self._timeline
        yield self._log_line
        yield self._footer
        yield Tiny()

    def on_mount(self) -> None:
        self._arrange()
        # not before there is something to show a snapshot on
        self._reader.start()

    def on_unmount(self) -> None:
        self._reader.stop()

    def on_resize(self, event: events.Resize) -> None:
        self._arrange()

    def on_snapshot_ready(self, message: SnapshotReady[Snapshot]) -> None:
        """Show the newest snapshot; under a dialog, keep it until that has closed."""
        self._tell_outside(message.snapshot)
        if self.is_current or self._snapshot is None:
            self.show(message.snapshot)
            self.call_after_refresh(collect_again)
        else:
            # the reader hears of no painting meanwhile, and so sends one a second and no more
            self._snapshot = message.snapshot

    def _tell_outside(self, snapshot: Snapshot) -> None:
        """Tell the terminal what has just happened, and how far the run is."""
        for notice in self._news.of(snapshot):
            self.app.give_notice(notice.of, notice.text)
        self.app.show_title(title_of(snapshot), snapshot.header.status)

    def on_screen_resume(self) -> None:
        """Show what has happened under a dialog."""
        if self._snapshot is not None:
            self.show(self._snapshot)

    def on_read_failed(self, message: ReadFailed) -> None:
        """Say that reading has ended."""
        self.fail(message.reason)
        self.call_after_refresh(collect_again)

    def show(self, snapshot: Snapshot) -> None:
        """Put a snapshot on the screen."""
        self._snapshot = snapshot
        self._arrange()
        self._show()
        if self._to_play is not None and len(snapshot.instants):
            # once there is something to play
            step, self._to_play = self._to_play.step, None
            self._seek(step)
            self._playback.play()
        self.call_after_refresh(self._shown)

    def _shown(self) -> None:
        self.app.frame_shown(self._reader.painted)

    trouble = ""
    """Why nothing more is read; empty while all is well."""

    def fail(self, reason: str) -> None:
        """Say that the file cannot be read any more; what was read stays."""
        self.trouble = reason
        self._banner.show(BannerText(f"{reason} · press q to leave", "error"))

    @property
    def choices(self) -> RunChoices:
        """How the snapshot is shown."""
        return self._look_keys.choices

    @property
    def snapshot(self) -> Snapshot | None:
        """What is on the screen."""
        return self._snapshot

    @property
    def settled(self) -> bool:
        """What is on the screen is all that was asked for."""
        return self._reader.idle and self._body.settled

    def _show(self) -> None:
        snapshot, choices = self._snapshot, self.choices
        if snapshot is None:
            return
        self._header.show(snapshot)
        self._claim.show(snapshot)
        self._banner.show(snapshot.banner)
        self._timeline.show(snapshot)
        self._log_line.show(snapshot)
        self._show_keys()
        axes = Axes(choices.log_y, self._look_keys.log_x, choices.smooth, choices.spectrum)
        self._body.show(snapshot, choices, axes, compact=self.has_class("-compact"))

    def on_descendant_focus(self) -> None:
        """Some keys are about the panel that has the focus."""
        self.call_after_refresh(self._show_keys)

    on_descendant_blur = on_descendant_focus

    def _show_keys(self) -> None:
        if self._snapshot is not None:
            finds = self._finds_layers
            front: Front = "log" if self._body.log_panel.display else "layers" if finds else "curves"
            self._body.list.say_whether(finds)
            without, called = at_hand(self._snapshot, self.choices.zoomed is not None, front)
            self._footer.show("run", without | self._without(), called)

    def _without(self) -> frozenset[str]:
        """Keys that mean something else on this screen."""
        return frozenset()

    def _lines_above(self, width: int) -> int:
        """Lines that a kind of this screen needs for itself."""
        return 0

    def _is_recorded_log(self) -> bool:
        return self._snapshot is not None and is_logarithmic(self._snapshot.instants)

    def _arrange(self) -> None:
        """Give every panel its place; nothing is touched where nothing changed."""
        snapshot, choices = self._snapshot, self.choices
        sides, chosen = heatmaps_of(snapshot)
        width, height = self.size
        if not (width and height):
            return
        height -= self._lines_above(width)
        recorded = recorded_of(snapshot)
        claim = lines_for(snapshot, height)
        plan = arrange(width, height, sides, chosen, field=recorded.one_input, claim=claim)
        shown = choices.shown_alone(compact=plan.mode == "compact")
        every_layer = shows_every_layer(width, height, recorded.layers)
        self._asked.panels(shown, () if choices.scalars else curves_of(snapshot), every_layer=every_layer)
        state = plan, choices, recorded, width, height - claim
        if state != self._arranged:
            self._arranged = state
            compact = plan.mode == "compact"
            self.set_class(compact, "-compact")
            self.set_class(plan.mode == "tiny", "-tiny")
            self._tabs.display = compact and choices.zoomed is None
            self._tabs.choose(choices.tab, without=frozenset() if recorded.one_input else frozenset({OF_ONE_INPUT}))
            self._claim.make_room(claim)
            self._body.place(plan, choices, recorded, height - claim)
            # titles say as much as there is room for, which is known once everything is in its place
            self.call_after_refresh(self._show)

    def _choices_changed(self) -> None:
        self._arrange()
        self._show()

    def action_layer(self, by: int) -> None:
        """Choose the next or the previous layer."""
        snapshot = self._snapshot
        if snapshot is None or not snapshot.layers:
            return
        found = self._body.list.all_layers.beside(self._asked.layer_in(snapshot), by)
        if found is not None:
            self._asked.layer(found)

    def action_rows(self) -> None:
        """From the weights of the chosen layer to the outputs of its neurons, and back."""
        snapshot = self._snapshot
        if snapshot is None or snapshot.layer is None:
            return
        if not self._asked.other_rows(snapshot):
            say(self, self._asked.why_no_other_rows(snapshot))

    def action_spectrum(self) -> None:
        """The next of the spectra that were recorded, in the panel of eigenvalues."""
        count = 0 if self._snapshot is None else plots.spectrum_count(self._snapshot)
        if count < 2:
            say(self, "no other spectrum was recorded; name 'hessian' or 'ntk' in record.probes of a new run")
            return
        number = (self.choices.spectrum + 1) % count
        self._look_keys.choose(replace(self.choices, spectrum=number, tab=3))

    def action_fold(self) -> None:
        """Fold or unfold the block that the chosen layer is in."""
        self._body.list.all_layers.fold()

    def action_fold_all(self) -> None:
        """Unfold all blocks, or fold them."""
        self._body.list.all_layers.fold_all()

    def action_find(self) -> None:
        """Search the log, or narrow the list of layers down, whichever is in front; else choose curves."""
        if self._body.log_panel.display:
            self._body.log_panel.open_finder()
        elif self._finds_layers:
            self._body.list.open_finder()
        else:
            self.action_scalars()

    @property
    def _finds_layers(self) -> bool:
        return self._body.finds_layers(self.focused, compact=self.has_class("-compact"), choices=self.choices)

    def action_member(self, by: int) -> None:
        """Show the next or the previous member of an ensemble; between the last and the first is the mean."""
        snapshot = self._snapshot
        if snapshot is None or snapshot.seeds is None:
            say(self, "this run has one seed; press n and set seeds to 10")
            return
        self._asked.member_beside(by, snapshot.seeds)

    def show_member(self, member: int | None) -> None:
        """Show one member of an ensemble, from 0, or with None their mean."""
        self._asked.member(member)

    def action_order(self) -> None:
        """Order kernels by line or by index."""
        # shown with the snapshot that is ordered so
        self._look_keys.choices = replace(self.choices, by_line=not self.choices.by_line)
        self._asked.by_line(self.choices.by_line)

    def action_cut(self) -> None:
        """Count lines at the other cut, and then again at that of the claim."""
        if self._snapshot is not None:
            self._asked.other_cut(self._snapshot)

    def action_zoom(self) -> None:
        """The focused panel on the whole screen, and back."""
        zoomed = self._body.panel_of(self.focused) if self.choices.zoomed is None else None
        self._look_keys.choose(replace(self.choices, zoomed=zoomed))

    def action_out(self) -> None:
        """From a field for words, then from a panel on the whole screen, back to all of them."""
        if (self._body.log_panel.display and self._body.log_panel.leave_finder()) or self._body.list.leave_finder():
            return
        self.set_focus(None)
        self._look_keys.choose(replace(self.choices, zoomed=None))

    def action_panel(self, number: int) -> None:
        """Show a tab; where all panels are visible, focus the panel."""
        if number == OF_ONE_INPUT and (self._snapshot is None or self._snapshot.outputs is None):
            say(self, "only networks with one input have an output and a direction field to show")
            return
        self._look_keys.choose(replace(self.choices, tab=number, zoomed=None))
        if self.has_class("-compact"):
            self.set_focus(None)
        elif number in LARGE:
            self._look_keys.choose(replace(self.choices, zoomed=LARGE[number]))
        else:
            self.set_focus(self._body.panel(number))
        if LARGE.get(number) == "events":
            # scrolling and searching are its own keys
            self.set_focus(self._body.log_panel.first)

    def action_pause(self) -> None:
        """Pause or resume training."""
        self._commands.pause_or_go_on()

    def action_stop(self) -> None:
        """Stop training, after asking."""
        self._commands.stop()

    def action_new(self) -> None:
        """A new run like this one."""
        self._commands.new_run()

    def action_reduce(self) -> None:
        """The effective network of this run."""
        self._commands.reduce()

    def action_copy(self) -> None:
        """Choose what to copy."""
        self._commands.copy()

    def action_compare(self) -> None:
        """Choose what to compare this run with."""
        self._commands.compare()

    def action_settings(self) -> None:
        """What this run was trained with."""
        self._commands.settings()

    def action_export(self) -> None:
        """Write the run, or a picture of it, to a file."""
        self._commands.export(self.choices.palette)

    def action_scalars(self) -> None:
        """Choose the recorded scalars to draw beside the usual ones."""
        from condense_tui.screens.dialogs.scalars import ScalarPicker

        def chosen(names: tuple[str, ...] | None) -> None:
            if names is not None:
                self._asked.ask(replace(self._asked.view, scalars=names))
                tab = 2 if names else self.choices.tab
                self._look_keys.choose(replace(self.choices, scalars=names, tab=tab))

        names = () if self._snapshot is None else self._snapshot.scalar_names
        self.app.push_screen(ScalarPicker(names, self.choices.scalars), chosen)

    def on_layers_chosen(self, event: Layers.Chosen) -> None:
        """Choose the layer that was clicked."""
        self._asked.layer(event.name)

    def on_tabs_chosen(self, event: Tabs.Chosen) -> None:
        """Show the tab that was clicked."""
        self.action_panel(event.number)

    def on_timeline_sought(self, event: Timeline.Sought) -> None:
        """Go to the frame nearest to a step."""
        self._seek(event.step)

    def on_plot_panel_sought(self, event: PlotPanel.Sought) -> None:
        """Go to the frame that the cursor of a curve reads."""
        self._seek(event.x)

    def _seek(self, step: float) -> None:
        if self._snapshot is not None:
            self._playback.seek(step, self._snapshot.instants)
