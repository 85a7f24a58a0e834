"""Lines that keep their number and their sides from one measurement to the next.   # M kernels, L lines now"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from condense_core.measures import in_compiled_code
from condense_core.measures.from_scipy import compiled_function
from condense_core.thresholds import NO_LINE

_Array = np.ndarray[Any, Any]
# No label: nothing equals labels of so.
_NOTHING = -9


@dataclass(frozen=True, eq=False)
class Matched:
    """Labels and signs of the new measurement in the old one's terms.

    `label_M`, `sign_M` as in `clusters.CondensedLines`. `number_of` and `side_of` (one entry a new line, in its own
    order) are the renumbering itself: line l is now called number_of[l], and its axis times side_of[l] points the old
    way.
    """

    label_M: Tensor
    sign_M: Tensor
    number_of: tuple[int, ...]
    side_of: tuple[int, ...]


def match_lines(old_label_M: Tensor, old_sign_M: Tensor, new_label_M: Tensor, new_sign_M: Tensor) -> Matched:
    """Renumber new lines so that those that share most kernels with an old line keep its number and its sides.

    Old and new lines are paired one to one so that the kernels shared are the most possible (assignment problem). A
    line that shares no kernel with any is new and takes the smallest number that neither measurement uses, so a number
    never jumps to an unrelated line from one frame to the next, though it may return later. A paired line is turned
    where most of the shared kernels had the other sign. ValueError if the two differ in the number of kernels.
    """
    new = new_label_M.long().numpy(), new_sign_M.long().numpy()
    number_of, side_of = _paired(old_label_M.long().numpy(), old_sign_M.long().numpy(), *new)
    label_M, sign_M = _renamed(number_of, side_of, *new)
    return Matched(torch.from_numpy(label_M), torch.from_numpy(sign_M), tuple(number_of), tuple(side_of))


class _Labels(NamedTuple):
    """Labels and signs, by the names that lines have, and labels as they were found."""

    label: _Array
    sign: _Array
    found: _Array


class Tracker:
    """Follows the lines of one layer of each member from one measurement to the next."""

    def __init__(self) -> None:
        self._before: dict[int, _Labels] = {}
        # of the members that were followed last, (S, M) each
        self._last: tuple[tuple[int, ...], _Labels] = (), _Labels(*[np.zeros((0, 0), np.int64)] * 3)

    def take_up(self, number: int, label_M: _Array, sign_M: _Array) -> None:
        """Go on from labels and signs of the member with that number, as they were recorded; from none where no layer
        of so many kernels has lines of these numbers: the file is damaged."""
        if label_M.max(initial=0) < len(label_M):
            self._before[number] = _Labels(label_M, sign_M, np.full_like(label_M, _NOTHING))

    def follow(self, numbers: Sequence[int], label_SM: _Array, sign_SM: _Array) -> tuple[_Array, _Array]:
        """The new labels and signs (S, M) of the members with those numbers, by the names that their lines had; to be
        read only, since the next ones are named by them."""
        whose, found_SM = tuple(numbers), label_SM
        old_label_SM, old_sign_SM, then_SM = self._of(whose, found_SM.shape[1])
        functions = in_compiled_code.functions()
        if functions is None:
            label_SM, new_sign_SM, clear_S = _followed(old_label_SM, old_sign_SM, then_SM, found_SM, sign_SM)
        else:
            label_SM, new_sign_SM, clear_S = found_SM.copy(), sign_SM.copy(), np.empty(len(whose), bool)
            count = found_SM.shape[1]
            scratch = np.empty((2, count, count), int), np.empty((2, count), int), np.empty(2 * count, bool)
            written = label_SM, new_sign_SM, clear_S
            functions["follow"](old_label_SM, old_sign_SM, *written, *scratch, len(whose), count)
        for row in np.flatnonzero(~clear_S):
            own = (each_SM[row] for each_SM in (old_label_SM, old_sign_SM, found_SM, sign_SM))
            label_SM[row], new_sign_SM[row] = _matched(*own)
        self._last = whose, _Labels(label_SM, new_sign_SM, found_SM)
        return label_SM, new_sign_SM

    def _of(self, whose: tuple[int, ...], kernels: int) -> _Labels:
        """What these members are gone on from, (S, M) each: lines of none where a member is new."""
        last, labels = self._last
        if whose != last:
            self._before.update(zip(last, map(_Labels, *labels), strict=True))
            nothing_M = np.full(kernels, NO_LINE)
            new = _Labels(nothing_M, np.zeros_like(nothing_M), np.full_like(nothing_M, _NOTHING))
            before = [self._before.get(number, new) for number in whose]
            sizes = {each.label.size for each in before} - {kernels}
            if sizes:
                raise ValueError(_another_size(min(sizes), kernels))
            labels = _Labels(*map(np.stack, zip(*before, strict=True)))
        if labels.label.shape[1] != kernels:
            raise ValueError(_another_size(labels.label.shape[1], kernels))
        return labels


def _turned(label_SM: _Array, old_sign_SM: _Array, sign_SM: _Array) -> _Array:
    """The new signs of lines that are the old ones, turned where most of a line's kernels had the other sign."""
    lines = int(label_SM.max(initial=-1)) + 1
    on_SM = label_SM >= 0
    line_SM = label_SM + np.arange(len(label_SM))[:, None] * lines
    agree_G = np.bincount(line_SM[on_SM], (old_sign_SM * sign_SM)[on_SM], len(label_SM) * lines)
    side_G = np.where(agree_G < 0, -1, 1)
    return np.where(on_SM, sign_SM * side_G[np.where(on_SM, line_SM, 0)] if lines else sign_SM, sign_SM)


