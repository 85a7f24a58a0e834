"""What of a run the screen asks its reader for: layer, rows, seed, order of kernels, the cut of lines."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from condense_core.rows_of_layers import OUTPUTS_PROBE, only_kernels, other_rows
from condense_core.scalar_names import layer_in_words
from condense_core.thresholds import other_cut
from condense_tui.screens.playback import next_member
from condense_tui.snapshots.assemble import ViewRequest
from condense_tui.snapshots.snapshot import Seeds, Snapshot
from condense_tui.terminal.habits import Habits


class Asked:
    """Holds what was asked for last; what the keys choose begins there, since a snapshot of it may be on its way."""

    def __init__(self, view: ViewRequest, look: Callable[[ViewRequest], None], habits: Habits) -> None:
        """`look` has the reader look at what is asked for; `habits` keep order and cut for the next time."""
        self.view = view
        self._look = look
        self._habits = habits

    def ask(self, view: ViewRequest) -> None:
        """Have the reader look at that, unless it does."""
        if view != self.view:
            self.view = view
            self._look(view)

    def panels(self, shown: Collection[str], curves: tuple[str, ...], *, every_layer: bool) -> None:
        """Ask for what the panels need that are `shown` alone; `curves` are those that stand where nobody chose any."""
        view = replace(self.view, every_layer=every_layer, scalars=curves or self.view.scalars)
        view = replace(view, worker_log="events" in shown, weights="weights" in shown, machine="machine" in shown)
        self.ask(view)

    def again(self) -> None:
        """Have it look at the run now: something was done to it."""
        self._look(self.view)

    def layer(self, name: str) -> None:
        """Ask for a layer."""
        self.ask(replace(self.view, layer=name))

    def layer_in(self, snapshot: Snapshot) -> str | None:
        """The layer that was asked for last, where the run has it."""
        known = any(layer.name == self.view.layer for layer in snapshot.layers)
        return self.view.layer if known else snapshot.layer

    def other_rows(self, snapshot: Snapshot) -> bool:
        """From the weights of that layer to the outputs of its neurons, and back; False where only one was recorded."""
        asked = self.layer_in(snapshot)
        found = None if asked is None else other_rows(asked, [layer.name for layer in snapshot.layers])
        if found is not None:
            self.layer(found)
        return found is not None

    def why_no_other_rows(self, snapshot: Snapshot) -> str:
        """Why there is only one of them, in words."""
        names = [layer.name for layer in snapshot.layers]
        if len(only_kernels(names)) < len(names):
            layer = layer_in_words(self.layer_in(snapshot) or "")
            return f"{layer} has no neurons: outputs are those of hidden layers"
        return f"outputs of neurons were not recorded; add {OUTPUTS_PROBE!r} to record.probes of a new run"

    def member(self, number: int | None) -> None:
        """Ask for one member of an ensemble, from 0, or with None for their mean."""
        self.ask(replace(self.view, member=number))

    def member_beside(self, by: int, seeds: Seeds) -> None:
        """The next or the previous member; between the last and the first is the mean."""
        self.member(next_member(self.view.member, by, seeds.count))

    def by_line(self, by_line: bool) -> None:
        """Ask for kernels in the order of their lines, or of their numbers."""
        self.ask(replace(self.view, by_line=by_line))
        self._habits.keep("order", "line" if by_line else "index")

    def other_cut(self, snapshot: Snapshot) -> None:
        """Count lines at the other cut, and then again at that of the claim."""
        cut = other_cut(self.view.cut or snapshot.cut)
        chosen = None if cut == snapshot.claimed_cut else cut
        self.ask(replace(self.view, cut=chosen))
        self._habits.keep("cut", "claim" if chosen is None else chosen.short)
