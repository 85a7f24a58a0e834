"""The machine that trained as SVG: processor, memory, and of a GPU its use, memory, temperature and power."""

from __future__ import annotations

from condense_core.measure_table import MEASURES
from condense_core.runfile.reader import RunReader
from condense_tui.documents.curves import Chart, ChartCurve, plot
from condense_tui.documents.pictures import Picture

# Shares that stand in one plot, with the words at their ends; and what has an axis of its own.
SHARES = (
    ("processor and memory in use", {"cpu_use": "cpu", "memory_use": "mem"}),
    ("GPU and its memory in use", {"gpu_use": "GPU", "gpu_memory_use": "mem"}),
)
ALONE = ("worker_cpu", "worker_memory", "gpu_temperature", "gpu_power")


def machine_pictures(run: RunReader) -> list[Picture]:
    """What was recorded of it, over the steps that training had reached; nothing where nothing was."""
    found = []
    for title, names in SHARES:
        read = [(run.curve(name), word) for name, word in names.items()]
        curves = [
            ChartCurve(steps, values, name=word, tone=tone)
            for tone, ((steps, values), word) in enumerate(read)
            if len(steps)
        ]
        if curves:
            found.append(Picture(plot(Chart(title, curves, low=0.0, high=1.0, log_x=False)), title, False))
    for name in ALONE:
        steps, values = run.curve(name)
        if len(steps):
            title = MEASURES[name].label
            chart = Chart(title, [ChartCurve(steps, values)], low=0.0, log_x=False)
            found.append(Picture(plot(chart), title, False))
    return found
