"""What measuring may cost somebody else's training."""

from __future__ import annotations

from collections import deque

import pytest

from condense_core.watching.budget import BLIND, FIRST, PROBES, Allowance
from condense_core.watching.measuring import took


def test_measuring_may_take_its_share_from_the_first_minute_on_and_no_grace_doubles_a_short_training():
    budget = Allowance(0.03)
    assert budget.allowed(0.0) == pytest.approx(0.3)
    assert budget.allowed(5.0) == pytest.approx(0.5)
    assert budget.allowed(10.0) == pytest.approx(1.0)
    assert budget.allowed(20.0) == pytest.approx(1.8)
    assert budget.allowed(60.0) == pytest.approx(1.8)
    assert budget.allowed(1000.0) == pytest.approx(30.0)


def test_the_recorders_start_counts_and_leaves_something_for_the_first_seconds():
    budget = Allowance(0.03)
    budget.began(1.5)
    budget.ran(dict.fromkeys(PROBES, 0.0))
    # what the process does later is no start of it
    budget.began(9.0)
    assert budget.allowed(0.0) == pytest.approx(1.8)
    assert budget.allowed(30.0) == pytest.approx(2.4)
    assert budget.allowed(1000.0) == pytest.approx(30.0)


def test_a_start_that_costs_little_leaves_more_for_the_first_seconds_and_no_more_for_the_first_minute():
    budget = Allowance(0.03)
    budget.began(0.3)
    assert budget.allowed(0.0) == pytest.approx(0.6)
    assert budget.allowed(10.0) == pytest.approx(1.3)
    assert budget.allowed(15.0) == budget.allowed(60.0) == pytest.approx(1.8)


def test_before_anything_is_known_of_its_cost_a_large_network_is_not_copied_in_vain():
    budget = Allowance(0.03)
    budget.besides = 0.02
    assert budget.due(0.0) == list(PROBES)
    budget.besides = 0.06
    assert budget.due(0.1) == [FIRST]
    budget.ran(dict.fromkeys(PROBES, 0.001))
    assert budget.due(0.2) == list(PROBES)


def test_what_a_probe_costs_the_first_time_does_not_keep_it_from_the_second():
    budget = Allowance(0.03)
    budget.ran({**dict.fromkeys(PROBES, 0.0), "condensation": 0.25})
    assert "condensation" not in budget.due(3.0)
    assert "condensation" in budget.due(4.0)
    budget.ask(["condensation"])
    budget.ran({"condensation": 0.25})
    # that it costs as much each time is known now
    assert budget.seconds["condensation"] == pytest.approx(0.5)
    assert "condensation" not in budget.due(7.0)
    assert "condensation" in budget.due(7.6)


def trained(lag: int, cost: float = 0.02, step: float = 0.02, steps: int = 10_000) -> float:
    """Share of the time that measuring took where answers come so many measurements later."""
    budget, waiting = Allowance(0.03), deque()
    for number in range(steps):
        names = budget.due(number * step)
        # what every curve is made of, at every step that is due
        assert FIRST in names
        budget.ask(names)
        waiting.append(names)
        while len(waiting) > lag:
            budget.ran(dict.fromkeys(waiting.popleft(), cost))
    return budget.total / (steps * step)


@pytest.mark.parametrize("lag", [0, 30])
def test_what_was_asked_for_and_is_not_measured_yet_counts(lag):
    assert trained(min(lag, BLIND - 1)) < 0.04


def test_before_anything_is_known_of_its_cost_only_the_first_steps_are_measured():
    budget = Allowance(0.03)
    asked = 0
    for number in range(100):
        if names := budget.due(number * 10.0):
            budget.ask(names)
            asked += 1
    assert asked == BLIND


@pytest.mark.parametrize(
    ("trained", "said"),
    [
        # any longer training pays the start once, too
        (0.5, "1.97 s beside it, of which the recorder's start, once in a run, 1.40 s, and held it up for 0.02 s"),
        (1.4, "1.97 s beside it, 140.7 % of training, and held it up for 0.02 s"),
        (100.0, "1.97 s beside it, 2.0 % of training, and held it up for 0.02 s"),
        (0.0, "1.97 s beside it"),
    ],
)
def test_the_start_of_the_recorder_is_no_share_of_a_training_that_was_over_before(trained, said):
    parts = {"copying": 0.04, "starting": 1.4, "condensation": 0.53, "writing": 0.001}
    words = took(1.97, parts, trained, 0.02)
    assert words == f"measuring took {said}: starting 1.40 s, condensation 0.53 s, copying 0.04 s"
