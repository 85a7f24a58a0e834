"""What was measured at an earlier step than the playhead's says so, and is dim."""

from __future__ import annotations

from pathlib import Path

import pytest
from piloting import head, settled, shown, text, text_has, until
from recording import Recording

from condense_core.runfile.writer import StepRecord
from condense_tui.screens.run.body import ListPanel
from condense_tui.widgets.layers import Layers
from condense_tui.widgets.panels import HeatPanel
from condense_tui.widgets.plot import PlotPanel


@pytest.fixture
def thinned(tmp_path: Path) -> Recording:
    """A run that measures no more than its loss in the end."""
    recording = Recording(tmp_path, steps=5000, kernels=(32,), lines=(2,))
    recording.write(30)
    for step in (4990, 4995):
        recording.writer.append(StepRecord(step, [("loss", 0.4)], [], []))
    recording.writer.update(step=4995)
    recording.finish()
    return recording


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_titles_name_the_step_of_an_old_value_and_are_dim(thinned: Recording, size: tuple[int, int]) -> None:
    measured = f"step {int(thinned.steps[29]):,}"
    async with shown(thinned.folder, size) as pilot:
        await text_has(pilot, f"of {measured}")
        await settled(pilot)
        screen = pilot.app.screen
        layers, heat, loss = screen.query_one(Layers), screen.query(HeatPanel).first(), screen.query_one("#loss")
        assert isinstance(screen.query_one("#list"), ListPanel)
        styles = {style for row in layers._lines for words, style in row if words.strip() and words not in "▌|"}
        assert styles == {layers.look.muted}
        assert heat.has_class("-old") and f"· {measured}" in str(heat.border_title)
        assert not loss.has_class("-old") and "loss 0.4000" in text(pilot)
        if size[0] > 80:
            panel = screen.query_one("#prediction", PlotPanel)
            assert panel.has_class("-old") and f"· {measured}" in str(panel.border_title)
        await pilot.press("left", "left")
        await until(lambda: head(pilot).step == int(thinned.steps[29]), "the step at which all was measured")
        await settled(pilot)
        assert not heat.has_class("-old") and f"of {measured}" not in text(pilot)
