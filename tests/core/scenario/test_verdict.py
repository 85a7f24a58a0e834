"""Words for counts: the interval, the share, what contradicts what, and which draws are counted."""

from __future__ import annotations

import pytest
from scipy.stats import binomtest

from condense_core.scenario.claims import Claim, Requirement
from condense_core.scenario.data import Digits, Mnist, Sine
from condense_core.scenario.draws import distinct, vary_together
from condense_core.scenario.verdict import broken, judge, not_tested, wilson


@pytest.mark.parametrize(("holds_in", "of"), [(0, 1), (1, 1), (0, 10), (3, 10), (9, 10), (10, 10), (37, 100)])
def test_the_interval_is_wilsons(holds_in, of):
    expected = binomtest(holds_in, of).proportion_ci(0.95, method="wilson")
    assert wilson(holds_in, of) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert wilson(holds_in, of) != pytest.approx(wilson(holds_in, of + 3), abs=1e-3)


@pytest.mark.parametrize("count", [(1, 0), (-1, 3), (4, 3)])
def test_a_count_that_cannot_be_has_no_interval(count):
    with pytest.raises(ValueError, match="expected 0 to `of` of at least one draw"):
        wilson(*count)


@pytest.mark.parametrize(
    ("holds_in", "words", "interval"),
    [
        (10, "holds (10 of 10 draws)", ".72 to 1.00"),
        (9, "holds (9 of 10 draws)", ".60 to .98"),
        (8, "holds in 8 of 10 draws", ".49 to .94"),
        (1, "holds in 1 of 10 draws", ".02 to .40"),
        (0, "does not hold (0 of 10 draws)", ".00 to .28"),
    ],
)
def test_a_verdict_in_words(holds_in, words, interval):
    verdict = judge(0.9, holds_in, 10)
    assert (verdict.words, verdict.interval_words) == (words, interval)


def test_what_was_not_tested_says_why():
    assert judge(0.9, 0, 0).words == "not tested here (no draw was decided)"
    assert (not_tested("needs a GPU").words, not_tested("x").interval_words) == ("not tested here (needs a GPU)", "")


@pytest.mark.parametrize(
    ("expected", "found", "is_broken"),
    [((10, 10), (9, 10), False), ((10, 10), (3, 10), True), ((0, 10), (10, 10), True), ((5, 10), (8, 40), False)],
)
def test_counts_contradict_each_other_where_their_intervals_are_apart(expected, found, is_broken):
    assert broken(expected, found) == broken(found, expected) == is_broken


def claim(about="training"):
    return Claim(text="t", requires=(Requirement(measure="gap_ratio", at_most=0.5),), about=about)


def test_draws_of_the_weights_are_one_draw_to_a_claim_about_data():
    draws = [(0, 0), (1, 0), (2, 0), (0, 1)]
    assert distinct(claim(), Sine(), draws) == [0, 1, 2, 3]
    assert distinct(claim("data"), Sine(), draws) == [0, 3]
    # every draw of a whole data set is that data set
    whole = Mnist(samples=60_000)
    assert distinct(claim(), whole, draws) == [0, 1, 2]
    assert distinct(claim("data"), whole, draws) == [0]
    assert distinct(claim("data"), Mnist(samples=10_000), draws) == [0, 3]
    assert distinct(claim("data"), Mnist(samples=10_000, train=False), draws) == [0]


@pytest.mark.parametrize(
    ("about", "data", "draws", "together"),
    [
        ("training", Sine(), [(0, 0), (1, 1)], True),
        ("training", Sine(), [(0, 0), (1, 0)], False),
        ("training", Sine(), [(0, 0), (0, 1)], False),
        ("data", Sine(), [(0, 0), (0, 1)], True),
        ("training", Digits(samples=1797), [(0, 0), (1, 0)], True),
        ("training", Sine(), [(5, 178)], True),
    ],
)
def test_weights_and_data_are_drawn_together_where_the_claim_depends_on_both(about, data, draws, together):
    assert vary_together(claim(about), data, draws) == together
