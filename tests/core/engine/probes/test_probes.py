"""Probes on real runs: what is recorded is what the measures say, and theory meets measurement."""

from __future__ import annotations

import numpy as np
import pytest
from support import Workers

from condense_core.runfile.reader import RunReader
from condense_core.runs.create import create_run
from condense_core.runs.summary import summarise
from condense_core.scenario.toml import build, override, parse
from condense_presets import preset_text


@pytest.fixture(scope="module")
def digits(zygote, tmp_path_factory):
    experiment = build(override(parse(preset_text("digits-gd")), ["record.grace_seconds=1000"]))
    folder = create_run(experiment, runs=tmp_path_factory.mktemp("runs"), device="cpu")
    Workers().finish(folder)
    with RunReader(folder) as run:
        yield run


def test_the_linear_dynamics_predict_the_run(digits):
    """Ratio on v1 at every recorded step against the closed form from the start alone; 0.008 was measured."""
    steps, measured = digits.curve("conv1.ratio")
    predicted_steps, predicted = digits.curve("conv1.predicted_ratio")
    assert np.array_equal(steps, predicted_steps)
    assert np.abs(measured - predicted).max() < 0.02
    assert measured[0] < 0.3
    (layer,) = summarise(digits).layers
    assert layer.predicted_at == pytest.approx(layer.arrived_at, rel=0.1)


def test_frames_and_scalars_of_a_step_say_the_same(digits):
    for step in digits.instants[::40]:
        frame = digits.condensation("conv1", int(step))
        assert digits.last("conv1.lines", int(step)) == frame.lines
        assert digits.last("conv1.coverage", int(step)) == pytest.approx(frame.coverage, nan_ok=True)
        spectrum = digits.spectrum("conv1", int(step))
        assert digits.last("conv1.eigenvalue.1", int(step)) == pytest.approx(spectrum.values.numpy()[0] ** 2)
        assert np.linalg.norm(spectrum.v1.numpy()) == pytest.approx(1, abs=1e-6)
        cosine = digits.similarity("conv1", int(step))
        aligned = digits.alignment("conv1", int(step)).numpy()
        assert cosine.shape == (32, 32)
        assert np.all(np.abs(aligned) <= 1 + 1e-6)
    assert digits.spectrum("conv1").from_data


def test_condensed_kernels_are_similar_to_their_line_and_keep_its_number(digits):
    frame = digits.condensation("conv1")
    label, sign = frame.label.numpy(), frame.sign.numpy()
    on_line = label >= 0
    expected = np.outer(sign[on_line], sign[on_line])
    assert np.all(digits.similarity("conv1")[np.ix_(on_line, on_line)] * expected > 0.9)
    half = digits.condensation("conv1", 120)
    both = (half.label.numpy() >= 0) & on_line
    assert np.array_equal(half.label.numpy()[both], label[both])
    assert np.array_equal(half.sign.numpy()[both], sign[both])


def test_a_layer_that_condenses_to_a_line_uses_one_direction(digits):
    steps, rank = digits.curve("conv1.effective_rank")
    assert np.array_equal(steps, digits.instants)
    assert rank[0] > 10, "26 entries a kernel"
    assert 1 <= rank[-1] < 1.5


def test_a_layer_without_a_signal_matrix_is_held_against_its_gradient(make_run, workers):
    folder = make_run("layers=[{kind='dense',width=8},{kind='dense',width=8}]", "steps=20")
    workers.finish(folder)
    with RunReader(folder) as run:
        assert run.layers == ("dense1", "dense2")
        assert not run.spectrum("dense2").from_data
        assert "dense2.predicted_ratio" not in run.curve_names
        assert 0 <= run.last("dense2.ratio") <= 1
