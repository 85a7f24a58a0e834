"""What can be drawn of a network with one input: its output beside a polynomial, and the field that drives its neurons.

Both are of scenarios with one input, one hidden layer and one output (Zhou et al. 2022, figs 5, 6); for any other they
record nothing, so that they may stand in every scenario's list of probes.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from condense_core.engine.network.activations import Activation, activation, multiplicity
from condense_core.engine.network.observation import Observation
from condense_core.engine.probes.base import Measurement
from condense_core.measures.clusters import keep_kernels
from condense_core.measures.complexity import best_polynomial, output_complexity
from condense_core.measures.direction_field import angle_to_lines, direction_field, stable_lines
from condense_core.measures.kernels import kernel_norms
from condense_core.runfile import frames
from condense_core.runfile.precision import rounded
from condense_core.runfile.reader import RunReader
from condense_core.scenario.experiment import Sine

# Test points over the data's interval: one for every column of a wide terminal, and odd so that the middle is there.
TEST_POINTS = 201
# Arrows a side of the field's grid: as many as 80 columns can show apart. Odd, so that the axes are there.
GRID_SIDE = 17


class OutputsProbe:
    """Frames `outputs`, and the scalar `complexity`: the output's distance from a polynomial of the activation's
    multiplicity, as a share of the output's range; `complexity_below`: that from one of a degree less."""

    def __init__(self, start: Observation) -> None:
        self._degree = multiplicity(_sigma(start)) if _has_one_input(start) else None

    def measure(self, observation: Observation, into: Measurement) -> None:
        data = observation.experiment.data
        if self._degree is None or not isinstance(data, Sine):
            return
        point_N = torch.linspace(data.low, data.high, TEST_POINTS, dtype=torch.float64)
        output_N = observation.outputs(point_N[:, None].to(observation.input))[:, 0].double().cpu()
        complexity = rounded(output_complexity(point_N, output_N, self._degree))
        into.scalar("complexity", complexity)
        into.scalar("complexity_below", output_complexity(point_N, output_N, self._degree - 1))
        into.frame(
            observation.layers[0],
            frames.Outputs(
                degree=self._degree,
                complexity=complexity,
                point=frames.Array.of(point_N.numpy(), "f8"),
                output=frames.Array.of(output_N.numpy(), "f8"),
                polynomial=frames.Array.of(best_polynomial(point_N, output_N, self._degree).numpy(), "f8"),
            ),
        )

    def resume(self, run: RunReader) -> None:
        """Nothing: what is measured depends on its own step alone."""


class FieldProbe:
    """Frames `field`, and scalars `stable_lines`, how many lines through 0 small neurons are driven to, and
    `angle_to_lines`, the mean angle of the kept neurons to the nearest of them in degrees."""

    def __init__(self, start: Observation) -> None:
        # the field is over (weight, bias): without a bias it has one dimension, and no line to choose
        self._applies = _has_one_input(start) and start.experiment.layers[0].bias

    def measure(self, observation: Observation, into: Measurement) -> None:
        if not self._applies:
            return
        layer = observation.layers[0]
        input_N, residual_N = observation.input[:, 0].cpu(), observation.residual_ND[:, 0].cpu()
        angle_L = stable_lines(input_N, residual_N, _sigma(observation))
        omega_G2 = _grid(float(observation.kernels(layer).abs().max()))
        velocity_G2 = direction_field(omega_G2, input_N, residual_N, _sigma(observation))
        into.scalar("stable_lines", float(len(angle_L)))
        kernel_M2 = observation.kernels(layer).cpu()
        kept_M = keep_kernels(kernel_norms(kernel_M2), observation.experiment.record.smallest_norm)
        into.scalar("angle_to_lines", math.degrees(float(angle_to_lines(kernel_M2, angle_L)[kept_M].mean())))
        into.frame(
            layer,
            frames.Field(
                omega=frames.Array.of(omega_G2.numpy(), "f8"),
                velocity=frames.Array.of(velocity_G2.numpy(), "f8"),
                stable=frames.Array.of(angle_L.numpy(), "f8"),
            ),
        )

    def resume(self, run: RunReader) -> None:
        """Nothing: what is measured depends on its own step alone."""


def _grid(reach: float) -> Tensor:
    side = torch.linspace(-reach, reach, GRID_SIDE, dtype=torch.float64)
    return torch.cartesian_prod(side, side)


def _has_one_input(observation: Observation) -> bool:
    data = observation.experiment.data
    return isinstance(data, Sine) and data.inputs == 1 and len(observation.layers) == 1


def _sigma(observation: Observation) -> Activation:
    return activation(observation.experiment.layers[0].activation)
