"""What can be said of the data that a scenario names before anything is trained: samples, inputs and outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from condense_core.errors import DataError
from condense_core.scenario.class_folders import class_folders, named
from condense_core.scenario.data import (
    Anchors,
    Cifar10,
    Cifar100,
    Csv,
    Data,
    Digits,
    Folder,
    Formula,
    Mnist,
    Npz,
    OwnSet,
    Photos,
    Sine,
)
from condense_core.text import place_of

if TYPE_CHECKING:
    from condense_core.scenario.arrays import OwnArrays


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
    """Channels of a sample and pixels of its side; the coordinates of a function or a table, and tokens, count as
    channels of one pixel. None for a file that is not here, for a plugin's data, and for images that are no squares."""
    match data:
        case OwnSet():
            return None
        case Sine() | Formula():
            return data.inputs, 1
        case Anchors():
            return data.length, 1
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
    """How many outputs a network on these data has; None for a folder or a file that is not here, and for a plugin's
    data."""
    if isinstance(data, OwnSet):
        return None
    if isinstance(data, Sine | Formula):
        return 1
    if isinstance(data, Anchors):
        return data.vocabulary
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
