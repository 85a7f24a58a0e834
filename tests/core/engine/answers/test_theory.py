"""The theory of a scenario before training: over data draws, against what a run of the same scenario records."""

from __future__ import annotations

import math

import pytest
import torch
from tolerances import rtol

from condense_core.engine.answers.theory import spread, theory
from condense_core.engine.data import datasets
from condense_core.engine.network.linear_theory import why_no_linear_dynamics
from condense_core.engine.network.losses import residual
from condense_core.errors import DataError, ScenarioError
from condense_core.measures.signal import ones_overlap, signal_matrix, spectrum
from condense_core.runfile.reader import RunReader
from condense_core.scenario import toml
from condense_presets import preset_text

CONV = """
name = "conv"
steps = 150
layers = [{ kind = "conv", width = 16, size = 5, activation = "tanh" }]
[data]
name = "digits"
samples = 200
labels = "raw"
[init]
scheme = "mean-fan-power"
gamma = 2.5
[optimizer]
name = "gd"
lr_lambda1 = 0.05
"""


def conv(*settings):
    return toml.build(toml.override(toml.parse(CONV), settings))


def by_labels(answer):
    return {kind.labels: kind for kind in answer.by_labels}


def test_every_trial_is_the_spectrum_of_its_own_draw():
    found = by_labels(theory(conv("data.seed=7"), trials=3, samples=50, bias=False))
    assert list(found) == ["raw", "onehot"]
    for labels, kind in found.items():
        expected = []
        for seed in (7, 8, 9):
            data = datasets.load(conv(f"data.seed={seed}", "data.samples=50", f"data.labels={labels}").data)
            e_Nd = residual("mse", torch.zeros_like(data.target), data.target)
            expected.append(spectrum(signal_matrix(e_Nd, data.input, 5, bias=False)))
        assert kind.values[0].mean == pytest.approx(sum(float(s.values[0]) for s in expected) / 3, rel=rtol("float64"))
        overlaps = [float(ones_overlap(s.v1, 1, 5)) for s in expected]
        assert kind.ones_overlap[0].mean == pytest.approx(sum(overlaps) / 3, rel=rtol("float64"))
        assert kind.values[0].std > 0


def test_the_gap_comes_mostly_from_uncentred_labels():
    found = by_labels(theory(conv("data.labels=centred"), trials=3, samples=200, bias=False))
    assert list(found) == ["centred", "raw", "onehot"]
    assert found["raw"].ratio.most < found["centred"].ratio.least


def test_the_predicted_step_is_the_one_that_a_run_records(make_run, workers):
    folder = make_run("record.frames=5", "steps=10", text=CONV)
    workers.finish(folder)
    with RunReader(folder) as run:
        recorded = run.last("conv1.predicted_at")
    kind = by_labels(theory(conv(), trials=1, samples=200, bias=False))["raw"]
    assert kind.predicted_in == 1
    assert kind.predicted.mean == pytest.approx(recorded, abs=1), "zero output against an output near zero"


@pytest.mark.parametrize(
    ("settings", "predicted"),
    [
        ((), True),
        (("output_bias=true",), True),
        (("layers.0.activation=xtanh",), False),
        (("layers.0.activation=sigmoid",), False),
        (("layers.0.activation=centred-sigmoid",), True),
        (("optimizer.batch=10",), False),
        (("optimizer.later_lr=[[5, 0.001]]",), False),
    ],
)
def test_a_run_records_the_linear_dynamics_where_theory_has_them(settings, predicted, make_run, workers):
    folder = make_run("record.frames=2", "steps=6", *settings, text=CONV)
    workers.finish(folder)
    with RunReader(folder) as run:
        found = {"conv1.predicted_ratio", "conv1.predicted_at"} & set(run.curve_names)
    assert len(found) == (2 if predicted else 0)
    assert (why_no_linear_dynamics(conv(*settings)) == "") is predicted


@pytest.mark.parametrize("width", [64, 256, 1024])
def test_presets_of_theorem_1_train_for_its_time(width):
    experiment = toml.loads(preset_text(f"cnn-thm1-m{width}"))
    kind = by_labels(theory(experiment, trials=1, samples=50, bias=False))["raw"]
    assert round(kind.theorem.step.mean) == experiment.steps


def test_at_its_time_a_layer_is_where_theorem_1_has_it(make_run, workers):
    experiment = toml.loads(preset_text("cnn-thm1-m64"))
    kind = by_labels(theory(experiment, trials=1, samples=experiment.data.samples, bias=False))["raw"]
    folder = make_run(text=preset_text("cnn-thm1-m64"))
    workers.finish(folder)
    with RunReader(folder) as run:
        ratio, moved = run.last("conv1.ratio"), run.last("conv1.relative_change")
    assert kind.theorem.ratio.mean == pytest.approx(ratio, abs=0.005)
    # the start is not quite at zero output, and the weights have grown fourfold: 6 % was measured
    assert kind.theorem.relative_change.mean == pytest.approx(moved, rel=0.1)


