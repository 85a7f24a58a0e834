"""Layers of a scenario's network, and the activations that they may have."""

from __future__ import annotations

from typing import Literal

from condense_core.errors import nearest
from condense_core.scenario.checked import Checked, check_own_name, require, require_in_words

ACTIVATIONS = ("tanh", "sigmoid", "softplus", "relu", "gelu", "silu", "xtanh", "x2tanh", "identity")
# Any activation with its value at 0 subtracted, so that sigmoid and softplus pass through the origin too.
CENTRED_PREFIX = "centred-"
# Before the name of an activation that a plugin has; whether one does is known where it is trained.
OWN_PREFIX = "own:"


class _Layer(Checked, frozen=True, kw_only=True):
    width: int
    """Neurons, or filters of a convolution: 1 to 65536."""
    activation: str = "tanh"
    """The function σ of what comes out: one of `condense-tui presets activations`, with `centred-` before it for
    σ(x) - σ(0), or `own:NAME` of a plugin."""
    bias: bool = True
    """Whether each kernel has a trained bias; it counts as the kernel's last entry."""
    dropout: float = 0.0
    """The share of the layer's outputs that a training step sets to 0, the others divided by what is left; what is
    measured is of the whole network."""

    def __post_init__(self) -> None:
        require(1 <= self.width <= 65536, "width", "1 to 65536 kernels", self.width)
        require(0 <= self.dropout < 1, "dropout", "0 or more and less than 1", self.dropout)
        plain = self.activation.removeprefix(CENTRED_PREFIX)
        if self.activation.startswith(OWN_PREFIX):
            check_own_name("activation", self.activation.removeprefix(OWN_PREFIX))
        elif plain not in ACTIVATIONS:
            hint = f"{nearest(plain, ACTIVATIONS)} (condense-tui presets activations)"
            raise ValueError(f"activation: unknown {self.activation!r}; {hint}")


class Dense(_Layer, frozen=True, kw_only=True, tag_field="kind", tag="dense"):
    """A fully connected layer of `width` neurons; a kernel is a neuron's input weights and its bias."""


class Conv(_Layer, frozen=True, kw_only=True, tag_field="kind", tag="conv"):
    """`width` filters of size×size; a kernel is a whole output channel's filter and its bias. What the filters find is
    normalised where it is asked for, then comes the activation, and then the pooling."""

    size: int = 3
    """Pixels of a filter's side."""
    stride: int = 1
    """Pixels from one position of a filter to the next."""
    padding: int = 0
    """Pixels of zeros around what the layer is given, fewer than `size`."""
    batch_norm: bool = False
    """Whether what the filters find is normalised over the batch before the activation, with a trained scale and shift,
    as by PyTorch's BatchNorm2d; the kernels then have no bias, since the shift takes its place."""
    pool: Literal["max", "average"] | None = None
    """What stands for each square of `pool_size` pixels after the activation, its maximum or its average; none pools
    nothing."""
    pool_size: int = 2
    """Pixels of the side of a square that is pooled; squares lie side by side, and pixels that fill none are left
    out."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require(1 <= self.size <= 64, "size", "a filter of 1 to 64 pixels", self.size)
        require(1 <= self.stride <= 64, "stride", "1 to 64 pixels", self.stride)
        require(0 <= self.padding < self.size, "padding", f"0 to {self.size - 1}, less than size", self.padding)
        require(2 <= self.pool_size <= 64, "pool_size", "2 to 64 pixels", self.pool_size)
        pools = self.pool is not None or self.pool_size == 2
        require_in_words(pools, "pool_size", "a pool ('max', 'average') that it is the size of", "none")

    @property
    def is_plain(self) -> bool:
        """Whether filters meet each position within their image, and nothing comes after them but the activation."""
        return (self.stride, self.padding, self.batch_norm, self.pool) == (1, 0, False, None)

    @property
    def averaged(self) -> int:
        """Positions along the side of a square whose average the layer gives on; 1 where it averages none."""
        return self.pool_size if self.pool == "average" else 1

    def positions(self, side: int) -> int:
        """Positions of a filter along a side of so many pixels; 0 or less where it does not fit."""
        return (side + 2 * self.padding - self.size) // self.stride + 1

    def side_after(self, side: int) -> int:
        """Pixels of that side of what the layer gives on."""
        return self.positions(side) // self.pool_size if self.pool else self.positions(side)


class Block(_Layer, frozen=True, kw_only=True, tag_field="kind", tag="block"):
    """A block of a decoder: causal attention of `heads` heads, then a network of one hidden layer, each added to what
    it reads, `width` numbers a token. Before the first block tokens and their places are embedded; after the last one a
    linear layer reads the last token out.

    A kernel is a row: of the embedding of tokens, of the queries, keys and values of each head, and of the hidden layer
    with its bias. `bias` is that of both layers of that network; attention, embeddings and the read-out have none.
    `dropout` is of its hidden neurons.
    """

    activation: str = "relu"
    heads: int = 1
    """Heads of its attention; they divide the width."""
    hidden: int | None = None
    """Neurons of the hidden layer; none means four times the width."""
    norm: Literal["none", "pre"] = "none"
    """`none`: what the parts are given is as large as the weights make it, so that their initial scale counts
    everywhere; `pre`: what attention, the hidden layer and the read-out are given is centred and scaled to variance 1
    at each token, without a trained scale or shift."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require(1 <= self.heads <= 64, "heads", "1 to 64", self.heads)
        require(self.width % self.heads == 0, "heads", f"a divisor of width ({self.width})", self.heads)
        if self.hidden is not None:
            require(1 <= self.hidden <= 65536, "hidden", "1 to 65536 neurons", self.hidden)

    @property
    def neurons(self) -> int:
        """Neurons of the hidden layer."""
        return 4 * self.width if self.hidden is None else self.hidden

    def kernel_counts(self, number: int) -> dict[str, int]:
        """Kernels of what is measured of it: `block1.q.h1`, …, `block1.mlp`; `block1.q` where there is one head."""
        heads = [f".h{head}" for head in range(1, self.heads + 1)] if self.heads > 1 else [""]
        of_heads = {f"block{number}.{part}{head}": self.width // self.heads for part in "qkv" for head in heads}
        return {**of_heads, block_layer(number): self.neurons}


def block_layer(number: int) -> str:
    """The name of the hidden layer of the block of that number, from 1."""
    return f"block{number}.mlp"


Layer = Dense | Conv | Block
