"""Convolutional networks in compiled code (`steppers.compiled.convolutions`): a few images at a time go forward and
back while what they leave is in the processor's cache; dense layers above them are formulas in PyTorch.

# N samples, c images of a chunk, R activations of a layer for one image
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from condense_core.engine.data.datasets import Dataset
from condense_core.engine.network.derivatives import Saved, elementwise
from condense_core.engine.network.losses import residual
from condense_core.engine.network.network import Network
from condense_core.engine.steppers import compiled
from condense_core.engine.steppers.drawn import Masks
from condense_core.engine.steppers.gradients.convolution_layout import ConvolutionLayout, zeros
from condense_core.engine.steppers.parameters import FlatParameters
from condense_core.machine import usable_cores
from condense_core.scenario.data_sizes import input_shape, sample_count
from condense_core.scenario.experiment import Conv, Dense, Experiment

# Activations of a chunk of images; as much again are their slopes.
CHUNK_BYTES = 2_000_000
# Parts of a chunk whose gradients are added up apart from each other: threads share the parts out, so that sums do not
# depend on how many there are.
PARTS = 4


# Steps in PyTorch that take less than this in all gain less than it takes to have compiled ones.
REPAYS_S = 4.0
# What PyTorch takes for a multiplication, roughly.
TORCH_MULTIPLICATION_S = 4e-11
# Weights of a layer above which PyTorch's own convolution is as fast, and what padding may add to the work.
MOST_WEIGHTS, MOST_PADDING = 300_000, 2.0
VECTOR_BYTES = 64


def applies(experiment: Experiment) -> bool:
    """Whether compiled code knows the scenario's network: convolutions of every position of their image, then any
    number of dense layers, nothing that is drawn."""
    known = experiment.trunk is None and isinstance(experiment.layers[0], Conv)
    plain = all(layer.is_plain for layer in experiment.layers if isinstance(layer, Conv))
    return known and plain and not any(layer.dropout for layer in experiment.layers)


def repays(experiment: Experiment) -> bool:
    """Whether compiled steps are faster by more than it takes to have them: a function of the scenario, its data and
    the processor, whose registers the tiles were made for."""
    if not torch.backends.cpu.get_cpu_capability().startswith(("AVX512", "AVX2")):
        return False
    shape = input_shape(experiment.data)
    if shape is None:
        return False
    own_channels, side = shape
    channels, lanes = own_channels, VECTOR_BYTES // np.dtype(experiment.dtype).itemsize
    multiplications = padded = 0
    for layer in experiment.layers:
        if isinstance(layer, Conv):
            side -= layer.size - 1
            filters, pixels = -(-layer.width // lanes) * lanes, layer.size**2 * max(side, 0) ** 2
            multiplications += own_channels * layer.width * pixels
            padded += channels * filters * pixels
            if channels * filters * layer.size**2 > MOST_WEIGHTS:
                return False
            own_channels, channels = layer.width, filters
    if padded > MOST_PADDING * multiplications:
        return False
    samples = experiment.optimizer.batch or sample_count(experiment.data) or 1
    step = 3 * TORCH_MULTIPLICATION_S * multiplications * samples * experiment.ensemble.members
    return step * experiment.steps > REPAYS_S


class CompiledConvolutions:
    """Convolutions and dense layers above them, one member after the other."""

    name = "compiled convolutions"

    def __init__(
        self, experiment: Experiment, networks: Sequence[Network], datasets: Sequence[Dataset], *, shared: bool
    ) -> None:
        from condense_core.engine.steppers.compiled.convolutions import TILE
        from condense_core.engine.steppers.compiled.functions import code_of
        from condense_core.engine.steppers.compiled.vectors import LANES

        self._passes = compiled.load_convolutions(experiment.dtype).call
        self.parameters = FlatParameters(networks)
        self._loss = experiment.loss
        self._dtype: torch.dtype = getattr(torch, experiment.dtype)
        convolutions = [layer for layer in experiment.layers if isinstance(layer, Conv)]
        names = experiment.layer_names
        lanes = LANES[experiment.dtype]
        self._layout = ConvolutionLayout(convolutions, names[: len(convolutions)], datasets[0].input_shape, lanes, TILE)
        self._tables = self._layout.tables([code_of(layer.activation) for layer in convolutions])
        dense = [layer for layer in experiment.layers if isinstance(layer, Dense)]
        self._above = [*names[len(convolutions) :], "output"]
        self._sigma = [elementwise(layer.activation) for layer in dense]
        self._datasets = datasets
        different = {id(dataset): dataset for dataset in datasets}
        # (N, rows, columns, channels)
        self._images = {key: dataset.input.permute(0, 2, 3, 1).contiguous() for key, dataset in different.items()}
        layout = self._layout
        self._weights, self._found = (zeros(count, self._dtype) for count in (layout.weights, PARTS * layout.gradients))
        samples = experiment.optimizer.batch or max(map(len, datasets))
        most = -(-CHUNK_BYTES // (layout.hidden * self._dtype.itemsize * PARTS)) * PARTS
        self._chunk = min(most, samples)
        """Images that go forward and back at a time."""
        self._hidden, self._slopes = (zeros(self._chunk * layout.hidden, self._dtype) for _ in range(2))
        self._back: list[Tensor] = []
        self._threads = 1
        self._pool: ThreadPoolExecutor | None = None
        self._outputs: dict[int, Tensor] = {}

    def forward_backward(self, batch: Sequence[Tensor] | None, masks: Masks | None = None) -> None:
        assert masks is None
        self.parameters.zero_grad()
        self._threads = torch.get_num_threads()
        # products between convolutions are many and small: threads would wait for each other at every one of them
        torch.set_num_threads(1)
        try:
            self._outputs = {
                row: self._of_member(row, None if batch is None else batch[row]) for row in range(len(self._datasets))
            }
        finally:
            torch.set_num_threads(self._threads)

    def output(self, row: int) -> Tensor:
        return self._outputs[row]

    def outputs(self) -> Tensor:
        return torch.stack([self._outputs[row] for row in range(len(self._outputs))])

    def _of_member(self, row: int, index: Tensor | None) -> Tensor:
        """Outputs of one member, and its gradients written to their place."""
        dataset = self._datasets[row]
        images = self._images[id(dataset)]
        samples = len(dataset) if index is None else len(index)
        weight, grad = self.parameters.stacked, self.parameters.grads
        self._layout.pack(weight, row, self._weights)
        self._found.zero_()
        # the first layer above reads pixel by pixel, and what is padding is multiplied by 0
        readout = self._readout(weight[f"{self._above[0]}.weight"][row])
        readout_grad = torch.zeros_like(readout)
        # what stays from a chunk has its place before: memory between it could not be used by the next one
        output_ND = dataset.target.new_empty(samples, dataset.target.shape[1])
        for first in range(0, samples, self._chunk):
            own = slice(first, first + self._chunk) if index is None else index[first : first + self._chunk]
            image = images[own]
            self._run(image, None)
            output_cD, back = self._above_of(row, dataset.target[own], (readout, readout_grad), samples)
            self._run(image, back)
            output_ND[first : first + self._chunk] = output_cD
        parts = self._found.view(PARTS, -1)
        for part in parts[1:]:
            parts[0].add_(part)
        self._layout.unpack(parts[0], grad, row)
        _, pixels, width, filters = self._layout.top
        found = readout_grad.view(-1, pixels, filters)[:, :, :width].transpose(1, 2)
        grad[f"{self._above[0]}.weight"][row].view(-1, width, pixels).copy_(found)
        return output_ND

    def _readout(self, weight: Tensor) -> Tensor:
        """Weights of the layer above the convolutions, in the order of their activations."""
        _, pixels, width, filters = self._layout.top
        found = weight.new_zeros(len(weight), pixels, filters)
        found[:, :, :width] = weight.view(-1, width, pixels).transpose(1, 2)
        return found.view(len(weight), -1)

    def _run(self, image: Tensor, top: Tensor | None) -> None:
        """Pass a chunk of images forward, or back from the gradients by its last activations."""
        layout, count = self._layout, len(image)
        back = self._slopes if top is None else top
        threads = min(self._threads, PARTS)
        while len(self._back) < threads:
            self._back.append(zeros(layout.back, self._dtype))
        layers, places, entries = self._tables
        x, w, h, slopes, above, found = (
            each.view(-1).numpy() for each in (image, self._weights, self._hidden, self._slopes, back, self._found)
        )

        def share(parts: range, memory: Tensor) -> None:
            for part in parts:
                first, last = count * part // PARTS, count * (part + 1) // PARTS
                self._passes(
                    top is not None, first, last, layers, places, entries, x, len(x) // count, w, h, slopes,
                    layout.hidden, above, len(above) // count, memory.numpy(), found, part * layout.gradients,
                )  # fmt: skip

        shares = [range(thread, PARTS, threads) for thread in range(threads)]
        if threads > 1 and self._pool is None:
            self._pool = ThreadPoolExecutor(usable_cores())
        others = []
        if self._pool is not None:
            others = [
                self._pool.submit(share, parts, memory)
                for parts, memory in zip(shares[1:], self._back[1:threads], strict=True)
            ]
        share(shares[0], self._back[0])
        for other in others:
            other.result()

    def _above_of(
        self, row: int, target_cD: Tensor, readout: tuple[Tensor, Tensor], samples: int
    ) -> tuple[Tensor, Tensor]:
        """Outputs of a chunk, and the gradient by the convolutions' activations; gradients of the layers above are
        added to their place. `readout` is weights and gradients of the first of these layers."""
        weight, grad = self.parameters.stacked, self.parameters.grads
        at, pixels, _, filters = self._layout.top
        h = self._hidden.view(self._chunk, -1)[: len(target_cD), at : at + pixels * filters]
        weights = [readout[0], *(weight[f"{name}.weight"][row] for name in self._above[1:])]
        grads = [readout[1], *(grad[f"{name}.weight"][row] for name in self._above[1:])]
        under: list[tuple[Tensor, Saved]] = [(h, ())]
        output = h
        for number, name in enumerate(self._above):
            bias = weight.get(f"{name}.bias")
            # this way round the product of few outputs and many activations takes half as long
            output = (weights[number] @ output.T).T.contiguous()
            if bias is not None:
                output += bias[row]
            if number < len(self._sigma):
                output, saved = self._sigma[number].forward(output)
                under.append((output, saved))
        back = residual(self._loss, output, target_cD).div_(samples)
        for number in range(len(self._above) - 1, -1, -1):
            grads[number].addmm_(back.T, under[number][0])
            bias_grad = grad.get(f"{self._above[number]}.bias")
            if bias_grad is not None:
                bias_grad[row].add_(back.sum(0))
            back = back @ weights[number]
            if number:
                back = self._sigma[number - 1].backward(back, under[number][1])
        return output, back
