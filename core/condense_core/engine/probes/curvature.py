"""Spectra beyond the layers' own: of the Hessian of the loss, and of the neural tangent kernel.   # S members"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from condense_core.engine.network.observation import Observation
from condense_core.engine.probes.base import Measurement
from condense_core.engine.probes.members import MemberViews, together
from condense_core.engine.probes.view import View
from condense_core.measures.curvature import extremes
from condense_core.measures.sample import drawn
from condense_core.runfile.precision import DOUBLE
from condense_core.runfile.reader import RunReader
from condense_core.scenario.experiment import GD, Experiment

# Eigenvalues that are recorded, as many as of a layer's spectrum.
CURVES = 4
# Rows of a tangent kernel, n samples times D outputs, and entries of its Jacobian in float64: 200 MB.
MOST_ROWS = 256
MOST_ENTRIES = 25_000_000


class HessianProbe:
    """Scalars `sharpness`, the largest eigenvalue of the Hessian of the loss, `hessian_2` … after it,
    `lowest_curvature` (the smallest, below 0 at a saddle) and, of gradient descent, `stability_limit`: 2 (1 + μ) / lr,
    μ the momentum, above which a quadratic of that sharpness is not descended any more."""

    def __init__(self, experiment: Experiment) -> None:
        optimizer = experiment.optimizer
        plain = isinstance(optimizer, GD) and not optimizer.nesterov
        self._limit = 2.0 * (1.0 + getattr(optimizer, "momentum", 0.0)) if plain else math.nan
        self._said: set[int] = set()

    def measure(self, view: View | MemberViews, into: Measurement) -> None:
        members = together(view)
        found = []
        for number, own in zip(members.numbers, members.views, strict=True):
            assert isinstance(own, Observation)
            surface = own.surface()
            ends = extremes(surface.hessian_product, surface.size, CURVES)
            found.append([*ends.largest, *[math.nan] * (CURVES - len(ends.largest)), ends.smallest, own.lr])
            if not np.isfinite(ends.largest[0]) and number not in self._said:
                self._said.add(number)
                into.event("curvature", "eigenvalues of the Hessian were not found to their precision", number)
        values_SC = np.array(found)
        into.scalar("sharpness", values_SC[:, 0], DOUBLE)
        for rank in range(1, CURVES):
            if not np.isnan(values_SC[:, rank]).all():
                into.scalar(f"hessian_{rank + 1}", values_SC[:, rank], DOUBLE)
        into.scalar("lowest_curvature", values_SC[:, CURVES], DOUBLE)
        if math.isfinite(self._limit):
            into.scalar("stability_limit", self._limit / values_SC[:, CURVES + 1], DOUBLE)

    def resume(self, run: RunReader, number: int = 0) -> None:
        """Nothing: a curvature depends on its own step alone."""


class TangentKernelProbe:
    """Scalars `ntk_1` …, the largest eigenvalues of K = J Jᵀ, J the Jacobian of the outputs by all parameters, and
    `ntk_drift`, ‖K − K(0)‖ / ‖K(0)‖: near 0 where training is linear in the parameters.

    K is of at most MOST_ROWS outputs: of more samples a seeded sample, the same at every step.
    """

    def __init__(self, start: MemberViews) -> None:
        self._samples: list[list[int]] = []
        self._first: list[Tensor] = []
        self._row_of = {number: row for row, number in enumerate(start.numbers)}
        self._of: tuple[int, int] = (0, 0)
        for own in start.views:
            assert isinstance(own, Observation)
            surface = own.surface()
            outputs, samples = own.outputs_and_samples
            count = max(1, min(samples, MOST_ROWS // outputs, MOST_ENTRIES // (outputs * surface.size)))
            self._of = count, samples
            self._samples.append(drawn("ntk", samples, count).tolist())
            self._first.append(surface.tangent_kernel(self._samples[-1]))

    def measure(self, view: View | MemberViews, into: Measurement) -> None:
        members = together(view)
        count, samples = self._of
        if members.step == 0 and count < samples:
            for number in members.numbers:
                into.event("ntk", f"the tangent kernel is that of {count:,} of {samples:,} samples", number)
        values, drift = [], []
        for number, own in zip(members.numbers, members.views, strict=True):
            assert isinstance(own, Observation)
            row = self._row_of[number]
            kernel, first = own.surface().tangent_kernel(self._samples[row]), self._first[row]
            values.append(torch.linalg.eigvalsh(kernel).flip(0)[:CURVES].cpu().numpy())
            drift.append(float((kernel - first).norm() / first.norm()))
        for rank, value_S in enumerate(np.array(values).T, start=1):
            into.scalar(f"ntk_{rank}", value_S, DOUBLE)
        into.scalar("ntk_drift", np.array(drift), DOUBLE)

    def resume(self, run: RunReader, number: int = 0) -> None:
        """Nothing: the first kernel is made anew from the seed."""
