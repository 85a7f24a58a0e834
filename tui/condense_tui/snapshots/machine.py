"""The machine that trains as plots: processor, memory, and of a GPU its use, temperature and power.

The axis of steps is always linear: nearly that of the time in which the machine was read.
"""

from __future__ import annotations

from condense_tui.draw import numbers
from condense_tui.draw.plot import Spec
from condense_tui.draw.strokes import PlotCurve
from condense_tui.snapshots.plots import Axes, Figure, value_at
from condense_tui.snapshots.snapshot import ScalarCurve, Snapshot

NOTHING = "nothing of the machine is recorded: the run is from an older program, or took less than two seconds"


def figures(snapshot: Snapshot, axes: Axes) -> tuple[Figure, ...]:
    """One for each kind of thing that was recorded; one with words where nothing was. Values are those at the playhead,
    or before it."""
    there = {curve.name: curve for curve in snapshot.machine}
    if not there:
        return (Figure(None, "machine", empty=NOTHING),)
    host = f"{snapshot.header.host} · {snapshot.header.device}"
    found = [
        _shares(snapshot, axes, there, {"cpu_use": "processor"}, _own(snapshot, there, "worker_cpu", "{} cores")),
        _shares(snapshot, axes, there, {"memory_use": "memory"}, _own(snapshot, there, "worker_memory", "{} MiB")),
        _shares(snapshot, axes, there, {"gpu_use": "GPU", "gpu_memory_use": "its memory"}),
        _one(snapshot, axes, there, "gpu_temperature", "GPU temperature {} °C"),
        _one(snapshot, axes, there, "gpu_power", "GPU power {} W"),
    ]
    shown = [figure for figure in found if figure is not None]
    return (Figure(shown[0].spec, shown[0].title, f"{shown[0].remark} · {host}"), *shown[1:]) if shown else ()


def _shares(
    snapshot: Snapshot, axes: Axes, there: dict[str, ScalarCurve], names: dict[str, str], remark: str = ""
) -> Figure | None:
    curves = [there[name] for name in names if name in there]
    if not curves:
        return None
    several = len(curves) > 1
    title = " · ".join(f"{names[curve.name]} {numbers.percent(value_at(curve.points, snapshot))}" for curve in curves)
    drawn = tuple(
        PlotCurve(names[curve.name], *curve.points, number, names[curve.name][-1] if several else "")
        for number, curve in enumerate(curves)
    )
    return Figure(Spec(drawn, 0, 0, bounds=(0.0, 1.0), smooth=axes.smooth), title, remark)


def _one(snapshot: Snapshot, axes: Axes, there: dict[str, ScalarCurve], name: str, title: str) -> Figure | None:
    curve = there.get(name)
    if curve is None:
        return None
    spec = Spec((PlotCurve(name, *curve.points),), 0, 0, smooth=axes.smooth)
    return Figure(spec, title.format(numbers.measure(value_at(curve.points, snapshot), 3)))


def _own(snapshot: Snapshot, there: dict[str, ScalarCurve], name: str, words: str) -> str:
    """What of it is this run's own."""
    curve = there.get(name)
    value = None if curve is None else value_at(curve.points, snapshot)
    return "" if value is None else f"this run {words.format(numbers.measure(value, 3))}"
