"""Scenarios: TOML in and out without loss, every field by its dotted name, errors that a person can act on."""

from __future__ import annotations

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from condense_core.errors import ScenarioError
from condense_core.scenario import toml
from condense_core.scenario.experiment import GD, Conv, Experiment
from condense_presets import preset_files, preset_text

BASE = """
name = "base"
steps = 100
layers = [{ kind = "conv", width = 8, size = 5 }, { kind = "dense", width = 4 }]
[data]
name = "digits"
labels = "raw"
[init]
scheme = "mean-fan-power"
gamma = 2.0
[optimizer]
name = "gd"
lr = 0.02
"""


def override(*settings: str) -> Experiment:
    return toml.build(toml.override(toml.parse(BASE), settings))


@pytest.mark.parametrize("name", sorted(preset_files()))
def test_every_preset_survives_toml(name):
    experiment = toml.loads(preset_text(name), name)
    assert toml.loads(toml.dumps(experiment)) == experiment
    assert experiment.name == name
    assert experiment.claim is not None
    assert experiment.about is not None


@given(
    lr=st.floats(1e-300, 1e300),
    steps=st.integers(1, 10**9),
    seed=st.integers(0, 2**63 - 1),
    name=st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=80),
)
def test_numbers_and_text_survive_toml_exactly(lr, steps, seed, name):
    base = toml.loads(BASE)
    optimizer = msgspec.structs.replace(base.optimizer, lr=lr)
    experiment = msgspec.structs.replace(base, optimizer=optimizer, steps=steps, seed=seed, name=name)
    assert toml.loads(toml.dumps(experiment)) == experiment


@pytest.mark.parametrize(
    ("settings", "path", "value"),
    [
        (["optimizer.lr=1e-4"], "optimizer.lr", 1e-4),
        (["optimizer.lr=.5"], "optimizer.lr", 0.5),
        (["optimizer.lr=1"], "optimizer.lr", 1.0),
        (["layers.0.activation=xtanh"], "layers.0.activation", "xtanh"),
        (["layers.1.width=7"], "layers.1.width", 7),
        (["name=5"], "name", "5"),
        (['name="quoted"'], "name", "quoted"),
        (["stop.accuracy=0.2"], "stop.accuracy", 0.2),
        (["record.probes=['similarity']"], "record.probes", ("similarity",)),
        (["optimizer.lr=none", "optimizer.lr_lambda1=0.05", "layers=[{kind='conv',width=2}]"], "optimizer.lr", None),
        (["optimizer.lr_lambda1=0.05", "layers=[{kind='conv',width=2}]"], "optimizer.lr", None),
        (["steps=1e4"], "steps", 10_000),
        (["init.scheme=normal", "init.std=0.1"], "init.std", 0.1),
        (["init.scheme=he-normal"], "init.bias", "zero"),
        (["data.name=mnist"], "data.labels", "raw"),
        (["layers.0.bias=false"], "layers.0.bias", False),
        (["optimizer.name=adam", "optimizer.betas=[0.5, 0.9]"], "optimizer.betas", (0.5, 0.9)),
    ],
)
def test_any_field_can_be_set_by_its_dotted_name(settings, path, value):
    here = override(*settings)
    for part in path.split("."):
        here = here[int(part)] if part.isdigit() else getattr(here, part)
    assert here == value
    assert type(here) is type(value)


