"""The panel with a layer's weights: it follows the playhead, and says of which step what it shows is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from one_input import KEPT, one_input_run
from piloting import head, run_screen, settled, shown, snapshot, text, text_has, until
from recording import Recording
from support import some_of

from condense_core.runfile.reader import RunReader
from condense_tui.widgets.weights import PicturePanel

SIZES = some_of([(60, 20), (80, 24), (120, 40), (200, 60)], one_in=2)


@pytest.mark.parametrize("size", SIZES)
async def test_norms_follow_the_playhead(recorded: Recording, size: tuple[int, int]) -> None:
    async with shown(recorded.folder, size) as pilot:
        assert snapshot(pilot).weights is None
        await pilot.press("6")
        await until(lambda: snapshot(pilot).weights is not None, "the weights in the snapshot")
        await settled(pilot)
        await text_has(pilot, "norms · conv1")
        await text_has(pilot, "not recorded in this file")
        with RunReader(recorded.folder) as run:
            for key in ("home", "right", "right"):
                await pilot.press(key)
                await until(lambda: not head(pilot).following, "the playhead to move")
            await until(lambda: snapshot(pilot).weights.norms_at == head(pilot).step, "the norms of that step")
            expected = run.condensation("conv1", head(pilot).step)
        assert expected is not None
        np.testing.assert_allclose(snapshot(pilot).weights.norm, expected.norm.numpy())
        await pilot.press("right_square_bracket")
        await text_has(pilot, "norms · conv2")


@pytest.mark.parametrize("size", SIZES)
async def test_orientations_of_a_network_with_one_input(tmp_path: Path, size: tuple[int, int]) -> None:
    async with shown(one_input_run(tmp_path), size) as pilot:
        await pilot.press("6")
        await until(lambda: snapshot(pilot).weights is not None, "the weights in the snapshot")
        await settled(pilot)
        page = text(pilot)
        assert f"weights of step {KEPT}" in page or size[0] == 60
        # before the first step of which the weights were kept there are none, and nothing is made up
        await pilot.press("home")
        await until(lambda: snapshot(pilot).weights.kept_at is None, "no weights before")
        await text_has(pilot, "none recorded")
        assert not snapshot(pilot).weights.angle.size


async def test_the_value_axis_is_logarithmic_or_not(recorded: Recording) -> None:
    async with shown(recorded.folder) as pilot:
        await pilot.press("6")
        await settled(pilot)
        norms = run_screen(pilot).query_one("#norms", PicturePanel)
        await until(lambda: norms.display and norms._lines, "the picture")
        before = norms._lines
        await pilot.press("l")
        await until(lambda: norms._lines != before, "another axis")
