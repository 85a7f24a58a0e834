"""Two-layer convolutional networks by formulas of their own: patches are laid out once, a few images at a time stay in
the processor's cache.   # N samples, c samples of a chunk, D outputs, M kernels, K entries a kernel, P positions
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from condense_core.engine.data.datasets import Dataset
from condense_core.engine.network.derivatives import Tanh, elementwise
from condense_core.engine.network.losses import residual
from condense_core.engine.network.network import Network
from condense_core.engine.steppers.drawn import Masks
from condense_core.engine.steppers.parameters import FlatParameters
from condense_core.scenario.experiment import Conv, Experiment

# Activations of a chunk of images: 20 images of CIFAR-10 with 32 kernels; 10 to 50 were equally fast.
CHUNK_BYTES = 2_500_000
# Patches of a whole data set that are kept; of larger ones they are laid out anew for every chunk.
KEPT_BYTES = 512 * 1024 * 1024
# Images whose patches are laid out at a time, of those that are kept.
LAID_OUT = 100


def applies(experiment: Experiment, device: torch.device) -> bool:
    """Whether these formulas are the scenario's: one convolution and the output layer, on a CPU.

    A GPU's own convolution beats patches laid out by hand.
    """
    (layer, *others) = experiment.layers
    if device.type != "cpu" or not isinstance(layer, Conv) or others:
        return False
    return not (layer.dropout or layer.pool or layer.batch_norm)


class CnnGradients:
    """One convolution and a linear output, one member after the other over the same patches, in closed form."""

    name = "closed form"
    tanh: Tanh = staticmethod(torch.tanh_)

    def __init__(
        self, experiment: Experiment, networks: Sequence[Network], datasets: Sequence[Dataset], *, shared: bool
    ) -> None:
        (self._name,) = experiment.layer_names
        layer = experiment.layers[0]
        assert isinstance(layer, Conv)
        self.parameters = FlatParameters(networks, joined=[self._name])
        self._experiment = experiment
        self._layer = layer
        self._sigma = elementwise(layer.activation, self.tanh)
        self._datasets = datasets
        self._outputs: dict[int, Tensor] = {}
        self._patches = self._kept_patches()

    def _kept_patches(self) -> dict[int, Tensor]:
        """Patches of each data set, by its id, where those of all of them can be kept."""
        different = {id(dataset): dataset for dataset in self._datasets}
        kept: dict[int, Tensor] = {}
        for key, dataset in different.items():
            _, channels, *sides = dataset.input.shape
            positions = max(math.prod(sides), math.prod(map(self._layer.positions, sides)))
            pixels = positions * channels * self._layer.size**2
            bytes_ = len(dataset) * pixels * dataset.input.element_size()
            if bytes_ * len(different) <= KEPT_BYTES:
                kept[key] = self._kept_of(dataset.input)
        return kept

    def _kept_of(self, input_: Tensor) -> Tensor:
        """Patches of all images, laid out some images at a time: what that takes is no more memory than they are."""
        some = torch.split(input_, LAID_OUT)
        first = self._lay_out(some[0])
        patch_NKP = first.new_empty(len(input_), *first.shape[1:])
        for into, images in zip(torch.split(patch_NKP, LAID_OUT), some, strict=True):
            into.copy_(self._lay_out(images))
        return patch_NKP

    def _lay_out(self, input_: Tensor) -> Tensor:
        """Patches (N, K, P); the last entry of each is 1 where the kernels have a bias."""
        layer = self._layer
        patch_NKP = functional.unfold(input_, layer.size, padding=layer.padding, stride=layer.stride)
        if not layer.bias:
            return patch_NKP
        return torch.cat([patch_NKP, torch.ones_like(patch_NKP[:, :1])], dim=1)

    def forward_backward(self, batch: Sequence[Tensor] | None, masks: Masks | None = None) -> None:
        assert masks is None
        self.parameters.zero_grad()
        self._outputs = {}
        groups: dict[int, list[int]] = {}
        for row, dataset in enumerate(self._datasets):
            # members that see the same images share the patches of each chunk; batches differ between seeds
            groups.setdefault(id(dataset) if batch is None else -row - 1, []).append(row)
        for rows in groups.values():
            index = None if batch is None else batch[rows[0]]
            self._outputs |= zip(rows, self._of_rows(rows, index), strict=True)

    def output(self, row: int) -> Tensor:
        return self._outputs[row]

    def outputs(self) -> Tensor:
        return torch.stack([self._outputs[row] for row in range(len(self._outputs))])

    def _of_rows(self, rows: list[int], index: Tensor | None) -> list[Tensor]:
        """Outputs of members that see the same images, and their gradients written to their place."""
        dataset = self._datasets[rows[0]]
        samples = len(dataset) if index is None else len(index)
        # what stays from a chunk has its place before: memory between it could not be used by the next one
        output_RND = dataset.target.new_empty(len(rows), samples, dataset.target.shape[1])
        positions = self.parameters.stacked["output.weight"].shape[2] // self._layer.width
        chunk = max(1, CHUNK_BYTES // (self._layer.width * positions * dataset.input.element_size()))
        for first in range(0, samples, chunk):
            own = slice(first, first + chunk) if index is None else index[first : first + chunk]
            patch_cKP = self._patches_of(dataset, own)
            target_cD = dataset.target[own]
            for row, output_ND in zip(rows, output_RND, strict=True):
                output_ND[first : first + chunk] = self._of_chunk(row, patch_cKP, target_cD, samples)
        return list(output_RND)

    def _patches_of(self, dataset: Dataset, own: slice | Tensor) -> Tensor:
        kept = self._patches.get(id(dataset))
        return self._lay_out(dataset.input[own]) if kept is None else kept[own]

    def _of_chunk(self, row: int, patch_cKP: Tensor, target_cD: Tensor, samples: int) -> Tensor:
        """Outputs of one chunk, and its share of the member's gradients added to their place."""
        weight, grad = self.parameters.stacked, self.parameters.grads
        kernels_MK = weight[f"{self._name}.kernels"][row]
        readout_DR = weight["output.weight"][row]
        bias = weight.get("output.bias")
        width, count = len(kernels_MK), len(patch_cKP)
        hidden_cMP, saved = self._sigma.forward(torch.matmul(kernels_MK, patch_cKP))
        hidden_cR = hidden_cMP.view(count, -1)
        output_cD = hidden_cR @ readout_DR.T
        if bias is not None:
            output_cD += bias[row]
        error_cD = residual(self._experiment.loss, output_cD, target_cD).div_(samples)
        grad["output.weight"][row].addmm_(error_cD.T, hidden_cR)
        if bias is not None:
            grad["output.bias"][row].add_(error_cD.sum(0))
        back_cMP = self._sigma.backward((error_cD @ readout_DR).view(count, width, -1), saved)
        grad[f"{self._name}.kernels"][row].add_(torch.bmm(back_cMP, patch_cKP.transpose(1, 2)).sum(0))
        return output_cD
