"""Steps: the learning rate that a scenario changes on the way, and the output layer without a bias."""

from __future__ import annotations

import msgspec
import torch

from condense_core.engine.data.datasets import load
from condense_core.engine.steppers import TrainingEnsemble, make_ensemble
from condense_core.scenario.experiment import GD


def ensemble(experiment) -> TrainingEnsemble:
    return make_ensemble(experiment, [load(experiment.data)], torch.device("cpu"))


def steps_of(training: TrainingEnsemble, count: int) -> list[dict[str, torch.Tensor]]:
    states = []
    for _ in range(count):
        states.append({name: value.clone() for name, value in training.state().items()})
        training.advance()
    return [*states, training.state()]


def test_from_its_step_on_the_later_learning_rate_holds(small):
    plain = msgspec.structs.replace(small, optimizer=GD(lr=0.01))
    scheduled = msgspec.structs.replace(small, optimizer=GD(lr=0.01, later_lr=((3, 0.002), (5, 0.0005))))
    before, after = steps_of(ensemble(plain), 3), steps_of(ensemble(scheduled), 6)
    name = "network.dense1.weight"
    assert all(torch.equal(one[name], other[name]) for one, other in zip(before, after, strict=False))
    for step, lr in ((3, 0.002), (4, 0.002), (5, 0.0005)):
        at = msgspec.structs.replace(small, optimizer=GD(lr=lr))
        alone = ensemble(at)
        alone.restore(after[step])
        alone.advance()
        assert torch.equal(alone.state()[name], after[step + 1][name])


def test_a_resumed_run_has_the_rate_of_its_step(small):
    scheduled = msgspec.structs.replace(small, optimizer=GD(lr=0.01, later_lr=((3, 0.002),)))
    states = steps_of(ensemble(scheduled), 6)
    resumed = ensemble(scheduled)
    resumed.restore(states[4])
    resumed.advance()
    assert torch.equal(resumed.state()["network.dense1.weight"], states[5]["network.dense1.weight"])


def test_an_output_layer_without_a_bias_leaves_the_weights_as_they_were(small):
    without = ensemble(msgspec.structs.replace(small, output_bias=False)).state()
    with_bias = ensemble(small).state()
    assert "network.output.bias" in with_bias
    assert "network.output.bias" not in without
    assert all(torch.equal(with_bias[name], without[name]) for name in without if name.startswith("network."))
