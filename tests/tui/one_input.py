"""A run file of a network with one input, without training: its output nears a parabola, its field has two lines."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from recording import Planted

from condense_core.runfile.frames import Array, Field, Frame, Outputs, Weights
from condense_core.runfile.levels import SimilarityEncoder
from condense_core.runfile.writer import RunWriter, StepRecord
from condense_core.runs.create import create_run
from condense_core.scenario.experiment import GD, Dense, Experiment, NormalInit, Sine

STABLE = (0.3, 1.8)
# The one step of which the weights are kept.
KEPT = 10


def outputs(step: int) -> Outputs:
    point = np.linspace(-1, 1.5, 41)
    polynomial = 1e-3 * (step + 1) * (point**2 - 0.5)
    output = polynomial + 1e-5 * np.sin(5 * point)
    return Outputs(
        degree=2,
        complexity=0.01,
        point=Array.of(point, "f8"),
        output=Array.of(output, "f8"),
        polynomial=Array.of(polynomial, "f8"),
    )


def field(reach: float = 0.1, side: int = 17) -> Field:
    axis = np.linspace(-reach, reach, side)
    omega = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    # everything is driven to the right, the faster the further up
    velocity = np.stack([np.exp(20 * omega[:, 1]), np.zeros(len(omega))], axis=1)
    return Field(omega=Array.of(omega, "f8"), velocity=Array.of(velocity, "f8"), stable=Array.of(STABLE, "f8"))


def neurons(layer: str) -> Weights:
    """All of them in the corner of large weight and bias."""
    return Weights.of({f"{layer}.weight": np.full((24, 1), 0.1), f"{layer}.bias": np.full(24, 0.1)})


def one_input_run(runs: Path, frames: int = 30) -> Path:
    """A finished run with output and field at every step."""
    experiment = Experiment(
        name="fcn-fig06-xtanh",
        steps=frames - 1,
        data=Sine(samples=10, inputs=1),
        layers=(Dense(width=24),),
        init=NormalInit(std=1e-3),
        optimizer=GD(lr=0.1),
    )
    folder = create_run(experiment, runs=runs, name="fcn-fig06-xtanh", device="cpu")
    layer, encoder = Planted(24, 2, 0, entries=2), SimilarityEncoder()
    name = experiment.layer_names[0]
    writer = RunWriter(folder)
    for step in range(frames):
        found: list[Frame] = [*layer.frames(step / frames, encoder), outputs(step), field()]
        scalars = [("loss", 1 - 0.1 * step / frames), ("complexity", 0.01), ("stable_lines", 2.0)]
        events = [("started", "training on cpu")] if step == 0 else []
        kept = [("", neurons(name))] if step == KEPT else []
        writer.append(StepRecord(step, scalars, [*((name, frame) for frame in found), *kept], events))
    writer.update(step=frames - 1, status="done", seconds=1.0)
    writer.close()
    return folder
