"""The effective network of real runs: smaller, nearly the same, and something that training goes on from."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tolerances import rtol

from condense_core.engine import checkpoint
from condense_core.engine.answers.effective import effective_network
from condense_core.engine.answers.reduce import reduce_run
from condense_core.engine.data import datasets
from condense_core.engine.network.given_weights import load_weights
from condense_core.engine.network.network import Network
from condense_core.errors import RunFailedError, RunFileError, ScenarioError
from condense_core.jobs.messages import AskReduce
from condense_core.runfile import frames
from condense_core.runfile.reader import RunReader
from condense_core.runs.create import create_run
from condense_core.scenario import toml
from condense_core.scenario.paths import with_absolute_paths
from condense_core.text import steps_in_words

CONVS = """
name = "convs"
steps = 160
loss = "cross-entropy"
layers = [{ kind = "conv", width = 8, size = 3 }, { kind = "conv", width = 8, size = 3 }, { kind = "dense", width = 9 }]
[data]
name = "digits"
samples = 60
[init]
scheme = "mean-fan-power"
gamma = 2.0
[optimizer]
name = "adam"
lr = 1e-3
[record]
frames = 40
"""


def planted(experiment, kernels: torch.Tensor, seed: int = 0) -> tuple[Network, datasets.Dataset]:
    """The scenario's network with every hidden layer's kernels on one line, apart from noise of 1e-6."""
    dataset = datasets.load(experiment.data)
    network = Network(experiment, dataset.input_shape, dataset.outputs)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name in experiment.layer_names:
            layer = network.layer(name)
            length = torch.randn(len(layer.weight), 1, generator=generator, dtype=torch.float64)
            length += length.sign()
            line = torch.randn(1, layer.weight[0].numel(), generator=generator, dtype=torch.float64)
            noise = 1e-6 * torch.randn(layer.weight.flatten(1).shape, generator=generator, dtype=torch.float64)
            layer.weight.copy_((kernels * (length * line + noise)).reshape(layer.weight.shape))
            layer.bias.zero_()
    return network, dataset


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "softplus", "relu"])
def test_a_condensed_network_of_any_depth_reduces_to_one_kernel_a_line(activation):
    text = CONVS.replace("size = 3 }", f'size = 3, activation = "{activation}" }}')
    experiment = toml.loads(text.replace("width = 9 }", f'width = 9, activation = "{activation}" }}'))
    experiment = toml.build({**toml.parse(toml.dumps(experiment)), "dtype": "float64"})
    network, dataset = planted(experiment, torch.tensor(1e-3, dtype=torch.float64))
    found = effective_network(experiment, network)
    sides = 2 if activation == "relu" else 1
    assert all(layer.after <= sides for layer in found.layers)
    small = Network(found.experiment, dataset.input_shape, dataset.outputs)
    with torch.no_grad():
        for name, parameter in small.named_parameters():
            parameter.copy_(found.parameters[name])
        before, after = network(dataset.input), small(dataset.input)
    moved = before - before.mean(dim=0)
    assert float((after - before).norm() / before.norm()) < rtol("reduction")
    if activation in {"tanh", "relu"}:
        assert float((after - before).norm() / moved.norm()) < 10 * rtol("reduction"), "and not only its mean"


@pytest.mark.parametrize("pool", ["max", "average"])
@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_pooled_strided_and_padded_layers_reduce_as_far_as_they_can(pool, activation):
    fields = f'size = 3, activation = "{activation}", padding = 1, pool = "{pool}" }}'
    experiment = toml.loads(CONVS.replace("size = 3 }", fields))
    experiment = toml.build({**toml.parse(toml.dumps(experiment)), "dtype": "float64"})
    network, dataset = planted(experiment, torch.tensor(1e-3, dtype=torch.float64))
    found = effective_network(experiment, network)
    # the largest of opposite values is not the opposite of the largest; and what σ(0) gives ends at a border of zeros
    sides = 2 if pool == "max" else 1
    at_most = [8 if activation == "sigmoid" else sides, sides, 1]
    assert [layer.after <= most for layer, most in zip(found.layers, at_most, strict=True)] == [True] * 3
    small = Network(found.experiment, dataset.input_shape, dataset.outputs)
    with torch.no_grad():
        for name, parameter in small.named_parameters():
            parameter.copy_(found.parameters[name])
        before, after = network(dataset.input), small(dataset.input)
    moved = before - before.mean(dim=0)
    assert float((after - before).norm() / before.norm()) < rtol("reduction")
    if activation == "tanh":
        assert float((after - before).norm() / moved.norm()) < 10 * rtol("reduction")


def test_batch_norm_is_not_reduced():
    experiment = toml.loads(CONVS.replace("size = 3 }", "size = 3, batch_norm = true }"))
    with pytest.raises(ScenarioError, match="reduce: networks with batch_norm cannot be reduced"):
        effective_network(experiment, Network(experiment, (1, 8, 8), 10))


@pytest.fixture
def run(make_run, workers) -> Path:
    folder = make_run("steps=120", text=CONVS)
    workers.finish(folder)
    return folder


def test_a_reduced_run_is_trained_on_from_where_it_was(run, workers, tmp_path):
    found = reduce_run(AskReduce(run=str(run), out=str(tmp_path / "small")))
    assert (found.source, found.step) == ("checkpoint", 120)
    assert all(layer.after < layer.before for layer in found.layers)
    assert found.parameters_after < found.parameters_before / 4
    assert abs(found.loss_change) < 0.05
    table = toml.parse(Path(found.scenario).read_text(encoding="utf-8"))
    assert table["initial"] == "effective.safetensors", "the two files can be moved together"
    table["initial"] = found.weights
    again = create_run(toml.build({**table, "steps": 20}), runs=tmp_path / "runs", device="cpu")
    workers.finish(again)
    with RunReader(again) as reader:
        assert reader.info().status == "done", reader.info().reason
        assert reader.last("loss", 0) == pytest.approx(found.loss_after, rel=rtol("float32"))
        assert reader.last("loss") < reader.last("loss", 0)


def test_recorded_weights_are_few_and_the_very_bits_that_were_trained(run):
    with RunReader(run) as reader:
        step, weights = reader.weights()
        steps = {reader.weights(int(at))[0] for at in reader.instants}
        assert reader.weights(-1) is None
    assert step == 120
    assert 2 < len(steps) <= 20
    trained = checkpoint.parameters(checkpoint.load(run))
    assert trained.keys() == weights.keys()
    assert all(torch.equal(torch.from_numpy(weights[name].copy()), value) for name, value in trained.items())


def test_any_recorded_step_can_be_reduced(run, tmp_path):
    found = reduce_run(AskReduce(run=str(run), out=str(tmp_path), at=60))
    assert found.source == "recording"
    assert 20 <= found.step <= 60


def test_reading_a_checkpoint_leaves_the_one_that_a_worker_is_writing_alone(run, tmp_path):
    partial = run / ".checkpoint.partial"
    partial.write_bytes(b"half of it")
    reduce_run(AskReduce(run=str(run), out=str(tmp_path / "small")))
    assert partial.read_bytes() == b"half of it"
    partial.unlink()


def test_a_checkpoint_that_cannot_be_written_is_an_error_in_one_line(tmp_path):
    with pytest.raises(
        RunFailedError,
        match=r"the checkpoint cannot be written: .*fix the cause, then: condense-tui runs resume nowhere",
    ):
        checkpoint.save({"step": torch.zeros(1)}, tmp_path / "nowhere")


def test_a_run_without_weights_says_so(make_run, workers, tmp_path):
    folder = make_run("record.probes=['similarity']", "steps=10")
    workers.finish(folder)
    (folder / checkpoint.FILE_NAME).unlink()
    with pytest.raises(RunFileError, match="has no weights"):
        reduce_run(AskReduce(run=str(folder), out=str(tmp_path)))


def test_a_step_before_all_weights_says_which_are_kept(run, tmp_path):
    with RunReader(run) as reader:
        kept = reader.weight_steps.tolist()
    with pytest.raises(RunFileError, match=f"no weights at or before step -1; they are kept at .*{kept[0]}, {kept[1]}"):
        reduce_run(AskReduce(run=str(run), out=str(tmp_path), at=-1))


@pytest.mark.parametrize(
    ("steps", "words"),
    [([5], "step 5 only"), ([0, 5], "steps 0, 5"), (list(range(0, 90, 10)), "9 steps: 0, 10, 20, 30 … 80")],
)
def test_steps_are_said_in_few_words(steps, words):
    assert steps_in_words(steps) == words


def test_a_residual_network_is_refused(small):
    layers = "layers=[{kind='dense',width=4},{kind='dense',width=4}]"
    table = toml.override(toml.parse(toml.dumps(small)), [layers, "residual=true"])
    experiment = toml.build(table)
    with pytest.raises(ScenarioError, match="residual networks cannot be reduced"):
        effective_network(experiment, Network(experiment, (3,), 1))


def test_weights_of_another_network_are_refused_in_one_line(small, run, tmp_path):
    network = Network(small, (3,), 1)
    with pytest.raises(ScenarioError, match=r"conv1\.bias is not in the scenario's network") as caught:
        load_weights(network, run / checkpoint.FILE_NAME)
    assert "\n" not in str(caught.value)
    nonsense = tmp_path / "nonsense.safetensors"
    nonsense.write_bytes(b"nonsense")
    with pytest.raises(ScenarioError, match="cannot be read as safetensors"):
        load_weights(network, nonsense)


def test_a_network_starts_from_a_checkpoint_too(run):
    with RunReader(run) as reader:
        experiment = reader.experiment
    table = {**toml.parse(toml.dumps(experiment)), "initial": str(run / checkpoint.FILE_NAME)}
    network = Network(with_absolute_paths(toml.build(table)), (1, 8, 8), 10)
    trained = checkpoint.parameters(checkpoint.load(run))
    assert all(torch.equal(value, trained[name]) for name, value in network.named_parameters())


def test_more_weights_than_a_frame_may_hold_are_refused():
    values = {"weight": torch.zeros(frames.MOST_WEIGHTS + 1).numpy()}
    with pytest.raises(ValueError, match="at most"):
        frames.Weights.of(values)
    array = frames.Array.of(values["weight"], "f4")
    with pytest.raises(RunFileError, match="not from this program"):
        frames.Weights(names=("weight",), values=(array,)).numpy()
    with pytest.raises(RunFileError, match="damaged"):
        frames.Weights(names=("a", "a"), values=(frames.Array.of([1.0], "f4"),) * 2).numpy()


TRUNK = """
name = "small resnet"
steps = 4
loss = "cross-entropy"
trunk = "resnet18"
layers = [{ kind = "dense", width = 8 }, { kind = "dense", width = 6 }]
record = { frames = 3 }
[data]
name = "photos"
samples = 12
size = 32
[init]
scheme = "fan-out-power"
gamma = 1.5
[optimizer]
name = "adam"
lr = 1e-3
batch = 4
"""


def test_a_trunk_keeps_its_running_statistics_through_a_reduction(make_run, workers, tmp_path):
    folder = make_run(text=TRUNK)
    workers.finish(folder)
    with RunReader(folder) as run:
        recorded = run.last("loss")
    found = reduce_run(AskReduce(run=str(folder), out=str(tmp_path / "small")))
    assert found.loss_before == pytest.approx(recorded, rel=1e-5)
    small = with_absolute_paths(toml.loads(Path(found.scenario).read_text()))
    small = toml.build(toml.override(toml.parse(toml.dumps(small)), [f"initial={found.weights}"]))
    again = create_run(small, runs=tmp_path / "again", device="cpu")
    workers.finish(again)
    with RunReader(again) as run:
        assert run.last("loss", 0) == pytest.approx(found.loss_after, rel=1e-5)


def test_a_kernel_below_the_scenarios_own_threshold_is_left_out(small):
    table = toml.override(toml.parse(toml.dumps(small)), ["record.smallest_norm=1.0"])
    experiment = toml.build(table)
    network, _ = planted(experiment, 1.0)
    with torch.no_grad():
        network.dense1.weight[:3] *= 0.5 / network.dense1.weight[:3].norm(dim=1, keepdim=True)
        network.dense1.weight[3:] *= 2.0 / network.dense1.weight[3:].norm(dim=1, keepdim=True)
    (layer,) = effective_network(experiment, network).layers
    assert layer.dropped == 3
    (layer,) = effective_network(small, network).layers
    assert layer.dropped == 0, "half of a line's norm is not small by the relative threshold"
