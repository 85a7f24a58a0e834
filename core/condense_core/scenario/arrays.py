"""Samples of one's own as arrays, whatever file they are in, and what makes them usable.

# N samples, I inputs, C channels, D targets

Everything here reads other people's numbers: what can be wrong with them ends as one DataError that says what was
expected and what to do. No PyTorch, and NumPy only once there is something to read.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from condense_core.errors import LONGEST_LIST, DataError
from condense_core.text import printable, short

if TYPE_CHECKING:
    import numpy as np

    NumericArray = np.ndarray[Any, np.dtype[Any]]

# Bytes of a whole array, of inputs as float64: all of CIFAR-10 takes 1.2 GB.
LARGEST = 2_000_000_000
# Inputs of a sample: a picture of 3×512×512 has 786,432.
MOST_INPUTS = 1_000_000
# Values of which each is a class of its own: ten times what CIFAR-100 has.
MOST_CLASSES = 1_000
MOST_TARGETS = 1_000
# What the last axis of images is where channels come last.
_CHANNELS = frozenset({1, 3, 4})


@dataclass(frozen=True, kw_only=True)
class OwnArrays:
    """Inputs (N, I), or images (N, C, rows, columns), as they stand in the file, and what belongs to them.

    `target` (N,) are class numbers where there are `class_names`, else numbers (N, D) as float64. `test_input` and
    `test_target` are the file's own test set, None where it has none.
    """

    source: str
    """The file as it is called in messages."""
    input: NumericArray
    target: NumericArray
    class_names: tuple[str, ...] = ()
    test_input: NumericArray | None = None
    test_target: NumericArray | None = None

    def outputs(self, labels: str) -> int:
        """Outputs that a network needs: one for a number, and for a class unless its number is trained towards."""
        if not self.class_names:
            return int(self.target.shape[1])
        return len(self.class_names) if labels == "onehot" else 1

    def trained(self, samples: int | None, test_samples: int | None) -> int:
        """How many samples are trained on; DataError where there are too few."""
        available = len(self.input)
        held_out = self.held_out(test_samples) if self.test_input is None else 0
        wanted = samples if samples is not None else max(1, available - held_out)
        if wanted + held_out > available:
            more = f" and {held_out:,} held out" if held_out else ""
            lower = "data.samples" + (" or data.test_samples" if held_out else "")
            raise DataError(f"{self.source}: {available:,} samples, {wanted:,}{more} were asked for; lower {lower}")
        return wanted

    def held_out(self, test_samples: int | None) -> int:
        """How many samples are held out; DataError where the file's own test set has fewer."""
        own = 0 if self.test_input is None else len(self.test_input)
        if test_samples is None:
            return own
        if self.test_input is not None and test_samples > own:
            raise DataError(
                f"{self.source}: {own:,} samples in its test set, {test_samples:,} were asked for; lower"
                " data.test_samples"
            )
        return test_samples

    @property
    def in_words(self) -> str:
        """`150 samples of 4 inputs, 3 classes: setosa, versicolor, virginica`."""
        shape = self.input.shape[1:]
        what = _count(shape[0], "input") if len(shape) == 1 else f"{'×'.join(map(str, shape))} pixels"
        test = "" if self.test_input is None else f" and {len(self.test_input):,} to test"
        return f"{len(self.input):,} samples{test} of {what}, {self._targets}"

    @property
    def _targets(self) -> str:
        if self.class_names:
            return f"{_count(len(self.class_names), 'class')}: {listed(self.class_names)}"
        return f"{_count(self.target.shape[1], 'number')} from {self.target.min():.4g} to {self.target.max():.4g}"


def listed(names: tuple[str, ...]) -> str:
    """The names in a line, of many the first."""
    text = printable(", ".join(short_name(name) for name in names[:LONGEST_LIST]))
    if len(text) > LONGEST_LIST:
        return f"{text[:LONGEST_LIST].rpartition(', ')[0] or text[:LONGEST_LIST]}, …"
    return text


