"""An ensemble in training: it goes on from a state with the same bits, whoever looks and whoever is dropped."""

from __future__ import annotations

import math
from collections.abc import Callable

import msgspec
import pytest
import torch
from ensembles import CPU, METHODS, make, scenario
from tolerances import rtol
from torch.optim import lr_scheduler

from condense_core.engine.checkpoint import parameters
from condense_core.engine.data.datasets import load
from condense_core.engine.steppers import TrainingEnsemble, graphs, make_ensemble
from condense_core.engine.steppers.drawn import Dropout
from condense_core.engine.steppers.gradients.mlp import MlpGradients
from condense_core.errors import RunFileError
from condense_core.scenario.experiment import GD, Dense, Ensemble


def ensemble(experiment) -> TrainingEnsemble:
    return make_ensemble(experiment, [load(experiment.data)], CPU)


def steps_of(training: TrainingEnsemble, count: int) -> list[dict[str, torch.Tensor]]:
    states = []
    for _ in range(count):
        states.append({name: value.clone() for name, value in training.state_dict().items()})
        training.advance()
    return [*states, training.state_dict()]


def test_from_its_step_on_the_later_learning_rate_holds(small):
    plain = msgspec.structs.replace(small, optimizer=GD(lr=0.01))
    scheduled = msgspec.structs.replace(small, optimizer=GD(lr=0.01, later_lr=((3, 0.002), (5, 0.0005))))
    before, after = steps_of(ensemble(plain), 3), steps_of(ensemble(scheduled), 6)
    name = "network.dense1.weight"
    assert all(torch.equal(one[name], other[name]) for one, other in zip(before, after, strict=False))
    for step, lr in ((3, 0.002), (4, 0.002), (5, 0.0005)):
        at = msgspec.structs.replace(small, optimizer=GD(lr=lr))
        alone = ensemble(at)
        alone.load_state_dict(after[step])
        alone.advance()
        assert torch.equal(alone.state_dict()[name], after[step + 1][name])


@pytest.mark.parametrize(
    ("optimizer", "pytorchs"),
    [
        (
            GD(lr=0.01, decay="cosine", decay_to=0.1),
            lambda it: lr_scheduler.CosineAnnealingLR(it, T_max=8, eta_min=0.001),
        ),
        (GD(lr=0.01, decay="linear"), lambda it: lr_scheduler.LinearLR(it, 1.0, 0.0, total_iters=8)),
        (GD(lr=0.01, warmup=4), lambda it: lr_scheduler.LinearLR(it, 0.25, 1.0, total_iters=3)),
    ],
    ids=["cosine", "linear", "warm-up"],
)
def test_the_learning_rate_of_every_step_is_pytorchs(small, optimizer, pytorchs):
    training = ensemble(msgspec.structs.replace(small, optimizer=optimizer, steps=8))
    reference = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.01)
    schedule = pytorchs(reference)
    for _ in range(8):
        (seen,) = training.observe()
        assert seen.lr == pytest.approx(reference.param_groups[0]["lr"], rel=rtol("float64"))
        expected = -seen.lr * seen.gradient["dense1.weight"]
        before = training.state_dict()["network.dense1.weight"].clone()
        training.advance()
        moved = training.state_dict()["network.dense1.weight"] - before
        torch.testing.assert_close(moved, expected, rtol=1e-3, atol=float(expected.abs().max()) * 1e-3)
        reference.step()
        schedule.step()


def test_dropout_leaves_out_the_share_that_is_asked_for_and_keeps_the_mean(small):
    layers = (Dense(width=4000, dropout=0.3), Dense(width=3))
    masks = Dropout(msgspec.structs.replace(small, layers=layers)).at(5, [0])
    drawn = masks.of(0, 0, torch.ones(10, 4000, dtype=torch.float64))
    assert set(drawn.unique().tolist()) == {0.0, 1 / 0.7}
    # 5 standard deviations of 40,000 draws
    assert abs(float((drawn == 0).double().mean()) - 0.3) < 5 * (0.3 * 0.7 / 40_000) ** 0.5
    assert masks.of(0, 1, torch.ones(10, 3)) is None
    again = Dropout(msgspec.structs.replace(small, layers=layers)).at(6, [0]).of(0, 0, drawn)
    assert not torch.equal(drawn, again)


def test_what_is_measured_is_of_the_whole_network(small):
    layers = tuple(msgspec.structs.replace(layer, dropout=0.5) for layer in small.layers)
    (whole,) = ensemble(small).observe()
    (seen,) = ensemble(msgspec.structs.replace(small, layers=layers)).observe()
    # one comes from the step, the other from a pass of its own
    assert seen.loss == pytest.approx(whole.loss, rel=rtol("float32"))
    assert float((seen.output_ND - whole.output_ND).norm()) <= rtol("float32") * float(whole.output_ND.norm())


