"""Two-layer convolutional networks by formulas of their own: patches are laid out once, a few images at a time stay in
the processor's cache.   # N samples, c samples of a chunk, D outputs, M kernels, K entries a kernel, P positions
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from condense_core.engine.data.datasets import Dataset
from condense_core.engine.network.derivatives import elementwise
from condense_core.engine.network.losses import residual
from condense_core.engine.network.observation import Known
from condense_core.engine.steppers.flat import FlatStepper
from condense_core.scenario.experiment import Conv, Experiment

# Activations of a chunk of images: 20 images of CIFAR-10 with 32 kernels; 10 to 50 were equally fast.
CHUNK_BYTES = 2_500_000
# Patches of a whole data set that are kept; of larger ones they are laid out anew for every chunk.
KEPT_BYTES = 512 * 1024 * 1024


def applies(experiment: Experiment, device: torch.device) -> bool:
    """Whether the scenario is one that this stepper trains: one convolution and the output layer, on a CPU.

    A GPU's own convolution beats patches laid out by hand.
    """
    return device.type == "cpu" and len(experiment.layers) == 1 and isinstance(experiment.layers[0], Conv)


class CnnStepper(FlatStepper):
    """One convolution and a linear output, one member after the other over the same patches, in closed form."""

    name = "closed form"

    def _joined(self) -> tuple[str, ...]:
        return (self._experiment.layer_names[0],)

    def _bind(self) -> None:
        super()._bind()
        layer = self._experiment.layers[0]
        assert isinstance(layer, Conv)
        self._layer = layer
        self._sigma = elementwise(layer.activation)
        self._patches: dict[int, Tensor] = {}
        for member in self.members:
            dataset = self._datasets[member]
            pixels = dataset.input[0, 0].numel() * dataset.input.shape[1] * layer.size**2
            bytes_ = len(dataset) * pixels * dataset.input.element_size()
            others = len({id(other) for other in self._datasets})
            if id(dataset) not in self._patches and bytes_ * others <= KEPT_BYTES:
                self._patches[id(dataset)] = self._lay_out(dataset.input)

    def _lay_out(self, input_: Tensor) -> Tensor:
        """Patches (N, K, P); the last entry of each is 1 where the kernels have a bias."""
        patch_NKP = functional.unfold(input_, self._layer.size)
        if not self._layer.bias:
            return patch_NKP
        return torch.cat([patch_NKP, torch.ones_like(patch_NKP[:, :1])], dim=1)

    def _differentiate(self) -> None:
        self._gradients.zero_()
        self._outputs: dict[int, Tensor] = {}
        groups: dict[int, list[int]] = {}
        for row, member in enumerate(self.members):
            # members that see the same images share the patches of each chunk; batches differ between seeds
            batches = self._experiment.optimizer.batch is not None
            groups.setdefault(-row - 1 if batches else id(self._datasets[member]), []).append(row)
        for rows in groups.values():
            self._outputs |= zip(rows, self._go(rows), strict=True)

    def _found(self, row: int) -> Known:
        return Known(self._outputs[row], self._by_name(self._slopes, row))

    def _go(self, rows: list[int]) -> list[Tensor]:
        member = self.members[rows[0]]
        dataset, index = self._datasets[member], self._batch(member)
        samples = len(dataset) if index is None else len(index)
        outputs: list[list[Tensor]] = [[] for _ in rows]
        name = self._experiment.layer_names[0]
        positions = self._stacked["output.weight"].shape[2] // self._layer.width
        chunk = max(1, CHUNK_BYTES // (self._layer.width * positions * dataset.input.element_size()))
        for first in range(0, samples, chunk):
            own = slice(first, first + chunk) if index is None else index[first : first + chunk]
            patch_cKP = self._patches_of(dataset, own)
            target_cD = dataset.target[own]
            for place, row in enumerate(rows):
                outputs[place].append(self._both_ways(row, name, patch_cKP, target_cD, samples))
        return [torch.cat(parts) for parts in outputs]

    def _patches_of(self, dataset: Dataset, own: slice | Tensor) -> Tensor:
        kept = self._patches.get(id(dataset))
        return self._lay_out(dataset.input[own]) if kept is None else kept[own]

    def _both_ways(self, row: int, name: str, patch_cKP: Tensor, target_cD: Tensor, samples: int) -> Tensor:
        """Outputs of one chunk, and its share of the member's gradients added to their place."""
        kernels_MK = self._stacked[f"{name}.kernels"][row]
        readout_DR = self._stacked["output.weight"][row]
        bias = self._stacked.get("output.bias")
        width, count = len(kernels_MK), len(patch_cKP)
        hidden_cMP, saved = self._sigma.forward(torch.matmul(kernels_MK, patch_cKP))
        hidden_cR = hidden_cMP.view(count, -1)
        output_cD = hidden_cR @ readout_DR.T
        if bias is not None:
            output_cD += bias[row]
        error_cD = residual(self._experiment.loss, output_cD, target_cD).div_(samples)
        self._slopes["output.weight"][row].addmm_(error_cD.T, hidden_cR)
        if bias is not None:
            self._slopes["output.bias"][row].add_(error_cD.sum(0))
        back_cMP = self._sigma.backward((error_cD @ readout_DR).view(count, width, -1), saved)
        self._slopes[f"{name}.kernels"][row].add_(torch.bmm(back_cMP, patch_cKP.transpose(1, 2)).sum(0))
        return output_cD
