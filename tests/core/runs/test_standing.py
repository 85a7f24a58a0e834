"""How a claim stands, at the end and before it, from a run file alone."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from recording import Recording
from support import change

from condense_core.runfile.damage import Damage
from condense_core.runfile.frames import Array, Members
from condense_core.runfile.reader import RunReader
from condense_core.runfile.writer import StepRecord
from condense_core.runs.claim_state import Standing
from condense_core.runs.over_seeds import over_seeds
from condense_core.runs.standing import standing
from condense_core.runs.summary import summarise
from condense_core.scenario.claims import Claim, Requirement
from condense_core.thresholds import COARSE, FINE


def claim_of(*requires: Requirement, share: float = 0.9) -> Claim:
    return Claim(text="one line", requires=requires, share=share)


TWO_LINES = claim_of(
    Requirement(measure="lines", layer="conv1", at_least=2, at_most=2),
    Requirement(measure="condensed", layer="conv1", at_least=1),
    Requirement(measure="loss_ratio", at_least=0.5),
)


def recorded(tmp_path: Path, claim: Claim, *, frames: int | None = None, status: str = "done", members: int = 1):
    recording = Recording(tmp_path, claim=claim, members=members)
    recording.write(frames)
    if status != "running":
        recording.finish(status)
    return recording


def found(recording: Recording, at: int | None = None) -> Standing:
    with RunReader(recording.folder) as run:
        answer = standing(run, at=at)
    assert answer is not None
    return answer


def test_a_claim_that_holds_at_the_end_was_not_met_before(tmp_path):
    recording = recorded(tmp_path, TWO_LINES)
    ended = found(recording)
    assert (ended.state, ended.step, ended.holds_in, ended.of, ended.missed) == ("holds", 4000, 1, 1, ())
    before = found(recording, at=int(recording.steps[10]))
    assert (before.state, before.step, before.holds) == ("not met so far", int(recording.steps[10]), None)
    assert [item.measure for item in before.missed] == ["lines", "condensed"]
    deciding = before.deciding
    assert (deciding.layer, deciding.values.middle, deciding.wanted) == ("conv1", 0, "2")


def test_a_claim_that_fails_names_what_fails_and_its_value(tmp_path):
    loss = Requirement(measure="loss_ratio", at_most=0.2)
    ended = found(recorded(tmp_path, claim_of(*TWO_LINES.requires, loss)))
    assert ended.holds is False
    assert [(item.layer, item.measure, item.wanted) for item in ended.missed] == [("", "loss_ratio", "0.2 or less")]
    assert ended.deciding.values.middle == pytest.approx(0.75)


def test_a_requirement_of_a_step_that_has_passed_decides_at_once(tmp_path):
    early = Requirement(measure="lines", layer="conv1", at=1, at_least=2)
    recording = recorded(tmp_path, claim_of(early, share=1.0), frames=20, status="running")
    with recording.worker():
        assert (found(recording).state, found(recording).why) == ("does not hold", "cannot hold any more")
        assert found(recording, at=0).state == "not met so far"


def test_a_running_run_is_met_so_far_and_no_more(tmp_path):
    recording = recorded(
        tmp_path, claim_of(Requirement(measure="loss_ratio", at_least=0.5)), frames=9, status="running"
    )
    with recording.worker():
        assert (found(recording).state, found(recording).holds) == ("met so far", None)


@pytest.mark.parametrize("status", ["stopped", "failed"])
def test_a_run_that_ended_before_its_end_decides_nothing_and_says_why(tmp_path, status):
    stopped = found(recorded(tmp_path, TWO_LINES, frames=30, status=status))
    assert stopped.holds is None
    assert stopped.why == f"{status} at step {stopped.step} of 4,000"
    nothing = found(recorded(tmp_path / "none", TWO_LINES, frames=0, status=status))
    assert (nothing.state, nothing.step) == ("not decided", None)
    assert nothing.why == f"{status} at step 0, nothing was measured"


def test_a_run_that_diverged_speaks_against_its_claim_as_a_seed_does(tmp_path):
    recording = recorded(tmp_path, TWO_LINES, frames=30, status="diverged")
    diverged = found(recording)
    assert (diverged.holds, diverged.why) == (False, f"diverged at step {diverged.step}")
    with RunReader(recording.folder) as run:
        claim = summarise(run).claim
    assert (claim.holds, claim.holds_in, claim.decided) == (False, 0, 1)
    assert "diverged" in claim.against


def test_seeds_are_counted_each_by_its_own_values(tmp_path):
    # each member loses a bit more than the one before
    recording = recorded(tmp_path, claim_of(Requirement(measure="loss_ratio", at_least=0.7)), members=4)
    ended = found(recording)
    assert (ended.state, ended.holds_in, ended.of, ended.wanted_in) == ("does not hold", 3, 4, 4)
    values = ended.deciding.values
    assert (values.low, values.high) == pytest.approx((1 - 0.25 * 1.3, 0.75))
    assert values.middle == pytest.approx(1 - 0.25 * 1.15)
    with RunReader(recording.folder) as run:
        claim = summarise(run).claim
    assert (claim.holds, claim.holds_in, claim.decided) == (False, 3, 4)


def test_a_seed_that_diverged_counts_against_and_keeps_its_last_values(tmp_path):
    recording = recorded(tmp_path, claim_of(Requirement(measure="loss_ratio", at_least=0.1)), members=4, frames=30)
    step = int(recording.steps[30])
    told = Members(names=("diverged",), members=(1,), values=Array.of([[1.0]], "f8"))
    rest = Members(names=("loss_ratio",), members=(0, 2, 3), values=Array.of([[0.9, 0.9, 0.9]], "f8"))
    recording.writer.append(StepRecord(step, [("loss", 0.9)], [("", told), ("", rest)], []))
    recording.finish()
    ended = found(recording)
    assert (ended.holds_in, ended.of, ended.holds) == (3, 4, False)
    with RunReader(recording.folder) as run:
        last = run.last_of_members("loss_ratio")
        assert np.isfinite(last).all() and last[0] == 0.9 and last[1] != 0.9
        for member in range(4):
            assert run.member(member).last("loss_ratio") == last[member]
            assert run.member(member).last("loss_ratio", 100) == run.last_of_members("loss_ratio", 100)[member]


def test_what_was_never_measured_is_missed_and_has_no_value(tmp_path):
    ended = found(recorded(tmp_path, claim_of(Requirement(measure="test_accuracy", at_least=0.1))))
    assert (ended.holds, math.isnan(ended.deciding.values.middle)) == (False, True)


def test_a_claim_counts_lines_at_the_cut_of_its_first_count():
    assert TWO_LINES.cut == FINE
    assert claim_of(Requirement(measure="loss_ratio", at_least=0), *TWO_LINES.requires).cut == FINE
    assert claim_of(Requirement(measure="condensed_coarse", at_least=1)).cut == COARSE


def test_one_statistic_over_seeds():
    counts = over_seeds("lines", [5, 5, 2, 6, None, math.nan])
    assert (counts.middle, counts.low, counts.high, counts.known) == (5, 2, 6, 4)
    assert over_seeds("lines", [3, 2]).middle == 2
    assert over_seeds("coverage", [0.1, 0.2, 0.9, 0.3]).middle == pytest.approx(0.25)
    flags = over_seeds("condensed", [1.0, 0.0, 1.0])
    assert (flags.yes, flags.known) == (2, 3)
    assert not over_seeds("lines", []).known


def test_without_what_is_damaged_nothing_is_decided(tmp_path):
    recording = recorded(tmp_path, TWO_LINES)
    recording.close()
    assert found(recording).state == "holds"
    change(recording.folder, f"UPDATE scalar SET data = flip(data, 3) WHERE step = {recording.steps[2]}")
    with RunReader(recording.folder, damage=Damage(left_out=True)) as run:
        run.curve("loss")
        answer = standing(run)
    assert (answer.state, answer.holds, answer.why) == ("not decided", None, "the run is damaged")
    assert answer.findings
