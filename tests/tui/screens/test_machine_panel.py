"""The machine that trains: what was recorded of it is drawn, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from piloting import head, run_screen, settled, shown, snapshot, text, text_has, until
from recording import Recording
from support import some_of

from condense_core.measure_table import OF_THE_MACHINE
from condense_core.runfile.writer import StepRecord
from condense_tui.snapshots.machine import figures
from condense_tui.snapshots.plots import Axes
from condense_tui.widgets.plot import PlotPanel

SIZES = some_of([(60, 20), (80, 24), (120, 40), (200, 60)], one_in=2)


@pytest.fixture
def sampled(recorded: Recording) -> Callable[[tuple[str, ...]], Recording]:
    def sample(names: tuple[str, ...]) -> Recording:
        for number, step in enumerate(range(100, 4001, 100)):
            scalars = [(name, 0.25 + 0.01 * number) for name in names]
            recorded.writer.append(StepRecord(step, scalars, [], []))
        return recorded

    return sample


@pytest.mark.parametrize("size", SIZES)
async def test_processor_and_memory(sampled: Callable[..., Recording], size: tuple[int, int]) -> None:
    recording = sampled(OF_THE_MACHINE[:4])
    async with shown(recording.folder, size) as pilot:
        assert snapshot(pilot).machine == ()
        await pilot.press("7")
        await until(lambda: len(snapshot(pilot).machine) == 4, "the machine in the snapshot")
        await settled(pilot)
        await text_has(pilot, "processor 64 %")
        await text_has(pilot, "memory 64 %")
        assert "GPU" not in text(pilot)
        # it is scrubbed like everything else
        await pilot.press("home")
        await until(lambda: head(pilot).index == 0, "the first frame")
        await text_has(pilot, "processor –")
        await pilot.press("escape" if size[0] >= 120 else "1")
        await until(lambda: snapshot(pilot).machine == (), "nothing of it where it is not shown")


async def test_a_gpu_has_its_own_panels(sampled: Callable[..., Recording]) -> None:
    recording = sampled(OF_THE_MACHINE)
    async with shown(recording.folder) as pilot:
        await pilot.press("7")
        await until(lambda: len(snapshot(pilot).machine) == 8, "the machine in the snapshot")
        await settled(pilot)
        for words in ("GPU 64 % · its memory 64 %", "GPU temperature", "GPU power", "this run 0.640 cores"):
            await text_has(pilot, words)
        panels = [panel for panel in run_screen(pilot).query(PlotPanel) if (panel.id or "").startswith("machine")]
        assert sum(panel.display for panel in panels) == 5


@pytest.mark.parametrize("size", SIZES)
async def test_an_older_run_says_that_nothing_is_recorded(recorded: Recording, size: tuple[int, int]) -> None:
    async with shown(recorded.folder, size) as pilot:
        await pilot.press("7")
        await settled(pilot)
        await text_has(pilot, "nothing of the machine is recorded")


async def test_samples_have_no_gaps_where_frames_are_denser(sampled: Callable[..., Recording]) -> None:
    async with shown(sampled(("cpu_use",)).folder) as pilot:
        await pilot.press("7")
        await until(lambda: snapshot(pilot).machine, "the machine in the snapshot")
        found = snapshot(pilot)
        (figure,) = figures(found, Axes())
        assert figure.spec is not None
        assert figure.spec.curves[0].among is None
        # chosen as a curve among others it is drawn with the run's own steps at hand
        chosen = replace(found, scalars=found.machine)
        from condense_tui.draw.strokes import after_gaps
        from condense_tui.snapshots.plots import scalars

        spec = scalars(chosen, Axes()).spec
        assert spec is not None and spec.curves[0].among is not None
        assert not np.any(after_gaps(spec.curves[0].x, spec.curves[0].among))
