"""A decoder of tokens: blocks of causal attention and a network of one hidden layer.

# N samples, T tokens, W numbers a token, H heads, V tokens of the vocabulary
"""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from condense_core.engine.network.activations import activation
from condense_core.engine.network.given_weights import load_weights
from condense_core.engine.network.measured import Mask, MeasuredNetwork, MeasuredRows
from condense_core.engine.network.parameters import Embedding, Linear
from condense_core.engine.network.random_weights import LayerSize, draw
from condense_core.measures.rows import stretch
from condense_core.scenario.experiment import Block, Experiment


class Decoder(MeasuredNetwork):
    """`embedding` of tokens and `positions`, blocks `block1`, …, and a linear layer `output` that reads the last token.

    What blocks have that papers leave open is ours: attention without biases, its scores divided by the root of a
    head's width, no tying of embedding and read-out, and normalisation before each part or none (`Block.norm`). All
    weights are drawn from a generator seeded by `experiment.seed`, by the scenario's scheme; those of embeddings as if
    tokens and places were inputs of a linear layer.
    """

    def __init__(self, experiment: Experiment, input_shape: tuple[int, ...], outputs: int) -> None:
        """`input_shape` is (T,), `outputs` V."""
        blocks = [layer for layer in experiment.layers if isinstance(layer, Block)]
        super().__init__(_parts(blocks))
        dtype: torch.dtype = getattr(torch, experiment.dtype)
        (length,), width = input_shape, blocks[0].width
        self.embedding = Embedding(outputs, width, dtype=dtype)
        self.positions = Embedding(length, width, dtype=dtype)
        self._blocks: list[_Block] = []
        for number, block in enumerate(blocks, start=1):
            module = _Block(block, number - 1, dtype)
            self.add_module(f"block{number}", module)
            self._blocks.append(module)
        self._normal = blocks[-1].norm == "pre"
        self.output = Linear(width, outputs, bias=experiment.output_bias, dtype=dtype)
        self._initialise(experiment, width, dtype)
        if experiment.initial is not None:
            load_weights(self, Path(experiment.initial))

    def forward(self, x: Tensor, mask: Mask | None = None) -> Tensor:
        """Scores (N, V) of what stands for the sequences of tokens x (N, T), whole numbers in any type."""
        h_NTW = self.embedding(x.long()) + self.positions.weight
        for block in self._blocks:
            h_NTW = block(h_NTW, mask)
        last_NW = h_NTW[:, -1]
        return cast(Tensor, self.output(_normal(last_NW) if self._normal else last_NW))

    @torch.no_grad()
    def _initialise(self, experiment: Experiment, width: int, dtype: torch.dtype) -> None:
        generator, init = torch.Generator().manual_seed(experiment.seed), experiment.init
        # all weights before the first bias: with and without biases, a seed gives the same weights
        for module in self._drawn():
            for rows in module.drawn_apart if isinstance(module, _Fused) else [slice(None)]:
                weight = module.weight[rows]
                n_out, n_in = weight.shape[::-1] if isinstance(module, nn.Embedding) else weight.shape
                size = LayerSize(n_in=n_in, n_out=n_out, first_width=width, readout=module is self.output)
                weight.copy_(draw(init, size, tuple(weight.shape), generator=generator, dtype=dtype))
        for module in self._drawn():
            if not isinstance(module, nn.Linear) or module.bias is None:
                continue
            if init.bias == "zero":
                module.bias.zero_()
            else:
                n_out, n_in = module.weight.shape
                size = LayerSize(n_in=n_in, n_out=n_out, first_width=width, readout=module is self.output)
                module.bias.copy_(draw(init, size, (n_out,), generator=generator, dtype=dtype))

    def _drawn(self) -> list[nn.Linear | nn.Embedding]:
        return [module for module in self.modules() if isinstance(module, nn.Linear | nn.Embedding)]


class _Fused(Linear):
    """Queries, keys and values in one layer, one third of its rows each."""

    def __init__(self, width: int, dtype: torch.dtype) -> None:
        super().__init__(width, 3 * width, bias=False, dtype=dtype)

    @property
    def drawn_apart(self) -> list[slice]:
        """Rows that are a layer to whoever draws them."""
        return [stretch(len(self.weight), number, 3) for number in range(3)]


class _Block(nn.Module):
    """h + attention(h), and of that h + hidden(h)."""

    def __init__(self, settings: Block, depth: int, dtype: torch.dtype) -> None:
        super().__init__()
        width = settings.width
        self._heads, self._depth = settings.heads, depth
        self._normal = settings.norm == "pre"
        self._activation = activation(settings.activation)
        self.qkv = _Fused(width, dtype)
        self.attended = Linear(width, width, bias=False, dtype=dtype)
        self.mlp = Linear(width, settings.neurons, bias=settings.bias, dtype=dtype)
        self.mlp_out = Linear(settings.neurons, width, bias=settings.bias, dtype=dtype)

    def forward(self, h_NTW: Tensor, mask: Mask | None) -> Tensor:
        h_NTW = h_NTW + self.attended(self._attention(self._given(h_NTW)))
        hidden = self._activation(self.mlp(self._given(h_NTW)))
        dropped = None if mask is None else mask(self._depth, hidden)
        return cast(Tensor, h_NTW + self.mlp_out(hidden if dropped is None else hidden * dropped))

    def _attention(self, h_NTW: Tensor) -> Tensor:
        """What each token takes of itself and those before it, head beside head."""
        samples, length, width = h_NTW.shape
        of_head = width // self._heads
        parts = self.qkv(h_NTW).reshape(samples, length, 3, self._heads, of_head)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        score_NHTT = query @ key.transpose(-1, -2) / math.sqrt(of_head)
        later = torch.ones(length, length, dtype=torch.bool, device=h_NTW.device).triu(1)
        weight_NHTT = torch.softmax(score_NHTT.masked_fill(later, -math.inf), dim=-1)
        taken: Tensor = weight_NHTT @ value
        return taken.transpose(1, 2).reshape(samples, length, width)

    def _given(self, h_NTW: Tensor) -> Tensor:
        return _normal(h_NTW) if self._normal else h_NTW


def _normal(h: Tensor) -> Tensor:
    # PyTorch's own epsilon is larger than the variance that small weights give, which would then not become 1
    return functional.layer_norm(h, h.shape[-1:], eps=torch.finfo(h.dtype).tiny)


def _parts(blocks: list[Block]) -> dict[str, MeasuredRows]:
    """What is measured: rows of the embedding, of queries, keys and values by head, and of the hidden layers."""
    found = {"embedding": MeasuredRows("embedding", "embedding")}
    for number, block in enumerate(blocks, start=1):
        of_head = itertools.product(range(3), range(block.heads))
        *attention, hidden = block.kernel_counts(number)
        for name, (part, head) in zip(attention, of_head, strict=True):
            rows = stretch(3 * block.width, part * block.heads + head, 3 * block.heads)
            found[name] = MeasuredRows(f"block{number}.qkv", "attention", rows, head if block.heads > 1 else None)
        found[hidden] = MeasuredRows(f"block{number}.mlp", "dense")
    return found
