"""The data that a scenario can name."""

from __future__ import annotations

import math
from typing import Literal

from condense_core.scenario.checked import Checked, at_least, check_own_name, check_path, require
from condense_core.scenario.formula import parse

Labels = Literal["raw", "centred", "onehot"]


class _Images(Checked, frozen=True, kw_only=True):
    """Fields every image data set has; pixels are in [0, 1] and a raw label is the class number itself.

    `test_samples` images are held out, to measure the accuracy on what was not trained: of the set's own test split
    where it has one that is not trained on, else the images drawn next after the sample.
    """

    samples: int = 500
    """Images to train on, drawn by `seed`."""
    test_samples: int = 0
    """Images to hold out, whose accuracy and loss are measured and never trained on."""
    seed: int = 0
    """Seed of the draw of images."""
    labels: Labels = "onehot"
    """What is trained towards: the class number, the class number minus its mean, or one output a class."""

    def __post_init__(self) -> None:
        at_least("samples", self.samples, 1)
        at_least("test_samples", self.test_samples, 0)
        at_least("seed", self.seed, 0)


class Digits(_Images, frozen=True, kw_only=True, tag_field="name", tag="digits"):
    """scikit-learn's 1,797 scanned digits, 1×8×8, ten classes; always there."""


class Photos(_Images, frozen=True, kw_only=True, tag_field="name", tag="photos"):
    """Random colour patches of scikit-learn's two photographs, 3×size×size, two classes; always there."""

    size: int = 16
    """Pixels of a patch's side, 4 to 256."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require(4 <= self.size <= 256, "size", "a patch of 4 to 256 pixels", self.size)


class _Torchvision(_Images, frozen=True, kw_only=True):
    """A data set that torchvision reads from `root`, and fetches only when `download` is set."""

    root: str | None = None
    """Folder of the data sets; none means `$CONDENSE_DATA_ROOT`, else the user's cache folder."""
    download: bool = False
    """Whether the data set is fetched where it is missing."""
    train: bool = True
    """Whether images are drawn from the set's training split, or from its test split."""

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
    """The folder, with one folder of images for each class."""
    size: int = 32
    """Pixels of the side that images are cropped to, 4 to 512."""
    grey: bool = False
    """Whether images are read with one channel, not three."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_path("path", self.path, "a folder with one folder of images for each class")
        require(4 <= self.size <= 512, "size", "4 to 512 pixels", self.size)


class _Own(Checked, frozen=True, kw_only=True):
    """Fields of a file of your own with arrays or a table; what is read and how: docs/DATA.md."""

    path: str
    """The file."""
    samples: int | None = None
    """Rows to train on, drawn by `seed`; none means all that are not held out."""
    test_samples: int | None = None
    """Rows to hold out; none means the file's own test set, where it has one."""
    seed: int = 0
    """Seed of the draw of rows."""
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
    """Name of the column that is trained towards; none means the last one."""
    values: Literal["classes", "numbers"] | None = None
    """What the target column holds; none means by the rule in docs/DATA.md."""
    test_path: str | None = None
    """A table of the same columns, that is held out; none means rows of the first one, where `test_samples` says so."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.test_path is not None:
            check_path("test_path", self.test_path, "a file")


class OwnSet(Checked, frozen=True, kw_only=True, tag_field="name", tag="own"):
    """A data set of your own plugin, a function of seed and number of samples (docs/PLUGINS.md)."""

    set: str
    """The data set's name in the plugin."""
    samples: int = 500
    """Samples to train on."""
    test_samples: int = 0
    """Samples to hold out: the last ones of those that the function gives."""
    seed: int = 0
    """The seed that the function is given."""
    labels: Labels = "onehot"
    """What is trained towards where the targets are classes; numbers are trained towards as they are."""

    def __post_init__(self) -> None:
        check_own_name("set", self.set)
        at_least("samples", self.samples, 1)
        at_least("test_samples", self.test_samples, 0)
        at_least("seed", self.seed, 0)


