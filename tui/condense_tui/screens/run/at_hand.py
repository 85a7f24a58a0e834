"""What there is to see and to do now: which panels a run has, and which keys would do nothing."""

from __future__ import annotations

from typing import Literal

from condense_core.measure_table import OF_THE_MACHINE
from condense_core.rows_of_layers import only_kernels, other_rows
from condense_tui.draw.layer_names import blocks
from condense_tui.screens.run.body import MOST_CURVES, Recorded
from condense_tui.screens.run_commands import pause_word
from condense_tui.snapshots.snapshot import Snapshot

Front = Literal["log", "layers", "curves"]
"""What `/` looks for: what is in front."""
_FINDS: dict[Front, str] = {"log": "search", "layers": "layers", "curves": "curves"}
# What a program measures of itself and its machine.
_OF_THE_PROGRAM = frozenset({*OF_THE_MACHINE, "recording_share", "steps_per_second"})
_OF_KERNELS = frozenset({"order", "cut", "spectrum"})
# What the log hides; and `end` follows the log there.
_NOT_IN_THE_LOG = frozenset({"fold", "layer", "order", "rows", "spectrum", "cut", "log", "live"})


def recorded_of(snapshot: Snapshot | None) -> Recorded:
    """What of a run there are panels for."""
    if snapshot is None:
        return Recorded()
    one_input = snapshot.outputs is not None or snapshot.field is not None
    return Recorded(len(snapshot.layers), len(snapshot.accuracy[0]) > 0, one_input, bool(curves_of(snapshot)))


def curves_of(snapshot: Snapshot | None) -> tuple[str, ...]:
    """Of a run of curves alone the first, as many as there are plots for, without what a program measures of itself."""
    if snapshot is None or not snapshot.curves_alone:
        return ()
    return tuple(name for name in snapshot.scalar_names if name not in _OF_THE_PROGRAM)[:MOST_CURVES]


def heatmaps_of(snapshot: Snapshot | None) -> tuple[tuple[int, ...], int]:
    """Kernels on a side of each heatmap, and the number of the chosen layer's."""
    if snapshot is None:
        return (), 0
    chosen = (at for at, image in enumerate(snapshot.images) if image.layer == snapshot.layer)
    return tuple(len(image.order) for image in snapshot.images), next(chosen, 0)


def at_hand(snapshot: Snapshot, zoomed: bool, front: Front) -> tuple[frozenset[str], dict[str, str]]:
    """Actions that the footer leaves out, since they would do nothing now, and what some are called now."""
    pause, can = pause_word(snapshot.header), snapshot.header.can
    several = {"layer": len(snapshot.layers) > 1, "member": snapshot.seeds is not None}
    several |= {"fold": bool(blocks(tuple(layer.name for layer in snapshot.layers)))}
    names = [layer.name for layer in snapshot.layers]
    other = None if snapshot.layer is None else other_rows(snapshot.layer, names)
    several |= {"stop": "stop" in can, "new": "new" in can, "reduce": "reduce" in can}
    there = {**several, "rows": other is not None, "pause": bool(pause), "out": zoomed}
    without = {name for name, of_use in there.items() if not of_use}
    without |= _NOT_IN_THE_LOG if front == "log" else set()
    without |= _OF_KERNELS if recorded_of(snapshot).curves_alone else set()
    rows = "weights" if snapshot.layer is not None and other in only_kernels(names) else "outputs"
    called = {"pause": pause, "find": _FINDS[front], "rows": rows}
    return frozenset(without), called | ({} if snapshot.active else {"live": "last"})
