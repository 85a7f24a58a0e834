"""Choosing what to compare a run with: other runs here, and the recordings that ship."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message

from condense_core.errors import CondenseError
from condense_core.runs.glance import Glance
from condense_core.runs.glances import Glances
from condense_presets.catalogue import Preset, catalogue
from condense_tui.draw.label import preset_base
from condense_tui.draw.line import Line
from condense_tui.screens import list_lines
from condense_tui.terminal.dialog import Dialog
from condense_tui.widgets.listing import Entry, Listing

MOST = 6
Candidate = Glance | Preset
"""A run, or a preset with a recording."""


@dataclass
class CandidatesFound(Message):
    """What there is to choose from."""

    runs: tuple[Glance, ...]
    recorded: tuple[Preset, ...]


class PickScreen(Dialog[None]):
    """A list; `space` marks, `enter` compares the marked, or the one under the cursor."""

    DEFAULT_CSS = """
    PickScreen { align: center middle; }
    PickScreen > Vertical {
        width: 84; max-width: 100%; height: 80%; background: $surface; border: round $frame-focus;
        border-title-color: $title; border-subtitle-color: $title;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss", "close", show=False),
        Binding("space,m", "mark", "mark", show=False),
        Binding("enter,c", "compare", "compare", show=False),
    ]

    def __init__(self, place: Path) -> None:
        """`place` is the run that the chosen ones are compared with."""
        super().__init__()
        self._place = place
        self._here = socket.gethostname()
        self._places: dict[str, Path] = {}
        self._listing: Listing[Candidate] = Listing(self._lines, 2, "  …", id="choices")

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = "compare with"
            box.border_subtitle = "enter compares · space marks several · esc closes"
            yield self._listing

    def on_mount(self) -> None:
        self._listing.focus()
        Thread(target=self._find, name="runs-to-compare", daemon=True).start()

    def _find(self) -> None:
        try:
            runs = tuple(Glances(self.app.runs, preset_base).look())
        except (OSError, CondenseError):
            # the recordings that ship are there nevertheless
            runs = ()
        self.post_message(
            CandidatesFound(runs, tuple(preset for preset in catalogue() if preset.recording is not None))
        )

    def on_candidates_found(self, message: CandidatesFound) -> None:
        """Show what there is."""
        entries: list[Entry[Candidate]] = []
        for run in message.runs:
            if run.info is not None and run.loss and not run.about.archived and run.folder != self._place:
                self._places[str(run.folder)] = run.folder
                entries.append(Entry(str(run.folder), run))
        if message.recorded:
            entries.append(Entry("recordings", None, " recordings that ship with the program"))
        for preset in message.recorded:
            if preset.recording is not None and preset.recording != self._place:
                self._places[preset.name] = preset.recording
                entries.append(Entry(preset.name, preset))
        self._listing.empty = "  no other run or recording yet: train a preset first"
        self._listing.show(entries)

    def _lines(self, choice: Candidate, width: int, marked: bool) -> list[Line]:
        viewer = list_lines.viewer_of(self._listing, self._here)
        look, unicode = viewer.look, viewer.unicode
        if isinstance(choice, Glance):
            return list_lines.run_lines(choice, viewer, width, marked)
        mark = ("✓ " if unicode else "+ ") if marked else "  "
        head: Line = [(mark, look.warn), ("▷  " if unicode else ">  ", look.playhead), (choice.name, look.strong)]
        return [head, [("     ", look.text), (choice.summary, look.muted)]]

    def action_mark(self) -> None:
        """Mark the one under the cursor, or take the mark away."""
        key, marked = self._listing.chosen_key, self._listing.marked
        if key is not None and (key in marked or len(marked) < MOST - 1):
            marked ^= {key}
            self._listing.action_go(1)

    def action_compare(self) -> None:
        """Compare with the marked, or with the one under the cursor."""
        key = self._listing.chosen_key
        chosen = [name for name in self._places if name in self._listing.marked] or ([key] if key else [])
        if chosen:
            app, places = self.app, [self._place, *(self._places[name] for name in chosen)]
            self.dismiss()
            app.call_later(app.compare, places)

    def on_listing_opened(self, event: Listing.Opened) -> None:
        """A second click compares."""
        self.action_compare()
