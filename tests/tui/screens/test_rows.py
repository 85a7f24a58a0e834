"""Outputs of neurons where weights stood, and back."""

from __future__ import annotations

from pathlib import Path

import pytest
from piloting import at_home, shown, snapshot, text_has, until
from recording import Recording

from condense_core.runs.glance import glance
from condense_tui.app.app import CondenseApp
from condense_tui.screens.compare.screen import CompareScreen


@pytest.fixture
def both(tmp_path: Path) -> Recording:
    """A layer of 32 kernels on two lines, and their outputs on one."""
    made = Recording(tmp_path / "runs", kernels=(32, 32), frames=8)
    made.names = ("conv1", "conv1-outputs")
    made.write()
    made.finish()
    return made


async def test_w_shows_outputs_and_what_else_there_is_of_the_layer_stays(both: Recording) -> None:
    async with shown(both.folder) as pilot:
        await text_has(pilot, "conv1-outputs")
        weights = snapshot(pilot)
        assert weights.layer == "conv1"
        await pilot.press("w")
        await until(lambda: snapshot(pilot).layer == "conv1-outputs", "the outputs")
        outputs = snapshot(pilot)
        assert outputs.images[0].cosine.shape == (32, 32)
        assert (outputs.images[0].cosine != weights.images[0].cosine).any()
        assert outputs.ratio is weights.ratio
        assert outputs.spectrum.curves[0] is weights.spectrum.curves[0]
        await pilot.press("w")
        await until(lambda: snapshot(pilot).layer == "conv1", "the weights")


async def test_w_says_where_no_outputs_were_recorded(recorded: Recording) -> None:
    async with shown(recorded.folder) as pilot:
        await pilot.press("w")
        await text_has(pilot, "outputs of neurons were not recorded")


async def test_w_says_of_rows_that_are_no_neurons_that_they_have_no_outputs(tmp_path: Path) -> None:
    made = Recording(tmp_path / "runs", kernels=(8, 8, 8), lines=(1, 1, 1), frames=4)
    made.names = ("embedding", "block1.mlp", "block1.mlp-outputs")
    made.write()
    made.finish()
    async with shown(made.folder) as pilot:
        await text_has(pilot, "block1.mlp-outputs")
        await pilot.press("w")
        await text_has(pilot, "embedding has no neurons: outputs are those of hidden layers")


async def test_runs_are_compared_by_outputs(both: Recording, recorded: Recording) -> None:
    app = CondenseApp(runs=both.folder.parent)
    async with app.run_test(size=(120, 40)) as pilot:
        await at_home(app)
        app.compare((both.folder, recorded.folder))
        await until(lambda: isinstance(app.screen, CompareScreen) and app.screen.comparison, "the comparison")
        await pilot.press("w")
        layers = lambda: [side.layer.name for side in app.screen.comparison.sides if side.layer]  # noqa: E731
        # a run that has none shows its kernels
        await until(lambda: layers() == ["conv1-outputs", "conv1"], "outputs")


def test_lists_of_runs_count_lines_of_weights(both: Recording) -> None:
    assert [layer.name for layer in glance(both.folder).layers] == ["conv1"]
