"""The data a scenario can name, and what can be said of each."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from condense_core.errors import DataError
from condense_core.scenario.checked import Checked, at_least, check_path, require
from condense_core.scenario.class_folders import class_folders, named
from condense_core.scenario.formula import parse
from condense_core.text import place_of

if TYPE_CHECKING:
    from condense_core.scenario.arrays import OwnArrays

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


class _Own(Checked, frozen=True, kw_only=True):
    """Fields of a file of your own with arrays or a table; what is read and how: docs/DATA.md."""

    path: str
    samples: int | None = None
    """Rows to train on, drawn by `seed`; none means all that are not held out."""
    test_samples: int | None = None
    """Rows to hold out; none means the file's own test set, where it has one."""
    seed: int = 0
    labels: Labels = "onehot"
    """What is trained towards where the file holds classes; numbers are trained towards as they are."""

    def __post_init__(self) -> None:
        check_path("path", self.path, "a file")
        if self.samples is not None:
            at_least("samples", self.samples, 1)
        if self.test_samples is not None:
            at_least("test_samples", self.test_samples, 0)
        at_least("seed", self.seed, 0)


class Npz(_Own, frozen=True, kw_only=True, tag_field="name", tag="npz"):
    """NumPy's arrays X and y in one file, and X_test and y_test where there are any."""


class Csv(_Own, frozen=True, kw_only=True, tag_field="name", tag="csv"):
    """A table of numbers, a row a sample; the column `target`, else the last one, is trained towards."""

    target: str | None = None
    values: Literal["classes", "numbers"] | None = None
    """What the target column holds; none means by the rule in docs/DATA.md."""
    test_path: str | None = None
    """A table of the same columns, that is held out; none means rows of the first one, where `test_samples` says so."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.test_path is not None:
            check_path("test_path", self.test_path, "a file")


class _Points(Checked, frozen=True, kw_only=True):
    """Fields of a function: `test_samples` further points are held out."""

    samples: int = 80
    test_samples: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        at_least("samples", self.samples, 1)
        at_least("test_samples", self.test_samples, 0)
        require(0 <= self.seed < 2**32, "seed", "0 to 4294967295", self.seed)


class Sine(_Points, frozen=True, kw_only=True, tag_field="name", tag="sine"):
    """y = Σ_k Σ_t a_t sin(w_t x_k + c_t) over the first `used` of `inputs` coordinates, x uniform in [low, high].

    `terms` lists (amplitude a, frequency w, phase c). Points are drawn with NumPy's legacy RandomState(seed), so a
    published draw can be named.
    """

    inputs: int = 5
    used: int | None = None
    low: float = -4.0
    high: float = 2.0
    terms: tuple[tuple[float, float, float], ...] = ((3.5, 5.0, 1.0),)

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least("inputs", self.inputs, 1)
        if self.used is not None:
            require(1 <= self.used <= self.inputs, "used", f"1 to inputs ({self.inputs})", self.used)
        _check_interval(self.low, self.high)
        require(len(self.terms) > 0, "terms", "at least one (amplitude, frequency, phase)", self.terms)
        for term in self.terms:
            require(all(map(math.isfinite, term)), "terms", "finite numbers", term)


class Formula(_Points, frozen=True, kw_only=True, tag_field="name", tag="formula"):
    """y = `target`, a formula of x1 to x`inputs`, at points in [low, high]^inputs; what it may hold: docs/DATA.md.

    Points are drawn as `Sine` draws them, or stand `even`ly: in a grid that includes both ends, of samples^(1/inputs)
    points a side.
    """

    target: str
    inputs: int = 1
    low: float = -1.0
    high: float = 1.0
    spacing: Literal["even", "uniform"] = "uniform"

    def __post_init__(self) -> None:
        super().__post_init__()
        require(1 <= self.inputs <= 65536, "inputs", "1 to 65536", self.inputs)
        _check_interval(self.low, self.high)
        try:
            parse(self.target, self.inputs)
        except ValueError as error:
            raise ValueError(f"target: {error}") from None
        if self.spacing == "even":
            fits = self.side**self.inputs == self.samples and (self.side > 1 or self.samples == 1)
            grid = "" if self.inputs == 1 else f", a whole number to the power of inputs ({self.inputs})"
            require(fits, "samples", f"a grid for spacing = 'even'{grid}", self.samples)

    @property
    def side(self) -> int:
        """Points a side of the even grid."""
        exact: float = self.samples ** (1 / self.inputs)
        return round(exact)


def _check_interval(low: float, high: float) -> None:
    require(math.isfinite(low), "low", "a finite number", low)
    require(math.isfinite(high), "high", "a finite number", high)
    require(low < high, "low", f"less than high ({high})", low)


ImageData = Digits | Photos | Mnist | Cifar10 | Cifar100 | Folder
Data = Digits | Photos | Mnist | Cifar10 | Cifar100 | Folder | Npz | Csv | Sine | Formula


def arrays_of(data: Npz | Csv) -> OwnArrays:
    """What the file holds; DataError in one line where it is not there or cannot be used."""
    # what is only needed to read such a file is no matter of a program's start
    from condense_core.scenario import csv_file, npz_file

    place = place_of(data.path)
    if isinstance(data, Npz):
        return npz_file.read(place)
    return csv_file.read(place, data.target, data.values, None if data.test_path is None else place_of(data.test_path))


def arrays_here(data: Npz | Csv) -> OwnArrays | None:
    """`arrays_of`; None where that is an error, as on another machine than the file's."""
    try:
        return arrays_of(data)
    except DataError:
        return None


def found_in(data: Data) -> str:
    """What a user's own set holds, after its path; empty for the others. DataError where it cannot be read."""
    if isinstance(data, Folder):
        return f"{data.path}: {named(class_folders(place_of(data.path)))}"
    return f"{data.path}: {arrays_of(data).in_words}" if isinstance(data, Npz | Csv) else ""


def input_shape(data: Data) -> tuple[int, int] | None:
    """Channels of a sample and pixels of its side; the coordinates of a function or a table count as channels of one
    pixel. None for a file that is not here, and for images that are no squares."""
    match data:
        case Sine() | Formula():
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
        case Npz() | Csv():
            found = arrays_here(data)
            if found is None:
                return None
            channels, *sides = found.input.shape[1:]
            return (channels, sides[0] if sides else 1) if len(set(sides)) < 2 else None


def output_count(data: Data) -> int | None:
    """How many outputs a network on these data has; None for a folder or a file that is not here."""
    if isinstance(data, Sine | Formula):
        return 1
    if isinstance(data, Npz | Csv):
        found = arrays_here(data)
        return None if found is None else found.outputs(data.labels)
    if data.labels != "onehot":
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


def sample_count(data: Data) -> int | None:
    """Samples that are trained on; None for all of a file that is not here."""
    if data.samples is not None or not isinstance(data, Npz | Csv):
        return data.samples
    try:
        return arrays_of(data).trained(data.samples, data.test_samples)
    except DataError:
        return None
