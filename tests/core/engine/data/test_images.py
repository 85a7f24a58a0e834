"""Other people's image files, as small fakes: the readers, and what is said when they cannot read."""

import gzip
import hashlib
import pickle
import struct

import numpy as np
import pytest
import torch

from condense_core.engine.data.datasets import load
from condense_core.errors import DataError
from condense_core.scenario.experiment import Cifar10, Cifar100, Digits, Folder, Mnist

MNIST_FILES = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"]


def one_line(data):
    with pytest.raises(DataError) as caught:
        load(data)
    message = str(caught.value)
    assert message.isprintable(), "one line, nothing for the terminal to interpret"
    return message


@pytest.fixture
def mnist(tmp_path):
    """Twelve training and four test images; pixel (row 2, column 5) of image i is i."""
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for split, number in (("train", 12), ("t10k", 4)):
        pixels = np.zeros((number, 28, 28), np.uint8)
        pixels[:, 2, 5] = range(number)
        images = struct.pack(">4i", 2051, number, 28, 28) + pixels.tobytes()
        labels = struct.pack(">2i", 2049, number) + bytes(index % 10 for index in range(number))
        (raw / f"{split}-images-idx3-ubyte").write_bytes(images)
        (raw / f"{split}-labels-idx1-ubyte").write_bytes(labels)
    return tmp_path


@pytest.fixture
def cifar(tmp_path, monkeypatch):
    """Six CIFAR-10 training images whose red pixel (row 1, column 2) is 10 × the image's number."""
    from torchvision.datasets import CIFAR10

    folder = tmp_path / CIFAR10.base_folder
    folder.mkdir()

    def write(name, entry):
        content = pickle.dumps(entry)
        (folder / name).write_bytes(content)
        return hashlib.md5(content).hexdigest()

    pixels = np.zeros((6, 3, 32, 32), np.uint8)
    pixels[:, 0, 1, 2] = 10 * np.arange(6)
    batch = write("data_batch_1", {"data": pixels.reshape(6, -1), "labels": list(range(6))})
    meta = write("batches.meta", {"label_names": list("abcdefghij")})
    monkeypatch.setattr(CIFAR10, "train_list", [["data_batch_1", batch]])
    monkeypatch.setattr(CIFAR10, "test_list", [])
    monkeypatch.setattr(CIFAR10, "meta", CIFAR10.meta | {"md5": meta})
    return tmp_path


@pytest.fixture
def folder(tmp_path):
    """Two classes of three 6×12 pictures: red (left half black) and blue."""
    from PIL import Image

    for name, colour in (("blue", (0, 0, 255)), ("red", (255, 0, 0))):
        (tmp_path / name).mkdir()
        for index in range(3):
            image = Image.new("RGB", (12, 6), colour)
            if name == "red":
                image.paste((0, 0, 0), (0, 0, 6, 6))
            image.save(tmp_path / name / f"{index}.png")
    return tmp_path


def test_mnist_pixels_and_labels_belong_together(mnist):
    sample = load(Mnist(root=str(mnist), samples=12, seed=4))
    number = (255 * sample.input[:, 0, 2, 5]).round().long()
    assert sample.input.shape == (12, 1, 28, 28)
    assert sorted(number.tolist()) == list(range(12))
    assert number.tolist() != list(range(12))
    assert torch.equal(sample.label, number % 10)
    assert sample.note == "12 of 12 images, seed 4"


def test_the_test_split_is_another_set(mnist):
    assert len(load(Mnist(root=str(mnist), samples=4, train=False))) == 4
    assert "MNIST: 4 images, 5 were asked for" in one_line(Mnist(root=str(mnist), samples=5, train=False))


def test_cifar_channels_come_first(cifar):
    sample = load(Cifar10(root=str(cifar), samples=6))
    assert sample.input.shape == (6, 3, 32, 32)
    assert torch.equal((255 * sample.input[:, 0, 1, 2]).round().long(), 10 * sample.label)
    assert not sample.input[:, 1:].any()
    assert sample.classes == 10


@pytest.mark.parametrize("data", [Mnist, Cifar10, Cifar100])
def test_a_missing_set_says_where_it_was_looked_for_and_what_to_do(data, tmp_path):
    message = one_line(data(root=str(tmp_path)))
    assert str(tmp_path) in message
    assert "--data-root DIR" in message
    assert "--download" in message


@pytest.mark.parametrize("name", MNIST_FILES[:2])
@pytest.mark.parametrize("damage", [lambda _: b"", lambda good: good[:-3], lambda _: b"<html>" * 50])
def test_a_damaged_mnist_file_is_one_line(mnist, name, damage):
    file = mnist / "MNIST" / "raw" / name
    file.write_bytes(damage(file.read_bytes()))
    assert "--data-root DIR" in one_line(Mnist(root=str(mnist), samples=2))


def packed(mnist):
    """The same set as it is downloaded: four .gz, nothing unpacked."""
    raw = mnist / "MNIST" / "raw"
    for name in MNIST_FILES:
        (raw / f"{name}.gz").write_bytes(gzip.compress((raw / name).read_bytes()))
        (raw / name).unlink()
    return raw


