"""MNIST's own format (IDX), unpacked or as it is downloaded (.gz): torchvision looks at unpacked files only."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np

from condense_core.foreign import open_file

# Bytes of an unpacked file: the largest set of this format, EMNIST, has 698,000 images of 28×28.
LARGEST = 1_000_000_000
_UNSIGNED_BYTE = 8

Bytes = np.ndarray[Any, np.dtype[np.uint8]]


def read(raw: Path, train: bool) -> tuple[Bytes, Bytes]:
    """Images (N, 28, 28) and labels (N,) of one split in MNIST's folder `raw`.

    RuntimeError where a file is there neither unpacked nor as .gz; ValueError or OSError where one is damaged.
    """
    split = "train" if train else "t10k"
    images = _read(raw, f"{split}-images-idx3-ubyte", 3)
    labels = _read(raw, f"{split}-labels-idx1-ubyte", 1)
    if len(images) != len(labels):
        raise ValueError(f"{len(images)} images, {len(labels)} labels")
    return images, labels


def is_there(raw: Path, train: bool) -> bool:
    """Whether both files of a split are in `raw`, unpacked or as .gz."""
    split = "train" if train else "t10k"
    names = (f"{split}-images-idx3-ubyte", f"{split}-labels-idx1-ubyte")
    return all((raw / name).exists() or (raw / f"{name}.gz").exists() for name in names)


def _read(raw: Path, name: str, dimensions: int) -> Bytes:
    """The array in an IDX file: two zeros, the type of its values, how many dimensions, their sizes, the values."""
    file = raw / name
    packed = file.with_name(f"{name}.gz")
    if not file.exists() and not packed.exists():
        raise RuntimeError(f"no {name}, with or without .gz")
    if file.exists():
        with open_file(file) as opened:
            content = opened.read(LARGEST + 1)
    else:
        with open_file(packed) as opened, gzip.open(opened) as unpacked:
            content = unpacked.read(LARGEST + 1)
    header = 4 + 4 * dimensions
    if len(content) < header or content[:4] != bytes((0, 0, _UNSIGNED_BYTE, dimensions)):
        raise ValueError(f"{name} is not of MNIST's format")
    shape = np.frombuffer(content[4:header], ">u4").astype(np.int64)
    wanted = header + int(np.prod(shape.astype(object)))
    if len(content) != wanted:
        raise ValueError(f"{name} has {len(content):,} bytes, not the {wanted:,} that it says itself")
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape).copy()
