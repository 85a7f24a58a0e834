"""The network of a scenario.   # N samples, D outputs, M kernels, K entries a kernel

Apart from the training loop so that measures, exports and tests can build a network without training it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from condense_core.engine.network.activations import Activation, activation
from condense_core.engine.network.batch_norm import BatchNorm
from condense_core.engine.network.given_weights import load_weights
from condense_core.engine.network.measured import Mask, MeasuredNetwork, MeasuredRows
from condense_core.engine.network.parameters import Conv2d, Linear
from condense_core.engine.network.random_weights import LayerSize, draw
from condense_core.engine.network.trunk import FEATURES, resnet18_trunk
from condense_core.errors import ScenarioError
from condense_core.scenario.convolutions import why_too_small
from condense_core.scenario.experiment import Block, Conv, Dense, Experiment, Init
from condense_core.scenario.geometry import LayerKind

OUTPUT = "output"
# Any number will do: it keeps the trunk's random numbers apart from the layers'.
TRUNK_STREAM = 0x5EED


class Network(MeasuredNetwork):
    """Hidden layers `conv1`, …, `dense1`, … with their activations, then a linear layer `output`.

    After a convolution `conv1` come its batch normalisation `bn1` where it has one, the activation, and the pooling;
    what is left is flattened before the first dense layer. With `experiment.residual`, h_{l+1} = σ(W_l h_l + b_l) + h_l
    from the second hidden layer on. Weights and biases are drawn from a generator seeded by `experiment.seed`, never
    from the global one; or read from `experiment.initial`.
    With `experiment.trunk` images pass through it first. Batch normalisation takes the batch's statistics in training
    mode, running ones in `eval()`.
    """

    def __init__(self, experiment: Experiment, input_shape: tuple[int, ...], outputs: int) -> None:
        """`input_shape` is one sample's, (channels, rows, columns) or (inputs,); `outputs` is D.

        ScenarioError where an image is too small for the filters, or convolutions are given no image.
        """
        kinds: dict[str, LayerKind] = {
            name: "conv" if isinstance(layer, Conv) else "dense"
            for name, layer in zip(experiment.layer_names, experiment.layers, strict=True)
        }
        super().__init__({name: MeasuredRows(name, kind) for name, kind in kinds.items()})
        self._residual = experiment.residual
        self._activations = [activation(layer.activation) for layer in experiment.layers]
        self._pools = [_pool(layer) for layer in experiment.layers]
        norms: list[BatchNorm | None] = []
        dtype: torch.dtype = getattr(torch, experiment.dtype)
        shape = input_shape
        if experiment.trunk is not None:
            shape = _features(input_shape)
        for name, layer in zip(self.layer_names, experiment.layers, strict=True):
            assert not isinstance(layer, Block)
            module, shape = _build(name, layer, shape, dtype)
            self.add_module(name, module)
            norms.append(BatchNorm(layer.width, dtype) if isinstance(layer, Conv) and layer.batch_norm else None)
            if norms[-1] is not None:
                self.add_module(f"bn{len(norms)}", norms[-1])
        self._norms = norms
        self.batch_norms = [norm for norm in norms if norm is not None]
        self.output = Linear(math.prod(shape), outputs, bias=experiment.output_bias, dtype=dtype)
        generator = torch.Generator().manual_seed(experiment.seed)
        # a seed's dense layers are the same with and without a trunk, which has a stream of its own
        streams = torch.Generator().manual_seed(experiment.seed ^ TRUNK_STREAM)
        self.trunk = resnet18_trunk(streams, dtype) if experiment.trunk is not None else None
        self._initialise(experiment.init, experiment.layers[0].width, generator, dtype)
        if experiment.initial is not None:
            load_weights(self, Path(experiment.initial))

    def forward(self, x: Tensor, mask: Mask | None = None) -> Tensor:
        """Outputs, shape (N, D), of a batch (N, *input_shape); with dropout where there is a mask."""
        return cast(Tensor, self.output(self.layer_input(OUTPUT, x, mask)))

    def layer_input(self, name: str, x: Tensor, mask: Mask | None = None) -> Tensor:
        """What the layer of that name is given for a batch x: (N, channels, rows, columns), or (N, inputs)."""
        return next(given for layer, given in self.layer_inputs(x, mask) if layer == name)

    def layer_inputs(self, x: Tensor, mask: Mask | None = None) -> Iterator[tuple[str, Tensor]]:
        """The same of every layer, the output last, each worked out as it is asked for."""
        h = x if self.trunk is None else self.trunk(x)
        for depth, name in enumerate(self.layer_names):
            layer = self.layer(name)
            if isinstance(layer, nn.Linear):
                h = h.flatten(1)
            yield name, h
            following = self._after(depth, layer(h))
            dropped = None if mask is None else mask(depth, following)
            following = following if dropped is None else following * dropped
            h = following + h if self._residual and depth > 0 else following
        yield OUTPUT, h.flatten(1)

    def _after(self, depth: int, z: Tensor) -> Tensor:
        """What a layer gives on, of what its kernels make of its input."""
        norm, pool = self._norms[depth], self._pools[depth]
        value = self._activations[depth](z if norm is None else norm(z))
        return value if pool is None else pool(value)

    def layer(self, name: str) -> nn.Conv2d | nn.Linear:
        """The layer of that name, one of `layer_names` or `output`; AttributeError for another."""
        return cast("nn.Conv2d | nn.Linear", self.get_submodule(name))

    @torch.no_grad()
    def _initialise(self, init: Init, first_width: int, generator: torch.Generator, dtype: torch.dtype) -> None:
        layers = [self.layer(name) for name in (*self.layer_names, OUTPUT)]
        # All weights before the first bias: with and without biases, a seed gives the same weights.
        for place, layer in enumerate(layers):
            size = _size(layer, first_width, place, readout=layer is layers[-1])
            layer.weight.copy_(draw(init, size, tuple(layer.weight.shape), generator=generator, dtype=dtype))
        for place, layer in enumerate(layers):
            if layer.bias is None:
                continue
            if init.bias == "zero":
                layer.bias.zero_()
            else:
                size = _size(layer, first_width, place, readout=layer is layers[-1])
                layer.bias.copy_(draw(init, size, tuple(layer.bias.shape), generator=generator, dtype=dtype))


def _build(
    name: str, layer: Conv | Dense, shape: tuple[int, ...], dtype: torch.dtype
) -> tuple[nn.Conv2d | nn.Linear, tuple[int, ...]]:
    """The layer, and the shape of what it gives for inputs of that shape."""
    if not isinstance(layer, Conv):
        return Linear(math.prod(shape), layer.width, bias=layer.bias, dtype=dtype), (layer.width,)
    if len(shape) != 3:
        raise ScenarioError(
            f"{name}: a convolution needs images (channels, rows, columns), got inputs of shape {shape}"
        )
    channels, rows, columns = shape
    if why := why_too_small({name: layer}, rows, columns):
        raise ScenarioError(why)
    # a bias would be taken off again with the mean
    bias = layer.bias and not layer.batch_norm
    convolution = Conv2d(
        channels, layer.width, layer.size, stride=layer.stride, padding=layer.padding, bias=bias, dtype=dtype
    )
    return convolution, (layer.width, layer.side_after(rows), layer.side_after(columns))


def _pool(layer: Conv | Dense | Block) -> Activation | None:
    """The function that pools what the layer's activation gives; None where nothing is pooled."""
    if not isinstance(layer, Conv) or layer.pool is None:
        return None
    pool = functional.max_pool2d if layer.pool == "max" else functional.avg_pool2d
    return lambda value: pool(value, layer.pool_size)


def _features(input_shape: tuple[int, ...]) -> tuple[int, ...]:
    if input_shape[0] != 3:
        raise ScenarioError(f"trunk: ResNet18 needs colour images (3, rows, columns), got {input_shape}")
    return (FEATURES,)


def _size(layer: nn.Conv2d | nn.Linear, first_width: int, place: int, *, readout: bool) -> LayerSize:
    n_out, n_in, *filter_sides = layer.weight.shape
    pixels = math.prod(filter_sides)
    return LayerSize(
        n_in=n_in, n_out=n_out, filter_pixels=pixels, first_width=first_width, readout=readout, place=place
    )
