"""Sequences of tokens with a key and two anchors, drawn by a seed.   # N samples, T tokens"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from condense_core.scenario.data import Anchors

Tokens = np.ndarray[Any, np.dtype[np.int64]]


class Sequences(NamedTuple):
    """Tokens (N, T), and the token (N,) that is their target."""

    token_NT: Tokens
    target_N: Tokens


class AnchorSamples(NamedTuple):
    """Sequences to train on, others of the same pairs of anchors, and those of pairs that are held out in `unseen`:
    ordered pairs of anchors, counted from 0, (pairs, 2)."""

    trained: Sequences
    test: Sequences
    of_unseen: Sequences
    unseen: Tokens


def draw_sequences(data: Anchors) -> AnchorSamples:
    """The samples of a scenario, no sequence twice; a sample of none has no rows."""
    random = np.random.Generator(np.random.PCG64(data.seed))
    anchors = len(data.shifts)
    different = np.array([(first, second) for second in range(anchors) for first in range(second)])
    one_way = different[random.permutation(len(different))[: data.unseen_pairs]]
    unseen = np.concatenate([one_way, one_way[:, ::-1]])
    every = np.stack(np.meshgrid(range(anchors), range(anchors), indexing="ij"), axis=-1).reshape(-1, 2)
    seen = every[~(every[:, None] == unseen).all(axis=2).any(axis=1)]
    known = _drawn(data, seen, data.samples + data.test_samples, random)
    # drawn last, so that how many there are changes nothing of the others
    of_unseen = _drawn(data, unseen, min(data.test_samples, data.possible(len(unseen))), random)
    return AnchorSamples(
        Sequences(*(part[: data.samples] for part in known)),
        Sequences(*(part[data.samples :] for part in known)),
        of_unseen,
        unseen,
    )


def _drawn(data: Anchors, pairs: Tokens, count: int, random: np.random.Generator) -> Sequences:
    """So many of the sequences that have one of these pairs of anchors (P, 2): each has a number, the digits of which
    are its pair, the key's place, the key and the other items."""
    number_N = random.choice(data.possible(len(pairs)), count, replace=False) if count else np.empty(0, np.int64)
    number_N, which_N = np.divmod(number_N, max(1, len(pairs)))
    number_N, place_N = np.divmod(number_N, data.length - 2)
    token_NT = np.empty((count, data.length), np.int64)
    for place in range(data.length - 2):
        number_N, token_NT[:, place] = np.divmod(number_N, data.items)
    # the key is the item at its place, and items behind it make room for its anchors
    pair_N2 = pairs[which_N].reshape(-1, 2)
    at_NT = np.arange(data.length) - place_N[:, None]
    behind = at_NT > 2
    shifted = np.take_along_axis(token_NT, np.maximum(0, np.arange(data.length) - 2 * behind), axis=1)
    for order in range(2):
        shifted = np.where(at_NT == 1 + order, data.values + pair_N2[:, order, None], shifted)
    key_N = np.take_along_axis(token_NT, place_N[:, None], axis=1)[:, 0]
    return Sequences(shifted, key_N + np.array(data.shifts)[pair_N2].sum(axis=1))
