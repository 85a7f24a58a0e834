"""Sequences with a key and two anchors: what they hold, and that pairs are held out."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from condense_core.engine.data.anchors import draw_sequences
from condense_core.engine.data.datasets import load
from condense_core.scenario.data import Anchors

DATA = Anchors(samples=300, test_samples=60, items=7, shifts=(1, 3, 4, 8), length=5, unseen_pairs=2, seed=3)


def answers(data, tokens):
    """Pair and target of each sequence, read from left to right."""
    found = []
    for row in tokens.tolist():
        (first, second) = (at for at, token in enumerate(row) if token >= data.values)
        assert second == first + 1
        assert first > 0
        assert all(token < data.items for at, token in enumerate(row) if at not in {first, second})
        pair = row[first] - data.values, row[second] - data.values
        found.append((pair, row[first - 1] + data.shifts[pair[0]] + data.shifts[pair[1]]))
    return found


def test_targets_are_the_key_with_both_shifts_and_held_out_pairs_are_never_trained_on():
    drawn = draw_sequences(DATA)
    unseen = {tuple(pair) for pair in drawn.unseen.tolist()}
    assert len(unseen) == 4
    assert {(second, first) for first, second in unseen} == unseen
    for part, holds in ((drawn.trained, False), (drawn.test, False), (drawn.of_unseen, True)):
        for (pair, target), expected in zip(answers(DATA, part.token_NT), part.target_N.tolist(), strict=True):
            assert target == expected
            assert (pair in unseen) is holds
    assert {pair for pair, _ in answers(DATA, drawn.trained.token_NT)} | unseen == {
        (first, second) for first in range(4) for second in range(4)
    }


def test_no_sequence_is_there_twice_and_all_places_are_taken():
    drawn = draw_sequences(DATA)
    every = np.concatenate([drawn.trained.token_NT, drawn.test.token_NT])
    assert len(np.unique(every, axis=0)) == len(every) == 360
    assert set(np.argmax(every >= DATA.values, axis=1)) == {1, 2, 3}


def test_all_sequences_that_there_are_can_be_asked_for():
    small = Anchors(samples=30, test_samples=5, items=5, shifts=(0, 1, 2), length=3, unseen_pairs=1)
    drawn = draw_sequences(small)
    every = np.concatenate([drawn.trained.token_NT, drawn.test.token_NT])
    assert len(np.unique(every, axis=0)) == 35 == small.possible(small.seen_pairs)
    with pytest.raises(ValueError, match="samples: expected at most 35 with test_samples"):
        Anchors(samples=31, test_samples=5, items=5, shifts=(0, 1, 2), length=3, unseen_pairs=1)
    assert len(drawn.of_unseen.target_N) == 5
    one_more = draw_sequences(msgspec.structs.replace(small, test_samples=4)).trained
    assert one_more.token_NT.shape == (30, 3)


def test_a_seed_decides_everything_and_samples_have_classes():
    sample, other = load(DATA), load(msgspec.structs.replace(DATA, seed=4))
    assert sample.input.equal(load(DATA).input)
    assert not sample.input.equal(other.input)
    assert sample.unseen is not None
    assert sample.test is not None
    assert (len(sample), len(sample.test), len(sample.unseen), sample.outputs) == (300, 60, 60, DATA.vocabulary)
    assert sample.target.argmax(1).equal(sample.label)
    without = load(msgspec.structs.replace(DATA, test_samples=0))
    assert without.test is without.unseen is None
