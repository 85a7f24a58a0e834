"""Lines that keep their number and their sides from one measurement to the next.   # M kernels, L lines now"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor


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
    if old_label_M.shape != new_label_M.shape:
        raise ValueError(f"labels: expected as many kernels as before, {len(old_label_M)}, got {len(new_label_M)}")
    old_numbers = sorted(set(old_label_M[old_label_M >= 0].tolist()))
    lines = int(new_label_M.max()) + 1 if len(new_label_M) else 0
    lines = max(lines, 0)

    old_is_MO = old_label_M[:, None] == torch.tensor(old_numbers, dtype=old_label_M.dtype)
    new_is_ML = new_label_M[:, None] == torch.arange(lines)
    shared_OL = old_is_MO.double().T @ new_is_ML.double()
    agree_OL = (old_is_MO * old_sign_M[:, None]).double().T @ (new_is_ML * new_sign_M[:, None]).double()

    number_of, side_of = [-1] * lines, [1] * lines
    for old, new in zip(*linear_sum_assignment(shared_OL.numpy(), maximize=True), strict=True):
        if shared_OL[old, new] > 0:
            number_of[new] = old_numbers[old]
            side_of[new] = -1 if agree_OL[old, new] < 0 else 1
    taken = set(old_numbers)
    free = (number for number in count() if number not in taken)
    number_of = [next(free) if number < 0 else number for number in number_of]

    # the two values that are no line, -1 and -2, index the end of the table and so map to themselves
    numbers = torch.tensor([*number_of, -2, -1])
    sides = torch.tensor([*side_of, 1, 1])
    return Matched(
        numbers[new_label_M.long()], sides[new_label_M.long()] * new_sign_M.long(), tuple(number_of), tuple(side_of)
    )
