"""What the rows of a layer are, apart from their numbers.   # M kernels, K entries a kernel"""

from __future__ import annotations

import math
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

LayerKind = Literal["dense", "conv", "depthwise", "transposed", "attention", "recurrent", "embedding", "lora", "raw"]

RowCount = Annotated[int, Meta(ge=0, le=2**31)]


class Geometry(msgspec.Struct, frozen=True, kw_only=True):
    """A layer's rows: M `kernels` of K `entries`.

    A row begins with `channels` × the `patch`'s pixels, and ends in the bias where there is one. `group` and `head` are
    the number of the group of a grouped convolution or of the head of an attention that the rows are of, None for the
    whole layer. `sampled` is how many rows the layer has where `kernels` of them were drawn, else None.
    """

    kind: LayerKind
    kernels: RowCount
    entries: RowCount
    channels: RowCount
    patch: Annotated[tuple[RowCount, ...], Meta(max_length=8)] = ()
    bias: bool = False
    group: RowCount | None = None
    head: RowCount | None = None
    sampled: RowCount | None = None

    @property
    def filters(self) -> int | None:
        """Entries of a row that are pixels of a filter; None where a row is no filter."""
        return self.channels * math.prod(self.patch) if self.patch else None