def test_a_star_sets_every_item():
    assert [layer.width for layer in override("layers.*.width=3").layers] == [3, 3]


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("layers.0.activation=thanh", "layers.0.activation: unknown 'thanh'; did you mean 'tanh'?"),
        ("layers.0.wdth=3", "layers.0.wdth: unknown; did you mean 'layers.0.width'?"),
        ("optimzer.lr=2", "optimzer: unknown; did you mean 'optimizer'?"),
        ("layers.0.width=abc", "layers.0.width: expected a whole number, got 'abc'"),
        ("layers.5.width=3", "expected layers.0 to layers.1"),
        ("data.name=mnst", "data.name: unknown 'mnst'; did you mean 'mnist'?"),
        ("loss=mes", "loss: unknown 'mes'; did you mean 'mse'?"),
        ("steps=1.5", "steps: expected a whole number, got 1.5"),
        ("steps=0", "steps: expected 1 to 1000000000, got 0"),
        ("steps=true", "steps: expected a whole number, got true"),
        ("optimizer.lr=nan", "optimizer.lr: expected a finite number above 0, got nan"),
        ("optimizer.lr=-1", "optimizer.lr: expected a finite number above 0, got -1.0"),
        ("init.gamma=-500", "init.gamma: expected -30 to 1000, got -500.0"),
        ("init.gamma=nan", "init.gamma: expected -30 to 1000, got nan"),
        ("optimizer.momentum=1", "optimizer.momentum: expected 0 or more and less than 1, got 1.0"),
        ("optimizer.nesterov=true", "nesterov: expected a momentum above 0, got none"),
        ("optimizer.warmup=100", "optimizer.warmup: expected fewer than steps (100), got 100"),
        ("optimizer.decay=cosin", "optimizer.decay: unknown 'cosin'; did you mean 'cosine'?"),
        ("optimizer.decay_to=0.1", "decay_to: expected a decay that it ends ('cosine', 'linear'), got none"),
        ("optimizer.weight_decay=-1", "optimizer.weight_decay: expected a finite number, 0 or more, got -1.0"),
        ("optimizer.noise=inf", "optimizer.noise: expected a finite number, 0 or more, got inf"),
        ("layers.0.dropout=1", "layers.0.dropout: expected 0 or more and less than 1, got 1.0"),
        ("optimizer.batch=501", "optimizer.batch: expected at most data.samples (500), got 501"),
        ("loss=cross-entropy", "data.labels: expected 'onehot' with loss = 'cross-entropy', got 'raw'"),
        ("init.scheme=normal", "init.std: missing"),
        ("residual=true", "residual: expected dense layers only, got 1 convolution and 1 dense layer"),
        (
            "optimizer.lr_lambda1=0.1",
            "expected a network of one convolution, got 1 convolution and 1 dense layer; give optimizer.lr instead",
        ),
        ("fast=['bf16', 'bf16']", "fast: expected each name once, got ['bf16', 'bf16']"),
        ("data.name=sine", "layers: expected dense layers for data.name = 'sine'"),
        ("lr=1e-3", "lr: unknown; did you mean 'optimizer.lr'?"),
        ("widht=3", "widht: unknown; did you mean 'layers.*.width'?"),
        ("sed=3", "sed: unknown; did you mean 'seed'?"),
        ("foo=3", "foo: unknown; expected one of about, claim, data"),
        ("title=Mine", "title: unknown; expected one of about, claim, data"),
        ("comment=x", "comment: unknown; expected one of about, claim, data"),
        (
            "layers.0.kernel=3",
            "layers.0.kernel: unknown; expected one of activation, batch_norm, bias, dropout, kind, padding, pool",
        ),
        ("optimizer.lr=fast", "optimizer.lr: expected a number or none, got 'fast'"),
        ("layers=3", "layers: expected a list, got 3"),
        ("steps.x=3", "steps is a single value"),
        ("record.probes=['similarty']", "did you mean 'similarity'?"),
        ("claim.text=hello", "claim.requires: missing"),
        ("noequals", "expected KEY=VALUE"),
    ],
)
def test_what_cannot_be_used_is_one_line_that_says_what_to_do(setting, message):
    with pytest.raises(ScenarioError) as caught:
        override(setting)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_field_left_over_from_another_kind_is_dropped_only_where_the_kind_was_set():
    assert not hasattr(override("init.scheme=glorot-normal").init, "gamma")
    with pytest.raises(ScenarioError, match=r"init\.gamma: unknown"):
        override("init.scheme=glorot-normal", "init.gamma=2")


@pytest.mark.parametrize("text", ["steps = ", "[data", 'name = "x"\nname = "y"'])
def test_text_that_is_no_toml_is_refused_with_its_source(text):
    with pytest.raises(ScenarioError, match=r"^here\.toml: not valid TOML"):
        toml.loads(text, "here.toml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty; expected a scenario"),
        ("# nothing\n", "empty; expected a scenario"),
        ("x." * 5000 + "y = 1", "nested too deeply"),
        ("a = " + "[" * 50 + "]" * 50, "nested too deeply"),
    ],
)
def test_text_that_is_no_scenario_is_one_line(text, message):
    with pytest.raises(ScenarioError, match=message):
        toml.loads(text)


