"""Held-out samples: never trained on, classified by the same rule, and the trained sample stays what it was."""

from __future__ import annotations

import msgspec
import pytest
import torch

from condense_core.engine.data.datasets import load
from condense_core.runfile.reader import RunReader
from condense_core.scenario.experiment import Digits, Photos


def rows_of(images: torch.Tensor) -> set[bytes]:
    return {image.numpy().tobytes() for image in images}


@pytest.mark.parametrize("data", [Digits(samples=200), Photos(samples=30, size=32)], ids=["digits", "photos"])
@pytest.mark.parametrize("labels", ["onehot", "centred"])
def test_the_held_out_sample_is_another_one_and_the_trained_one_stays(data, labels):
    data = msgspec.structs.replace(data, labels=labels)
    alone, both = load(data), load(msgspec.structs.replace(data, test_samples=50))
    assert torch.equal(alone.input, both.input)
    assert torch.equal(alone.target, both.target)
    assert alone.note == both.note
    assert len(both.test) == 50
    assert not rows_of(both.input) & rows_of(both.test.input)
    assert torch.equal(both.test.class_target, both.class_target)
    assert both.test.test is None


def test_a_network_that_learns_classifies_what_it_has_not_seen(make_run, workers):
    settings = ("data.name=digits", "data.samples=300", "data.test_samples=200", "data.labels=onehot")
    network = ("loss=cross-entropy", "layers=[{kind='dense',width=32}]", "init.scheme=glorot-normal")
    folder = make_run(*settings, *network, "optimizer.lr=0.01", "steps=100", "record.frames=3")
    workers.finish(folder)
    with RunReader(folder) as run:
        assert run.last("test_accuracy", 0) < 0.5
        assert 0.8 < run.last("test_accuracy") <= run.last("accuracy")


def test_without_a_held_out_sample_there_is_no_test_accuracy(make_run, workers):
    folder = make_run("data.name=digits", "data.samples=50", "steps=3", "record.frames=2")
    workers.finish(folder)
    with RunReader(folder) as run:
        assert "test_accuracy" not in run.curve_names
