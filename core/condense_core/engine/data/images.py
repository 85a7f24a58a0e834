"""Pixels and class numbers of every image data set.   # N samples, C channels, H and W pixels

Apart from `datasets` because everything here reads other people's files: what can go wrong with them ends here, as
one DataError that says what to do. Only the chosen samples are decoded.
"""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from condense_core.engine.data import mnist, scikit_learns
from condense_core.engine.data.pictures import decode
from condense_core.errors import DataError
from condense_core.scenario.class_folders import class_folders, named, pictures
from condense_core.scenario.experiment import Cifar10, Cifar100, Digits, Folder, ImageData, Mnist, Photos
from condense_core.scenario.paths import data_root
from condense_core.text import place_of

# Characters of a foreign path or message that are shown: two lines of an 80-column terminal.
LONGEST_REASON = 160

# Decoded images of a folder that are kept for the next draw: a hundred thousand of 3×32×32.
DECODED_BYTES = 300_000_000

# What readers of damaged files raise, torchvision's and those of formats that it unpacks.
_UNREADABLE = (
    OSError,
    RuntimeError,
    ValueError,
    TypeError,
    LookupError,
    AssertionError,
    SyntaxError,
    EOFError,
    pickle.UnpicklingError,
    zlib.error,
)


@dataclass(frozen=True, kw_only=True)
class Images:
    """The chosen samples: pixels (N, C, H, W) in [0, 1] as float64, class numbers (N,) as int64; and of
    the full set, how many classes and images it has.
    """

    pixel: Tensor
    label: Tensor
    classes: int
    available: int
    name: str
    class_names: str = ""
    """Of a user's own set, the classes that were found, in one line."""


def read_images(data: ImageData) -> Images:
    """`data.samples` images of the set, drawn without replacement by PCG64(data.seed).

    For one seed, a smaller sample is the beginning of a larger one (photos: of the same photo). DataError, in one
    line, where the set is missing or damaged, or has fewer images than asked for.
    """
    return open_images(data)(data.seed)


DrawImages = Callable[[int], Images]


def open_images(data: ImageData) -> DrawImages:
    """The set read once, to be drawn from many times: `open_images(data)(seed)` is `read_images` with that seed."""
    match data:
        case Digits():
            return _digits(data)
        case Photos():
            return _photos(data)
        case Mnist() | Cifar10() | Cifar100():
            return _torchvision(data)
        case Folder():
            return _folder(data)


