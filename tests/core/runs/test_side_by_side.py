"""Pieces of work side by side: each step of all of them before the next."""

from __future__ import annotations

import pytest

from condense_core.runs.side_by_side import Steps, alone, side_by_side


def steps(name: str, count: int, done: list[str]) -> Steps[str]:
    try:
        for number in range(count):
            done.append(f"{name}{number}")
            yield
    finally:
        done.append(f"{name} ends")
    return name


def test_each_step_of_all_comes_before_the_next_and_answers_are_in_order():
    done: list[str] = []
    assert side_by_side([steps("a", 2, done), steps("b", 0, done), steps("c", 1, done)]) == ["a", "b", "c"]
    assert done == ["a0", "b ends", "c0", "a1", "c ends", "a ends"]
    assert alone(steps("d", 3, [])) == "d"
    assert side_by_side([]) == []


def test_where_one_fails_the_others_are_closed():
    done: list[str] = []

    def fails() -> Steps[str]:
        yield
        raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        side_by_side([steps("a", 5, done), fails(), steps("b", 5, done)])
    assert done == ["a0", "b0", "a1", "a ends", "b ends"]
