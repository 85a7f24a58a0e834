"""The tour: a recording on the run screen, with a caption about one panel after the other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from condense_tui.screens.run.screen import RunScreen
from condense_tui.snapshots.snapshot import Snapshot
from condense_tui.terminal.habits import Habits
from condense_tui.widgets.guide import Caption, Guide

# Keys of the tour, where the run screen has others.
_TAKEN = frozenset({"play", "frame", "out", "live"})


@dataclass(frozen=True)
class TourStop:
    """A caption, the number of the panel that it is about, and the frame: a share of all of them, or all from there."""

    caption: Caption
    panel: int
    share: float
    plays: bool = False


STOPS = (
    TourStop(
        Caption(
            "kernels",
            "Each row and column of the heatmap is a kernel: the weights of a channel as a vector. A cell is the cosine"
            " of two. Before training: no pattern.",
        ),
        1,
        0.0,
    ),
    TourStop(
        Caption(
            "training",
            "The recording plays. Kernels turn to one axis: cells go to 1 (same direction) or -1 (opposite). Those of"
            " one line stand together.",
        ),
        1,
        0.0,
        plays=True,
    ),
    TourStop(
        Caption(
            "a line",
            "Kernels along one axis, on either side, are a line. The list says how many lines there are and which share"
            " of the kernels lies on them: the layer has condensed.",
        ),
        1,
        1.0,
    ),
    TourStop(
        Caption(
            "loss",
            "All of that happens early: the loss has hardly fallen. The theory holds in this initial stage, while"
            " weights are small.",
        ),
        2,
        1.0,
    ),
    TourStop(
        Caption(
            "the gap",
            "Singular values of Z, a matrix made from the data alone, before any training. The larger the gap between"
            " the first and the second, the sooner one direction wins.",
        ),
        3,
        1.0,
    ),
    TourStop(
        Caption(
            "v1",
            "v1 is the direction that belongs to the first of them, and the prediction: below, how much of the weights"
            " lies on it, measured and as linear dynamics predict.",
        ),
        3,
        1.0,
    ),
    TourStop(
        Caption(
            "the claim",
            "Under the header: what this run must show, and whether it does at the step of the playhead. A sign, the"
            " number that decides, and what is wanted.",
        ),
        1,
        1.0,
    ),
    TourStop(
        Caption(
            "the playhead",
            "The timeline below is the whole run. From now on space plays, arrow keys go by frames, home and end to its"
            " ends, and ? shows all keys.",
        ),
        1,
        0.5,
    ),
)


class TourScreen(RunScreen):
    """A run screen that explains itself."""

    BINDINGS: ClassVar[list[BindingType]] = [
        # also where a panel has the focus, whose own keys they are elsewhere
        Binding("space,right", "next_stop", "next", show=False, priority=True),
        Binding("left", "stop_before", "back", show=False, priority=True),
        Binding("escape", "end_tour", "end", show=False, priority=True),
    ]

    def __init__(self, place: Path, habits: Habits) -> None:
        # before the screen arranges itself, which asks how high it is
        self._guide = Guide([stop.caption for stop in STOPS])
        self._at = -1
        super().__init__(place, habits)

    def compose(self) -> ComposeResult:
        for widget in super().compose():
            if widget is self._body:
                yield self._guide
            yield widget

    def on_resize(self, event: events.Resize) -> None:
        self._guide.styles.height = self._lines_above(event.size.width)
        super().on_resize(event)

    def show(self, snapshot: Snapshot) -> None:
        super().show(snapshot)
        if self._at < 0:
            self._go(0)

    def _lines_above(self, width: int) -> int:
        return self._guide.lines_for(width)

    def _without(self) -> frozenset[str]:
        return _TAKEN

    def action_next_stop(self) -> None:
        """The next caption; after the last one, the run screen as it always is."""
        if self._at + 1 == len(STOPS):
            self.action_end_tour()
        else:
            self._go(self._at + 1)

    def action_stop_before(self) -> None:
        """The caption before."""
        self._go(max(0, self._at - 1))

    def action_end_tour(self) -> None:
        """The recording without captions."""
        self.app.open_run(self.place)

    def _go(self, at: int) -> None:
        snapshot = self._snapshot
        if snapshot is None:
            return
        self._at = at
        stop = STOPS[at]
        self._guide.show(at)
        self.action_panel(stop.panel)
        self._playback.go(round(stop.share * max(0, len(snapshot.instants) - 1)))
        if stop.plays:
            self._playback.toggle()
