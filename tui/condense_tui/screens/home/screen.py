"""The home screen: runs on the left, presets on the right, and more of what the cursor is on below.

Nothing here needs NumPy: this is the first frame of the app. Threads read the runs, the presets and other machines.
"""

from __future__ import annotations

import socket
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
from textual.screen import Screen

from condense_tui.actions import Place, bindings
from condense_tui.readers.glances import GlancesReady, GlanceThread, PresetsReady, read_presets
from condense_tui.readers.machines import Elsewhere, Machine, Machines
from condense_tui.screens import rows
from condense_tui.screens.home.commands import MOST_COMPARED, HomeActions, at_hand
from condense_tui.screens.home.entries import preset_entries, run_entries
from condense_tui.screens.home.filter import Filtering
from condense_tui.terminal.garbage import collect_again
from condense_tui.widgets.details import Details
from condense_tui.widgets.footer import Footer
from condense_tui.widgets.home_header import HomeHeader
from condense_tui.widgets.lines import Line
from condense_tui.widgets.listing import Listing
from condense_tui.widgets.tabs import Tabs
from condense_tui.widgets.too_small import Tiny

if TYPE_CHECKING:
    from condense_core.runs.glance import Glance
    from condense_presets.catalogue import Preset
    from condense_tui.screens.home.entries import Row
    from condense_tui.terminal.shell import Shell

# Two lists side by side need this much; with less they become tabs.
BOTH_WIDTH, BOTH_HEIGHT = 100, 20
LEAST_WIDTH, LEAST_HEIGHT = 40, 12
# Ages are told to the minute, seconds only of what is new.
AGES_EVERY_S = 5.0

NO_RUNS = """
  no runs yet

  choose a preset in the other list (tab):

  enter   trains it here, in a process of its own,
          which no closed terminal stops
  space   plays its recording, where it has a {sign}

  digits-gd is the one to begin with."""


