"""Claims that cannot fail are found, and nothing is said of those that can."""

from __future__ import annotations

import msgspec
import pytest

from condense_core.scenario import toml
from condense_core.scenario.claim_lint import faults
from condense_core.scenario.experiment import Claim, Requirement

TEXT = """
name = "x"
steps = 100
layers = [{ kind = "dense", width = 50, activation = "ACT" }, { kind = "dense", width = 50 }]
data = { name = "sine" }
init = { scheme = "normal", std = 0.005 }
optimizer = { name = "adam", lr = 1e-3 }
"""
CONDENSED = {"measure": "condensed_coarse", "layer": "dense1", "at_least": 1}


def found(*requires, share=0.9, activation="tanh"):
    claim = Claim(text="t", share=share, requires=tuple(msgspec.convert(item, Requirement) for item in requires))
    experiment = toml.loads(TEXT.replace("ACT", activation))
    return faults(msgspec.structs.replace(experiment, claim=claim))


def lines(low=1, high=1, **changes):
    return {"measure": "lines_coarse", "layer": "dense1", "at_least": low, "at_most": high} | changes


def test_a_claim_that_can_fail_in_every_part_has_no_fault():
    assert found(lines(), CONDENSED) == []
    assert found(lines(), {**CONDENSED, "layer": None}) == []
    assert found(lines(), {"measure": "coverage_coarse", "layer": "dense1", "at_least": 0.9}) == []
    assert found({"measure": "loss_ratio", "at_least": 0.7}) == []


@pytest.mark.parametrize(
    "beside",
    [
        (),
        ({**CONDENSED, "layer": "dense2"},),
        ({**CONDENSED, "at": 50},),
        ({**CONDENSED, "measure": "condensed"},),
        ({"measure": "coverage_coarse", "layer": "dense1", "at_most": 0.9},),
    ],
    ids=["none", "another layer", "another step", "another cut", "no least coverage"],
)
def test_a_count_wants_coverage_of_the_same_layer_cut_and_step(beside):
    (fault,) = found(lines(), *beside)
    assert fault.startswith("requires.0 (lines_coarse): a count wants condensed_coarse or coverage_coarse")


@pytest.mark.parametrize(
    ("requirement", "activation"),
    [
        (lines(1, 10), "tanh"),
        (lines(0, 12), "tanh"),
        ({"measure": "coverage", "at_least": 0}, "tanh"),
        ({"measure": "ratio", "at_most": 1}, "tanh"),
        ({"measure": "condensed", "at_least": 0, "at_most": 1}, "tanh"),
        ({"measure": "relative_change", "at_least": 0}, "tanh"),
        ({"measure": "stable_lines", "at_least": 1, "at_most": 1}, "centred-sigmoid"),
        ({"measure": "stable_lines", "at_least": 2, "at_most": 2}, "xtanh"),
        ({"measure": "stable_lines", "at_least": 1, "at_most": 3}, "x2tanh"),
        ({"measure": "complexity_below", "at_least": 0.5}, "tanh"),
    ],
)
def test_what_is_so_in_every_run_is_no_requirement(requirement, activation):
    assert any(
        "cannot be outside of what is required" in fault
        for fault in found(requirement, CONDENSED, activation=activation)
    )


def test_what_can_be_otherwise_is_one():
    assert found({"measure": "stable_lines", "at_least": 3, "at_most": 3}, activation="x2tanh") == []
    assert found({"measure": "stable_lines", "at_least": 1, "at_most": 1}, activation="relu") == []
    assert found({"measure": "complexity_below", "at_least": 0.05}, activation="xtanh") == []


@pytest.mark.parametrize("measure", ["loss_ratio", "relative_change"])
def test_at_the_first_step_nothing_has_moved(measure):
    (fault,) = found({"measure": measure, "at": 0, "at_least": 0.7})
    assert fault.endswith("the same in every run at step 0")


@pytest.mark.parametrize("share", [1.0, 0.7, 0.6])
def test_a_share_of_ones_own_is_one_that_was_fitted(share):
    (fault,) = found({"measure": "loss_ratio", "at_least": 0.7}, share=share)
    assert fault == f"share: {share:g}; expected 0.9, which is decided before anything is found"
