"""Facts of papers as data: what is read, what is refused, and how a scenario differs from a record."""

from __future__ import annotations

import msgspec
import pytest

from condense_core.errors import ScenarioError
from condense_core.scenario import toml
from condense_core.scenario.deviations import compare
from condense_core.scenario.papers import load_paper

PAPER = """
name = "fcn"
title = "t"
authors = "a"
where = "w"
text = "x"
ours = []
[[base]]
id = "both"
lines = [7]
settings = { data = "sine", layers = "dense", outputs = 1, bias = "same", loss = "mse", optimizer = "adam" }
[[record]]
id = "1a"
kind = "training"
like = "both"
lines = [3, 5]
says = [{ text = "one line", lines = [4] }]
not_given = ["output_bias"]
[record.settings]
samples = 80
inputs = 5
interval = [-4.0, 2.0]
terms = [[3.5, 5.0, 1.0]]
hidden = 1
width = 50
activation = ["tanh"]
init = { scheme = "normal", std = 0.005 }
batch = "full"
lr = 1e-3
epoch = 100
dropped_below = 0.0
[[record]]
id = "1b"
kind = "training"
like = "1a"
says = [{ text = "two lines", lines = [4] }]
settings = { activation = ["xtanh"] }
not_given = ["lr"]
"""

SAME = """
name = "same"
steps = 100
layers = [{ kind = "dense", width = 50 }]
data = { name = "sine" }
init = { scheme = "normal", std = 0.005, bias = "same" }
optimizer = { name = "adam", lr = 1e-3 }
record = { smallest_norm = 0.0 }
claim = { text = "t", requires = [{ measure = "lines", at_least = 1 }] }
about = { summary = "s", record = "fcn/1a", kind = "paper" }
"""


def test_a_record_has_the_settings_of_what_it_is_like():
    first, second = load_paper(PAPER).record
    assert first.settings.given["data"] == "sine"
    assert first.lines == (3, 5, 7)
    assert second.settings.activation == ("xtanh",)
    assert second.settings.width == 50
    assert second.settings.lr is None, "not given here, whatever the model gives"
    assert second.not_given == ("output_bias", "lr")
    assert second.words == "two lines"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('not_given = ["lr"]', 'not_given = ["lrr"]', "record.1.not_given: unknown 'lrr'; did you mean 'lr'?"),
        ('not_given = ["lr"]', 'not_given = ["activation"]', "not_given: expected settings that are not given"),
        ("width = 50\n", "", "1a: width: neither given nor named in not_given"),
        ('like = "1a"', 'like = "1c"', "1b.like: unknown '1c'"),
        ('id = "1b"', 'id = "1a"', "1a: there are two of that id"),
        ("lines = [4]", "lines = []", "lines: expected at least one line of the text"),
        ("lines = [4]", "lines = [0]", "lines: expected lines of the text, from 1 on"),
        ('"tanh"', '"thanh"', "activation: expected names of activations"),
        ("width = 50", 'width = "wide"', "record.0.settings.width: expected a whole number"),
        ("width = 50", "widht = 50", "record.0.settings.widht: unknown; did you mean 'record.0.settings.width'?"),
        ('kind = "training"', 'kind = "trained"', "unknown 'trained'; did you mean 'training'?"),
        ('name = "fcn"', "name = ", "not valid TOML"),
    ],
)
def test_a_paper_that_cannot_be_is_refused_in_one_line(old, new, message):
    assert old in PAPER
    with pytest.raises(ScenarioError) as caught:
        load_paper(PAPER.replace(old, new), "fcn.toml")
    assert str(caught.value).startswith("fcn.toml: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_record_that_is_not_there_is_answered_with_those_that_are():
    with pytest.raises(ScenarioError, match=r"fcn/1c: no such record; expected one of 1a, 1b"):
        load_paper(PAPER).find("1c")


def test_the_same_settings_do_not_differ_and_what_the_text_does_not_give_is_ours():
    found = compare(load_paper(PAPER).find("1a"), toml.loads(SAME))
    assert found.deviations == ()
    assert [item.words for item in found.choices] == ["bias of the output layer yes"]
    assert {"lr", "samples", "init", "bias", "activation", "epoch", "judged", "used", "later_lr"} <= set(found.agree)


@pytest.mark.parametrize(
    ("setting", "names", "words"),
    [
        ("optimizer.lr=1.001e-3", {"lr"}, "learning rate: 0.001001, the paper 0.001"),
        ("data.samples=81", {"samples"}, "samples n: 81, the paper 80"),
        ("data.used=3", {"used"}, "inputs used: 3, the paper none"),
        ("data.high=2.5", {"interval"}, "inputs' interval: -4, 2.5, the paper -4, 2"),
        ("data.terms=[[3.5, 5.0, 1.0], [1.0, 2.0, 3.0]]", {"terms"}, "the paper (3.5, 5, 1)"),
        ("layers.0.width=51", {"width"}, "width m: 51, the paper 50"),
        ("layers.0.activation=xtanh", {"activation"}, "activation: xtanh, the paper tanh"),
        ("init.std=0.006", {"init"}, "initial weights: normal std 0.006, the paper normal std 0.005"),
        ("init.scheme=glorot-normal", {"init"}, "initial weights: glorot-normal, the paper normal std 0.005"),
        ("init.bias=zero", {"bias"}, "initial biases: zero, the paper same"),
        ("layers.0.bias=false", {"bias"}, "initial biases: none, the paper same"),
        ("optimizer.name=gd", {"optimizer"}, "optimiser: gd, the paper adam"),
        ("optimizer.later_lr=[[10, 0.1]]", {"later_lr"}, "later learning rates (epoch, rate): (11, 0.1), the paper "),
        ("optimizer.batch=8", {"batch", "epoch"}, "epochs: 10, the paper 100"),
        ("steps=120", {"epoch"}, "epochs: 120, the paper 100"),
        ("stop.loss_ratio=0.9", {"epoch"}, "epochs: 100 at most, stopped at 90% of the first loss, the paper 100"),
        ("claim.requires.0.at=40", {"judged"}, "epochs at which the claim is judged: 40, the paper 100"),
        ("record.smallest_norm=none", {"dropped_below"}, "0.1 × the layer's 90th percentile, the paper 0"),
        (
            'data={name="digits"}',
            {"data", "samples", "inputs", "interval", "terms", "outputs"},
            "data: digits, the paper sine",
        ),
    ],
)
def test_whatever_is_set_otherwise_is_said(setting, names, words):
    experiment = toml.build(toml.override(toml.parse(SAME), [setting]))
    found = compare(load_paper(PAPER).find("1a"), experiment)
    assert {item.setting for item in found.deviations} == names
    assert words in "; ".join(item.words for item in found.deviations)


def test_a_reason_stands_beside_its_deviation():
    experiment = toml.build(toml.override(toml.parse(SAME), ["optimizer.lr=0.1"]))
    about = msgspec.structs.replace(experiment.about, reasons={"lr": "to be done sooner"})
    found = compare(load_paper(PAPER).find("1a"), msgspec.structs.replace(experiment, about=about))
    assert [item.words for item in found.deviations] == ["learning rate: 0.1, the paper 0.001 (to be done sooner)"]
    assert found.lines[0] == ("differs from the paper", "learning rate: 0.1, the paper 0.001 (to be done sooner)")
