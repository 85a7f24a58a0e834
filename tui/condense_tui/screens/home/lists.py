"""The two lists of the home screen: what was read for them, which has the cursor, and what is marked in them."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from textual.containers import Vertical
from textual.content import Content

from condense_tui.readers.machines import Elsewhere, Machine
from condense_tui.screens import list_lines
from condense_tui.screens.home.entries import SweepRow, Wanted, preset_entries, run_entries
from condense_tui.screens.home.filter import WordFilter
from condense_tui.widgets.listing import Listing
from condense_tui.widgets.tabs import Tabs

if TYPE_CHECKING:
    from textual.widget import Widget

    from condense_core.runs.claim_state import Standing
    from condense_core.runs.glance import Glance
    from condense_core.runs.query import Query
    from condense_presets.catalogue import Preset
    from condense_tui.draw.line import Line
    from condense_tui.screens.home.entries import HomeRow
    from condense_tui.widgets.listing import Entry

# What runs are sorted by, one after the other; the first is as they come, the newest first.
SORTS = ("", "name", "status", "loss", "-lines", "step", "claim", "preset", "tag")
# Lines that fit beside the presets in 100 columns.
NO_RUNS = """
  no runs yet

  choose a preset (tab), then press

  enter  to train it here, even if
         this terminal is closed
  space  to play its recording, if
         it has a {sign}

  digits-gd is a good one to start
  with."""


class Lists:
    """Runs and presets, each in a panel of its own, and the tabs that stand for them where only one is shown."""

    def __init__(self, focus: Callable[[Widget], None], focused: Callable[[], Widget | None]) -> None:
        """`focus` has the keys go to a widget of the screen, at once; `focused` is where they go.

        A widget itself hears of it later: of keys that are typed fast, the second would still meet the list before.
        """
        self._focus = focus
        self._focused = focused
        self.glances: tuple[Glance, ...] | None = None
        """Runs here as they are now; None until they were read."""
        self.trouble = ""
        """Why the folder of runs cannot be read."""
        self.catalogue: tuple[Preset, ...] | None = None
        """The presets that ship; None until they were read."""
        self.runs: Listing[HomeRow] = Listing(self._run_lines, 2, "  …", id="runs")
        self.presets: Listing[Preset] = Listing(self._preset_lines, 1, "  …", id="presets")
        self.runs_panel = Vertical(id="runs-panel", classes="panel")
        self.presets_panel = Vertical(id="presets-panel", classes="panel")
        self.tabs = Tabs({1: "runs", 2: "presets"})
        self.filter = WordFilter(self.tabs)
        self.query: Query | None = None
        self.mistake = ""
        """What is wrong with the query that is typed."""
        self.sort = ""
        self.unfolded: set[str] = set()
        self.claims: dict[str, Standing | None] | None = None
        """How claims stand by the names of runs; None until that was asked for, and read."""
        self._here = socket.gethostname()

    @property
    def on_runs(self) -> bool:
        """Whether the cursor is in the list of runs."""
        return not (self.on_presets or (self.filter.has_focus and self.tabs.chosen == 2))

    @property
    def on_presets(self) -> bool:
        """Whether keys go to the list of presets."""
        return self._focused() is self.presets

    @property
    def run(self) -> Glance | None:
        """The run under the cursor that is here."""
        row = self.runs.chosen
        return None if isinstance(row, Machine | Elsewhere | SweepRow) else row

    @property
    def marked(self) -> list[Path]:
        """Run files and folders that are marked, runs first."""
        runs = [glance.folder for glance in self.glances or () if str(glance.folder) in self.runs.marked]
        recorded = [p.recording for p in self.catalogue or () if p.name in self.presets.marked and p.recording]
        return [*runs, *recorded]

    def show(self, machines: Iterable[Machine]) -> None:
        """Show what was read, narrowed to what has the words."""
        self._read_query()
        wanted = Wanted(self.query, self.sort, self.claims or {}, frozenset(self.unfolded))
        if self.glances is not None:
            self.runs.empty = self._no_runs(self.glances)
            runs = run_entries(self.glances, machines, wanted)
            self.runs.show(runs)
            self.runs_panel.border_title = self._title(
                "[1] runs", sum(map(_runs_in, runs)), len(self.glances), self.sort
            )
            self.runs_panel.border_subtitle = Content(self.mistake)
        if self.catalogue is not None:
            presets = preset_entries(self.catalogue, wanted.words)
            self.presets.show(presets)
            found = sum(entry.item is not None for entry in presets)
            self.presets_panel.border_title = self._title("[2] presets", found, len(self.catalogue))

    def _read_query(self) -> None:
        """Take over what is typed into the filter; where that makes no sense, what made sense last stays."""
        self.mistake = ""
        if not self.filter.words:
            self.query = None
            return
        from condense_core.errors import ScenarioError
        from condense_core.runs.query import parse_query

        try:
            self.query = parse_query(self.filter.words)
        except ScenarioError as error:
            self.mistake = str(error).removeprefix("query: ")

    @property
    def asks_for_claims(self) -> bool:
        """Whether the list cannot be shown without how claims stand."""
        return "claim" in {self.sort, *(self.query.fields if self.query is not None else ())}

    def sort_next(self) -> None:
        """Sort by the next of some fields."""
        self.sort = SORTS[(SORTS.index(self.sort) + 1) % len(SORTS)]

    def fold(self, sweep: str) -> None:
        """Show the runs of a sweep by themselves, or no more."""
        self.unfolded ^= {sweep}

    @property
    def listed_here(self) -> set[str]:
        """Keys of the runs here that are listed, also in a folded sweep."""
        rows = [entry.item for entry in self.runs.entries if entry.item is not None]
        glances = [run for row in rows for run in (row.runs if isinstance(row, SweepRow) else [row])]
        return {str(run.folder) for run in glances if not isinstance(run, Machine | Elsewhere)}

    @property
    def meant(self) -> list[Glance]:
        """Runs here that something is done to: the marked, else what the cursor is on, of a sweep all its runs."""
        marked = [glance for glance in self.glances or () if str(glance.folder) in self.runs.marked]
        row = self.runs.chosen
        if marked or row is None or isinstance(row, Machine | Elsewhere):
            return marked
        return list(row.runs) if isinstance(row, SweepRow) else [row]

    def _no_runs(self, glances: tuple[Glance, ...]) -> str:
        if glances:
            return "  no run fits these words"
        return f"  {self.trouble}" if self.trouble else NO_RUNS.format(sign="▷" if self.runs.ability.unicode else ">")

    def _title(self, name: str, found: int, count: int, sort: str = "") -> Content:
        by = f" by {sort.removeprefix('-')}" if sort else ""
        return Content(f"{name} {found} of {count}{by}" if self.filter.words else f"{name} {found}{by}")

    def turn_to(self, *, runs: bool) -> None:
        """Give a list the focus; what does not fit beside it is shown in its place, and must be there to take it."""
        self.tabs.choose(1 if runs else 2)
        (self.runs_panel if runs else self.presets_panel).display = True
        self._focus(self.runs if runs else self.presets)

    def leave_filter(self) -> None:
        """Give the list the focus that was chosen last."""
        self._focus(self.presets if self.tabs.chosen == 2 else self.runs)

    def put_cursor_on(self, place: Path) -> bool:
        """Put the cursor on a run, or on the preset whose recording it is; whether it is a recording."""
        recorded = any(preset.recording == place for preset in self.catalogue or ())
        self.turn_to(runs=not recorded)
        if recorded:
            self.presets.choose(place.stem)
        else:
            self.runs.choose(str(place))
        return recorded

    def _run_lines(self, row: HomeRow, width: int, marked: bool) -> list[Line]:
        viewer = list_lines.viewer_of(self.runs, self._here)
        if isinstance(row, Machine):
            return list_lines.machine_lines(row, viewer, width)
        if isinstance(row, Elsewhere):
            return list_lines.elsewhere_lines(row, viewer, width)
        if isinstance(row, SweepRow):
            whole = {str(run.folder) for run in row.runs} <= self.runs.marked
            return list_lines.sweep_lines(row.name, row.runs, viewer, width, marked=whole, unfolded=row.unfolded)
        return list_lines.run_lines(row, viewer, width, marked)

    def _preset_lines(self, preset: Preset, width: int, marked: bool) -> list[Line]:
        return list_lines.preset_lines(preset, list_lines.viewer_of(self.presets), width, marked)


def _runs_in(entry: Entry[HomeRow]) -> int:
    """How many runs a row stands for, and does not show by themselves."""
    row = entry.item
    if isinstance(row, SweepRow):
        return 0 if row.unfolded else len(row.runs)
    return int(row is not None and not isinstance(row, Machine))