def _followed(
    old_label_SM: _Array, old_sign_SM: _Array, then_SM: _Array, label_SM: _Array, sign_SM: _Array
) -> tuple[_Array, _Array, _Array]:
    """Labels and signs of each member as `compiled_tracking.follow` gives them, and whether they are clear (S,);
    `then_SM` are the old labels as they were found."""
    same_S = (then_SM == label_SM).all(axis=1)
    found_label_SM, found_sign_SM, clear_S = label_SM.copy(), sign_SM.copy(), np.ones(len(label_SM), bool)
    # the same lines: they keep their names, and only their sides are compared
    found_label_SM[same_S] = old_label_SM[same_S]
    found_sign_SM[same_S] = _turned(old_label_SM[same_S], old_sign_SM[same_S], sign_SM[same_S])
    if not same_S.all():
        other = (each_SM[~same_S] for each_SM in (old_label_SM, old_sign_SM, label_SM, sign_SM))
        found_label_SM[~same_S], found_sign_SM[~same_S], clear_S[~same_S] = _renamed_where_clear(*other)
    return found_label_SM, found_sign_SM, clear_S


def _renamed_where_clear(
    old_label_SM: _Array, old_sign_SM: _Array, label_SM: _Array, sign_SM: _Array
) -> tuple[_Array, _Array, _Array]:
    """`match_lines` of each member where it needs no assignment problem: where every old line shares most kernels with
    a new one of its own, or every new line with an old one, nothing else has as many in common."""
    members = len(label_SM)
    old_lines, lines = int(old_label_SM.max(initial=-1)) + 1, int(label_SM.max(initial=-1)) + 1
    both_SM = (old_label_SM >= 0) & (label_SM >= 0)
    at_N = ((np.arange(members)[:, None] * old_lines + old_label_SM) * lines + label_SM)[both_SM]
    shape = members, old_lines, lines
    shared_SOL = np.bincount(at_N, minlength=members * old_lines * lines).reshape(shape)
    agree_SOL = np.bincount(at_N, (old_sign_SM * sign_SM)[both_SM], shared_SOL.size).reshape(shape)
    by_old_SOL, by_new_SOL = (_most(shared_SOL, axis) for axis in (2, 1))
    clear_S, by_new_S = map(_one_to_one, (by_old_SOL, by_new_SOL))
    pair_SOL = np.where(clear_S[:, None, None], by_old_SOL, by_new_SOL)
    clear_S |= by_new_S

    paired_SL = pair_SOL.any(axis=1)
    # lines that are new take the smallest numbers that no line had before, in their order
    taken_SN = np.zeros((members, old_lines + lines), bool)
    row_N, kernel_N = np.nonzero(old_label_SM >= 0)
    taken_SN[row_N, old_label_SM[row_N, kernel_N]] = True
    free_SL = np.argsort(taken_SN, axis=1, kind="stable")[:, :lines]
    new_SL = np.take_along_axis(free_SL, np.maximum(0, np.cumsum(~paired_SL, axis=1) - 1), axis=1)
    old_SL = pair_SOL.argmax(axis=1) if old_lines else new_SL
    # the two values that are no line, -2 and -1, stand at the end and so map to themselves
    number_SL = np.concatenate([np.where(paired_SL, old_SL, new_SL), np.tile([-2, -1], (members, 1))], axis=1)
    turned_SL = (pair_SOL & (agree_SOL < 0)).any(axis=1)
    side_SL = np.concatenate([np.where(turned_SL, -1, 1), np.ones((members, 2), int)], axis=1)
    at_SM = label_SM % (lines + 2)
    found_label_SM = np.take_along_axis(number_SL, at_SM, axis=1)
    found_sign_SM = np.take_along_axis(side_SL, at_SM, axis=1) * sign_SM
    return found_label_SM, found_sign_SM, clear_S