def test_two_ways_to_say_a_learning_rate_exclude_each_other_where_both_are_said():
    with pytest.raises(ScenarioError, match="exactly one of lr, lr_lambda1 and lr_curvature, got lr and lr_lambda1"):
        override("optimizer.lr=0.1", "optimizer.lr_lambda1=0.1")
    with pytest.raises(ScenarioError, match="lr_most: expected lr_curvature, which it bounds, got lr alone"):
        override("optimizer.lr_most=0.1", "optimizer.lr=0.1")


def test_the_last_way_to_say_a_learning_rate_takes_the_place_of_the_others():
    found = override("optimizer.lr_curvature=0.1", "optimizer.lr_most=3").optimizer
    assert (found.rate, found.lr, found.lr_most) == (("lr_curvature", 0.1), None, 3)
    assert override("optimizer.lr=0.2").optimizer.rate == ("lr", 0.2)


def test_every_layer_has_an_exponent_of_its_own():
    layers = "layers=[{kind='dense',width=4},{kind='dense',width=4}]"
    found = override(layers, "init.scheme=layer-powers", "init.gammas=[0.5, 1, 1.5]", "init.gammas.1=2").init
    assert found.gammas == (0.5, 2, 1.5)
    with pytest.raises(ScenarioError, match=r"init.gammas: expected 3 exponents"):
        override(layers, "init.scheme=layer-powers", "init.gammas=[0.5, 1]")


def test_a_schedule_of_rates_is_given_in_one_way():
    with pytest.raises(ScenarioError, match="later_lr: expected either later_lr or a warm-up and decay, got both"):
        override("optimizer.later_lr=[[5, 0.1]]", "optimizer.warmup=3")


def test_an_experiment_cannot_be_changed():
    experiment = toml.loads(BASE)
    with pytest.raises(AttributeError):
        experiment.steps = 3  # type: ignore[misc]


def test_layers_are_named_by_kind_in_order():
    experiment = override("layers=[{kind='conv',width=2},{kind='conv',width=2},{kind='dense',width=2}]")
    assert experiment.layer_names == ("conv1", "conv2", "dense1")
    assert isinstance(experiment.layers[0], Conv)


QUICK = """
name = "dear"
steps = 1000
layers = [{ kind = "conv", width = 32 }, { kind = "conv", width = 32 }]
about = { summary = "dear", minutes_cpu = 9.0, finding = "holds in 3 of 3" }
data = { name = "digits", samples = 500 }
init = { scheme = "normal", std = 0.005 }
optimizer = { name = "adam", lr = 1e-3 }
loss = "cross-entropy"
[quick]
minutes_cpu = 0.5
finding = "holds in 5 of 5 at 100 images"
set = { steps = 100, "data.samples" = 100, "layers.*.width" = 8, "optimizer.name" = "gd" }
"""


def test_quick_settings_make_a_smaller_scenario_that_names_no_more_of_them():
    whole = toml.loads(QUICK)
    small = toml.quickened(whole)
    assert (whole.steps, whole.data.samples) == (1000, 500)
    assert (small.steps, small.data.samples, [layer.width for layer in small.layers]) == (100, 100, [8, 8])
    assert isinstance(small.optimizer, GD)
    assert (small.about.minutes_cpu, small.about.finding) == (0.5, "holds in 5 of 5 at 100 images")
    assert small.quick is None
    assert toml.quickened(small) is small
    assert toml.loads(toml.dumps(whole)) == whole


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ('set = { "data.sampels" = 1 }', "dear: quick.set data.sampels: unknown; did you mean 'data.samples'?"),
        ('set = { "data.samples" = 0 }', "dear: quick.set: data.samples: expected 1 or more, got 0"),
        ("set = {}", "quick.set: expected at least one field"),
    ],
)
def test_quick_settings_that_cannot_be_used_are_refused_where_they_are_written(bad, message):
    text = QUICK[: QUICK.index("set =")] + bad
    with pytest.raises(ScenarioError, match=re.escape(message)):
        toml.loads(text, "dear")
