"""The home screen: runs on the left, presets on the right, and more of what the cursor is on below.

Nothing here needs NumPy: this is the first frame of the app. Two threads read the runs and the presets.
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
from condense_tui.collecting import collect_again
from condense_tui.glances import GlancesReady, GlanceThread, PresetsReady, read_presets
from condense_tui.screens import rows
from condense_tui.screens.rows import GROUPS
from condense_tui.widgets.footer import Footer
from condense_tui.widgets.lines import Line, Lines, justified
from condense_tui.widgets.listing import Entry, Listing
from condense_tui.widgets.tabs import Tabs
from condense_tui.widgets.tiny import Tiny

if TYPE_CHECKING:
    from textual.widgets import Input

    from condense_core.runs.glance import Glance
    from condense_presets.catalogue import Preset
    from condense_tui.app import CondenseApp

# Two lists side by side need this much; with less they become tabs.
BOTH_WIDTH, BOTH_HEIGHT = 100, 20
LEAST_WIDTH, LEAST_HEIGHT = 40, 12
# Ages are told to the minute, seconds only of what is new.
AGES_EVERY_S = 5.0
MOST_COMPARED = 6

NO_RUNS = """
  no runs yet

  choose a preset in the other list (tab):

  enter   trains it here, in a process of its own,
          which no closed terminal stops
  space   plays its recording, where it has a {sign}

  digits-gd is the one to begin with."""


class HomeScreen(Screen[None]):
    """All runs here, and all presets."""

    AUTO_FOCUS = ""
    PLACES: ClassVar[tuple[Place, ...]] = ("runs", "presets")
    BINDINGS: ClassVar[list[BindingType]] = bindings(*PLACES)
    app: CondenseApp

    def __init__(self) -> None:
        super().__init__()
        self._here = socket.gethostname()
        self._glances: tuple[Glance, ...] | None = None
        self._presets: tuple[Preset, ...] | None = None
        self._trouble = ""
        self._words = ""
        self._filter: Input | None = None
        self._thread: GlanceThread | None = None
        self._untouched = True
        self._back_from: str | None = None
        self.runs: Listing[Glance] = Listing(self._run_lines, 2, "  …", id="runs")
        self.presets: Listing[Preset] = Listing(self._preset_lines, 1, "  …", id="presets")
        self._panels = {"runs": Vertical(id="runs-panel", classes="panel"), "presets": Vertical(classes="panel")}
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
        self._thread = GlanceThread(self.app.runs, self.post_message)
        self._thread.start()
        Thread(target=read_presets, args=(self.post_message,), name="presets", daemon=True).start()

    def on_unmount(self) -> None:
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
        self._turn_to(self.runs if event.number == 1 else self.presets)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        self._arrange()
        self._tell()

    def on_key(self, event: events.Key) -> None:
        self._untouched = False

    def on_mouse_down(self) -> None:
        self._untouched = False

    @property
    def listing(self) -> Listing[Glance] | Listing[Preset]:
        """The list that the cursor is in."""
        return self.presets if self.presets.has_focus or (self._on_filter and self._tab == 2) else self.runs

    @property
    def _on_filter(self) -> bool:
        return self._filter is not None and self._filter.has_focus

    def _show(self) -> None:
        glances, presets = self._glances, self._presets
        words = self._words.lower().split()
        if glances is not None:
            sign = "▷" if self.app.ability.unicode else ">"
            self.runs.empty = f"  {self._trouble}" if self._trouble else NO_RUNS.format(sign=sign)
            if glances:
                self.runs.empty = "  no run has these words"
            found = [glance for glance in glances if _has(words, _run_words(glance))]
            self.runs.show([Entry(str(glance.folder), glance) for glance in found])
            self._title("runs", len(found), len(glances))
            active = sum(glance.info is not None and glance.info.active for glance in glances)
            self._top.show(self.app.runs, active)
        if presets is not None:
            fitting = [preset for preset in presets if _has(words, _preset_words(preset))]
            entries: list[Entry[Preset]] = []
            for preset in fitting:
                if not entries or (entries[-1].item is not None and entries[-1].item.group != preset.group):
                    entries.append(Entry(f"heading {preset.group}", None, f" {GROUPS.get(preset.group, preset.group)}"))
                entries.append(Entry(preset.name, preset))
            self.presets.show(entries)
            self._title("presets", len(fitting), len(presets))

    def _title(self, name: str, found: int, count: int) -> None:
        self._panels[name].border_title = Content(f"{name} {found} of {count}" if self._words else f"{name} {count}")

    def _tell(self) -> None:
        """Details, footer and marks of the list that the cursor is in."""
        listing = self.listing
        on_runs = listing is self.runs
        self._footer.show("runs" if on_runs else "presets")
        run, preset = self.runs.chosen, self.presets.chosen
        if on_runs and run is not None:
            self._details.show(partial(rows.run_details, run))
        elif not on_runs and preset is not None:
            self._details.show(partial(rows.preset_details, preset))
        else:
            self._details.show(None)
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

    def _run_lines(self, glance: Glance, width: int, marked: bool) -> list[Line]:
        return rows.run_lines(glance, rows.viewer_of(self.runs, self._here), width, marked)

    def _preset_lines(self, preset: Preset, width: int, marked: bool) -> list[Line]:
        return rows.preset_lines(preset, rows.viewer_of(self.presets), width, marked)

    @property
    def _marked(self) -> list[Path]:
        """Run files and folders that are marked, runs first."""
        runs = [glance.folder for glance in self._glances or () if str(glance.folder) in self.runs.marked]
        recorded = [p.recording for p in self._presets or () if p.name in self.presets.marked and p.recording]
        return [*runs, *recorded]

    def action_open(self) -> None:
        """Open the run, or the form of the preset."""
        if self.listing is self.runs:
            run = self.runs.chosen
            if run is not None and run.info is not None:
                self.app.open_run(run.folder)
            elif run is not None:
                self._say(run.trouble)
            return
        preset = self.presets.chosen
        if preset is not None:
            from condense_tui.screens.form import FormScreen, of_preset

            self.app.push_screen(FormScreen(of_preset(preset)))

    def action_recording(self) -> None:
        """Play the recording of the preset; a run is opened."""
        if self.listing is self.runs:
            self.action_open()
            return
        preset = self.presets.chosen
        if preset is None:
            return
        if preset.recording is None:
            self._say(f"{preset.name} has no recording; enter trains it")
        else:
            self.app.open_run(preset.recording)

    def action_other(self) -> None:
        """To the other list."""
        self._turn_to(self.presets if self.listing is self.runs else self.runs)

    def _turn_to(self, listing: Listing[Glance] | Listing[Preset]) -> None:
        """Give a list the focus; what does not fit beside it is shown in its place, and must be there to take it."""
        on_presets = listing is self.presets
        self._tabs.choose(2 if on_presets else 1)
        self._panels["presets" if on_presets else "runs"].display = True
        self.set_focus(listing)

    def action_filter(self) -> None:
        """Type words; both lists show what has them."""
        from textual.widgets import Input

        if self._filter is None:
            self._filter = Input(placeholder="words to look for · enter keeps them · esc shows all", compact=True)
            self._filter.id = "filter"
            self.mount(self._filter, after=self._tabs)
        self._filter.display = True
        self._filter.focus()

    def on_input_changed(self, event: Message) -> None:
        """Narrow both lists."""
        self._words = "" if self._filter is None else self._filter.value.strip()
        self._show()

    def on_input_submitted(self) -> None:
        """Keep the words, and choose."""
        only_presets = not self.runs.chosen and self.presets.chosen
        self.set_focus(self.presets if self._tab == 2 or only_presets else self.runs)
        if self._filter is not None:
            self._filter.display = bool(self._words)

    def key_escape(self) -> None:
        """Show everything again."""
        if self._filter is not None:
            self._filter.value = ""
            self._filter.display = False
            self.set_focus(self.presets if self._tab == 2 else self.runs)

    def action_mark(self) -> None:
        """Mark for comparing, or take the mark away."""
        listing = self.listing
        key = listing.chosen_key
        preset = self.presets.chosen
        if key is None:
            return
        if listing is self.presets and preset is not None and preset.recording is None:
            self._say(f"{preset.name} has no recording to compare; enter trains it")
        elif key not in listing.marked and len(self._marked) >= MOST_COMPARED:
            self._say(f"{MOST_COMPARED} are marked already; more than that nobody can compare")
        else:
            listing.marked ^= {key}
            listing.action_go(1)
            self._tell()

    def action_compare(self) -> None:
        """Compare the marked; with one of them, also the one under the cursor."""
        marked = self._marked
        run, preset = self.runs.chosen, self.presets.chosen
        here = run.folder if self.listing is self.runs and run else preset.recording if preset else None
        if len(marked) == 1 and here is not None and here not in marked:
            marked.append(here)
        if len(marked) < 2:
            self._say("mark two to six with m, then c compares them")
            return
        self.app.compare(marked)

    def action_pause(self) -> None:
        """Pause training of the run, or go on with it."""
        from condense_tui.screens import steering

        run = self.runs.chosen
        if run is not None and run.info is not None:
            steering.pause_or_go_on(self, run.folder, run.info.status, self._steered)

    def action_stop(self) -> None:
        """Stop training of the run, after asking."""
        from condense_tui.screens import steering

        run = self.runs.chosen
        if run is not None and run.info is not None:
            info = run.info
            steering.stop(self, run.folder, info, self._steered)

    def action_new(self) -> None:
        """A new run like the one under the cursor."""
        from condense_tui.screens.form import FormScreen, of_run

        run = self.runs.chosen
        if run is not None and run.info is not None:
            self.app.push_screen(FormScreen(of_run(run.info)))

    def _steered(self) -> None:
        if self._thread is not None:
            self._thread.look()

    def _say(self, text: str) -> None:
        # one word at a time: who presses a key five times need not read the answer five times
        self.app.clear_notifications()
        self.notify(text, timeout=4, markup=False)


class HomeHeader(Lines):
    """What the program is, and where the runs are."""

    DEFAULT_CSS = "HomeHeader { height: 1; background: $panel; padding: 0 1; }"

    def __init__(self) -> None:
        super().__init__(id="header")
        self._says: tuple[str, int] | None = None

    def show(self, folder: Path, active: int) -> None:
        """Show where the runs are, and how many of them are training."""
        self._says = (str(folder), active)
        self.rebuild()

    def build(self, width: int, height: int) -> list[Line]:
        look = self.look
        left: Line = [("condense", look.chosen), ("  kernels of neural networks, as they condense", look.muted)]
        if self._says is None:
            return [left]
        folder, active = self._says
        training = f"{'●' if self.ability.unicode else '*'} {active} training" if active else ""
        right: Line = [(training, look.good), (f"   runs in {folder}", look.muted)]
        if len(folder) + 70 > width:
            right = right[:1]
        return [justified(left, right, width, look.text)]


class Details(Lines):
    """More of what the cursor is on."""

    DEFAULT_CSS = "Details { height: 1fr; padding: 0 1; }"

    def __init__(self) -> None:
        super().__init__()
        self._tell: partial[list[Line]] | None = None

    def show(self, tell: partial[list[Line]] | None) -> None:
        """Show what `tell(look, width, height)` says."""
        self._tell = tell
        self.rebuild()

    def build(self, width: int, height: int) -> list[Line]:
        return [] if self._tell is None else self._tell(self.look, width, height)


def _has(words: list[str], text: str) -> bool:
    return all(word in text for word in words)


def _run_words(glance: Glance) -> str:
    info = glance.info
    if info is None:
        return f"{glance.folder.name} unreadable".lower()
    return f"{info.id} {info.name} {info.preset} {info.status} {info.host}".lower()


def _preset_words(preset: Preset) -> str:
    figure = f"fig{preset.figure} figure {preset.figure}" if preset.figure else ""
    return f"{preset.name} {preset.group} {figure} {preset.summary} {preset.claim}".lower()