def test_noise_has_the_size_that_is_asked_for(small):
    noisy, plain = (ensemble(msgspec.structs.replace(small, optimizer=GD(lr=1.0, noise=noise))) for noise in (0.2, 0.0))
    for training in (noisy, plain):
        training.advance()
    one, other = noisy.state_dict(), plain.state_dict()
    drawn = torch.cat([(one[name] - other[name]).flatten() for name in one if name.startswith("network.")])
    # 5 standard errors of a standard deviation
    assert float(drawn.std()) == pytest.approx(0.2, rel=5 / (2 * len(drawn)) ** 0.5)


def test_a_resumed_run_has_the_rate_of_its_step(small):
    scheduled = msgspec.structs.replace(small, optimizer=GD(lr=0.01, later_lr=((3, 0.002),)))
    states = steps_of(ensemble(scheduled), 6)
    resumed = ensemble(scheduled)
    resumed.load_state_dict(states[4])
    resumed.advance()
    assert torch.equal(resumed.state_dict()["network.dense1.weight"], states[5]["network.dense1.weight"])


def test_an_output_layer_without_a_bias_leaves_the_weights_as_they_were(small):
    without = ensemble(msgspec.structs.replace(small, output_bias=False)).state_dict()
    with_bias = ensemble(small).state_dict()
    assert "network.output.bias" in with_bias
    assert "network.output.bias" not in without
    assert all(torch.equal(with_bias[name], without[name]) for name in without if name.startswith("network."))


@pytest.mark.parametrize("case", METHODS)
def test_a_restored_ensemble_goes_on_with_the_same_bits(case):
    method, experiment = METHODS[case]
    whole, first, second = (make(method, experiment) for _ in range(3))
    for _ in range(9):
        whole.advance()
    for _ in range(4):
        first.advance()
    second.load_state_dict({name: value.clone() for name, value in first.state_dict().items()})
    for _ in range(5):
        second.advance()
    assert whole.state_dict().keys() == second.state_dict().keys()
    assert all(torch.equal(value, second.state_dict()[name]) for name, value in whole.state_dict().items())


@pytest.mark.parametrize("case", METHODS)
def test_looking_changes_no_bit(case):
    method, experiment = METHODS[case]
    blind, watched = make(method, experiment), make(method, experiment)
    for _ in range(6):
        blind.advance()
        for observation in watched.observe():
            assert math.isfinite(observation.loss)
            assert observation.gradient_norm > 0
        watched.advance()
    assert all(torch.equal(value, watched.state_dict()[name]) for name, value in blind.state_dict().items())


@pytest.mark.parametrize("case", METHODS)
def test_a_state_has_all_that_is_in_each_network(case):
    training = make(*METHODS[case])
    training.advance(2)
    state = training.state_dict()
    for member, network in enumerate(training._networks):
        found, whole = parameters(state, member), network.state_dict()
        assert list(found) == list(whole)
        assert all(torch.equal(found[name], value) for name, value in whole.items())


@pytest.mark.parametrize("case", METHODS)
def test_a_dropped_member_stays_as_it_is_and_the_others_go_on_as_if_alone(case):
    method, experiment = METHODS[case]
    training, untouched = make(method, experiment), make(method, experiment)
    for _ in range(3):
        training.advance()
        untouched.advance()
    at_drop = {
        name: value.clone() for name, value in training.state_dict().items() if name.startswith("member.1.network.")
    }
    training.drop([1])
    assert training.members == [0, 2]
    resumed = make(method, experiment)
    resumed.load_state_dict({name: value.clone() for name, value in training.state_dict().items()})
    assert resumed.members == [0, 2]
    for _ in range(4):
        training.advance()
        untouched.advance()
        resumed.advance()
    state = training.state_dict()
    assert all(torch.equal(state[name], value) for name, value in at_drop.items())
    assert all(torch.equal(resumed.state_dict()[name], value) for name, value in state.items())
    for observation, number in zip(training.observe(), (0, 2), strict=True):
        for name, value in untouched.observe()[number].parameters().items():
            assert float((observation.parameters()[name] - value).norm()) <= rtol("float64") * float(value.norm())


class Replayed:
    """Stands for a captured graph: runs the steps it was given, or others."""

    def __init__(self, block, wrong: bool = False) -> None:
        self.block, self.wrong = block, wrong

    def replay(self) -> None:
        self.block()
        if self.wrong:
            self.block()


# What has another learning rate from step to step, or draws, is in no graph.
CAPTURED = ["mlp", "mlp in batches", "cnn", "eager", "eager with batch norm", "eager with batch norm of batches"]
CAPTURED += ["stacked", "stacked with batch norm", "decoder"]


