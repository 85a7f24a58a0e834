"""A mirror of a run that is damaged there does not look sound here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pairing import following
from recording import Recording
from support import change

from condense_core.errors import RunFileError
from condense_core.remote.client.follower import RunRefusedError
from condense_core.runfile.reader import RunReader


@pytest.fixture
def recording(far: Path) -> Recording:
    found = Recording(far, frames=8)
    found.write()
    found.finish()
    found.close()
    return found


# Within the checksum, and so that zstandard alone would not see it.
@pytest.mark.parametrize("at", ["length(blob) - 1", "length(blob) - 10", "0"])
def test_a_frame_that_is_damaged_there_is_damaged_here_and_all_else_arrives(recording, far, near, at):
    where = "step = 4000 AND place = (SELECT id FROM place WHERE kind = 'alignment' AND layer = 'conv1')"
    change(recording.folder, f"UPDATE frame SET blob = flip(blob, {at}) WHERE {where}")
    with following(far, near, recording.folder.name) as link:
        link.settle()
    with RunReader(recording.folder) as there, RunReader(link.folder) as here:
        for run in (there, here):
            with pytest.raises(RunFileError, match="alignment of conv1 at step 4000: wrong checksum"):
                run.alignment("conv1")
        assert here.alignment("conv2") == there.alignment("conv2")
        for layer in there.layers:
            assert np.array_equal(here.similarity(layer), there.similarity(layer))
        assert np.array_equal(here.curve("loss"), there.curve("loss"))


def test_scalars_that_are_damaged_there_are_not_sent(recording, far, near):
    step = recording.steps[5]
    change(recording.folder, f"UPDATE scalar SET data = flip(data, 3) WHERE step = {step}")
    with (
        following(far, near, recording.folder.name) as link,
        pytest.raises(RunRefusedError, match=f"scalars at step {step} have a wrong checksum"),
    ):
        link.settle()
    with RunReader(link.folder) as here:
        assert set(here.curve("loss")[0].tolist()) <= set(recording.steps[:5].tolist())
