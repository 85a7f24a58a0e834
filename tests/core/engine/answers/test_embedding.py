"""The reduced network in the full width: the same outputs, critical where the small one is; curvatures as dense."""

from __future__ import annotations

import msgspec
import pytest
import torch
from torch import Tensor

from condense_core.engine.answers import embedding
from condense_core.engine.answers.effective import effective_network
from condense_core.engine.answers.embedding import embedded, point_of
from condense_core.engine.answers.reduce import network_of, reduce_run
from condense_core.engine.data import datasets
from condense_core.engine.network import losses
from condense_core.engine.network.network import Network
from condense_core.engine.network.observation import Observation
from condense_core.jobs.messages import AskReduce
from condense_core.scenario.experiment import GD, Conv, Dense, Digits, Experiment, NormalInit, Sine

DENSE = Experiment(
    name="embedded",
    steps=10,
    data=Sine(inputs=3, samples=15),
    layers=(Dense(width=7), Dense(width=5)),
    init=NormalInit(std=0.5),
    optimizer=GD(lr=0.1),
    dtype="float64",
)
CONVS = msgspec.structs.replace(
    DENSE,
    data=Digits(samples=10, labels="onehot"),
    layers=(Conv(width=4, size=3), Conv(width=3, size=2, bias=False), Dense(width=4)),
    loss="cross-entropy",
)
# Which kernel of the narrow network each of the wide one's is a copy of.
PLACES = {"dense": [[0, 1, 0, 2, 1, -1, 0], None], "convs": [[1, 0, 1, -1], [0, 0, 1], [0, 0, 0, 0]]}
NARROW = {"dense": (3, 5), "convs": (2, 2, 1)}
CASES = {"dense": DENSE, "convs": CONVS}


def narrow(case: str) -> tuple[Experiment, datasets.Dataset, Network]:
    wide = CASES[case]
    pairs = zip(wide.layers, NARROW[case], strict=True)
    layers = tuple(msgspec.structs.replace(layer, width=width) for layer, width in pairs)
    small = msgspec.structs.replace(wide, layers=layers, init=NormalInit(std=0.5, bias="same"))
    dataset = datasets.load(small.data)
    drawn = dict(Network(small, dataset.input_shape, dataset.outputs).named_parameters())
    return small, dataset, network_of(small, dataset, drawn)


def gradients(experiment: Experiment, network: Network, dataset: datasets.Dataset) -> dict[str, Tensor]:
    error = losses.loss(experiment.loss, network(dataset.input.double()), dataset.target.double())
    names, values = zip(*network.named_parameters(), strict=True)
    return dict(zip(names, torch.autograd.grad(error, values), strict=True))


@pytest.mark.parametrize("case", CASES)
def test_the_embedded_network_has_the_same_outputs_and_the_gradients_of_the_small_one(case):
    small, dataset, network = narrow(case)
    parameters = {name: value.detach() for name, value in network.named_parameters()}
    wide = network_of(CASES[case], dataset, embedded(parameters, small.layer_names, PLACES[case]))
    with torch.no_grad():
        before, after = network(dataset.input.double()), wide(dataset.input.double())
    assert float((after - before).norm() / before.norm()) < 1e-14
    expected, found = gradients(small, network, dataset), gradients(CASES[case], wide, dataset)
    place = torch.tensor(PLACES[case][0])
    first, following = small.layer_names[0], small.layer_names[1]
    copies = torch.bincount(place[place >= 0])
    for kernel, origin in enumerate(place.tolist()):
        got = found[f"{first}.weight"][kernel]
        # a copy has an equal share of the way back; one that was left out has none
        want = torch.zeros_like(got) if origin < 0 else expected[f"{first}.weight"][origin] / copies[origin]
        assert float((got - want).norm()) < 1e-13
    if case == "dense":
        got = found[f"{following}.weight"][:, place >= 0]
        assert torch.allclose(got, expected[f"{following}.weight"][:, place[place >= 0]], rtol=1e-12, atol=1e-14)
        assert float(found[f"{following}.weight"][:, place < 0].abs().max()) < 1e-14, "tanh(0) is 0"


@pytest.mark.parametrize("case", CASES)
def test_where_a_network_stands_is_what_the_whole_hessian_says(case, monkeypatch):
    experiment, dataset, network = narrow(case)
    seen = Observation(experiment, network, dataset.to("cpu", torch.float64), 0)
    found = point_of(seen)
    values = dict(network.named_parameters())
    flat = torch.cat([value.detach().flatten() for value in values.values()])

    def error(flat: Tensor) -> Tensor:
        parts = torch.split(flat, [value.numel() for value in values.values()])
        own = {name: part.view_as(value) for part, (name, value) in zip(parts, values.items(), strict=True)}
        output = torch.func.functional_call(network, own, (dataset.input.double(),))
        return losses.loss(experiment.loss, output, dataset.target.double())

    expected = torch.linalg.eigvalsh(torch.autograd.functional.hessian(error, flat))
    gradient = float(torch.autograd.functional.jacobian(error, flat).norm())
    assert (found.parameters, found.loss) == (len(flat), pytest.approx(float(error(flat)), rel=1e-12))
    assert found.gradient == pytest.approx(gradient, rel=1e-10)
    assert found.steepness == pytest.approx(gradient * float(flat.norm()) / float(error(flat)), rel=1e-10)
    assert found.largest_curvature == pytest.approx(float(expected[-1]), rel=0.01)
    assert found.lowest_curvature == pytest.approx(float(expected[0]), rel=0.01)
    monkeypatch.setattr(embedding, "MOST_WORK", 10)
    assert (point_of(seen).largest_curvature, point_of(seen).gradient) == (None, found.gradient)


def test_what_was_split_is_merged_again():
    small, dataset, network = narrow("dense")
    parameters = {name: value.detach() for name, value in network.named_parameters()}
    lines = [[0, 1, 0, 2, 1, 2, 0], None]
    wide = network_of(DENSE, dataset, embedded(parameters, small.layer_names, lines))
    merged = effective_network(DENSE, wide)
    assert merged.places[0] is not None
    assert len(set(zip(merged.places[0], lines[0] or (), strict=True))) == 3


def test_a_reduced_run_says_where_it_stands(make_run, workers, tmp_path):
    folder = make_run("steps=30")
    workers.finish(folder)
    found = reduce_run(AskReduce(run=str(folder), out=str(tmp_path / "small")))
    assert found.trained.parameters == found.embedded.parameters == found.parameters_before
    assert found.reduced.parameters == found.parameters_after
    assert found.embedded.loss == pytest.approx(found.reduced.loss, rel=1e-12)
    assert found.trained.loss == found.loss_before
    assert all(point.lowest_curvature is not None for point in (found.trained, found.reduced, found.embedded))
