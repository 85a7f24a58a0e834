"""What can be drawn of a network with one input: its output beside a polynomial, and the field that drives its neurons.

Both are of networks with one input, one hidden layer and one output (Zhou et al. 2022, figs 5, 6). They read the
sample, which only an `Observation` has.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from condense_core.engine.network.activations import Activation, multiplicity
from condense_core.engine.network.observation import Observation
from condense_core.engine.probes.base import Measurement
from condense_core.engine.probes.members import MemberViews, together
from condense_core.engine.probes.view import View
from condense_core.measures.complexity import best_polynomial, output_complexity
from condense_core.measures.direction_field import angle_to_lines, direction_field, stable_lines
from condense_core.runfile import frames
from condense_core.runfile.precision import rounded
from condense_core.runfile.reader import RunReader

# Test points over the data's interval: one for every column of a wide terminal, and odd so that the middle is there.
TEST_POINTS = 201
# Arrows a side of the field's grid: as many as 80 columns can show apart. Odd, so that the axes are there.
GRID_SIDE = 17


class OutputsProbe:
    """Frames `outputs`, and the scalar `complexity`: the output's distance from a polynomial of the activation's
    multiplicity, as a share of the output's range; `complexity_below`: that from one of a degree less."""

    def __init__(self, sigma: Activation, low: float, high: float) -> None:
        """`low` and `high` bound the data."""
        self._degree = multiplicity(sigma)
        self._low, self._high = low, high

    def measure(self, view: View | MemberViews, into: Measurement) -> None:
        if self._degree is None:
            return
        members = together(view)
        found = [
            self._measure_one(own, self._degree, number, into)
            for number, own in zip(members.numbers, members.views, strict=True)
        ]
        complexity_S, below_S = np.array(found).T
        into.scalar("complexity", complexity_S)
        into.scalar("complexity_below", below_S)

    def _measure_one(self, view: View, degree: int, number: int, into: Measurement) -> tuple[float, float]:
        """The output's distance from a polynomial of the degree, and from one of a degree less."""
        assert isinstance(view, Observation)
        point_N = torch.linspace(self._low, self._high, TEST_POINTS, dtype=torch.float64)
        output_N = view.outputs(point_N[:, None].to(view.input))[:, 0].double().cpu()
        complexity = rounded(output_complexity(point_N, output_N, degree))
        into.frame(
            view.layers[0],
            frames.Outputs(
                degree=degree,
                complexity=complexity,
                point=frames.Array.of(point_N.numpy(), "f8"),
                output=frames.Array.of(output_N.numpy(), "f8"),
                polynomial=frames.Array.of(best_polynomial(point_N, output_N, degree).numpy(), "f8"),
            ),
            number,
        )
        return complexity, output_complexity(point_N, output_N, degree - 1)

    def resume(self, run: RunReader, number: int = 0) -> None:
        """Nothing: what is measured depends on its own step alone."""


class FieldProbe:
    """Frames `field`, and scalars `stable_lines`, how many lines through 0 small neurons are driven to, and
    `angle_to_lines`, the mean angle of the kept neurons to the nearest of them in degrees."""

    def __init__(self, sigma: Activation) -> None:
        self._sigma = sigma

    def measure(self, view: View | MemberViews, into: Measurement) -> None:
        members = together(view)
        found = [
            self._measure_one(own, number, into) for number, own in zip(members.numbers, members.views, strict=True)
        ]
        lines_S, angle_S = np.array(found).T
        into.scalar("stable_lines", lines_S)
        into.scalar("angle_to_lines", angle_S)

    def _measure_one(self, view: View, number: int, into: Measurement) -> tuple[float, float]:
        """How many stable lines there are, and the kept neurons' mean angle to them in degrees."""
        assert isinstance(view, Observation)
        layer = view.layers[0]
        input_N, residual_N = view.input[:, 0].cpu(), view.residual_ND[:, 0].cpu()
        angle_L = stable_lines(input_N, residual_N, self._sigma)
        omega_G2 = _grid(float(view.kernels(layer).abs().max()))
        velocity_G2 = direction_field(omega_G2, input_N, residual_N, self._sigma)
        kernel_M2 = view.kernels(layer).cpu()
        angle_J = angle_to_lines(kernel_M2, angle_L)[view.kept(layer).cpu()]
        into.frame(
            layer,
            frames.Field(
                omega=frames.Array.of(omega_G2.numpy(), "f8"),
                velocity=frames.Array.of(velocity_G2.numpy(), "f8"),
                stable=frames.Array.of(angle_L.numpy(), "f8"),
            ),
            number,
        )
        return float(len(angle_L)), math.degrees(float(angle_J.mean()))

    def resume(self, run: RunReader, number: int = 0) -> None:
        """Nothing: what is measured depends on its own step alone."""


def _grid(reach: float) -> Tensor:
    side = torch.linspace(-reach, reach, GRID_SIDE, dtype=torch.float64)
    return torch.cartesian_prod(side, side)
