"""The home screen: runs on the left, presets on the right, and more of what the cursor is on below.

Nothing here needs NumPy: this is the first frame of the app. Threads read the runs, the presets and other machines.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message

from condense_tui.actions import Place
from condense_tui.keys import bindings
from condense_tui.readers.glances import (
    ClaimJudged,
    ClaimsReady,
    GlancesReady,
    GlanceThread,
    PresetsReady,
    read_presets,
)
from condense_tui.readers.machines import Elsewhere, Machine, MachineChanged, Machines, MachinesKnown, RunReached
from condense_tui.screens import list_lines
from condense_tui.screens.home.commands import MOST_COMPARED, HomeCommands, at_hand, at_hand_of_preset
from condense_tui.screens.home.entries import SweepRow
from condense_tui.screens.home.lists import Lists
from condense_tui.terminal.garbage import collect_again
from condense_tui.terminal.shell import ShellScreen
from condense_tui.terminal.toast import say
from condense_tui.widgets.details import Details
from condense_tui.widgets.footer import Footer
from condense_tui.widgets.home_header import HomeHeader
from condense_tui.widgets.listing import Listing
from condense_tui.widgets.tabs import Tabs
from condense_tui.widgets.too_small import Tiny

if TYPE_CHECKING:
    from condense_core.runs.claim_state import Standing
    from condense_core.runs.glance import Glance
    from condense_tui.draw.line import Line

# Two lists side by side need this much; with less they become tabs.
BOTH_WIDTH, BOTH_HEIGHT = 100, 20
LEAST_WIDTH, LEAST_HEIGHT = 40, 12
# Ages are shown in minutes; only new runs are shown in seconds.
AGES_EVERY_S = 5.0


class HomeScreen(ShellScreen[None]):
    """All runs here and on other machines, and all presets."""

    AUTO_FOCUS = ""
    PLACES: ClassVar[tuple[Place, ...]] = ("runs", "presets")
    BINDINGS: ClassVar[list[BindingType]] = bindings(*PLACES)

    def __init__(self) -> None:
        super().__init__()
        self.lists = Lists(self.set_focus, lambda: self.focused)
        self.machines = Machines(self._hear)
        self._commands = HomeCommands(self, self.lists, self.machines, self._look_again)
        self._thread: GlanceThread | None = None
        self._claim: tuple[Path | None, Standing | None] = (None, None)
        self._untouched = True
        self._back_from: Path | None = None
        self._top, self._details = HomeHeader(), Details()
        self._frame, self._footer = Vertical(id="details", classes="panel"), Footer("presets")

    def compose(self) -> ComposeResult:
        lists = self.lists
        yield self._top
        yield lists.tabs
        with Horizontal(id="lists"):
            with lists.runs_panel:
                yield lists.runs
            with lists.presets_panel:
                yield lists.presets
        with self._frame:
            yield self._details
        yield self._footer
        yield Tiny()

    def on_mount(self) -> None:
        self.lists.runs_panel.border_title = Content("[1] runs")
        self.lists.presets_panel.border_title = Content("[2] presets")
        self.set_focus(self.lists.presets)
        self._arrange()
        self.set_interval(AGES_EVERY_S, self.lists.runs.rebuild)
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        """Once the first frame is up, start reading."""
        self._thread = GlanceThread(self.app.runs, self._hear)
        self._thread.start()
        Thread(target=read_presets, args=(self._hear,), name="presets", daemon=True).start()
        self.machines.find()

    def _hear(self, message: Message) -> None:
        """From a thread, which may know more when nobody listens any more."""
        if self.is_running:
            self.post_message(message)

    def on_unmount(self) -> None:
        self.machines.close()
        if self._thread is not None:
            self._thread.stop()

    def on_screen_suspend(self) -> None:
        if self._thread is not None:
            self._thread.rest(True)

    def on_screen_resume(self) -> None:
        if self._thread is not None:
            self._thread.rest(False)

    def come_back_from(self, place: Path) -> None:
        """Put the cursor on the run, or the preset's recording, that was shown; a new run is there in a moment."""
        self._untouched, self._back_from = True, place
        self.lists.put_cursor_on(place)
        self._go_back()

    def _go_back(self) -> None:
        """Put the cursor on what was shown, once it is in a list: both are read in threads, and a new run comes later.
        The list is not changed any more where a key has been pressed since."""
        place, lists = self._back_from, self.lists
        runs = {glance.folder for glance in lists.glances or ()}
        if place is None or place not in runs | {preset.recording for preset in lists.catalogue or ()}:
            return
        if self._untouched:
            lists.put_cursor_on(place)
        else:
            lists.runs.choose(str(place))
        self._untouched, self._back_from = False, None

    def on_resize(self, event: events.Resize) -> None:
        self._arrange()

    def on_glances_ready(self, message: GlancesReady) -> None:
        """Show the runs as they are now."""
        lists = self.lists
        lists.glances, lists.trouble = message.glances, message.trouble
        self.machines.hear_of(each.info.mirror.host for each in message.glances if each.info and each.info.mirror)
        known = {str(glance.folder) for glance in message.glances}
        if message.whole:
            lists.runs.marked &= known
        if self._untouched and message.glances and self._back_from is None:
            self._untouched = False
            lists.turn_to(runs=True)
        self._show()
        self._go_back()
        self.call_after_refresh(collect_again)

    def on_claims_ready(self, message: ClaimsReady) -> None:
        """Show the runs whose claims stand as was asked for."""
        self.lists.claims = message.claims
        self._show()

    def on_presets_ready(self, message: PresetsReady) -> None:
        """Show the presets."""
        self.lists.catalogue = message.presets
        nothing = message.trouble and not message.presets
        self.lists.presets.empty = f"  {message.trouble}" if nothing else "  no preset contains these words"
        if message.trouble and not nothing:
            say(self, message.trouble, error=True)
        self._show()
        self._go_back()

    def on_machines_known(self, message: MachinesKnown) -> None:
        """Show the other machines."""
        if message.trouble:
            say(self, message.trouble, error=True)
        self.machines.learn(message.machines)
        self._show()

    def on_machine_changed(self, message: MachineChanged) -> None:
        """Show that a machine is asked, what runs it has, or that it cannot be reached."""
        self.machines.known[message.machine.name] = message.machine
        self._show()

    def on_run_reached(self, message: RunReached) -> None:
        """Open the run that was brought here."""
        self._commands.reached(message)

    def on_listing_moved(self, event: Listing.Moved) -> None:
        """Tell more of what the cursor is on."""
        self._tell()

    def on_listing_opened(self, event: Listing.Opened) -> None:
        """Open what was clicked twice."""
        self._commands.open()

    def on_tabs_chosen(self, event: Tabs.Chosen) -> None:
        """Show the list that was clicked."""
        self.action_list(event.number)

    def on_input_changed(self) -> None:
        """Narrow both lists to the words."""
        self.lists.filter.read()
        self._show()

    def on_input_submitted(self) -> None:
        """Keep the words, and choose from what has them."""
        runs, presets = self.lists.runs.chosen, self.lists.presets.chosen
        if not runs and presets:
            self.set_focus(self.lists.presets)
        else:
            self.lists.leave_filter()
        self.lists.filter.keep()

    def key_escape(self) -> None:
        """Show everything again."""
        if self.lists.filter.clear():
            self.lists.leave_filter()
        elif self.lists.marked:
            self.lists.runs.marked.clear()
            self.lists.presets.marked.clear()
            self.lists.runs.rebuild()
            self.lists.presets.rebuild()
            self._tell()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        self._arrange()
        self._tell()

    def on_key(self, event: events.Key) -> None:
        self._untouched = False

    def on_mouse_down(self) -> None:
        self._untouched = False

    def action_open(self) -> None:
        self._commands.open()

    def action_recording(self) -> None:
        self._commands.play_recording()

    def action_other(self) -> None:
        self.lists.turn_to(runs=not self.lists.on_runs)

    def action_list(self, number: int) -> None:
        self.lists.turn_to(runs=number == 1)

    def action_filter(self) -> None:
        self.lists.filter.open()

    def action_mark(self) -> None:
        self._commands.mark()
        self._tell()

    def action_mark_all(self) -> None:
        self._commands.mark_all()
        self._tell()

    def action_copy(self) -> None:
        self._commands.copy()

    def action_compare(self) -> None:
        self._commands.compare()

    def action_sort(self) -> None:
        self.lists.sort_next()
        self._show()

    def action_rename(self) -> None:
        self._commands.keeping.rename()

    def action_note(self) -> None:
        self._commands.keeping.note()

    def action_tag(self) -> None:
        self._commands.keeping.tag()

    def action_archive(self) -> None:
        self._commands.keeping.archive()

    def action_delete(self) -> None:
        self._commands.keeping.delete()

    def action_pause(self) -> None:
        self._commands.pause_or_go_on()

    def action_stop(self) -> None:
        self._commands.stop()

    def action_new(self) -> None:
        self._commands.new_run()

    def _show(self) -> None:
        """Show what was read, and what is typed of it."""
        self.lists.show(self.machines.known.values())
        if self._thread is not None:
            self._thread.tell_claims(self.lists.asks_for_claims)
        if self.lists.glances is not None:
            active = sum(glance.info is not None and glance.info.active for glance in self.lists.glances)
            self._top.show(self.app.runs, active)

    def _tell(self) -> None:
        """Details, footer and marks of the list that the cursor is in."""
        on_runs, run, preset = self.lists.on_runs, self.lists.runs.chosen, self.lists.presets.chosen
        without, called = at_hand(run) if on_runs else (at_hand_of_preset(preset), {})
        self._footer.show("runs" if on_runs else "presets", without, called)
        if not on_runs:
            self._details.show(None if preset is None else partial(list_lines.preset_details, preset))
        elif isinstance(run, Machine):
            self._details.show(partial(list_lines.machine_details, run))
        elif isinstance(run, Elsewhere):
            self._details.show(partial(list_lines.elsewhere_details, run))
        elif isinstance(run, SweepRow):
            how = "enter folds its runs again" if run.unfolded else "enter shows its runs one by one"
            self._details.show(partial(list_lines.sweep_details, run.name, how))
        else:
            self._details.show(None if run is None else self._details_of(run))
        marked = len(self.lists.marked)
        runs = len(self.lists.runs.marked)
        compares = " · c compares" if 1 < marked <= MOST_COMPARED else ""
        rest = " · # tags, a archives, d deletes" if runs else ""
        first = " · m marks another" if marked == 1 else ""
        self._frame.border_subtitle = f"{marked} marked{first}{compares}{rest}" if marked else ""

    def _details_of(self, run: Glance) -> partial[list[Line]]:
        if self._thread is not None:
            self._thread.judge(run.folder)
        folder, claim = self._claim
        known = claim if folder == run.folder else None
        return partial(list_lines.run_details, run, claim=known)

    def on_claim_judged(self, message: ClaimJudged) -> None:
        """Show how the claim of the run under the cursor stands."""
        self._claim = message.folder, message.claim
        self._tell()

    def _arrange(self) -> None:
        lists = self.lists
        width, height = self.size
        tiny = width < LEAST_WIDTH or height < LEAST_HEIGHT
        both = width >= BOTH_WIDTH and height >= BOTH_HEIGHT
        self.set_class(tiny, "-tiny")
        if self.focused in {lists.runs, lists.presets}:
            lists.tabs.choose(2 if lists.on_presets else 1)
        lists.tabs.display = not both and not tiny
        lists.runs_panel.display = both or lists.tabs.chosen == 1
        lists.presets_panel.display = both or lists.tabs.chosen == 2
        self._frame.styles.height = 8 if height >= 36 else 6 if height >= 20 else 4

    def _look_again(self) -> None:
        """Look at the runs now: something was done to one of them."""
        if self._thread is not None:
            self._thread.look()
