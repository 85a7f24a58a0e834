"""Data of one's own as samples: what is trained on, what is held out, and what a change of the file does."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from condense_core.engine.data.datasets import load, open_draws
from condense_core.errors import DataError
from condense_core.scenario.experiment import Csv, Formula, Npz, Sine
from condense_core.scenario.paths import check_data_is_there
from condense_core.scenario.toml import loads

NUMBER = 20
IMAGES = np.random.default_rng(0).integers(0, 256, (NUMBER, 3, 6, 6), dtype=np.uint8)
CLASSES = np.arange(NUMBER) % 4 + 10


@pytest.fixture
def images(tmp_path):
    np.savez(tmp_path / "own.npz", X=IMAGES, y=CLASSES, X_test=IMAGES[:6], y_test=CLASSES[:6])
    return str(tmp_path / "own.npz")


@pytest.fixture
def table(tmp_path):
    rows = [f"{row},{row * row},{row / 2}" for row in range(NUMBER)]
    (tmp_path / "own.csv").write_text("\n".join(["a,b,half", *rows]))
    return str(tmp_path / "own.csv")


def test_samples_and_their_classes_belong_together(images):
    sample = load(Npz(path=images, seed=3))
    assert sample.input.shape == (NUMBER, 3, 6, 6)
    assert (sample.input.dtype, sample.classes, sample.outputs) == (torch.float64, 4, 4)
    assert float(sample.input.max()) <= 1, "pictures of 8 bits are scaled as those of other sets"
    number = [(row == IMAGES).all(axis=(1, 2, 3)).argmax() for row in (255 * sample.input).round().byte().numpy()]
    assert sorted(number) == list(range(NUMBER))
    assert number != sorted(number)
    assert torch.equal(sample.label, torch.tensor(number) % 4)
    assert sample.note == "20 of 20 samples, seed 3"
    assert sample.found == "20 samples and 6 to test of 3×6×6 pixels, 4 classes: 10, 11, 12, 13"


def test_the_files_own_test_set_is_held_out(images):
    whole = load(Npz(path=images))
    assert len(whole.test) == 6
    assert torch.equal(whole.test.target, whole.class_target[whole.test.label])
    some = load(Npz(path=images, test_samples=2, samples=5))
    assert (len(some), len(some.test)) == (5, 2)
    assert torch.equal(some.input, whole.input[:5])
    assert load(Npz(path=images, test_samples=0)).test is None


def test_labels_are_chosen_as_for_other_sets(images):
    assert load(Npz(path=images, labels="raw")).target.unique().tolist() == [0, 1, 2, 3]
    centred = load(Npz(path=images, labels="centred", samples=7))
    assert float(centred.target.mean()) == pytest.approx(0, abs=1e-12)
    assert torch.equal(centred.test.class_target, centred.class_target)


def test_a_table_of_numbers_with_some_held_out(table):
    sample = load(Csv(path=table, test_samples=5))
    assert (sample.input.shape, sample.target.shape, len(sample.test)) == ((15, 2), (15, 1), 5)
    assert sample.label is None
    for part in (sample, sample.test):
        assert torch.equal(part.input[:, 0] / 2, part.target[:, 0])
    assert not set(sample.input[:, 0].tolist()) & set(sample.test.input[:, 0].tolist())


def test_another_seed_is_another_draw_of_the_file_that_is_read_once(table, monkeypatch):
    data = Csv(path=table, samples=4)
    draw = open_draws(data)
    assert torch.equal(draw(0, "raw").input, load(data).input)
    assert not torch.equal(draw(1, "raw").input, load(data).input)


def test_a_fingerprint_changes_with_a_value_and_with_nothing_else(table, tmp_path):
    before = load(Csv(path=table, test_samples=5)).fingerprint
    text = (tmp_path / "own.csv").read_text()
    (tmp_path / "own.csv").write_text(text.replace("a,b,half", "p,q,r").replace("\n", "\r\n"))
    assert load(Csv(path=table, test_samples=5)).fingerprint == before
    (tmp_path / "own.csv").write_text(text.replace("3,9,1.5", "3,9,1.25"))
    assert load(Csv(path=table, test_samples=5)).fingerprint != before
    assert load(Sine()).fingerprint == ""


def test_a_formula_at_drawn_and_at_even_points():
    drawn = load(Formula(target="x1*x1 - x2", inputs=2, samples=30, low=0.0, high=3.0, seed=4))
    assert torch.equal(drawn.target[:, 0], drawn.input[:, 0] ** 2 - drawn.input[:, 1])
    assert 0 <= float(drawn.input.min()) < float(drawn.input.max()) <= 3
    even = load(Formula(target="x1*x1 - x2", inputs=2, samples=9, low=0.0, high=2.0, spacing="even"))
    assert even.input.tolist() == [[a, b] for a in (0, 1, 2) for b in (0, 1, 2)]
    line = load(Formula(target="3", samples=5, spacing="even"))
    assert line.input[:, 0].tolist() == [-1, -0.5, 0, 0.5, 1]
    assert line.target.tolist() == [[3.0]] * 5


@pytest.mark.parametrize("data", [Sine, lambda **more: Formula(target="sin(x1)", **more)], ids=["sine", "formula"])
def test_points_of_a_function_are_held_out_and_the_others_stay(data):
    alone, both = load(data(samples=20)), load(data(samples=20, test_samples=7))
    assert torch.equal(alone.input, both.input)
    assert torch.equal(alone.target, both.target)
    assert (alone.test, len(both.test)) == (None, 7)
    assert not set(both.input[:, 0].tolist()) & set(both.test.input[:, 0].tolist())


@pytest.mark.parametrize("target", ["log(x1)", "1/(x1 - x1)", "exp(exp(exp(9)))", "sqrt(-1)"])
def test_a_formula_without_a_value_somewhere_is_refused(target):
    with pytest.raises(DataError, match=r"data\.target: (nan|inf) at x1 = .* points of 80; expected a finite value"):
        load(Formula(target=target))


SCENARIO = """
name = "own"
steps = 10
{more}
layers = [{layer}]
[data]
name = "{name}"
path = "{path}"
[init]
scheme = "normal"
std = 0.01
[optimizer]
name = "gd"
lr = 0.1
{batch}
"""
DENSE, CONV = '{ kind = "dense", width = 4 }', '{ kind = "conv", width = 4 }'


def scenario(path: str, *, layer: str = DENSE, more: str = "", batch: str = "", name: str = "npz"):
    text = SCENARIO.replace("{more}", more).replace("{layer}", layer).replace("{batch}", batch)
    return loads(text.replace("{name}", name).replace("{path}", path))


def test_data_that_fit(images, table):
    check_data_is_there(scenario(images, layer=CONV, more='loss = "cross-entropy"', batch="batch = 20"))
    check_data_is_there(scenario(images))
    check_data_is_there(scenario(table, name="csv"))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            {"layer": CONV.replace("4", "4, size = 7")},
            "images of 6×6 pixels for filters of 7; expected 7 or more a side",
        ),
        ({"layer": f"{CONV},{CONV},{CONV}"}, "for filters of 3, 3, 3; expected 7 or more a side"),
        (
            {"layer": CONV.replace("4", '4, padding = 1, stride = 2, pool = "max", pool_size = 4')},
            "images of 6×6 pixels for filters of 3 and pools of 4; expected 7 or more a side",
        ),
        (
            {"layer": CONV.replace("4", "4, size = 6, batch_norm = true"), "batch": "batch = 1"},
            "conv1: batch_norm of one sample a step, of which the filters give a single pixel, has no variance",
        ),
        ({"batch": "batch = 21"}, "20 samples to train on; lower optimizer.batch, which is 21"),
    ],
)
def test_images_that_do_not_fit(images, settings, said):
    with pytest.raises(DataError) as caught:
        check_data_is_there(scenario(images, **settings))
    assert said in str(caught.value)


def test_rows_and_numbers_that_do_not_fit(tmp_path):
    file = tmp_path / "rows.npz"
    np.savez(file, X=np.eye(5), y=np.arange(5.0))
    for settings, said in (
        ({"layer": CONV}, "samples of 5 inputs for 1 convolution; expected X of shape"),
        ({"more": 'trunk = "resnet18"'}, "samples of 5 inputs for a trunk of resnet18"),
        ({"more": 'loss = "cross-entropy"'}, "expected loss = 'mse' for them, got 'cross-entropy', or classes"),
        ({"more": "stop = { accuracy = 0.9 }"}, "numbers have no accuracy"),
    ):
        with pytest.raises(DataError) as caught:
            check_data_is_there(scenario(str(file), **settings))
        assert said in str(caught.value)
    with pytest.raises(DataError, match=r"no file /nowhere/x\.npz on .*, where it is read \(--data npz:PATH\)"):
        check_data_is_there(scenario("/nowhere/x.npz"))