@pytest.mark.parametrize("settings", [(), ("init.scheme=width-power", "init.gamma=0.5"), ("layers.0.activation=relu",)])
def test_elsewhere_theorem_1_says_nothing(settings):
    kind = theory(conv(*settings), trials=1, samples=20, bias=False).by_labels[0]
    assert kind.theorem is None


def test_with_the_bias_the_matrix_has_one_column_more():
    without, with_bias = (theory(conv(), trials=1, samples=20, bias=bias).by_labels[0] for bias in (False, True))
    assert without.shape == (16, 25)
    assert with_bias.shape == (16, 26)


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ("layers.0.activation=xtanh", "multiplicity 2"),
        ("layers.0.activation=relu", "multiplicity none"),
        ("layers.0.activation=sigmoid", "not 0 at 0"),
        ('optimizer={name="adam",lr=1e-3}', "Adam"),
        ("optimizer.batch=10", "batches"),
        ("optimizer.later_lr=[[5, 0.001]]", "a learning rate that changes"),
    ],
)
def test_a_step_that_cannot_be_predicted_says_why(setting, reason):
    kind = theory(conv(setting), trials=1, samples=20, bias=False).by_labels[0]
    assert kind.predicted is None
    assert reason in kind.unpredicted
    assert math.isfinite(kind.values[0].mean), "the spectrum is there all the same"


def test_cross_entropy_is_shown_with_its_own_labels_only():
    answer = theory(conv("loss=cross-entropy", "data.labels=onehot"), trials=2, samples=30, bias=False)
    assert list(by_labels(answer)) == ["onehot"]


def test_a_single_dense_layer_on_points_has_one_direction(small):
    answer = theory(small, trials=2, samples=30, bias=False)
    (kind,) = answer.by_labels
    assert kind.labels == "values"
    assert kind.shape == (1, 3)
    assert kind.ratio is None


def test_two_dense_layers_have_no_signal_matrix(small):
    two = toml.build(
        toml.override(toml.parse(toml.dumps(small)), ["layers=[{kind='dense',width=4},{kind='dense',width=4}]"])
    )
    with pytest.raises(ScenarioError, match="2 dense layers"):
        theory(two, trials=1, samples=10, bias=False)


def test_the_theory_has_nothing_to_say_of_a_trunk():
    behind = toml.override(toml.parse(toml.dumps(conv())), ["layers=[{kind='dense',width=4}]"])
    behind |= {"trunk": "resnet18", "data": {"name": "photos", "samples": 8}, "optimizer": {"name": "gd", "lr": 0.1}}
    with pytest.raises(ScenarioError, match="dense1 comes after a resnet18 trunk"):
        theory(toml.build(behind), trials=1, samples=8, bias=False)


def test_the_matrix_is_that_of_the_patches_that_a_convolution_reads():
    one = conv("layers.0.padding=2", "layers.0.stride=3", "layers.0.pool=average")
    kind = by_labels(theory(one, trials=1, samples=50, bias=False))["raw"]
    # 8 + 2 · 2 pixels have 3 positions a side, of which 1 is left
    assert kind.shape == (1, 25)
    assert kind.predicted is not None


@pytest.mark.parametrize(("field", "reason"), [("pool=max", "max pooling"), ("batch_norm=true", "batch norm")])
def test_what_is_not_linear_in_small_kernels_is_not_predicted(field, reason):
    with pytest.raises(ScenarioError, match=f"theory: conv1 has {reason}, .*; nothing is predicted for it"):
        theory(conv("optimizer.lr=0.1", f"layers.0.{field}"), trials=1, samples=20, bias=False)
    deeper = conv("optimizer.lr=0.1", "layers=[{kind='conv',width=4},{kind='conv',width=4,batch_norm=true}]")
    assert theory(deeper, trials=1, samples=20, bias=False).notes, "that of the first layer is there"


def test_the_answer_places_the_initialisation_in_the_phase_diagram():
    power = ["init.scheme=width-power", "init.gamma=1.5"]
    phase = theory(conv(*power), trials=1, samples=30, bias=False).phase
    assert (phase.gamma, phase.gamma_prime, phase.regime) == (pytest.approx(3.0), pytest.approx(0.0), "condensed")


def test_a_set_that_is_too_small_is_one_line():
    with pytest.raises(DataError, match="1797 images"):
        theory(conv(), trials=1, samples=5000, bias=False)


def test_a_spread_is_mean_sample_deviation_and_range():
    assert spread([1.0, 2.0, 6.0]).std == pytest.approx(math.sqrt(7))
    assert spread([3.0]).std is None
