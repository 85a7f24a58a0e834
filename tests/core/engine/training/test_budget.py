"""Measuring keeps to its share of the time: the expensive probe gives way first, and comes back when there is room."""

from __future__ import annotations

import pytest

from condense_core.engine.training.budget import Budget

COSTS = {"vitals": 0.001, "cheap": 0.002, "expensive": 0.05}


def go(budget: Budget, steps: int, step_s: float) -> tuple[dict[str, list[int]], list[str]]:
    """At which of the scheduled steps each probe ran, and what was said."""
    ran: dict[str, list[int]] = {name: [] for name in COSTS}
    said = []
    for step in range(steps):
        due = budget.due(step * step_s)
        said += [budget.notice] if budget.notice else []
        for name in due:
            ran[name].append(step)
        budget.ran({name: COSTS[name] for name in due})
    return ran, said


def test_within_the_budget_every_probe_runs_on_every_step():
    ran, said = go(Budget(COSTS, share=0.03, grace=0.0), steps=50, step_s=10.0)
    assert all(steps == list(range(50)) for steps in ran.values())
    assert said == []


def test_an_expensive_probe_runs_less_often_and_that_is_said_once():
    budget = Budget(COSTS, share=0.03, grace=0.0)
    ran, said = go(budget, steps=2000, step_s=0.2)
    assert 50 < len(ran["expensive"]) < 300
    # from the first step on so much is kept for the last that the share has to grow to it
    assert len(ran["vitals"]) > 1980
    assert sum("expensive (50 ms)" in text for text in said) == 1
    assert budget.total <= 0.03 * 2000 * 0.2


def test_where_even_the_first_is_too_expensive_nothing_runs_between():
    budget = Budget(COSTS, share=0.03, grace=0.0)
    ran, _ = go(budget, steps=4000, step_s=0.001)
    assert 4000 / 64 <= len(ran["vitals"]) < 400
    assert set(ran["cheap"]) <= set(ran["vitals"])


def test_short_runs_are_measured_whole():
    ran, said = go(Budget(COSTS, share=0.03, grace=10.0), steps=100, step_s=0.0)
    assert len(ran["expensive"]) == 100
    assert said == []


def test_probes_come_back_when_training_has_become_slow():
    budget = Budget(COSTS, share=0.03, grace=0.0)
    go(budget, steps=200, step_s=0.001)
    ran, _ = go(budget, steps=400, step_s=10.0)
    assert ran["expensive"][-20:] == list(range(380, 400))


def test_the_report_names_the_share_and_the_most_expensive_first():
    budget = Budget(COSTS, share=0.03, grace=0.0)
    budget.ran({"cheap": 0.5, "expensive": 1.5})
    assert budget.report(100.0) == "measuring took 2.00 s, 2 % of training: expensive 1.50 s, cheap 0.50 s"


def test_where_measuring_all_takes_longer_than_the_grace_what_there_is_is_spread_over_the_run():
    budget = Budget(COSTS, share=0.03, grace=5.0, scheduled=1000)
    ran, said = go(budget, steps=1000, step_s=0.0)
    assert budget.total <= 5.0 + sum(COSTS.values())
    gaps = [after - before for before, after in zip(ran["expensive"], ran["expensive"][1:], strict=False)]
    assert len(gaps) > 30, "2 of the 5 seconds"
    assert max(gaps) <= 64, "no hole"
    assert len(said) >= 1
    assert budget.left_out["expensive"] == 1000 - len(ran["expensive"])
    assert f"expensive at {budget.left_out['expensive']}" in budget.report(0.0)


def test_what_takes_less_than_the_grace_is_measured_whole_however_slow_the_first_step_was():
    budget = Budget(COSTS, share=0.03, grace=5.0, scheduled=80)
    budget.ran({"expensive": 0.5})
    ran, said = go(budget, steps=80, step_s=0.0)
    assert all(len(steps) == 80 for steps in ran.values())
    assert said == []
    assert "left out" not in budget.report(1.0)


def test_the_share_is_kept_with_the_last_step_which_is_measured_whatever_it_costs():
    budget = Budget(COSTS, share=0.03, grace=0.0, scheduled=400)
    for step in range(400):
        last = step == 399
        budget.ran({name: COSTS[name] for name in budget.due(0.1 * step, must=last)})
    assert budget.total <= 0.03 * 0.1 * 399
    assert budget.total > 0.9 * 0.03 * 0.1 * 399


def test_a_step_that_must_be_measured_is_not_counted_as_left_out():
    budget = Budget(COSTS, share=0.03, grace=0.0)
    budget.ran(COSTS)
    assert budget.due(0.0) == []
    assert budget.due(0.0, must=True) == list(COSTS)
    assert budget.left_out == dict.fromkeys(COSTS, 1)
    assert budget.notice == ""


def test_what_is_no_probes_cost_counts_too():
    with_writer, alone = (Budget(COSTS, share=0.03, grace=0.0) for _ in range(2))
    with_writer.besides = 50.0
    assert with_writer.total - alone.total == 50.0
    for budget in (with_writer, alone):
        budget.ran(COSTS)
    assert with_writer.due(100.0) == []
    assert alone.due(100.0) == list(COSTS)


def test_what_is_not_measured_yet_counts_as_what_it_cost_the_last_time():
    at_once, later = (Budget(COSTS, share=0.03, grace=0.0) for _ in range(2))
    for budget in (at_once, later):
        budget.ran(COSTS)
    # 0.6 s are allowed, 0.053 s a step
    for _ in range(8):
        at_once.ran({name: COSTS[name] for name in at_once.due(20.0)})
        names = later.due(20.0)
        later.owes(names)
    assert at_once.due(20.0) == later.due(20.0)
    later.ran({name: 8 * seconds for name, seconds in COSTS.items()}, 8)
    assert later.total == pytest.approx(at_once.total)
    assert at_once.due(20.0) == later.due(20.0)
