"""What each hidden neuron gives for a sample, and what its layer is given.

# n samples, M neurons, K entries that a neuron reads, P positions: of a filter in the image, in a decoder tokens
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from condense_core.engine.network.measured import MeasuredNetwork

# Numbers of a layer that are looked at, 8 bytes each: of larger samples some are drawn.
MOST_NUMBERS = 1 << 22
# Samples beyond which a correlation of two neurons does not change in any digit that is shown.
MOST_SAMPLES = 2_000


class LayerSample(NamedTuple):
    """`output` (n, M), (n, M, rows, columns) or (n, M, tokens), after activation and pooling and before anything is
    added to it or dropped; `input` is what the layer is given, (n, …). Both float64."""

    input: Tensor
    output: Tensor


def layer_samples(network: MeasuredNetwork, inputs: Tensor, samples: Sequence[int]) -> dict[str, LayerSample]:
    """Inputs and outputs of every layer of neurons for some of the inputs, worked out in float64 from the weights as
    they are: at small weights what differs between samples is the last digits of a float32. Batch normalisation goes
    by the statistics of these inputs. Changes nothing."""
    state = {
        name: value.detach().double() if value.is_floating_point() else value
        for name, value in [*network.named_parameters(), *network.named_buffers()]
    }
    given: dict[str, Tensor] = {}
    outputs: list[Tensor] = []

    def note(_depth: int, output: Tensor) -> None:
        # a decoder's have tokens before neurons
        outputs.append(output.movedim(-1, 1) if output.ndim == 3 else output)

    def noting(name: str) -> torch.utils.hooks.RemovableHandle:
        def hook(_module: nn.Module, args: tuple[Tensor, ...]) -> None:
            given[name] = args[0]

        return network.get_submodule(network.parts[name].module).register_forward_pre_hook(hook)

    handles = [noting(name) for name in network.neuron_layers]
    try:
        with torch.no_grad(), network.measuring_as_trained():
            functional_call(network, state, (inputs[list(samples)].double(), note))
    finally:
        for handle in handles:
            handle.remove()
    return {name: LayerSample(given[name], output) for name, output in zip(network.neuron_layers, outputs, strict=True)}


def most_samples(network: MeasuredNetwork, inputs: Tensor) -> int:
    """How many of the inputs are looked at: all, up to as many as bound memory."""
    # of a single one batch normalisation may have no variance
    few = range(min(2, len(inputs)) if network.batch_norms else 1)
    largest = max(found.output.numel() for found in layer_samples(network, inputs, few).values()) // len(few)
    return max(len(few), min(len(inputs), MOST_SAMPLES, MOST_NUMBERS // largest))


def input_rows(layer: nn.Module, input_: Tensor, averaged: int = 1) -> Tensor:
    """What every neuron reads of each sample, (n, K), of a convolution or a decoder at each position, (n · P, K).

    Of a convolution whose outputs are averaged over squares of `averaged` positions a side, the patches are: what
    linear neurons give is what they would give for those."""
    if not isinstance(layer, nn.Conv2d):
        return input_.flatten(0, -2)
    of_a_sample = layer.weight[0].numel() * input_[0, 0].numel()
    step = max(1, len(input_) * of_a_sample // MOST_NUMBERS)
    padding = (0, 0) if isinstance(layer.padding, str) else layer.padding
    looked_at = input_[::step]
    patches_nKP = functional.unfold(looked_at, layer.kernel_size, padding=padding, stride=layer.stride)
    if averaged > 1:
        sides = [
            (side + 2 * around - filter_side) // stride + 1
            for side, around, filter_side, stride in zip(
                looked_at.shape[2:], padding, layer.kernel_size, layer.stride, strict=True
            )
        ]
        patches_nKP = functional.avg_pool2d(patches_nKP.reshape(*patches_nKP.shape[:2], *sides), averaged).flatten(2)
    return patches_nKP.transpose(1, 2).flatten(0, 1)