class HomeScreen(HomeActions, Filtering, Screen[None]):
    """All runs here and on other machines, and all presets."""

    AUTO_FOCUS = ""
    PLACES: ClassVar[tuple[Place, ...]] = ("runs", "presets")
    BINDINGS: ClassVar[list[BindingType]] = bindings(*PLACES)
    app: Shell

    def __init__(self) -> None:
        super().__init__()
        self._here = socket.gethostname()
        self._glances: tuple[Glance, ...] | None = None
        self._presets: tuple[Preset, ...] | None = None
        self._trouble = ""
        self._thread: GlanceThread | None = None
        self.machines = Machines(self._hear)
        self._untouched = True
        self._back_from: str | None = None
        self.runs: Listing[Row] = Listing(self._run_lines, 2, "  …", id="runs")
        self.presets: Listing[Preset] = Listing(self._preset_lines, 1, "  …", id="presets")
        self._panels = {
            "runs": Vertical(id="runs-panel", classes="panel"),
            "presets": Vertical(id="presets-panel", classes="panel"),
        }
        self._top, self._tabs, self._details = HomeHeader(), Tabs("runs", "presets"), Details()
        self._frame, self._footer = Vertical(id="details", classes="panel"), Footer("presets")

    def compose(self) -> ComposeResult:
        yield self._top
        yield self._tabs
        with Horizontal(id="lists"):
            with self._panels["runs"]:
                yield self.runs
            with self._panels["presets"]:
                yield self.presets
        with self._frame:
            yield self._details
        yield self._footer
        yield Tiny()

    def on_mount(self) -> None:
        self._panels["runs"].border_title = "runs"
        self._panels["presets"].border_title = "presets"
        self.set_focus(self.presets)
        self._arrange()
        self.set_interval(AGES_EVERY_S, self.runs.rebuild)
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
        self._untouched = False
        recorded = any(preset.recording == place for preset in self._presets or ())
        self._back_from = None if recorded else str(place)
        self._turn_to(self.presets if recorded else self.runs)
        (self.presets if recorded else self.runs).choose(place.stem if recorded else str(place))

    def on_resize(self, event: events.Resize) -> None:
        self._arrange()

    def on_glances_ready(self, message: GlancesReady) -> None:
        """Show the runs as they are now."""
        self._glances, self._trouble = message.glances, message.trouble
        self.machines.hear_of(each.info.mirror.host for each in message.glances if each.info and each.info.mirror)
        known = {str(glance.folder) for glance in message.glances}
        if message.whole:
            self.runs.marked &= known
        if self._untouched and message.glances:
            self._untouched = False
            self._turn_to(self.runs)
        self._show()
        if self._back_from in known:
            self.runs.choose(self._back_from)
            self._back_from = None
        self.call_after_refresh(collect_again)

    def on_presets_ready(self, message: PresetsReady) -> None:
        """Show the presets."""
        self._presets = message.presets
        self.presets.empty = f"  {message.trouble}" if message.trouble else "  no preset has these words"
        self._show()

    def on_listing_moved(self, event: Listing.Moved) -> None:
        """Tell more of what the cursor is on."""
        self._tell()

    def on_listing_opened(self, event: Listing.Opened) -> None:
        """Open what was clicked twice."""
        self.action_open()

    def on_tabs_chosen(self, event: Tabs.Chosen) -> None:
        """Show the list that was clicked."""
        self.action_list(event.number)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        self._arrange()
        self._tell()

    def on_key(self, event: events.Key) -> None:
        self._untouched = False

    def on_mouse_down(self) -> None:
        self._untouched = False

    @property
    def on_runs(self) -> bool:
        """Whether the cursor is in the list of runs."""
        return not (self.presets.has_focus or (self._on_filter and self._tab == 2))

    def _show(self) -> None:
        glances, presets = self._glances, self._presets
        words = self._words.lower().split()
        if glances is not None:
            sign = "▷" if self.app.ability.unicode else ">"
            self.runs.empty = f"  {self._trouble}" if self._trouble else NO_RUNS.format(sign=sign)
            if glances:
                self.runs.empty = "  no run has these words"
            runs = run_entries(glances, self.machines.known.values(), words)
            self.runs.show(runs)
            found = sum(entry.item is not None and not isinstance(entry.item, Machine) for entry in runs)
            self._title("runs", found, len(glances))
            active = sum(glance.info is not None and glance.info.active for glance in glances)
            self._top.show(self.app.runs, active)
        if presets is not None:
            entries = preset_entries(presets, words)
            self.presets.show(entries)
            self._title("presets", sum(entry.item is not None for entry in entries), len(presets))

    def _title(self, name: str, found: int, count: int) -> None:
        self._panels[name].border_title = Content(f"{name} {found} of {count}" if self._words else f"{name} {found}")

    def _tell(self) -> None:
        """Details, footer and marks of the list that the cursor is in."""
        run, preset = self.runs.chosen, self.presets.chosen
        self._footer.show("runs" if self.on_runs else "presets", *(at_hand(run) if self.on_runs else ()))
        if not self.on_runs:
            self._details.show(None if preset is None else partial(rows.preset_details, preset))
        elif isinstance(run, Machine):
            self._details.show(partial(rows.machine_details, run))
        elif isinstance(run, Elsewhere):
            self._details.show(partial(rows.elsewhere_details, run))
        else:
            self._details.show(None if run is None else partial(rows.run_details, run))
        marked = len(self._marked)
        say = {0: "", 1: "1 marked · m marks another", MOST_COMPARED: f"{MOST_COMPARED} marked · c compares"}
        self._frame.border_subtitle = say.get(marked, f"{marked} marked · c compares")

    @property
    def _tab(self) -> int:
        return self._tabs.chosen

    def _arrange(self) -> None:
        width, height = self.size
        tiny = width < LEAST_WIDTH or height < LEAST_HEIGHT
        both = width >= BOTH_WIDTH and height >= BOTH_HEIGHT
        self.set_class(tiny, "-tiny")
        if self.runs.has_focus or self.presets.has_focus:
            self._tabs.choose(1 if self.runs.has_focus else 2)
        self._tabs.display = not both and not tiny
        self._panels["runs"].display = both or self._tab == 1
        self._panels["presets"].display = both or self._tab == 2
        self._frame.styles.height = 8 if height >= 36 else 6 if height >= 20 else 4

    def _run_lines(self, row: Row, width: int, marked: bool) -> list[Line]:
        viewer = rows.viewer_of(self.runs, self._here)
        if isinstance(row, Machine):
            return rows.machine_lines(row, viewer, width)
        if isinstance(row, Elsewhere):
            return rows.elsewhere_lines(row, viewer, width)
        return rows.run_lines(row, viewer, width, marked)

    def _preset_lines(self, preset: Preset, width: int, marked: bool) -> list[Line]:
        return rows.preset_lines(preset, rows.viewer_of(self.presets), width, marked)

    @property
    def _marked(self) -> list[Path]:
        """Run files and folders that are marked, runs first."""
        runs = [glance.folder for glance in self._glances or () if str(glance.folder) in self.runs.marked]
        recorded = [p.recording for p in self._presets or () if p.name in self.presets.marked and p.recording]
        return [*runs, *recorded]

    def _turn_to(self, listing: Listing[Row] | Listing[Preset]) -> None:
        """Give a list the focus; what does not fit beside it is shown in its place, and must be there to take it."""
        on_presets = listing is self.presets
        self._tabs.choose(2 if on_presets else 1)
        self._panels["presets" if on_presets else "runs"].display = True
        self.set_focus(listing)

    def _looked_at(self) -> None:
        if self._thread is not None:
            self._thread.look()
