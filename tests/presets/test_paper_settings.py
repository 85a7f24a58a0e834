"""Presets beside their records: what stands for a paper is at its setting, and every other value has a reason."""

from __future__ import annotations

import subprocess
import sys

import msgspec
import pytest
from support import need_module

from condense_core.scenario import toml
from condense_core.scenario.claim_lint import MULTIPLICITY, faults
from condense_core.scenario.verdict import SHARE
from condense_presets import preset_files, preset_text
from condense_presets.catalogue import catalogue
from condense_presets.paper_records import compared

PRESETS = sorted(preset_files())


def preset(name: str, *settings: str):
    return toml.build(toml.override(toml.parse(preset_text(name), name), settings), name)


@pytest.mark.parametrize("name", PRESETS)
def test_every_number_of_the_record_is_in_the_preset_or_has_a_reason(name):
    experiment = preset(name)
    found = compared(experiment)
    assert [item.words for item in found.deviations if not item.reason] == []
    if experiment.about.kind == "paper":
        assert found.deviations == (), "whoever stands for the paper has no reason to differ"
    # a reason for what does not differ is out of date
    assert set(experiment.about.reasons) == {item.setting for item in found.deviations}


@pytest.mark.parametrize(
    ("setting", "setting_name"),
    [("optimizer.lr=2e-3", "lr"), ("steps=101", "epoch"), ("layers.0.width=51", "width"), ("init.std=0.01", "init")],
)
def test_a_preset_that_is_changed_is_caught(setting, setting_name):
    assert [item.setting for item in compared(preset("fcn-fig03-x2tanh", setting)).deviations] == [setting_name]


@pytest.mark.parametrize("name", PRESETS)
def test_no_part_of_a_claim_is_bound_to_hold(name):
    assert faults(preset(name)) == []


def test_a_preset_shows_what_the_paper_says_what_differs_and_what_is_ours():
    by_name = {item.name: item for item in catalogue()}
    demo, paper = by_name["fcn-fig03-softplus-demo"], by_name["cnn-fig06a"]
    assert (demo.kind, demo.figure, demo.paper_shows) == (
        "demonstration",
        "3e",
        "neurons condense at two opposite directions",
    )
    assert dict(demo.beside_the_paper)["differs from the paper"].startswith("epochs: 120, the paper 100 (")
    assert (paper.kind, dict(paper.beside_the_paper).keys()) == ("paper", {"not in the text, ours"})
    assert "samples n 500" in dict(paper.beside_the_paper)["not in the text, ours"]


def test_the_command_shows_it_too_and_what_it_prints_is_still_a_scenario():
    command = [sys.executable, "-m", "condense_tui", "presets", "show", "fcn-fig03-softplus-demo"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert shown.startswith(
        "# the paper: neurons condense at two opposite directions\n# differs from the paper: epochs: 120"
    )
    assert toml.loads(shown) == preset("fcn-fig03-softplus-demo")
    answer = subprocess.run([*command, "--json"], capture_output=True, text=True, check=True).stdout
    assert msgspec.json.decode(answer)["beside_the_paper"]["the paper"] == "neurons condense at two opposite directions"


def test_the_multiplicities_that_claims_are_judged_by_are_those_of_the_activations():
    need_module("torch")
    from condense_core.engine.network.activations import activation, multiplicity

    assert {name: multiplicity(activation(name)) for name in MULTIPLICITY} == MULTIPLICITY
    assert SHARE == 0.9
