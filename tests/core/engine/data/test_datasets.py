import sys

import numpy as np
import pytest
import torch
from tolerances import rtol

from condense_core.engine.data import scikit_learns
from condense_core.engine.data.datasets import load
from condense_core.errors import DataError
from condense_core.scenario.experiment import Digits, Photos, Sine


def same(first, second):
    return torch.equal(first.input, second.input) and torch.equal(first.target, second.target)


@pytest.mark.parametrize("data", [Digits(samples=20), Photos(samples=20, size=8), Sine(samples=20)])
def test_a_seed_names_one_sample(data):
    assert same(load(data), load(data))
    other = type(data)(**{name: getattr(data, name) for name in data.__struct_fields__} | {"seed": 1})
    assert not same(load(data), load(other))


@pytest.mark.parametrize("kind", [Digits, Photos])
def test_a_smaller_sample_is_the_beginning_of_a_larger_one(kind):
    small, large = load(kind(samples=10)), load(kind(samples=40))
    assert torch.equal(small.input, large.input[:10])
    assert torch.equal(small.label, large.label[:10])


@pytest.mark.parametrize(("data", "shape", "classes"), [(Digits(), (1, 8, 8), 10), (Photos(), (3, 16, 16), 2)])
def test_built_in_images_are_unit_pixels_with_labels(data, shape, classes):
    sample = load(data)
    assert sample.input.shape == (500, *shape)
    assert (sample.input.dtype, sample.label.dtype) == (torch.float64, torch.int64)
    assert (sample.input_shape, sample.classes, sample.outputs, len(sample)) == (shape, classes, classes, 500)
    assert float(sample.input.min()) == 0
    assert float(sample.input.max()) == 1
    assert set(sample.label.tolist()) == set(range(classes))


def test_all_digits_are_drawn_once_each():
    from sklearn.datasets import load_digits

    sample = load(Digits(samples=1797, seed=5))
    drawn = sorted((16 * sample.input[:, 0]).flatten(1).tolist())
    assert drawn == sorted(load_digits().images.reshape(1797, -1).tolist())


@pytest.mark.parametrize("elsewhere", [False, True])
def test_what_scikit_learn_ships_is_read_without_it_and_asked_for_where_it_lies_elsewhere(monkeypatch, elsewhere):
    from sklearn.datasets import load_digits, load_sample_images

    digits, photos = load_digits(), load_sample_images().images
    if elsewhere:
        monkeypatch.setattr(scikit_learns, "_datasets", lambda *parts: None)
    else:
        # whoever imports it now fails
        monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    image, target = scikit_learns.digits()
    assert (image.dtype, target.dtype) == (digits.images.dtype, digits.target.dtype)
    assert np.array_equal(image, digits.images)
    assert np.array_equal(target, digits.target)
    assert all(map(np.array_equal, scikit_learns.photos(), photos))
    assert len(scikit_learns.photos()) == len(photos)


def test_photo_patches_are_balanced_pieces_of_their_photo():
    from sklearn.datasets import load_sample_images

    photos = load_sample_images().images
    sample = load(Photos(samples=5, size=6, seed=3))
    assert sample.label.tolist() == [0, 1, 0, 1, 0]
    for patch, number in zip(sample.input, sample.label, strict=True):
        wanted = (255 * patch).round().byte().permute(1, 2, 0).numpy()
        windows = np.lib.stride_tricks.sliding_window_view(photos[number], (6, 6), axis=(0, 1))
        assert (windows.transpose(0, 1, 3, 4, 2) == wanted).all(axis=(2, 3, 4)).any()


def test_raw_labels_are_class_numbers():
    sample = load(Digits(samples=30, labels="raw"))
    assert torch.equal(sample.target, sample.label.double()[:, None])
    assert torch.equal(sample.class_target, torch.arange(10.0, dtype=torch.float64)[:, None])


def test_centred_labels_are_class_numbers_less_their_mean_over_the_sample():
    sample = load(Digits(samples=30, labels="centred"))
    number = sample.label.double()[:, None]
    torch.testing.assert_close(sample.target, number - number.mean(), rtol=rtol("float64"), atol=1e-14)
    assert abs(float(sample.target.mean())) < 1e-14


def test_onehot_labels_have_one_column_a_class():
    sample = load(Digits(samples=30))
    assert torch.equal(sample.target.sum(dim=1), torch.ones(30, dtype=torch.float64))
    assert torch.equal(sample.target.argmax(dim=1), sample.label)


def test_sine_points_are_the_published_draw():
    sample = load(Sine(samples=80, seed=178))
    points = np.random.RandomState(178).uniform(-4, 2, (80, 5))
    assert np.array_equal(sample.input.numpy(), points)
    expected = sum(3.5 * np.sin(5 * points[:, k] + 1) for k in range(5))
    np.testing.assert_allclose(sample.target[:, 0].numpy(), expected, rtol=rtol("float64"))
    assert (sample.label, sample.classes, sample.outputs) == (None, 0, 1)


def test_sine_uses_the_first_coordinates_and_every_term():
    sample = load(Sine(samples=9, inputs=4, used=2, terms=((1.0, 3.0, 0.0), (0.5, 6.0, 0.25))))
    x = sample.input.numpy()
    expected = sum(np.sin(3 * x[:, k]) + 0.5 * np.sin(6 * x[:, k] + 0.25) for k in range(2))
    np.testing.assert_allclose(sample.target[:, 0].numpy(), expected, rtol=rtol("float64"))


@pytest.mark.parametrize(
    ("data", "available"), [(Digits(samples=1798), 1797), (Photos(samples=132_441, size=256), 132_440)]
)
def test_asking_for_more_than_there_is_names_the_number_available(data, available):
    with pytest.raises(DataError, match=f"{available} images, {data.samples} were asked for") as caught:
        load(data)
    assert "\n" not in str(caught.value)


def test_a_sample_is_cast_but_its_labels_are_not():
    sample = load(Digits(samples=5)).to("cpu", torch.float32)
    assert {sample.input.dtype, sample.target.dtype, sample.class_target.dtype} == {torch.float32}
    assert sample.label.dtype == torch.int64


def test_a_part_keeps_inputs_targets_and_labels_together():
    sample = load(Digits(samples=20))
    own = slice(3, 6)
    part = sample.part(own)
    assert len(part) == 3
    assert torch.equal(part.input, sample.input[own])
    assert torch.equal(part.target, sample.target[own])
    assert torch.equal(part.label, sample.label[own])
    assert len(load(Sine()).part(own)) == 3
