"""Outputs of neurons as rows: against correlations by hand, in float64."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
import torch
from tolerances import rtol

from condense_core.engine.data.datasets import load
from condense_core.engine.network.decoder import Decoder
from condense_core.engine.network.network import Network
from condense_core.engine.probes import probes_for
from condense_core.engine.probes.base import Measurement
from condense_core.engine.probes.members import MemberViews
from condense_core.engine.probes.neuron_outputs import OutputRows
from condense_core.engine.steppers import make_ensemble
from condense_core.engine.training import worker
from condense_core.measures.outputs import centred_rows, fewer_entries, input_dimensions
from condense_core.runfile.reader import RunReader
from condense_core.scenario.experiment import (
    GD,
    AdamW,
    Anchors,
    Block,
    Conv,
    Dense,
    Digits,
    Ensemble,
    Experiment,
    NormalInit,
    Sine,
    WidthPowerInit,
)
from condense_core.scenario.record import Record

SINE = Experiment(
    name="outputs",
    steps=40,
    data=Sine(inputs=3, samples=20),
    layers=(Dense(width=9), Dense(width=30, activation="softplus")),
    init=NormalInit(std=0.5),
    optimizer=GD(lr=0.05),
    record=Record(probes=("neuron-outputs",)),
)
CASES = {
    "dense": SINE,
    "small weights": msgspec.structs.replace(SINE, init=NormalInit(std=1e-5)),
    "residual": msgspec.structs.replace(SINE, layers=(Dense(width=9), Dense(width=9)), residual=True),
    "dropout": msgspec.structs.replace(SINE, layers=(Dense(width=9, dropout=0.5), Dense(width=4))),
    "convolution": msgspec.structs.replace(
        SINE, data=Digits(samples=12), layers=(Conv(width=4, activation="relu"), Dense(width=3))
    ),
}


DECODER = Experiment(
    name="decoder outputs",
    steps=40,
    data=Anchors(samples=30, test_samples=9, items=5),
    layers=(Block(width=8, heads=2, hidden=6), Block(width=8, heads=2, hidden=5)),
    init=WidthPowerInit(gamma=0.5),
    loss="cross-entropy",
    optimizer=AdamW(lr=0.01),
    record=Record(probes=("neuron-outputs",)),
)


def trained(experiment: Experiment, steps: int = 7):
    sample = load(experiment.data)
    training = make_ensemble(experiment, [sample] * len(experiment.members), torch.device("cpu"))
    for _ in range(steps):
        training.advance()
    return MemberViews(training.observe(), training.members), sample.to(torch.device("cpu"), torch.float32)


def by_hand(experiment: Experiment, members: MemberViews, sample) -> dict[str, np.ndarray]:
    """Correlations of all pairs of neurons, from a network in float64, layer after layer."""
    network = Network(msgspec.structs.replace(experiment, dtype="float64"), sample.input_shape, sample.outputs)
    network.load_state_dict({name: value.double() for name, value in members.views[0].parameters().items()})
    found = {}
    with torch.no_grad():
        for depth, name in enumerate(network.layer_names):
            given = network.layer_input(name, sample.input.double())
            output = network._activations[depth](network.layer(name)(given))
            found[name] = np.corrcoef(output.transpose(0, 1).flatten(1).numpy())
    return found


@pytest.mark.parametrize("case", CASES)
def test_cosines_of_outputs_are_correlations_over_the_sample(case):
    members, sample = trained(CASES[case])
    rows = OutputRows(members, [range(len(sample))])
    for layer, expected in by_hand(CASES[case], members, sample).items():
        found = rows.cosine(f"{layer}-outputs")[0]
        assert np.nanmax(np.abs(found - expected)) < (1e-9 if case != "small weights" else 1e-6)
        assert np.array_equal(np.isnan(found), np.isnan(expected))
    # another sample has other correlations
    other = OutputRows(members, [range(len(sample) - 1)]).cosine("dense1-outputs")
    assert np.nanmax(np.abs(other - rows.cosine("dense1-outputs"))) > 1e-6


def test_hidden_neurons_of_a_decoder_are_compared_over_all_tokens_of_the_sample():
    members, sample = trained(DECODER)
    network = Decoder(msgspec.structs.replace(DECODER, dtype="float64"), sample.input_shape, sample.outputs)
    network.load_state_dict({name: value.double() for name, value in members.views[0].parameters().items()})
    rows = OutputRows(members, [range(len(sample))])
    assert rows.layers == ("block1.mlp-outputs", "block2.mlp-outputs") == DECODER.output_names
    given, hidden = [], []

    def note(_module: torch.nn.Module, inputs: tuple[torch.Tensor], found: torch.Tensor) -> None:
        given.append(inputs[0])
        hidden.append(found)

    for block in (network.block1, network.block2):
        block.mlp.register_forward_hook(note)
    with torch.no_grad():
        network(sample.input)
    for number, neurons in ((1, 6), (2, 5)):
        name = f"block{number}.mlp-outputs"
        output_NTM = torch.relu(hidden[number - 1])
        assert output_NTM.shape == (len(sample), sample.input_shape[0], neurons)
        expected = np.corrcoef(output_NTM.flatten(0, 1).T.numpy())
        found = rows.cosine(name)[0]
        assert np.nanmax(np.abs(found - expected)) < 1e-9
        assert np.array_equal(np.isnan(found), np.isnan(expected))
        assert rows.chance_entries(name) == [input_dimensions(given[number - 1].flatten(0, 1))]


@pytest.mark.parametrize("fields", [{}, {"pool_size": 6}, {"size": 4, "stride": 2, "padding": 3, "pool_size": 3}])
def test_chance_of_averaged_outputs_is_that_of_averaged_inputs(fields):
    layer = Conv(width=100, activation="identity", bias=False, pool="average", **fields)
    members, sample = trained(msgspec.structs.replace(CASES["convolution"], layers=(layer,)), steps=0)
    rows = OutputRows(members, [range(len(sample))])
    (chance,) = rows.chance_entries("conv1-outputs")
    # filters of a single pixel give what any filter reads
    single_pixels = torch.eye(layer.size**2).view(-1, 1, layer.size, layer.size)
    read = torch.conv2d(sample.input, single_pixels, stride=layer.stride, padding=layer.padding)
    averaged = torch.nn.functional.avg_pool2d(read, layer.pool_size)
    assert chance == input_dimensions(averaged.movedim(1, -1).flatten(0, 2))
    assert chance < input_dimensions(read.movedim(1, -1).flatten(0, 2))
    # of outputs of random linear filters it is the mean squared cosine, or nearly
    squared = np.square(rows.cosine("conv1-outputs")[0][np.triu_indices(100, 1)]).mean()
    assert chance == pytest.approx(1 / squared, abs=1)


def test_dead_and_saturated_neurons_have_no_direction_and_are_dropped():
    inputs = torch.randn(50, 3, dtype=torch.float64)
    weight = torch.randn(6, 3, dtype=torch.float64)
    output = torch.relu(weight @ inputs.T)
    output[2], output[3] = 0.0, 1.0
    # what is left of sigmoid at tiny weights: its value at 0, and rounding
    output[4] = torch.sigmoid(1e-17 * inputs[:, 0])
    output[5] = torch.sigmoid(1e-9 * inputs[:, 0])
    rows = centred_rows(output)
    assert rows.norm(dim=1).eq(0).tolist() == [False, False, True, True, True, False]
    assert torch.corrcoef(torch.stack([rows[5] * 1e9, inputs[:, 0]]))[0, 1] == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("scale", [1e-300, 1e-8, 1e8, 1e300])
def test_outputs_of_any_size_are_the_same_rows(scale):
    output = torch.randn(5, 40, dtype=torch.float64)
    rows, scaled = fewer_entries(centred_rows(output)), fewer_entries(centred_rows(scale * output))
    assert rows.shape == (5, 5)
    assert torch.allclose(scaled / scale, rows, rtol=rtol("float64"), atol=1e-12)


def test_fewer_entries_keep_lengths_and_angles():
    rows = torch.randn(7, 90, dtype=torch.float64)
    short = fewer_entries(rows)
    assert torch.allclose(short @ short.T, rows @ rows.T, rtol=1e-12)
    rows[1, 3] = torch.nan
    assert fewer_entries(rows) is rows


def test_inputs_fill_as_many_dimensions_as_they_have():
    generator = torch.Generator().manual_seed(1)
    drawn = torch.randn(4_000, 6, dtype=torch.float64, generator=generator)
    assert input_dimensions(drawn + 7.0) in {5, 6}
    # three that matter, by the mean squared cosine of random neurons' outputs
    flat = drawn * torch.tensor([1.0, 1, 1, 1e-3, 1e-3, 1e-3], dtype=torch.float64)
    outputs = centred_rows(torch.randn(300, 6, dtype=torch.float64, generator=generator) @ flat.T)
    cosine = torch.corrcoef(outputs)
    assert input_dimensions(flat) == round(1 / float((cosine.square().sum() - 300) / (300 * 299))) == 3
    assert input_dimensions(torch.ones(4, 3)) == 1


def test_a_run_records_outputs_as_a_layer_of_its_own_and_a_claim_can_ask_for_them(make_run):
    folder = make_run(
        "steps=4",
        'record.probes=["similarity", "condensation", "neuron-outputs"]',
        'claim={text="x", requires=[{measure="lines", at_least=0, layer="dense1-outputs"},'
        ' {measure="coverage", at_least=0}]}',
    )
    assert worker.train(folder) == 0
    with RunReader(folder) as run:
        assert run.layers == ("dense1", "dense1-outputs")
        assert np.isfinite(run.last("dense1-outputs.lines"))
        assert run.similarity("dense1-outputs").shape == run.similarity("dense1").shape


def test_members_of_an_ensemble_have_the_outputs_that_each_has_alone():
    both = msgspec.structs.replace(SINE, ensemble=Ensemble(members=2))

    def found(experiment: Experiment) -> list[dict[str, float]]:
        members, _ = trained(experiment)
        into = Measurement(members.step, members.numbers, ensemble=len(members.numbers) > 1)
        probes_for(experiment, members)["neuron-outputs"].measure(members, into)
        return [
            {name: float(column[row]) for name, (column, _) in into._columns.items()}
            for row in range(len(members.numbers))
        ]

    together, alone = found(both), [found(member)[0] for member in both.members]
    assert alone[0] != alone[1]
    for one, other in zip(together, alone, strict=True):
        assert one == pytest.approx(other, rel=1e-5, nan_ok=True)


def test_looking_at_outputs_changes_no_bit_and_draws_no_random_number():
    plain, looked = (make_ensemble(SINE, [load(SINE.data)], torch.device("cpu")) for _ in range(2))
    probes = probes_for(SINE, MemberViews(looked.observe(), looked.members))
    before = torch.get_rng_state()
    for _ in range(6):
        plain.advance()
        for probe in probes.values():
            probe.measure(MemberViews(looked.observe(), looked.members), Measurement(looked.step))
        looked.advance()
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(value, looked.state_dict()[name]) for name, value in plain.state_dict().items())
