"""ResNet18-like networks: torchvision's trunk trains, is measured without a trace, and resumes bit for bit."""

from __future__ import annotations

import pytest
import torch
from torchvision.models import resnet18

from condense_core.engine import checkpoint
from condense_core.engine.data.datasets import Dataset, load
from condense_core.engine.network.network import Network
from condense_core.engine.network.work import multiplications
from condense_core.engine.probes import Measurement, probes_for
from condense_core.engine.steppers import TrainingEnsemble, make_ensemble
from condense_core.errors import ScenarioError
from condense_core.scenario.experiment import Adam, Conv, Dense, Digits, Experiment, FanOutPowerInit, Photos, Sine

LAYERS = (Dense(width=8), Dense(width=6))


def scenario(**changes) -> Experiment:
    settings = {
        "name": "small resnet",
        "steps": 3,
        "data": Photos(samples=12, size=32),
        "layers": LAYERS,
        "init": FanOutPowerInit(gamma=1.5),
        "optimizer": Adam(lr=1e-3, batch=4),
        "loss": "cross-entropy",
        "trunk": "resnet18",
    }
    return Experiment(**(settings | changes))


def ensemble(experiment: Experiment) -> TrainingEnsemble:
    return make_ensemble(experiment, [load(experiment.data)], torch.device("cpu"))


def measured(of: TrainingEnsemble, experiment: Experiment) -> Measurement:
    found = Measurement(of.step)
    for probe in probes_for(experiment, of.observe()[0]).values():
        probe.measure(of.observe()[0], found)
    return found


def same_bits(one, other) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_training_with_and_without_probes_is_the_same_to_the_bit():
    experiment = scenario()
    watched, blind = ensemble(experiment), ensemble(experiment)
    for _ in range(3):
        measured(watched, experiment)
        watched.advance()
        blind.advance()
    measured(watched, experiment)
    assert same_bits(watched.state_dict(), blind.state_dict())


def test_running_statistics_move_with_steps_and_not_with_views():
    training = ensemble(scenario())
    name = "network.trunk.bn1.running_mean"
    before = training.state_dict()[name].clone()
    assert training.observe()[0].loss > 0
    assert torch.equal(training.state_dict()[name], before)
    training.advance()
    assert not torch.equal(training.state_dict()[name], before)


def test_a_checkpoint_carries_running_statistics(tmp_path):
    whole, first, second = (ensemble(scenario()) for _ in range(3))
    for _ in range(3):
        whole.advance()
    first.advance()
    checkpoint.save(first.state_dict(), tmp_path)
    second.load_state_dict(checkpoint.load(tmp_path))
    second.advance()
    second.advance()
    assert same_bits(whole.state_dict(), second.state_dict())


def test_what_is_measured_of_a_sample_does_not_depend_on_the_others():
    observation = ensemble(scenario(dtype="float64")).observe()[0]
    together = observation.outputs(observation.input)
    torch.testing.assert_close(observation.outputs(observation.input[:1]), together[:1], rtol=1e-9, atol=0)


def test_the_trunk_is_torchvisions_with_glorot_normal_convolutions():
    experiment = scenario(dtype="float64")
    network = Network(experiment, (3, 32, 32), 2).eval()
    reference = resnet18(weights=None).double().eval()
    reference.fc = torch.nn.Identity()
    reference.load_state_dict(network.trunk.state_dict())
    x = load(experiment.data).input
    features = reference(x)
    assert torch.equal(network.layer_input("dense1", x), features)
    weight = network.trunk.layer3[0].conv1.weight
    expected = (2 / ((128 + 256) * 9)) ** 0.5
    assert float(weight.detach().std()) == pytest.approx(expected, rel=0.02)


def test_the_global_generator_is_neither_read_nor_moved():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    first = Network(scenario(), (3, 32, 32), 2)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(1)
    second = Network(scenario(), (3, 32, 32), 2)
    assert all(map(torch.equal, first.state_dict().values(), second.state_dict().values()))


def test_the_dense_layers_record_lines_and_no_theory_of_two_layer_networks():
    experiment = scenario(layers=(Dense(width=8),))
    found = measured(ensemble(experiment), experiment)
    assert {layer for layer, _ in found.frames} == {"dense1"}
    assert "dense1.predicted_at" not in dict(found.scalars)


def test_the_work_of_a_step_counts_the_trunk():
    data: Dataset = load(scenario().data)
    assert multiplications(scenario(), data) > 4 * 30e6


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": Sine(), "loss": "mse"}, "trunk: expected images as data"),
        ({"layers": (Conv(width=2), Dense(width=3))}, "trunk: expected dense layers only, got 1 convolution"),
        ({"optimizer": Adam(lr=1e-3, batch=1)}, r"optimizer\.batch: expected 2 or more"),
    ],
)
def test_a_trunk_that_cannot_work_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        scenario(**changes)


def test_grey_images_are_refused_in_one_line():
    experiment = scenario(data=Digits(samples=6))
    with pytest.raises(ScenarioError, match="needs colour images"):
        ensemble(experiment)


def test_trying_how_long_a_step_takes_changes_nothing():
    training = ensemble(scenario())
    before = {name: value.clone() for name, value in training.state_dict().items()}
    training.warm_up()
    assert any("running_mean" in name for name in before)
    assert all(torch.equal(value, before[name]) for name, value in training.state_dict().items())
