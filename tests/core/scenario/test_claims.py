"""Claims: what may be required, at which step it is measured, and what a run says against them."""

from __future__ import annotations

import numpy as np
import pytest

from condense_core.errors import ScenarioError
from condense_core.runfile.reader import RunReader
from condense_core.runs.standing import failures
from condense_core.scenario import toml
from condense_core.scenario.claims import Claim, Requirement
from condense_core.scenario.schedule import scheduled_steps


def against(folder, **requirement) -> list[str]:
    with RunReader(folder) as run:
        claim = Claim(text="t", requires=(Requirement(**requirement),))
        return failures(claim, run)


@pytest.fixture
def finished(make_run, workers):
    claim = 'claim={text="t", requires=[{measure="lines", at=7, at_least=0}]}'
    folder = make_run("steps=40", "record.frames=3", "record.steps=[11]", claim)
    workers.finish(folder)
    return folder


def test_the_steps_that_a_claim_and_the_scenario_name_are_measured(finished):
    with RunReader(finished) as run:
        assert {0, 7, 11, 40} <= set(run.instants.tolist())
        assert scheduled_steps(run.experiment) == run.instants.tolist()


def test_a_requirement_is_judged_at_its_own_step(finished):
    with RunReader(finished) as run:
        early, late = run.last("dense1.relative_change", 7), run.last("dense1.relative_change")
    assert early < late
    between = (early + late) / 2
    assert against(finished, measure="relative_change", at=7, at_most=between) == []
    (line,) = against(finished, measure="relative_change", at_most=between)
    assert line.startswith("dense1.relative_change is ")
    (line,) = against(finished, measure="relative_change", at=7, at_least=between)
    assert line.startswith("dense1.relative_change at step 7 is ")


def test_the_gap_of_the_spectrum_is_judged_at_the_start(make_run, workers):
    digits = ("data.name=digits", "data.samples=60", "data.labels=raw", 'layers=[{kind="conv",width=4}]')
    folder = make_run(*digits, "steps=3", "record.frames=3")
    workers.finish(folder)
    with RunReader(folder) as run:
        first, second = run.spectrum("conv1", 0).values.numpy()[:2]
    share = float(second / first)
    assert 0 < share < 1
    assert against(folder, measure="gap_ratio", at_least=0.999 * share, at_most=1.001 * share) == []
    assert against(folder, measure="gap_ratio", at_most=0.5 * share) != []


def test_what_was_not_measured_speaks_against_a_claim(finished):
    assert against(finished, measure="complexity", at_most=1) == ["complexity is nan, expected 1 or less"]
    assert against(finished, measure="accuracy", at_least=0) == ["accuracy is nan, expected 0 or more"]


BASE = """
name = "base"
steps = 100
layers = [{ kind = "dense", width = 4 }]
[data]
name = "sine"
[init]
scheme = "normal"
std = 0.1
[optimizer]
name = "adam"
lr = 0.1
"""


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (
            'claim={text="t",requires=[{measure="lines",at=101,at_least=1}]}',
            "claim.requires.at: expected at most steps",
        ),
        ('claim={text="t",requires=[{measure="lines",at=-1,at_least=1}]}', "at: expected 0 or more"),
        ('claim={text="t",requires=[{measure="lnies",at_least=1}]}', "unknown 'lnies'; did you mean 'lines'?"),
        ('claim={text="t",requires=[{measure="lines",layer="dense2",at_least=1}]}', "a layer of this network (dense1)"),
        ("record.steps=[101]", "record.steps: expected at most steps (100)"),
        ("record.steps=[-1]", "steps: expected steps of at least 0"),
        ("record.smallest_norm=-1", "smallest_norm: expected a finite number, 0 or more"),
        ("optimizer.later_lr=[[5, 0.1], [5, 0.2]]", "later_lr: expected (step, lr) pairs"),
        ("optimizer.later_lr=[[0, 0.1]]", "later_lr: expected (step, lr) pairs"),
        ("optimizer.later_lr=[[5, -0.1]]", "later_lr: expected a finite number above 0"),
        ("trunk=resnet19", "trunk: unknown 'resnet19'; did you mean 'resnet18'?"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(setting, message):
    with pytest.raises(ScenarioError) as caught:
        toml.build(toml.override(toml.parse(BASE), [setting]))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("smallest", "kept"), [("none", None), ("0", 12), ("1e-9", 12), ("1e3", 0)])
def test_an_absolute_norm_decides_which_kernels_count(make_run, workers, smallest, kept):
    folder = make_run("steps=5", "record.frames=2", f"record.smallest_norm={smallest}")
    workers.finish(folder)
    with RunReader(folder) as run:
        frame = run.condensation("dense1")
        assert run.info().status == "done"
    norm = frame.norm.numpy()
    expected = int((norm >= 0.1 * np.quantile(norm, 0.9)).sum()) if kept is None else kept
    assert frame.kept == expected
    assert frame.lines == 0 or expected > 0