@pytest.mark.parametrize("wrong", [False, True])
@pytest.mark.parametrize("name", CAPTURED)
def test_blocks_of_steps_are_single_steps_or_are_not_used(monkeypatch, name, wrong):
    method, experiment = METHODS[name]
    plain, blocks = make(method, experiment), make(method, experiment)
    monkeypatch.setattr(graphs, "_capture", lambda block: Replayed(block, wrong))
    blocks.block = graphs.BLOCK
    plain_steps = 2 * graphs.BLOCK + 5
    for _ in range(plain_steps):
        plain._train_step()
    blocks.advance(plain_steps)
    assert blocks.step == plain_steps
    (note,) = blocks.notes
    assert ("one by one" in note) == wrong
    assert all(torch.equal(value, blocks.state_dict()[key]) for key, value in plain.state_dict().items())
    blocks.drop([0])
    blocks.advance(graphs.BLOCK)
    assert blocks.observe()[0].step == plain_steps + graphs.BLOCK


@pytest.mark.parametrize(
    ("name", "members", "work", "expected"),
    [
        ("mlp", 70, graphs.MOST_WORK, True),
        ("eager", 64, graphs.MOST_WORK, True),
        # each member has four tensors of its own
        ("eager", 65, graphs.MOST_WORK, False),
        # 3·7 + 7 multiplications of each of 20 samples
        ("mlp", 70, 70 * 20 * 28, True),
        ("mlp", 70, 70 * 20 * 28 - 1, False),
    ],
)
def test_graphs_are_not_tried_where_they_keep_a_command_waiting(monkeypatch, name, members, work, expected):
    monkeypatch.setattr(graphs, "MOST_WORK", work)
    method, experiment = METHODS[name]
    experiment = msgspec.structs.replace(experiment, ensemble=Ensemble(members=members))
    ensemble = make(method, experiment)
    assert graphs.repay(experiment, ensemble._datasets, ensemble._parameters) is expected


@pytest.mark.parametrize("prepared", [False, True], ids=["", "after a measurement"])
@pytest.mark.parametrize("fails", ["in the capture", "in the replay"])
@pytest.mark.parametrize("name", ["mlp", "eager with batch norm of batches"])
def test_a_capture_that_fails_leaves_training_as_it_was(monkeypatch, name, fails, prepared):
    method, experiment = METHODS[name]
    plain, blocks = make(method, experiment), make(method, experiment)

    def capture(block: Callable[[], None]) -> Replayed:
        block()
        if fails == "in the capture":
            raise RuntimeError("operation not permitted when stream is capturing")
        return Failing(block)

    monkeypatch.setattr(graphs, "_capture", capture)
    blocks.block = graphs.BLOCK
    steps = graphs.BLOCK + 3
    if prepared:
        # as the loop does before it measures step 0
        blocks.prepare()
        assert [seen.gradient_norm for seen in blocks.observe()]
    for _ in range(steps):
        plain._train_step()
    blocks.advance(steps)
    assert blocks.step == steps
    assert "one by one" in blocks.notes[0]
    assert all(torch.equal(value, blocks.state_dict()[key]) for key, value in plain.state_dict().items())


class Failing(Replayed):
    """A graph that ends in the middle."""

    def replay(self) -> None:
        self.block()
        raise RuntimeError("an illegal memory access was encountered")


def damaged(state: dict[str, torch.Tensor], **changes: torch.Tensor | None) -> dict[str, torch.Tensor]:
    changed = {name: value.clone() for name, value in state.items()} | changes
    return {name: value for name, value in changed.items() if value is not None}


@pytest.mark.parametrize(
    "changes",
    [
        {"step": None},
        {"step": torch.tensor([1.0, 2.0])},
        {"optimiser.steps": torch.tensor(math.nan)},
        {"optimiser.steps": torch.tensor(1e300, dtype=torch.float64)},
        {"optimiser.steps": torch.tensor(-1.0)},
        {"network.dense1.weight": None},
        {"optimiser.mean.dense1.weight": None},
        # one number would be spread over the whole tensor
        {"network.dense1.weight": torch.zeros(1)},
        {"member.1.optimiser.mean.dense1.bias": torch.zeros(1)},
        {"ended": torch.tensor([0, 1, 2])},
        {"ended": torch.tensor([3])},
        {"ended": torch.tensor([-1])},
        # numbers that are equal to those of members, and no places in a list
        {"ended": torch.tensor([1.0])},
        {"ended": torch.tensor([False, True])},
        # there is no step after them at which anything is due
        {"step": torch.tensor(-1.0)},
        {"step": torch.tensor(1e300)},
        {"step": torch.tensor(0.5)},
    ],
    ids=lambda changes: " ".join(f"{name}={value}" for name, value in changes.items()),
)
def test_a_state_that_is_not_of_this_scenario_is_refused_in_one_line(changes):
    method, experiment = METHODS["mlp"]
    state = damaged(make(method, experiment).state_dict(), **changes)
    with pytest.raises(RunFileError, match="the checkpoint does not fit this scenario") as caught:
        make(method, experiment).load_state_dict(state)
    assert "\n" not in str(caught.value)


def test_the_state_of_another_network_is_refused():
    other = make(MlpGradients, scenario(layers=(Dense(width=8),)))
    with pytest.raises(RunFileError, match="dense1"):
        make(MlpGradients, scenario()).load_state_dict(other.state_dict())
