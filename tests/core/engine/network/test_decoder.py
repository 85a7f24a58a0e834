"""A decoder against slow sums over its heads and tokens, and what is measured of it."""

from __future__ import annotations

import math

import msgspec
import pytest
import torch
from torch import nn

from condense_core.engine.data.datasets import load
from condense_core.engine.network.decoder import Decoder
from condense_core.engine.network.make import make_network
from condense_core.engine.network.observation import Observation
from condense_core.scenario.data import Anchors
from condense_core.scenario.experiment import GD, Block, Experiment, NormalInit, WidthPowerInit
from condense_core.watching.find import Finder


def scenario(**changes) -> Experiment:
    data = Anchors(samples=7, test_samples=5, items=6, shifts=(1, 2, 4), length=5)
    blocks = (Block(width=6, heads=3, hidden=5, activation="tanh"), Block(width=6, heads=2, hidden=4))
    base = Experiment(
        name="decoder",
        steps=5,
        data=data,
        layers=blocks,
        init=NormalInit(std=0.4, bias="same"),
        optimizer=GD(lr=0.1),
        loss="cross-entropy",
        dtype="float64",
    )
    return msgspec.structs.replace(base, **changes)


def made(experiment: Experiment):
    sample = load(experiment.data)
    network = make_network(experiment, sample.input_shape, sample.outputs)
    assert isinstance(network, Decoder)
    return network, sample


def twin(network: Decoder, experiment: Experiment, tokens: list[int]) -> torch.Tensor:
    """Scores of one sequence, token by token and head by head."""
    values = dict(network.named_parameters())

    def normal(h):
        if experiment.layers[0].norm == "none":
            return h
        return (h - h.mean()) / torch.sqrt(h.var(correction=0))

    stream = [values["embedding.weight"][token] + values["positions.weight"][at] for at, token in enumerate(tokens)]
    for number, block in enumerate(experiment.layers, start=1):
        query, key, value = values[f"block{number}.qkv.weight"].chunk(3)
        own, added = block.width // block.heads, []
        for at in range(len(tokens)):
            heads = []
            for head in range(block.heads):
                rows = slice(head * own, (head + 1) * own)
                asked = query[rows] @ normal(stream[at])
                before = [normal(h) for h in stream[: at + 1]]
                share = torch.softmax(torch.stack([asked @ (key[rows] @ h) for h in before]) / math.sqrt(own), dim=0)
                heads.append(sum(part * (value[rows] @ h) for part, h in zip(share, before, strict=True)))
            added.append(values[f"block{number}.attended.weight"] @ torch.cat(heads))
        stream = [h + more for h, more in zip(stream, added, strict=True)]
        sigma = {"tanh": torch.tanh, "relu": torch.relu}[block.activation]
        inner, outer = f"block{number}.mlp", f"block{number}.mlp_out"
        stream = [
            h
            + values[f"{outer}.weight"] @ sigma(values[f"{inner}.weight"] @ normal(h) + values[f"{inner}.bias"])
            + values[f"{outer}.bias"]
            for h in stream
        ]
    return values["output.weight"] @ normal(stream[-1]) + values["output.bias"]


@pytest.mark.parametrize("norm", ["pre", "none"])
def test_scores_are_those_of_slow_sums(norm):
    experiment = scenario()
    blocks = tuple(msgspec.structs.replace(block, norm=norm) for block in experiment.layers)
    experiment = msgspec.structs.replace(experiment, layers=blocks)
    network, sample = made(experiment)
    with torch.no_grad():
        expected = torch.stack([twin(network, experiment, row.long().tolist()) for row in sample.input])
        torch.testing.assert_close(network(sample.input), expected, rtol=1e-12, atol=1e-13)


def test_no_token_sees_those_after_it():
    network, sample = made(scenario())
    changed = sample.input.clone()
    changed[:, 0] = (changed[:, 0] + 1) % 6
    assert not torch.equal(network(changed), network(sample.input))
    taken = []
    network.block1.register_forward_hook(lambda *given: taken.append(given[2]))
    changed = sample.input.clone()
    changed[:, -1] = (changed[:, -1] + 1) % 6
    network(changed), network(sample.input)
    assert torch.equal(taken[0][:, :-1], taken[1][:, :-1])
    assert not torch.equal(taken[0][:, -1], taken[1][:, -1])


def test_heads_are_split_as_those_of_a_watched_network():
    """The rows that the engine measures are those that `watch` finds in PyTorch's own attention of the same weights."""
    network, _ = made(scenario())
    own = nn.MultiheadAttention(6, 3, bias=False, dtype=torch.float64)
    with torch.no_grad():
        own.in_proj_weight.copy_(network.block1.qkv.weight)
    found = {layer.name: layer for layer in Finder(own).layers()}
    for part in "qkv":
        for head in range(3):
            rows, name = found[f"{part}[{head}]"], f"block1.{part}.h{head + 1}"
            assert torch.equal(rows.weight(), network.kernels(name))
            assert rows.geometry == network.geometry(name)


def test_what_is_measured_of_it_and_its_gradient():
    network, sample = made(scenario())
    names = ("embedding", *(f"block1.{part}.h{head}" for part in "qkv" for head in (1, 2, 3)), "block1.mlp")
    names += (*(f"block2.{part}.h{head}" for part in "qkv" for head in (1, 2)), "block2.mlp")
    assert network.layer_names == names == scenario().layer_names
    seen = Observation(scenario(), network, sample, 0)
    assert {name: tuple(seen.kernels(name).shape) for name in names[:2]} == {
        "embedding": (17, 6),
        "block1.q.h1": (2, 6),
    }
    assert seen.kernels("block1.mlp").shape == (5, 7)
    for name in names:
        assert len(seen.kernels(name)) == scenario().kernel_counts[name]
        assert seen.kernel_gradient(name).shape == seen.kernels(name).shape
        assert seen.prediction_source(name) == "none"
        assert seen.prediction(name).spectrum.v1.isnan().all()
        assert seen.input_direction(name) is None
    scores = network(sample.input)
    error = -(torch.log_softmax(scores, 1) * sample.target).sum() / len(scores)
    (expected,) = torch.autograd.grad(error, [network.block2.qkv.weight])
    torch.testing.assert_close(seen.kernel_gradient("block2.k.h2"), expected[9:12], rtol=1e-10, atol=1e-15)


def test_the_scale_of_all_weights_is_the_schemes():
    wide = tuple(Block(width=64, heads=2, hidden=64) for _ in range(2))
    network, _ = made(scenario(layers=wide, init=WidthPowerInit(gamma=0.8)))
    for name, value in network.named_parameters():
        if name.endswith("weight"):
            assert float(value.detach().std()) == pytest.approx(64**-0.8, rel=0.2), name
        else:
            assert not value.any()


def test_one_head_is_not_numbered():
    assert tuple(Block(width=4).kernel_counts(1)) == ("block1.q", "block1.k", "block1.v", "block1.mlp")
