"""MemberViews that are trained together: what lies side by side in memory is read as it lies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from condense_core.engine.network.observation import Observation
from condense_core.engine.network.stacked import KeptStack, Stacked
from condense_core.engine.probes.members import MemberViews, NumpyArray
from condense_core.measures.change import gradient_norms
from condense_core.measures.clusters import kept_kernels
from condense_core.measures.signal import Spectra, spectra


class EnsembleMembers(MemberViews):
    """MemberViews of one ensemble, to be read before it takes its next step."""

    def __init__(
        self, observations: Sequence[Observation], numbers: Sequence[int], stacked: Stacked, rows: slice = slice(None)
    ) -> None:
        """`rows` are those of `stacked` that the observations are of."""
        super().__init__(observations, numbers)
        self._observations = observations
        self._stacked = stacked
        self._rows = rows

    @property
    def can_be_kept(self) -> bool:
        """Whether what probes ask for is there to be copied, without any being worked out of a member's network. On a
        GPU it is not known whether products of many rows have the bits of a few."""
        stacked, first = self._stacked, self._observations[0]
        known = stacked.has_outputs and first.prediction_source(self.layers[0]) in {"data", "gradient"}
        known = known and self.kernels(self.layers[0]).device.type == "cpu"
        inner = (layer for layer in self.layers if first.prediction_source(layer) != "data")
        return known and not any(first.has_input_direction(layer) for layer in inner)

    @property
    def bytes_kept(self) -> int:
        """How much memory `kept_stack` takes, about."""
        return self._stacked.bytes_kept

    def kept_stack(self) -> KeptStack:
        """A copy of what the members have in common memory."""
        return self._stacked.kept()

    def part(self, rows: slice) -> MemberViews:
        return EnsembleMembers(self._observations[rows], self.numbers[rows], self._stacked, rows)

    def kernels(self, layer: str) -> Tensor:
        return self._once(("kernels", layer), lambda: self._stacked.kernels(layer)[self._rows])

    def parameters(self) -> Mapping[str, NumpyArray]:
        return {name: value[self._rows].cpu().numpy() for name, value in self._stacked.weights().items()}

    def loss(self) -> NumpyArray:
        if not self._stacked.has_outputs:
            return super().loss()
        return self._once(("loss",), lambda: self._stacked.loss_S[self._rows].double().cpu().numpy())

    def has_finite_losses(self) -> bool:
        """Whether every member's loss is; where it surely is, by the size of outputs, it is not worked out for that."""
        return self._stacked.has_finite_losses if self._stacked.has_outputs else bool(np.isfinite(self.loss()).all())

    def accuracy(self) -> NumpyArray:
        return super().accuracy() if self._observations[0].has_classes else np.full(len(self.numbers), np.nan)

    def test_loss(self) -> NumpyArray:
        return super().test_loss() if self._observations[0].has_test else np.full(len(self.numbers), np.nan)

    def test_accuracy(self) -> NumpyArray:
        return super().test_accuracy() if self._observations[0].has_test else np.full(len(self.numbers), np.nan)

    def gradient_norm(self) -> NumpyArray:
        if not self._stacked.has_gradient:
            return super().gradient_norm()
        gradients = self._stacked.gradient().values()
        return gradient_norms(gradient[self._rows] for gradient in gradients).cpu().numpy()

    def input_direction(self, layer: str) -> Tensor | None:
        first = self._observations[0]
        if not first.has_input_direction(layer):
            return None
        if self._stacked.has_outputs and first.prediction_source(layer) == "data":
            # of the only hidden layer and one output they are the same
            return self._stacked.signal_SRK[self._rows, 0]
        return super().input_direction(layer)

    def _kept(self, layer: str) -> NumpyArray:
        return kept_kernels(self.norms(layer), self._stacked.experiment.record.smallest_norm)

    def _kernel_gradient(self, layer: str) -> Tensor | None:
        if not self._stacked.has_gradient:
            return super()._kernel_gradient(layer)
        return self._stacked.kernel_gradient(layer)[self._rows]

    def _prediction(self, layer: str) -> Spectra:
        if self.prediction_source(layer) == "data":
            if self._stacked.has_outputs:
                return spectra(self._stacked.signal_SRK[self._rows])
            return spectra(torch.stack([each.signal for each in self._observations]))
        gradient_SMK = self.kernel_gradient(layer)
        assert gradient_SMK is not None
        return spectra(-gradient_SMK)