def _most(shared_SOL: _Array, axis: int) -> _Array:
    """Where the most kernels along an axis are shared, (S, O, L); nowhere where none is."""
    if 0 in shared_SOL.shape:
        return np.zeros(shared_SOL.shape, bool)
    most: _Array = (shared_SOL == shared_SOL.max(axis=axis, keepdims=True)) & (shared_SOL > 0)
    return most


def _one_to_one(pair_SOL: _Array) -> _Array:
    """Whether each member's pairs have no line twice, (S,)."""
    once_S: _Array = (pair_SOL.sum(axis=1) <= 1).all(axis=1) & (pair_SOL.sum(axis=2) <= 1).all(axis=1)
    return once_S


def _another_size(before: int, now: int) -> str:
    return f"labels: expected as many kernels as before, {before}, got {now}"


def _paired(
    old_label_M: _Array, old_sign_M: _Array, new_label_M: _Array, new_sign_M: _Array
) -> tuple[list[int], list[int]]:
    """What each new line is called, and whether it is turned (-1)."""
    if old_label_M.shape != new_label_M.shape:
        raise ValueError(_another_size(len(old_label_M), len(new_label_M)))
    lines = int(new_label_M.max(initial=-1)) + 1
    # as `unique`, which loads NumPy's masked arrays
    old_numbers = np.flatnonzero(np.bincount(old_label_M[old_label_M >= 0]))
    both_M = (old_label_M >= 0) & (new_label_M >= 0)
    pair_M = np.searchsorted(old_numbers, old_label_M[both_M]) * lines + new_label_M[both_M]
    size = len(old_numbers) * lines
    shared_OL = np.bincount(pair_M, minlength=size).reshape(len(old_numbers), lines)
    agree_M = old_sign_M[both_M] * new_sign_M[both_M]
    agree_OL = np.bincount(pair_M, agree_M, minlength=size).reshape(len(old_numbers), lines)

    number_of, side_of = [-1] * lines, [1] * lines
    for old, new in _most_in_common(shared_OL):
        if shared_OL[old, new] > 0:
            number_of[new] = int(old_numbers[old])
            side_of[new] = -1 if agree_OL[old, new] < 0 else 1
    taken = set(old_numbers.tolist())
    free = (number for number in count() if number not in taken)
    number_of = [next(free) if number < 0 else number for number in number_of]

    return number_of, side_of


def _most_in_common(shared_OL: _Array) -> list[tuple[int, int]]:
    """Old and new lines, one to one, so that the kernels shared are the most possible."""
    if 0 in shared_OL.shape:
        return []
    if shared_OL.shape == (1, 1):
        return [(0, 0)]
    return list(zip(*(side.tolist() for side in _assignment()(shared_OL, maximize=True)), strict=True))


@cache
def _assignment() -> Callable[..., Any]:
    """SciPy's `linear_sum_assignment`."""
    found = compiled_function("linear_sum_assignment", "_lsap", "optimize")
    if found is not None:
        return found
    from scipy.optimize import linear_sum_assignment

    public: Callable[..., Any] = linear_sum_assignment
    return public


def _matched(old_label_M: _Array, old_sign_M: _Array, new_label_M: _Array, new_sign_M: _Array) -> tuple[_Array, _Array]:
    number_of, side_of = _paired(old_label_M, old_sign_M, new_label_M, new_sign_M)
    return _renamed(number_of, side_of, new_label_M, new_sign_M)


def _renamed(number_of: list[int], side_of: list[int], label_M: _Array, sign_M: _Array) -> tuple[_Array, _Array]:
    # the two values that are no line, -1 and -2, index the end of the table and so map to themselves
    numbers, sides = np.array([*number_of, -2, -1]), np.array([*side_of, 1, 1])
    return numbers[label_M], sides[label_M] * sign_M
