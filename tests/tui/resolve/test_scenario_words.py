"""A mistake is said in the words that it was made in."""

from __future__ import annotations

import pytest

from condense_core.errors import ScenarioError
from condense_core.runfile.info import read_run
from condense_core.runs.create import create_run
from condense_presets import preset_text
from condense_tui.draw.label import label
from condense_tui.resolve.scenario import build_scenario, changed, described


@pytest.mark.parametrize(
    ("given", "settings", "said"),
    [
        ({"seeds": 5000}, [], "--seeds: expected 1 to 4096, got 5000"),
        ({"seed": -3}, [], "--seed: expected 0 to 2^63 - 1, got -3"),
        ({}, ["ensemble.members=5000"], "digits-gd: ensemble.members: expected 1 to 4096, got 5000"),
        ({"seeds": 3}, ["ensemble.members=5000"], "digits-gd: ensemble.members: expected 1 to 4096, got 5000"),
        ({"seeds": 3}, ["steps=-1"], "digits-gd: steps: "),
    ],
)
def test_an_option_is_called_as_it_was_typed(given, settings, said):
    with pytest.raises(ScenarioError) as error:
        build_scenario("digits-gd", settings=settings, **given)
    assert str(error.value).startswith(said)


def test_a_field_of_the_form_is_called_as_it_stands_there():
    with pytest.raises(ScenarioError, match=r"^seeds: expected 1 to 4096, got 5000"):
        changed(preset_text("digits-gd"), "digits-gd", data="", seed="0", seeds="5000", settings=[])


def test_what_is_set_over_a_file_of_ones_own_is_noted(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(preset_text("digits-gd"))
    assert described(str(file), settings=[]).changed == ()
    # draws are told without being noted; what is set as it was is no change
    settings = ["optimizer.lr=1e-4", "layers.0.width=40", f"steps={described(str(file), settings=[]).experiment.steps}"]
    found = described(str(file), settings=settings, seed=3)
    assert set(found.changed) == {"optimizer.lr", "layers.0.width"}
    folder = create_run(found.experiment, runs=tmp_path / "runs", changed=found.changed)
    assert label(folder, read_run(folder)) == "digits-gd · width 40 · lr 1e-4 · seed 3"
    # of a preset that can be seen later, too
    assert described("digits-gd", settings=["steps=7"]).changed == ()
