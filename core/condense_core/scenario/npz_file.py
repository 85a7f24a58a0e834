"""NumPy's .npz: arrays X and y, and X_test and y_test where there are any. Nothing in it is ever unpickled."""

from __future__ import annotations

import functools
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from condense_core.errors import DataError
from condense_core.foreign import decoding, open_file
from condense_core.scenario.arrays import (
    MOST_TARGETS,
    OwnArrays,
    called,
    check_finite,
    check_input,
    check_size,
    classes_of,
    listed,
)
from condense_core.text import short

if TYPE_CHECKING:
    from condense_core.scenario.arrays import NumericArray

_HOW = "numpy.savez(PATH, X=X, y=y)"
_NAMES = ("X", "y", "X_test", "y_test")
# How NumPy marks what it has put into a .npy file of its own.
_SINGLE = b"\x93NUMPY"


def read(place: Path) -> OwnArrays:
    """The arrays in the file; DataError in one line where it is missing, damaged, or holds something else."""
    source = called(place)
    with decoding(DataError, f"data.path: {source} cannot be read as .npz"):
        state = place.stat()
        return _read(place, source, state.st_mtime_ns, state.st_size)


# one is kept: what is checked before a run starts is read again to be trained on
@functools.lru_cache(maxsize=1)
def _read(place: Path, source: str, _changed: int, _size: int) -> OwnArrays:
    with open_file(place) as opened:
        start = opened.read(len(_SINGLE))
        if start == _SINGLE:
            raise DataError(f"{source}: a single array (.npy); expected X and y in one file: {_HOW}")
        if not zipfile.is_zipfile(opened):
            raise DataError(f"{source}: {'empty' if not start else 'not a .npz file'}; expected one as of {_HOW}")
        with zipfile.ZipFile(opened) as archive:
            held = {name.removesuffix(".npy") for name in archive.namelist()}
            for name in ("X", "y"):
                if name not in held:
                    has = f"it holds {listed(tuple(sorted(held)))}" if held else "it is empty"
                    raise DataError(f"{source}: no array {name}; expected X and y ({has}): {_HOW}")
            if ("X_test" in held) != ("y_test" in held):
                there, missing = ("X_test", "y_test") if "X_test" in held else ("y_test", "X_test")
                raise DataError(f"{source}: {there} without {missing}; expected both or neither")
            found = {name: _array(archive, name, source) for name in _NAMES if name in held}
    return _checked(found, source)


def _array(archive: zipfile.ZipFile, name: str, source: str) -> NumericArray:
    """One array, once its header says that it is of a kind and size to be read."""
    import numpy as np

    with archive.open(f"{name}.npy") as header:
        version = np.lib.format.read_magic(header)
        known = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        if version not in known:
            raise DataError(f"{source}: {name} has fields with names; expected numbers")
        shape, _, dtype = known[version](header)
    if dtype.hasobject:
        raise DataError(
            f"{source}: {name} holds Python objects, which are not read; expected numbers: {name}.astype(float)"
        )
    size = dtype.itemsize
    for axis in shape:
        size *= axis
    check_size(size, name, source)
    with archive.open(f"{name}.npy") as stream:
        return np.lib.format.read_array(stream, allow_pickle=False)


def _checked(found: dict[str, NumericArray], source: str) -> OwnArrays:
    for name in ("X", "X_test"):
        if name in found:
            check_input(name, found[name], source)
    tested = "X_test" in found
    if tested and found["X"].shape[1:] != found["X_test"].shape[1:]:
        shapes = f"X {found['X'].shape} and X_test {found['X_test'].shape}"
        raise DataError(f"{source}: samples of different shapes, {shapes}; expected the same")
    targets = {}
    for suffix in ("", "_test") if tested else ("",):
        name, target = f"y{suffix}", found[f"y{suffix}"]
        # a column is as good as a row
        target = target[:, 0] if target.ndim == 2 and target.shape[1] == 1 else target
        if target.ndim == 0 or len(target) != len(found[f"X{suffix}"]):
            count = "a single value" if target.ndim == 0 else f"{len(target):,} values"
            raise DataError(
                f"{source}: {name} has {count} for {len(found[f'X{suffix}']):,} samples in X{suffix}; expected one each"
            )
        targets[name] = target
    classes = targets["y"].dtype.kind in "iubU"
    if tested and classes != (targets["y_test"].dtype.kind in "iubU"):
        raise DataError(f"{source}: of y and y_test one holds classes and the other numbers; expected the same kind")
    if not classes:
        numbers = {name: _numbers(name, target, source) for name, target in targets.items()}
        if tested and numbers["y"].shape[1] != numbers["y_test"].shape[1]:
            raise DataError(
                f"{source}: y has {numbers['y'].shape[1]} targets and y_test {numbers['y_test'].shape[1]}; expected"
                " the same"
            )
        return OwnArrays(
            source=source,
            input=found["X"],
            target=numbers["y"],
            test_input=found.get("X_test"),
            test_target=numbers.get("y_test"),
        )
    value_C, number = _classes(targets, source)
    return OwnArrays(
        source=source,
        input=found["X"],
        target=number["y"],
        class_names=tuple(str(value) for value in value_C.tolist()),
        test_input=found.get("X_test"),
        test_target=number.get("y_test"),
    )


def _classes(targets: dict[str, NumericArray], source: str) -> tuple[NumericArray, dict[str, NumericArray]]:
    """The values that are classes (C,), and the number of each sample's (N,) by the array's name."""
    import numpy as np

    for name, target in targets.items():
        if target.ndim != 1:
            raise DataError(
                f"{source}: {name} holds whole numbers of shape {target.shape}; expected one class a sample, or numbers"
                f" to be trained towards: {name}.astype(float)"
            )
    value_C, number_N = classes_of(targets["y"], f"{source}: y", "; of numbers to be trained towards: y.astype(float)")
    number = {"y": number_N}
    if "y_test" in targets:
        unknown = np.setdiff1d(targets["y_test"], value_C)
        if len(unknown):
            found_there = short(unknown[0].item(), 40)
            has = f"{len(value_C)} classes: {listed(tuple(str(value) for value in value_C.tolist()))}"
            raise DataError(f"{source}: y_test has the class {found_there}, which y has not ({has})")
        number["y_test"] = np.searchsorted(value_C, targets["y_test"])
    return value_C, number


def _numbers(name: str, target: NumericArray, source: str) -> NumericArray:
    """Targets (N, D) as float64."""
    import numpy as np

    if target.dtype.kind != "f" or target.ndim > 2:
        raise DataError(
            f"{source}: {name} holds {target.dtype} of shape {target.shape}; expected whole numbers (samples,) for"
            " classes, or floating-point numbers (samples,) or (samples, targets)"
        )
    columns = 1 if target.ndim == 1 else target.shape[1]
    if not 1 <= columns <= MOST_TARGETS:
        raise DataError(f"{source}: {name} has {columns:,} targets a sample; expected 1 to {MOST_TARGETS:,}")
    check_finite(name, target, source)
    return target.reshape(len(target), columns).astype(np.float64)
