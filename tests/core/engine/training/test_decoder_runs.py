"""Whole runs of a decoder: what is recorded of it, that it goes on bit for bit, and that bad fields are one line."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytest
import torch
from support import rows, wait_for

from condense_core.engine import checkpoint
from condense_core.engine.answers.theory import theory
from condense_core.engine.training import worker
from condense_core.errors import ScenarioError
from condense_core.runfile.reader import RunReader
from condense_core.scenario import toml

SCENARIO = """
name = "anchors"
steps = 40
loss = "cross-entropy"
layers = [{ kind = "block", width = 16, heads = 2, hidden = 20 }]
data = { name = "anchors", samples = 200, test_samples = 40, items = 8, shifts = [1, 2, 5] }
init = { scheme = "width-power", gamma = 0.5 }
optimizer = { name = "adamw", lr = 0.02, batch = 50 }
record = { frames = 6 }
"""


def weights(folder) -> dict[str, torch.Tensor]:
    state = checkpoint.load(folder)
    assert state is not None
    return state


def test_rows_of_heads_embedding_and_hidden_layer_and_both_kinds_of_pairs_are_recorded(make_run, workers):
    folder = make_run("ensemble.members=2", "ensemble.vary=both", text=SCENARIO)
    workers.finish(folder)
    with RunReader(folder) as run:
        assert run.layers == (
            "embedding",
            *(f"block1.{part}.h{head}" for part in "qkv" for head in (1, 2)),
            "block1.mlp",
        )
        for name in ("loss", "accuracy", "test_loss", "test_accuracy", "unseen_loss", "unseen_accuracy"):
            steps, values = run.curve(name)
            assert steps[-1] == 40
            assert np.isfinite(values).all()
        assert run.last("loss") < run.last("loss", 0)
        assert run.similarity("block1.k.h2").shape == (8, 8)
        assert np.isfinite(run.last("embedding.effective_rank"))
        assert ("unpredicted", "no prediction for a decoder") in [(each.kind, each.text) for each in run.events]
        assert run.spectrum("block1.mlp") is None
        assert run.alignment("block1.mlp") is None
        assert not [name for name in run.curve_names if name.endswith((".alignment", ".eigenvalue.1", ".predicted_at"))]


def test_a_decoder_that_is_stopped_goes_on_with_the_same_bits(make_run, workers):
    # another schedule of measuring: neither stopping nor looking changes a weight
    settings = ("steps=600", "layers.0.dropout=0.2", "optimizer.noise=1e-5", "optimizer.warmup=9")
    whole, parts = make_run(*settings, "record.frames=2", text=SCENARIO), make_run(*settings, text=SCENARIO)
    workers.finish(whole)
    pid = workers.start(parts)
    wait_for(lambda: any(row for row in rows(parts)))
    os.kill(pid, signal.SIGTERM)
    wait_for(workers.has_ended, pid)
    workers.finish(parts)
    one, other = weights(whole), weights(parts)
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


BAD = {
    "layers.0.heads=3": "layers.0.heads: expected a divisor of width (16), got 3",
    "layers.0.norm=post": "layers.0.norm: unknown 'post'",
    "layers.0.hidden=0": "layers.0.hidden: expected 1 to 65536 neurons, got 0",
    "data.name=digits": "data.name: expected 'anchors' for 1 block, got 'digits'",
    "data.shifts=[1, 1]": "data.shifts: expected different whole numbers from 0 to 1000, got [1, 1]",
    "data.unseen_pairs=3": "data.unseen_pairs: expected 0 to 2, of 3, got 3",
    "data.length=2": "data.length: expected 3 to 64 tokens, got 2",
    "data.length=40": "data.length: expected fewer tokens, or fewer items",
    "data.samples=1000000": "data.samples: expected at most 896 with test_samples, as many sequences as there are",
    "residual=true": "residual: expected false: blocks add to what they read, got true",
    "loss=softmax": "loss: unknown 'softmax'",
    "init.scheme=phase": "init.gamma_prime: missing",
    "init={scheme='layer-powers',gammas=[1,1]}": "init.scheme: expected layers one after the other for 'layer-powers'",
    "trunk=resnet18": "trunk: expected none for 1 block, got 'resnet18'",
    'fast=["bf16"]': "fast: expected a network with convolutions, got 1 block",
    "optimizer.lr_lambda1=0.1": "optimizer.lr_lambda1: expected a network of one convolution, got 1 block",
    "layers.0.kind=dense": "layers: expected blocks for data.name = 'anchors', got 1 dense layer",
}


@pytest.mark.parametrize("setting", BAD)
def test_bad_fields_are_one_line(setting):
    with pytest.raises(ScenarioError) as failure:
        toml.build(toml.override(toml.parse(SCENARIO), [setting]))
    assert BAD[setting] in str(failure.value)
    assert "\n" not in str(failure.value)


def test_theory_says_that_it_has_none():
    with pytest.raises(ScenarioError, match="got a decoder, of which the theory says nothing"):
        theory(toml.loads(SCENARIO), trials=1, samples=20, bias=False)


def test_outputs_of_the_hidden_layer_are_recorded_as_a_layer_and_change_no_weight(make_run):
    plain, looked = (
        make_run("steps=8", f"record.probes={list(probes)}", text=SCENARIO)
        for probes in (("condensation",), ("condensation", "similarity", "neuron-outputs"))
    )
    assert [worker.train(folder) for folder in (plain, looked)] == [0, 0]
    with RunReader(looked) as run:
        assert run.layers[-2:] == ("block1.mlp", "block1.mlp-outputs")
        assert not {f"{name}-outputs" for name in run.layers[:-2]} & set(run.layers)
        assert np.isfinite(run.curve("block1.mlp-outputs.pair_abs_cos")[1]).all()
        assert run.similarity("block1.mlp-outputs").shape == (20, 20)
    assert all(torch.equal(value, weights(looked)[name]) for name, value in weights(plain).items())