class _Points(Checked, frozen=True, kw_only=True):
    """Fields of a function: `test_samples` further points are held out."""

    samples: int = 80
    """Points to train on."""
    test_samples: int = 0
    """Further points to hold out."""
    seed: int = 0
    """Seed of the draw of points, 0 to 4294967295."""

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
    """Coordinates of a point."""
    used: int | None = None
    """Of how many coordinates, the first ones, the target is a function; none means of all."""
    low: float = -4.0
    """The least value of a coordinate."""
    high: float = 2.0
    """The largest value of a coordinate."""
    terms: tuple[tuple[float, float, float], ...] = ((3.5, 5.0, 1.0),)
    """The sines that are added: (amplitude, frequency, phase) each, the phase in radians."""

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
    """The formula of x1, x2, … that is learned."""
    inputs: int = 1
    """Coordinates of a point, x1 to x`inputs`."""
    low: float = -1.0
    """The least value of a coordinate."""
    high: float = 1.0
    """The largest value of a coordinate."""
    spacing: Literal["even", "uniform"] = "uniform"
    """Whether points are drawn uniformly, or stand in an even grid."""

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


class Anchors(Checked, frozen=True, kw_only=True, tag_field="name", tag="anchors"):
    """Sequences of `length` tokens, among them a key item and, right after it, two anchors: tokens each of which stands
    for adding one of `shifts`. The target is the key with both added; all other tokens are items that say nothing.

    The key stands at any place that leaves room for its anchors. Items are the tokens from 0 to `items` - 1, values up
    to the largest sum follow them, and anchors are the last tokens, in the order of their shifts. All sequences are
    different ones. Of the pairs of different anchors `unseen_pairs` are held out in both orders, drawn by the seed:
    `test_samples` sequences of the other pairs are the held-out sample, and as many of these, or all there are, the
    unseen one.
    """

    samples: int = 4000
    """Sequences to train on."""
    test_samples: int = 500
    """Sequences held out, and of pairs of anchors that training never sees as many."""
    seed: int = 0
    """Draws the sequences and the pairs of anchors that are held out."""
    items: int = 30
    """Tokens that are values: keys, and what says nothing."""
    shifts: tuple[int, ...] = (1, 3, 4, 8)
    """What each anchor adds to the key; there are as many anchors."""
    length: int = 4
    """Tokens of a sequence."""
    unseen_pairs: int = 1
    """Pairs of different anchors that training never sees, in either order."""

    def __post_init__(self) -> None:
        at_least("samples", self.samples, 1)
        at_least("test_samples", self.test_samples, 0)
        at_least("seed", self.seed, 0)
        require(2 <= self.items <= 1000, "items", "2 to 1000", self.items)
        require(2 <= len(self.shifts) <= 100, "shifts", "2 to 100 of them, one an anchor", self.shifts)
        distinct = len(set(self.shifts)) == len(self.shifts)
        in_range = all(0 <= shift <= 1000 for shift in self.shifts)
        require(distinct and in_range, "shifts", "different whole numbers from 0 to 1000", self.shifts)
        require(3 <= self.length <= 64, "length", "3 to 64 tokens", self.length)
        every = len(self.shifts) * (len(self.shifts) - 1) // 2
        require(0 <= self.unseen_pairs < every, "unseen_pairs", f"0 to {every - 1}, of {every}", self.unseen_pairs)
        # each sequence has a number, which NumPy draws as one of 64 bits
        fits = self.possible(self.seen_pairs) < 2**62
        require(fits, "length", "fewer tokens, or fewer items: sequences are numbered up to 2^62", self.length)
        asked, possible = self.samples + self.test_samples, self.possible(self.seen_pairs)
        most = f"at most {possible:,} with test_samples, as many sequences as there are"
        require(asked <= possible, "samples", most, asked)

    @property
    def labels(self) -> Labels:
        """What is trained towards: one of the tokens."""
        return "onehot"

    @property
    def values(self) -> int:
        """Tokens that a target can be: the items, and what the largest sum adds to them."""
        return self.items + 2 * max(self.shifts)

    @property
    def vocabulary(self) -> int:
        """How many different tokens there are."""
        return self.values + len(self.shifts)

    @property
    def seen_pairs(self) -> int:
        """Ordered pairs of anchors that are trained on."""
        return len(self.shifts) ** 2 - 2 * self.unseen_pairs

    def possible(self, pairs: int) -> int:
        """How many different sequences there are of so many pairs of anchors."""
        items: int = self.items ** (self.length - 2)
        return pairs * (self.length - 2) * items


def _check_interval(low: float, high: float) -> None:
    require(math.isfinite(low), "low", "a finite number", low)
    require(math.isfinite(high), "high", "a finite number", high)
    require(low < high, "low", f"less than high ({high})", low)


ImageData = Digits | Photos | Mnist | Cifar10 | Cifar100 | Folder
Data = Digits | Photos | Mnist | Cifar10 | Cifar100 | Folder | Npz | Csv | OwnSet | Sine | Formula | Anchors