def test_mnist_that_was_only_downloaded_is_the_same_set(mnist):
    unpacked = load(Mnist(root=str(mnist), samples=12, seed=4))
    packed(mnist)
    sample = load(Mnist(root=str(mnist), samples=12, seed=4))
    assert torch.equal(sample.input, unpacked.input)
    assert torch.equal(sample.label, unpacked.label)
    assert len(load(Mnist(root=str(mnist), samples=4, train=False))) == 4


@pytest.mark.parametrize("damage", [lambda _: b"", lambda good: good[:-9], lambda good: good[:20] + b"x" * len(good)])
def test_a_damaged_packed_mnist_file_is_one_line(mnist, damage):
    file = packed(mnist) / f"{MNIST_FILES[0]}.gz"
    file.write_bytes(damage(file.read_bytes()))
    assert "--data-root DIR" in one_line(Mnist(root=str(mnist), samples=2))


def test_a_damaged_cifar_file_is_one_line_and_is_never_unpickled(cifar):
    trap = cifar / "sprung"
    attack = b"cpathlib\nPath.touch\n(cpathlib\nPath\n(V" + str(trap).encode() + b"\ntRtR."
    (cifar / "cifar-10-batches-py" / "data_batch_1").write_bytes(attack)
    assert "CIFAR-10 is missing or damaged in" in one_line(Cifar10(root=str(cifar), samples=2))
    assert not trap.exists()


def test_a_failed_download_is_one_line(tmp_path, monkeypatch):
    from torchvision.datasets import MNIST

    # nothing listens on the discard port of this machine
    monkeypatch.setattr(MNIST, "mirrors", ["http://127.0.0.1:9/", "http://127.0.0.1:9/again/"])
    message = one_line(Mnist(root=str(tmp_path), download=True))
    assert "could not be downloaded" in message
    assert "check the network" in message


def test_folder_images_are_scaled_and_their_middle_is_kept(folder):
    sample = load(Folder(path=str(folder), samples=6, size=4))
    assert sample.input.shape == (6, 3, 4, 4)
    assert sample.classes == 2
    blue, red = (sample.input[sample.label == number] for number in (0, 1))
    assert blue[:, 2].eq(1).all()
    assert not blue[:, :2].any()
    # the picture is black left of its middle, so the square's left edge is black and its right edge red
    assert not red[:, 0, :, 0].any()
    assert red[:, 0, :, 3].eq(1).all()


def test_grey_folder_images_have_one_channel(folder):
    assert load(Folder(path=str(folder), samples=3, size=4, grey=True)).input_shape == (1, 4, 4)


def test_only_the_chosen_folder_images_are_read(folder):
    (folder / "red" / "9.png").write_bytes(b"not an image")
    outcomes = set()
    for seed in range(30):
        try:
            load(Folder(path=str(folder), samples=1, size=4, seed=seed))
            outcomes.add("fine")
        except DataError:
            outcomes.add("damaged")
    assert outcomes == {"fine", "damaged"}


@pytest.mark.parametrize("damage", [lambda _: b"", lambda _: b"not an image", lambda good: good[: len(good) // 2]])
def test_a_file_that_is_no_image_is_named(folder, damage):
    file = folder / "red" / "0.png"
    file.write_bytes(damage(file.read_bytes()))
    message = one_line(Folder(path=str(folder), samples=6, size=4))
    assert str(file) in message
    assert "repair or remove it" in message


@pytest.mark.parametrize("kind", ["missing", "a file", "no classes", "an empty class"])
def test_a_folder_that_is_no_data_set_says_what_is_expected(tmp_path, kind):
    path = tmp_path / "data"
    if kind == "a file":
        path.touch()
    elif kind == "no classes":
        path.mkdir()
    elif kind == "an empty class":
        (path / "cats").mkdir(parents=True)
    message = one_line(Folder(path=str(path)))
    assert str(path) in message
    assert "one subfolder of images per class" in message


def test_a_strange_name_does_not_reach_the_terminal_raw(folder):
    (folder / "red" / "a\x1b[2J\nb.png").write_bytes(b"no")
    one_line(Folder(path=str(folder), samples=7, size=4))


def test_samples_are_drawn_by_pcg64():
    from sklearn.datasets import load_digits

    chosen = np.random.Generator(np.random.PCG64(9)).permutation(1797)[:5]
    assert np.array_equal(load(Digits(samples=5, seed=9)).label.numpy(), load_digits().target[chosen])


def test_errors_are_short_whatever_the_reader_says(tmp_path):
    path = tmp_path / "data"
    for number in range(60):
        (path / f"class{number}").mkdir(parents=True)
    assert len(one_line(Folder(path=str(path)))) < 400


@pytest.mark.parametrize("size", [5, 8, 33])
@pytest.mark.parametrize(("width", "height"), [(8, 8), (13, 40), (41, 12), (90, 7), (5, 6)])
def test_pictures_are_scaled_and_cut_as_torchvision_does(tmp_path, width, height, size):
    from PIL import Image
    from torchvision.transforms import functional

    (tmp_path / "a").mkdir()
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8))
    picture.save(tmp_path / "a" / "1.png")
    theirs = functional.center_crop(functional.resize(picture, [size]), [size, size])
    ours = load(Folder(path=str(tmp_path), size=size, samples=1))
    assert torch.equal(ours.input[0], functional.pil_to_tensor(theirs) / torch.tensor(255.0, dtype=torch.float64))