def _choose(data: ImageData, seed: int, name: str, available: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    if data.samples > available:
        raise _too_few(name, available, data.samples)
    return np.random.Generator(np.random.PCG64(seed)).permutation(available)[: data.samples]


def _too_few(name: str, available: int, wanted: int) -> DataError:
    return DataError(f"{name}: {available} images, {wanted} were asked for; lower data.samples")


def _digits(data: Digits) -> DrawImages:
    image, target = scikit_learns.digits()

    def draw(seed: int) -> Images:
        chosen = _choose(data, seed, "digits", len(image))
        return Images(
            # The scans count dark pixels in blocks of 4×4, so 16 is black.
            pixel=torch.from_numpy(image[chosen] / 16.0)[:, None],
            label=torch.from_numpy(target[chosen]).long(),
            classes=10,
            available=len(image),
            name="digits",
        )

    return draw


def _photos(data: Photos) -> DrawImages:
    photos = scikit_learns.photos()
    corners = [(photo.shape[0] - data.size + 1, photo.shape[1] - data.size + 1) for photo in photos]
    available = sum(rows * columns for rows, columns in corners)
    if data.samples > available:
        raise _too_few(f"photos cut into {data.size}×{data.size} patches", available, data.samples)

    def draw(seed: int) -> Images:
        random = np.random.Generator(np.random.PCG64(seed))
        label = np.arange(data.samples) % len(photos)
        patches = np.empty((data.samples, data.size, data.size, 3), dtype=np.uint8)
        for number, (photo, (rows, columns)) in enumerate(zip(photos, corners, strict=True)):
            slots = np.flatnonzero(label == number)
            places = random.permutation(rows * columns)[: len(slots)]
            for slot, row, column in zip(slots, *np.divmod(places, columns), strict=True):
                patches[slot] = photo[row : row + data.size, column : column + data.size]
        return Images(
            pixel=_to_unit(torch.from_numpy(patches).permute(0, 3, 1, 2)),
            label=torch.from_numpy(label),
            classes=len(photos),
            available=available,
            name="photos",
        )

    return draw


def _torchvision(data: Mnist | Cifar10 | Cifar100) -> DrawImages:
    root = data_root(data.root)
    name, classes = {Mnist: ("MNIST", 10), Cifar10: ("CIFAR-10", 10), Cifar100: ("CIFAR-100", 100)}[type(data)]
    pixels, labels = _read_whole(name, root, data)

    def draw(seed: int) -> Images:
        chosen = _choose(data, seed, name, len(pixels))
        pixel = torch.as_tensor(pixels[chosen])
        return Images(
            pixel=_to_unit(pixel[:, None] if pixel.ndim == 3 else pixel.permute(0, 3, 1, 2)),
            label=labels[chosen],
            classes=classes,
            available=len(pixels),
            name=name,
        )

    return draw


def _read_whole(name: str, root: Path, data: Mnist | Cifar10 | Cifar100) -> tuple[Any, Tensor]:
    download = data.download
    try:
        pixels, classes = _read_mnist(root, data) if isinstance(data, Mnist) else _read_cifar(root, data)
        labels = torch.as_tensor(classes).long()
        if len(labels) != len(pixels):
            raise ValueError(f"{len(pixels)} images, {len(labels)} labels")
    except _UNREADABLE as error:
        reason, shown = _one_line(error), _one_line(root)
        if download and isinstance(error, RuntimeError | OSError):
            advice = f"could not be downloaded to {shown} ({reason}); check the network, or copy its files there"
        elif isinstance(error, RuntimeError):
            advice = f"is missing or damaged in {shown}; give its folder with --data-root DIR, or add --download"
        else:
            advice = (
                f"in {shown} cannot be read ({reason}); remove it and download it again with --download, "
                "or give another folder with --data-root DIR"
            )
        raise DataError(f"{name} {advice}") from error
    return pixels, labels


def _read_mnist(root: Path, data: Mnist) -> tuple[Any, Any]:
    raw = root / "MNIST" / "raw"
    if data.download and not mnist.is_there(raw, data.train):
        from torchvision.datasets import MNIST

        MNIST(root, train=data.train, download=True)
    return mnist.read(raw, data.train)


def _read_cifar(root: Path, data: Cifar10 | Cifar100) -> tuple[Any, Any]:
    from torchvision.datasets import CIFAR10, CIFAR100

    kind = CIFAR10 if isinstance(data, Cifar10) else CIFAR100
    whole = kind(root, train=data.train, download=data.download)
    return whole.data, whole.targets


def _folder(data: Folder) -> DrawImages:
    path = place_of(data.path)
    classes = class_folders(path)
    files = [(file, label) for label, folder in enumerate(classes) for file in pictures(folder)]
    decoded: dict[Path, Tensor] = {}

    def draw(seed: int) -> Images:
        numbers = _choose(data, seed, f"folder {_one_line(path)}", len(files))
        chosen = [files[index] for index in numbers]
        pixel_NCHW = torch.empty(len(chosen), 1 if data.grey else 3, data.size, data.size, dtype=torch.float64)
        for pixel_CHW, (file, _) in zip(pixel_NCHW, chosen, strict=True):
            byte = decoded.get(file)
            if byte is None:
                byte = decode(file, data.size, data.grey)
                if (len(decoded) + 1) * byte.numel() <= DECODED_BYTES:
                    decoded[file] = byte
            pixel_CHW.copy_(byte)
        return Images(
            pixel=pixel_NCHW.div_(255.0),
            label=torch.tensor([label for _, label in chosen]),
            classes=len(classes),
            available=len(files),
            name=_one_line(path.name),
            class_names=named(classes),
        )

    return draw


def _to_unit(byte: Tensor) -> Tensor:
    # in place: a large set is the most memory that loading takes
    return byte.to(torch.float64).div_(255.0)


def _one_line(source: object) -> str:
    """A path or a reader's reason as one short line: readers put lists of mirrors into theirs, and a file name may
    hold what a terminal would obey.
    """
    text = "".join(letter if letter.isprintable() else " " for letter in str(source))
    text = " ".join(text.split()) or type(source).__name__
    return text if len(text) <= LONGEST_REASON else text[: LONGEST_REASON - 1] + "…"
