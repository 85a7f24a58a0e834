"""A run file with fewer of its steps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from recording import Recording

from condense_core.runfile.frames import Array, Singular, Weights
from condense_core.runfile.reader import RunReader
from condense_core.runfile.schema import FILE_NAME
from condense_core.runfile.writer import StepRecord
from condense_core.runs.thinning import thin


def test_singular_values_stay_and_do_not_decide_which_steps_do(tmp_path: Path) -> None:
    recording = Recording(tmp_path, frames=40, spacing="linear")
    recording.write()
    kept = [int(step) for step in recording.steps[3:30:9]]
    for step in kept:
        frames = [("", Weights.of({"conv1.weight": np.ones((2, 2))}))]
        frames += [(layer, Singular(values=Array.of([step, 1.0], "f4"))) for layer in recording.names]
        recording.writer.append(StepRecord(step, [], frames, []))
    recording.finish()
    recording.close()
    thin(recording.folder / FILE_NAME, 12)
    with RunReader(recording.folder) as run:
        assert 8 <= len(run.instants) <= 14
        assert not len(run.weight_steps)
        for step in kept:
            for layer in recording.names:
                assert run.step_of("singular", layer, step) == step
                assert run.singular(layer, step).values.numpy()[0] == step
