"""Networks with one input: their output beside a polynomial, and the field that drives their neurons."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest
import torch
import zstandard

from condense_core.engine.data.datasets import load
from condense_core.engine.probes import Measurement, probes_for
from condense_core.engine.steppers import make_ensemble
from condense_core.errors import RunFileError
from condense_core.runfile import frames
from condense_core.runfile.reader import RunReader
from condense_core.scenario.experiment import Adam, Dense, Experiment, NormalInit, Sine

CURVE = ((1.0, 3.0, 0.0), (0.5, 6.0, 0.0))


def scenario(activation: str = "tanh", **changes) -> Experiment:
    settings = {
        "name": "one input",
        "steps": 10,
        "data": Sine(samples=40, seed=1, inputs=1, low=-1.0, high=1.5, terms=CURVE),
        "layers": (Dense(width=20, activation=activation),),
        "init": NormalInit(std=0.005, bias="same"),
        "optimizer": Adam(lr=5e-4),
    }
    return Experiment(**(settings | changes))


def measured(experiment: Experiment, steps: int = 0) -> Measurement:
    ensemble = make_ensemble(experiment, [load(experiment.data)], torch.device("cpu"))
    probes = probes_for(experiment, ensemble.observe()[0]).values()
    for _ in range(steps):
        ensemble.advance()
    found = Measurement(ensemble.step)
    for probe in probes:
        probe.measure(ensemble.observe()[0], found)
    return found


def only(found: Measurement, kind: type):
    (frame,) = [frame for _, frame in found.frames if isinstance(frame, kind)]
    return frame


@pytest.mark.parametrize(("activation", "degree"), [("tanh", 1), ("xtanh", 2), ("x2tanh", 3), ("sigmoid", 1)])
def test_a_small_network_is_a_polynomial_of_its_multiplicity_with_as_many_stable_lines(activation, degree):
    found = measured(scenario(activation, init=NormalInit(std=1e-3, bias="same"), dtype="float64"))
    outputs, field = only(found, frames.Outputs), only(found, frames.Field)
    assert outputs.degree == degree
    assert outputs.complexity < 1e-4
    np.testing.assert_allclose(outputs.output.numpy(), outputs.polynomial.numpy(), rtol=0, atol=1e-9)
    assert len(field.stable.numpy()) == degree
    scalars = dict(found.scalars)
    assert scalars["stable_lines"] == degree
    assert scalars["complexity"] == outputs.complexity


def test_test_points_cover_the_data_and_give_the_networks_own_output():
    experiment = scenario(dtype="float64")
    outputs = only(measured(experiment), frames.Outputs)
    point = outputs.point.numpy()
    assert (point[0], point[-1]) == (-1.0, 1.5)
    observation = make_ensemble(experiment, [load(experiment.data)], torch.device("cpu")).observe()[0]
    here = torch.tensor([[point[7]]], dtype=torch.float64)
    assert float(observation.outputs(here)) == pytest.approx(outputs.output.numpy()[7], rel=1e-12)


def test_the_field_vanishes_at_zero_for_higher_multiplicity_and_its_grid_reaches_every_neuron():
    experiment = scenario("xtanh")
    field = only(measured(experiment), frames.Field)
    omega, velocity = field.omega.numpy(), field.velocity.numpy()
    assert omega.shape == velocity.shape == (17 * 17, 2)
    assert not velocity[np.all(omega == 0, axis=1)].any()
    kernels = make_ensemble(experiment, [load(experiment.data)], torch.device("cpu")).observe()[0].kernels("dense1")
    assert float(kernels.abs().max()) == pytest.approx(omega.max(), rel=1e-6)


@pytest.mark.parametrize(
    "experiment",
    [
        scenario(data=Sine(samples=20, inputs=2)),
        scenario(layers=(Dense(width=4), Dense(width=4))),
    ],
    ids=["two inputs", "two layers"],
)
def test_other_networks_record_neither(experiment):
    found = measured(experiment)
    assert not [frame for _, frame in found.frames if isinstance(frame, frames.Outputs | frames.Field)]
    assert not {"complexity", "stable_lines"} & dict(found.scalars).keys()


def test_relu_has_no_multiplicity_and_so_no_polynomial():
    assert "complexity" not in dict(measured(scenario("relu")).scalars)


def test_without_biases_there_is_no_field_of_lines():
    assert "stable_lines" not in dict(measured(scenario(layers=(Dense(width=5, bias=False),))).scalars)


def test_frames_survive_the_run_file(make_run, workers):
    settings = ("data.inputs=1", "steps=20", "record.frames=3")
    folder = make_run(*settings)
    workers.finish(folder)
    with RunReader(folder) as run:
        outputs, field = run.outputs("dense1", 0), run.field("dense1")
        assert outputs.output.numpy().shape == outputs.polynomial.numpy().shape == outputs.point.numpy().shape
        assert math.isclose(outputs.complexity, run.last("complexity", 0))
        assert len(field.stable.numpy()) == run.last("stable_lines")
        assert run.outputs("dense7") is None


def test_a_frame_whose_bytes_do_not_fill_its_shape_is_refused():
    with pytest.raises(ValueError, match="do not fill"):
        frames.Array("f8", (3, 2), b"\0" * 8)
    whole = frames.Array.of([[0.0, 1.0]], "f8")
    blob = frames.encode(frames.Field(omega=whole, velocity=whole, stable=frames.Array.of([0.0], "f8")))
    assert isinstance(frames.decode(blob), frames.Field)
    with pytest.raises(RunFileError):
        frames.decode(blob[:-3])
    short = ["f8", [3, 2], b"\0" * 8]
    hostile = {"kind": "field", "omega": short, "velocity": short, "stable": short}
    with pytest.raises(RunFileError, match="do not fill"):
        frames.decode(zstandard.compress(msgspec.msgpack.encode(hostile)))


def test_neurons_turn_to_the_stable_lines_and_a_lower_degree_does_not_fit():
    experiment = scenario("xtanh", init=NormalInit(std=1e-3, bias="same"), dtype="float64", steps=200)
    start, end = (dict(measured(experiment, steps).scalars) for steps in (0, 200))
    assert end["angle_to_lines"] < 10 < start["angle_to_lines"] < 45
    assert end["dense1.velocity_cos"] > 0.9 > start["dense1.velocity_cos"]
    assert start["complexity"] < 1e-4
    assert start["complexity_below"] > 1e-2
    # a direction turns faster than a norm of .001 grows
    assert start["dense1.turning_to_growth"] > 100