def short_name(name: str) -> str:
    """A class's or a column's name, of a long one its beginning."""
    return name if len(name) <= 40 else f"{name[:40]}…"


def called(place: Path) -> str:
    """A file in messages, of a long path its end."""
    text = printable(str(place))
    return text if len(text) <= 160 else f"…{text[-159:]}"


def check_input(name: str, array: NumericArray, source: str) -> None:
    """DataError unless these are inputs of samples, or images with their channels first, all of them finite."""
    if array.dtype.kind not in "fiub":
        raise DataError(f"{source}: {name} holds {_kind(array)}; expected numbers")
    if array.ndim not in {2, 4}:
        advice = {1: f"{name}[:, None]", 3: f"{name}[:, None] for grey images"}.get(array.ndim, f"reshape {name}")
        raise DataError(
            f"{source}: {name} has shape {array.shape}; expected (samples, inputs), or (samples, channels, rows,"
            f" columns) for images: {advice}"
        )
    if array.size == 0:
        raise DataError(f"{source}: {name} is empty, of shape {array.shape}; expected at least one sample and input")
    inputs = math.prod(array.shape[1:])
    if inputs > MOST_INPUTS:
        raise DataError(f"{source}: {name} has {inputs:,} inputs a sample; expected at most {MOST_INPUTS:,}")
    if array.ndim == 4 and array.shape[3] in _CHANNELS and array.shape[1] == array.shape[2] > max(_CHANNELS):
        raise DataError(
            f"{source}: {name} has shape {array.shape}, with the channels last; expected (samples, channels, rows,"
            f" columns): {name}.transpose(0, 3, 1, 2)"
        )
    check_size(array.size * 8, name, source)
    check_finite(name, array, source)


def check_size(count: int, name: str, source: str) -> None:
    """DataError for more bytes than are read."""
    if count > LARGEST:
        raise DataError(f"{source}: {name} takes {count:,} bytes; expected at most {LARGEST:,}: keep fewer samples")


def check_finite(name: str, array: NumericArray, source: str) -> None:
    """DataError for a value that is no number, with its place."""
    import numpy as np

    if array.dtype.kind != "f" or bool(np.isfinite(array).all()):
        return
    wrong = ~np.isfinite(array)
    place = tuple(int(axis) for axis in np.argwhere(wrong)[0])
    where = f"{name}[{', '.join(map(str, place))}]"
    raise DataError(
        f"{source}: {where} is {array[place]}, one of {int(wrong.sum()):,} values that are not finite; remove or"
        " replace those samples"
    )


def classes_of(target: NumericArray, source: str, advice: str) -> tuple[NumericArray, NumericArray]:
    """The different values (C,) in their order, and the number (N,) of each sample's; DataError where these are no
    classes. `advice` says what to do where the values were meant as numbers."""
    import numpy as np

    value_C, number_N = np.unique(target, return_inverse=True)
    found = f"{len(value_C):,} different value{'s' * (len(value_C) > 1)} in {_count(len(target), 'sample')}"
    if len(value_C) < 2:
        raise DataError(
            f"{source}: one class, {short(value_C[0].item(), 40)}, in {_count(len(target), 'sample')}; expected two or"
            " more"
        )
    if len(value_C) > MOST_CLASSES:
        raise DataError(f"{source}: {found}; expected at most {MOST_CLASSES:,} classes{advice}")
    return value_C, number_N.reshape(-1).astype(np.int64)


def _kind(array: NumericArray) -> str:
    kinds = {
        "U": "text",
        "S": "bytes",
        "c": "complex numbers",
        "M": "dates",
        "m": "times",
        "V": "records",
        "O": "objects",
    }
    return kinds.get(array.dtype.kind, str(array.dtype))


def _count(number: int, noun: str) -> str:
    plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"
