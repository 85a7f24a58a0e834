"""Probes on real runs: what is recorded is what the measures say, and theory meets measurement."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from support import SMALL, Workers
from tolerances import rtol

from condense_core.engine.data.datasets import load
from condense_core.engine.network import observation
from condense_core.engine.probes import weights
from condense_core.engine.probes.base import Measurement
from condense_core.engine.probes.members import Instant
from condense_core.engine.probes.several_steps import SeveralMeasurements
from condense_core.engine.probes.weights import WeightsProbe
from condense_core.engine.steppers import make_ensemble
from condense_core.measures.alignment import alignment
from condense_core.runfile import frames
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


def test_more_is_recorded_of_where_the_kernels_lie(digits):
    step = int(digits.instants[-1])
    aligned = np.abs(digits.alignment("conv1", step).numpy())
    kept = digits.condensation("conv1", step).label.numpy() > -2
    assert digits.last("conv1.share_on_v1") == pytest.approx((aligned[kept] >= 0.9).mean())
    assert digits.last("conv1.share_on_v2") == 0.0
    assert digits.last("conv1.share_on_v1", 0) < 0.5
    for name in ("condensed_coarse", "coverage_coarse"):
        assert digits.last(f"conv1.{name}", 0) < digits.last(f"conv1.{name}") == 1.0
    assert digits.last("conv1.directions_coarse") == 2
    assert digits.last("conv1.ones_cos_least") <= digits.last("conv1.ones_cos") <= 1
    # no convolution is a dense layer
    assert np.isnan(digits.last("conv1.case1_cos"))


def views(*settings: str):
    experiment = build(override(parse(SMALL), ["dtype=float64", "init.std=1e-3", "init.bias=same", *settings]))
    return make_ensemble(experiment, [load(experiment.data)], torch.device("cpu")).observe()[0]


def test_every_neuron_of_a_deeper_layer_of_multiplicity_one_is_pushed_along_the_sum_of_its_inputs():
    view = views('layers=[{kind="dense",width=7},{kind="dense",width=6},{kind="dense",width=5,activation="softplus"}]')
    for layer in view.layers:
        hidden = torch.cat([view._network.layer_input(layer, view.input), torch.ones(40, 1).double()], dim=1)
        expected = -(view.residual_ND * hidden).mean(dim=0)
        torch.testing.assert_close(view.input_direction(layer), expected, rtol=rtol("float64"), atol=1e-18)
        assert float(alignment(view.kernel_gradient(layer), expected).abs().min()) > 0.9999
        assert float(alignment(view.kernel_gradient(layer), expected + expected.flip(0)).abs().max()) < 0.99


def test_what_enters_the_layers_is_found_in_one_pass_of_each_part_of_the_sample(monkeypatch):
    layers = ",".join(['{kind="dense",width=7}'] * 9)
    whole = views(f"layers=[{layers}]")
    expected = [whole.input_direction(layer) for layer in whole.layers]
    view, passes = views(f"layers=[{layers}]"), []
    monkeypatch.setattr(observation, "CHUNK", 15)
    view.residual_ND  # noqa: B018 - has a pass of its own
    for layer in (view._network.dense1, view._network.dense9):
        layer.register_forward_hook(lambda layer, *_: passes.append(layer))
    for layer, of_whole in zip(view.layers, expected, strict=True):
        torch.testing.assert_close(view.input_direction(layer), of_whole, rtol=rtol("float64"), atol=1e-18)
    # 40 samples; what the last layer gives on is not asked for
    assert passes == [view._network.dense1] * 3


@pytest.mark.parametrize(
    "settings",
    [
        ('layers=[{kind="dense",width=7},{kind="dense",width=7,activation="xtanh"}]',),
        ('layers=[{kind="dense",width=7},{kind="dense",width=7}]', "residual=true"),
        ('data={name="digits",samples=20}',),
    ],
)
def test_where_case_1_does_not_apply_there_is_no_such_direction(settings):
    view = views(*settings)
    assert view.input_direction("dense1") is None


def test_singular_values_are_recorded_with_the_weights(digits):
    steps = digits.weight_steps.tolist()
    assert len(steps) > 5
    for step in steps:
        assert digits.step_of("singular", "conv1", step) == step
        kernels = digits.weights(step)[1]["conv1.weight"].reshape(32, -1).astype(np.float64)
        bias = digits.weights(step)[1].get("conv1.bias")
        kernels = kernels if bias is None else np.c_[kernels, bias]
        expected = np.linalg.svd(kernels, compute_uv=False)
        np.testing.assert_allclose(digits.singular("conv1", step).values.numpy(), expected, rtol=1e-3, atol=1e-12)


def test_of_several_steps_each_has_its_own_singular_values_but_of_members_that_are_not_finite():
    kernels_RMK = torch.randn(8, 5, 3, generator=torch.Generator().manual_seed(4))
    kernels_RMK[5, 2, 1] = torch.inf
    kernels_RMK[6] = torch.nan
    instants = [Instant(step, 1.0, slice(2 * at, 2 * at + 2)) for at, step in enumerate((0, 10, 20, 30))]
    members = SimpleNamespace(
        instants=instants, numbers=(3, 7) * 4, layers=["layer1"], kernels=lambda _: kernels_RMK, parameters=dict
    )
    probe = WeightsProbe(views(), [0, 20, 30])
    probe._keeps = False
    found = SeveralMeasurements([0, 10, 20, 30], (3, 7), ensemble=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(weights, "together", lambda view: view)
        probe.measure(members, found)
    singular = [
        {name: frame.values.numpy() for name, frame in part.frames if name.startswith("layer1")}
        for part in found.each_step()
    ]
    assert [list(each) for each in singular] == [["layer1@3", "layer1@7"], [], ["layer1@3"], ["layer1@7"]]
    for at, name, row in ((0, "layer1@3", 0), (0, "layer1@7", 1), (2, "layer1@3", 4), (3, "layer1@7", 7)):
        expected = torch.linalg.svdvals(kernels_RMK[row].double()).numpy()
        np.testing.assert_allclose(singular[at][name], expected, rtol=1e-3)


@pytest.mark.parametrize("most", [10, frames.MOST_WEIGHTS])
def test_of_a_network_too_large_to_keep_the_singular_values_are_recorded(monkeypatch, most):
    monkeypatch.setattr(frames, "MOST_WEIGHTS", most)
    start = views()
    found = Measurement(0)
    WeightsProbe(start, [0]).measure(start, found)
    kinds = [(layer, frames.kind_of(frame)) for layer, frame in found.frames]
    assert kinds == [("", "weights")] * (most > 10) + [(layer, "singular") for layer in start.layers]
