"""The data a scenario can name, and what can be said of each."""

from __future__ import annotations

import math
from typing import Literal

from condense_core.errors import DataError
from condense_core.scenario.checked import Checked, at_least, check_path, require
from condense_core.scenario.class_folders import class_folders
from condense_core.text import place_of

Labels = Literal["raw", "centred", "onehot"]


class _Images(Checked, frozen=True, kw_only=True):
    """Fields every image data set has; pixels are in [0, 1] and a raw label is the class number itself.

    `test_samples` images are held out, to measure the accuracy on what was not trained: of the set's own test split
    where it has one that is not trained on, else the images drawn next after the sample.
    """

    samples: int = 500
    test_samples: int = 0
    seed: int = 0
    labels: Labels = "onehot"

    def __post_init__(self) -> None:
        at_least("samples", self.samples, 1)
        at_least("test_samples", self.test_samples, 0)
        at_least("seed", self.seed, 0)


class Digits(_Images, frozen=True, kw_only=True, tag_field="name", tag="digits"):
    """scikit-learn's 1,797 scanned digits, 1×8×8, ten classes; always there."""


class Photos(_Images, frozen=True, kw_only=True, tag_field="name", tag="photos"):
    """Random colour patches of scikit-learn's two photographs, 3×size×size, two classes; always there."""

    size: int = 16

    def __post_init__(self) -> None:
        super().__post_init__()
        require(4 <= self.size <= 256, "size", "a patch of 4 to 256 pixels", self.size)


class _Torchvision(_Images, frozen=True, kw_only=True):
    """A data set that torchvision reads from `root`, and fetches only when `download` is set."""

    root: str | None = None
    download: bool = False
    train: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.root is not None:
            check_path("root", self.root, "a folder")


class Mnist(_Torchvision, frozen=True, kw_only=True, tag_field="name", tag="mnist"):
    """MNIST, 1×28×28, ten classes."""


class Cifar10(_Torchvision, frozen=True, kw_only=True, tag_field="name", tag="cifar10"):
    """CIFAR-10, 3×32×32, ten classes."""


class Cifar100(_Torchvision, frozen=True, kw_only=True, tag_field="name", tag="cifar100"):
    """CIFAR-100, 3×32×32, a hundred classes."""


class Folder(_Images, frozen=True, kw_only=True, tag_field="name", tag="folder"):
    """Your own images, one folder a class, resized and cropped to size×size; what is read and how: docs/DATA.md."""

    path: str
    size: int = 32
    grey: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_path("path", self.path, "a folder with one folder of images for each class")
        require(4 <= self.size <= 512, "size", "4 to 512 pixels", self.size)


class Sine(Checked, frozen=True, kw_only=True, tag_field="name", tag="sine"):
    """y = Σ_k Σ_t a_t sin(w_t x_k + c_t) over the first `used` of `inputs` coordinates, x uniform in [low, high].

    `terms` lists (amplitude a, frequency w, phase c). Points are drawn with NumPy's legacy RandomState(seed), so a
    published draw can be named.
    """

    samples: int = 80
    seed: int = 0
    inputs: int = 5
    used: int | None = None
    low: float = -4.0
    high: float = 2.0
    terms: tuple[tuple[float, float, float], ...] = ((3.5, 5.0, 1.0),)

    def __post_init__(self) -> None:
        at_least("samples", self.samples, 1)
        require(0 <= self.seed < 2**32, "seed", "0 to 4294967295", self.seed)
        at_least("inputs", self.inputs, 1)
        if self.used is not None:
            require(1 <= self.used <= self.inputs, "used", f"1 to inputs ({self.inputs})", self.used)
        require(math.isfinite(self.low), "low", "a finite number", self.low)
        require(math.isfinite(self.high), "high", "a finite number", self.high)
        require(self.low < self.high, "low", f"less than high ({self.high})", self.low)
        require(len(self.terms) > 0, "terms", "at least one (amplitude, frequency, phase)", self.terms)
        for term in self.terms:
            require(all(map(math.isfinite, term)), "terms", "finite numbers", term)


ImageData = Digits | Photos | Mnist | Cifar10 | Cifar100 | Folder
Data = Digits | Photos | Mnist | Cifar10 | Cifar100 | Folder | Sine


def input_shape(data: Data) -> tuple[int, int]:
    """Channels of a sample and pixels of its side; a function's coordinates count as channels of one pixel."""
    match data:
        case Sine():
            return data.inputs, 1
        case Digits():
            return 1, 8
        case Mnist():
            return 1, 28
        case Cifar10() | Cifar100():
            return 3, 32
        case Photos():
            return 3, data.size
        case Folder():
            return 1 if data.grey else 3, data.size


def output_count(data: Data) -> int | None:
    """How many outputs a network on these data has; None for a folder of images that is not here."""
    if isinstance(data, Sine) or data.labels != "onehot":
        return 1
    match data:
        case Photos():
            return 2
        case Cifar100():
            return 100
        case Folder():
            try:
                return len(class_folders(place_of(data.path)))
            except DataError:
                return None
        case _:
            return 10
