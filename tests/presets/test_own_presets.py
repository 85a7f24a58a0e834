"""Folders of scenarios of one's own: listed, run and named as those that ship; what is broken is one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from condense_presets import all_preset_files, preset_base, preset_files, preset_text
from condense_presets.catalogue import catalogue, read_catalogue
from condense_tui.cli import app
from condense_tui.resolve.scenario import build_scenario


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    config = tmp_path / "config"
    (config / "mine").mkdir(parents=True)
    monkeypatch.setenv("CONDENSE_CONFIG_DIR", str(config))
    (config / "preferences.toml").write_text('presets = ["mine", "not-there"]\n')
    preset_base.cache_clear()
    return config / "mine"


def test_a_folder_of_ones_own_is_listed_behind_those_that_ship(folder):
    (folder / "mine-relu.toml").write_text(preset_text("digits-gd").replace("tanh", "relu"))
    (folder / "broken.toml").write_text("steps = \x00")
    (folder / "digits-gd.toml").write_text("name = 'other'")
    found, troubles = read_catalogue()
    assert (found[0].name, found[-1].name, found[-1].group) == ("digits-gd", "mine-relu", "own")
    assert len(found) == len(preset_files()) + 1
    wrong = [trouble.partition("/mine/")[2].partition(":")[0] for trouble in troubles]
    assert wrong == ["digits-gd.toml", "", "broken.toml"]
    assert troubles[1].startswith("presets: no folder ") and all("\n" not in trouble for trouble in troubles)
    experiment, preset = build_scenario("mine-relu", settings=["seed=3"])
    assert (preset, experiment.layers[0].activation, experiment.seed) == ("mine-relu", "relu", 3)
    assert preset_base("mine-relu") == preset_text("mine-relu") and preset_base("nobodys") is None
    answer = CliRunner().invoke(app, ["presets", "list", "--json"])
    assert answer.exit_code == 0 and json.loads(answer.stdout)[-1]["name"] == "mine-relu"
    assert "left out, a preset that ships has this name" in answer.stderr


def test_weights_that_a_preset_starts_from_lie_beside_it(folder):
    (folder / "mine.toml").write_text('initial = "w.safetensors"\n' + preset_text("digits-gd"))
    assert build_scenario("mine", settings=[])[0].initial == str(folder / "w.safetensors")


def test_preferences_that_name_none_cost_no_preset(monkeypatch, tmp_path):
    monkeypatch.setenv("CONDENSE_CONFIG_DIR", str(tmp_path))
    assert all_preset_files() == preset_files()
    assert "own" not in {preset.group for preset in catalogue()}
