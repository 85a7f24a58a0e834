"""How the rows of a layer are made of its weight and its bias, whoever trains it.   # M kernels, K entries a kernel"""

from __future__ import annotations

import torch
from torch import Tensor


def as_rows(weight: Tensor, bias: Tensor | None, members: int = 0) -> Tensor:
    """Rows (M, K): flattened weights (M, …), and last the bias (M,) where there is one. `members` is how many
    dimensions both have before these: rows are (S, M, K) where it is 1."""
    rows = weight.flatten(members + 1)
    return rows if bias is None else torch.cat([rows, bias.to(rows.dtype)[..., None]], dim=-1)


def stretch(rows: int, number: int, parts: int) -> slice:
    """Which of so many rows one of equal parts has: queries, keys and values of a layer that makes all three, or one
    head's part of them."""
    width = rows // parts
    return slice(number * width, (number + 1) * width)
