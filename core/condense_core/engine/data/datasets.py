"""A scenario's data as tensors: inputs, targets and labels.   # N samples, I inputs, D outputs, C classes"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from msgspec import structs
from torch import Tensor
from torch.nn import functional

from condense_core.engine.data import formulas
from condense_core.engine.data.anchors import Sequences, draw_sequences
from condense_core.engine.data.images import Images, open_images, read_images
from condense_core.engine.data.own_set import own_arrays
from condense_core.errors import DataError
from condense_core.scenario.arrays import OwnArrays
from condense_core.scenario.data_sizes import arrays_of
from condense_core.scenario.experiment import (
    Anchors,
    Cifar10,
    Cifar100,
    Csv,
    Data,
    Formula,
    ImageData,
    Labels,
    Mnist,
    Npz,
    OwnSet,
    Sine,
)
from condense_core.scenario.formula import parse
from condense_core.text import place_of, printable


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """The whole sample, float64 on the CPU until `to` moves it.

    `input` (N, channels, rows, columns) or (N, I); `target` (N, D) is what the loss compares the output with; `label`
    (N,) the class numbers as int64 and `class_target` (C, D) the target of each class, both None for data without
    classes; `note` says in one line where the sample comes from, `found` what was found in a user's own set, empty for
    others. `test` is the sample held out, if any, `unseen` one of what the data keep from training altogether.
    """

    name: str
    note: str
    input: Tensor
    target: Tensor
    label: Tensor | None = None
    class_target: Tensor | None = None
    test: Dataset | None = None
    unseen: Dataset | None = None
    found: str = ""

    @property
    def fingerprint(self) -> str:
        """A hexadecimal number that another value in the sample would change; empty for data that are no user's own."""
        if not self.found:
            return ""
        digest = hashlib.blake2b(digest_size=16)
        for part in (self, self.test):
            for values in () if part is None else (part.input, part.target):
                digest.update(str(tuple(values.shape)).encode())
                digest.update(values.contiguous().numpy().data)
        return digest.hexdigest()

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one sample."""
        return tuple(self.input.shape[1:])

    @property
    def outputs(self) -> int:
        """D, the number of outputs that a network needs."""
        return self.target.shape[1]

    @property
    def classes(self) -> int:
        """C, the number of classes of the full set; 0 without classes."""
        return 0 if self.class_target is None else len(self.class_target)

    @cached_property
    def largest_target(self) -> float:
        """The largest size of a target; NaN where one is."""
        return self.target.abs().max().item()

    def __len__(self) -> int:
        return len(self.input)

    def part(self, own: slice) -> Dataset:
        """Some of the samples, in the same memory."""
        label = None if self.label is None else self.label[own]
        return replace(self, input=self.input[own], target=self.target[own], label=label)

    def held_out_after(self, trained: int) -> Dataset:
        """The first samples, and all others as those that are held out."""
        return replace(self.part(slice(trained)), test=self.part(slice(trained, None)))

    def to(self, device: torch.device | str, dtype: torch.dtype) -> Dataset:
        """The same sample on a device, its floating-point parts cast to `dtype`; images one colour after the other, as
        networks are trained that ask for no other layout (`fast`), however a file has them."""
        return replace(
            self,
            input=self.input.to(device, dtype).contiguous(),
            target=self.target.to(device, dtype),
            label=None if self.label is None else self.label.to(device),
            class_target=None if self.class_target is None else self.class_target.to(device, dtype),
            test=None if self.test is None else self.test.to(device, dtype),
            unseen=None if self.unseen is None else self.unseen.to(device, dtype),
        )


def load(data: Data) -> Dataset:
    """The sample that a scenario names; the same scenario gives the same sample on every machine.

    Targets of images are the class number (`raw`, (N, 1)), the class number minus its mean over the sample
    (`centred`, (N, 1)), or one-hot (N, C). DataError where the data are missing, damaged, or too few.
    """
    if isinstance(data, Sine | Formula):
        return _function(data)
    if isinstance(data, Anchors):
        return _anchors(data)
    if isinstance(data, Npz | Csv):
        return _own(data, arrays_of(data))
    if isinstance(data, OwnSet):
        return _of_plugin(data)
    if data.test_samples == 0:
        return _images(data, read_images(data))
    if isinstance(data, Mnist | Cifar10 | Cifar100) and data.train:
        trained = _images(data, read_images(data))
        other = structs.replace(data, train=False, samples=data.test_samples)
        held_out = _images(other, read_images(other))
        if trained.class_target is not None and held_out.label is not None:
            # labels are centred by the mean of what is trained on
            class_target = trained.class_target
            held_out = replace(held_out, class_target=class_target, target=class_target[held_out.label])
        return replace(trained, test=held_out)
    all_of_it = structs.replace(data, samples=data.samples + data.test_samples)
    both = _images(all_of_it, read_images(all_of_it), trained=data.samples)
    return both.held_out_after(data.samples)


def open_draws(data: Data) -> Callable[[int, Labels], Dataset]:
    """The data set read once, to be drawn from many times: (seed, labels) gives `load` with those two changed.

    Numbers that are trained towards as they are have no labels to choose, and ignore them.
    """
    if isinstance(data, Sine | Formula):
        points = data
        return lambda seed, _: _function(structs.replace(points, seed=seed))
    if isinstance(data, Anchors):
        sequences = data
        return lambda seed, _: _anchors(structs.replace(sequences, seed=seed))
    if isinstance(data, Npz | Csv):
        own, arrays = data, arrays_of(data)
        return lambda seed, labels: _own(structs.replace(own, seed=seed, labels=labels), arrays)
    if isinstance(data, OwnSet):
        of_plugin = data
        return lambda seed, labels: _of_plugin(structs.replace(of_plugin, seed=seed, labels=labels))
    images, drawn_from = data, open_images(data)

    def draw(seed: int, labels: Labels) -> Dataset:
        return _images(structs.replace(images, seed=seed, labels=labels), drawn_from(seed))

    return draw


def _images(data: ImageData, images: Images, trained: int | None = None) -> Dataset:
    class_target = _class_targets(data.labels, images.classes, images.label[:trained])
    return Dataset(
        name=images.name,
        note=f"{trained or data.samples} of {images.available} images, seed {data.seed}",
        input=images.pixel,
        target=class_target[images.label],
        label=images.label,
        class_target=class_target,
        found=images.class_names,
    )


def _class_targets(labels: Labels, classes: int, label: Tensor) -> Tensor:
    if labels == "onehot":
        return functional.one_hot(torch.arange(classes), classes).to(torch.float64)
    number_C1 = torch.arange(classes, dtype=torch.float64)[:, None]
    return number_C1 if labels == "raw" else number_C1 - label.to(torch.float64).mean()


def _own(data: Npz | Csv, arrays: OwnArrays) -> Dataset:
    available = len(arrays.input)
    trained = arrays.trained(data.samples, data.test_samples)
    held_out = arrays.held_out(data.test_samples)
    chosen = np.random.Generator(np.random.PCG64(data.seed)).permutation(available)
    sample = chosen[:trained]
    whole = Dataset(
        name=printable(place_of(data.path).name),
        note=f"{trained:,} of {available:,} samples, seed {data.seed}",
        input=_numbers(arrays.input[sample]),
        target=torch.from_numpy(arrays.target[sample]),
        found=arrays.in_words,
    )
    if arrays.class_names:
        label = whole.target
        class_target = _class_targets(data.labels, len(arrays.class_names), label)
        whole = replace(whole, target=class_target[label], label=label, class_target=class_target)
    if not held_out:
        return whole
    if arrays.test_input is None or arrays.test_target is None:
        other_input, other_target = arrays.input, arrays.target
        other = chosen[trained : trained + held_out]
    else:
        other_input, other_target = arrays.test_input, arrays.test_target
        # drawn apart, so that the sample that is trained on does not depend on how many are held out
        other = np.random.Generator(np.random.PCG64(data.seed)).permutation(len(other_input))[:held_out]
    target = torch.from_numpy(other_target[other])
    test = replace(whole, input=_numbers(other_input[other]), target=target)
    if whole.class_target is not None:
        test = replace(test, target=whole.class_target[target], label=target)
    return replace(whole, test=test)


def _of_plugin(data: OwnSet) -> Dataset:
    arrays = own_arrays(data)
    input_, target = _numbers(arrays.input), torch.from_numpy(arrays.target)
    whole = Dataset(
        name=data.set,
        note=f"{data.samples:,} samples, seed {data.seed}",
        input=input_,
        target=target,
        found=f"{arrays.source}: {arrays.in_words}",
    )
    if arrays.class_names:
        class_target = _class_targets(data.labels, len(arrays.class_names), target[: data.samples])
        whole = replace(whole, target=class_target[target], label=target, class_target=class_target)
    if not data.test_samples:
        return whole
    return whole.held_out_after(data.samples)


def _numbers(value: np.ndarray[Any, np.dtype[Any]]) -> Tensor:
    """In float64; pictures of 8 bits in [0, 1], as those of other sets are."""
    bits = value.dtype == np.uint8 and value.ndim == 4
    return torch.from_numpy(value.astype(np.float64)) / (255.0 if bits else 1.0)


def _anchors(data: Anchors) -> Dataset:
    drawn = draw_sequences(data)
    class_target = torch.eye(data.vocabulary, dtype=torch.float64)

    def sample(sequences: Sequences) -> Dataset:
        label = torch.from_numpy(sequences.target_N)
        return Dataset(
            name="anchors",
            note=f"{data.samples:,} of {data.possible(data.seen_pairs):,} sequences, seed {data.seed}",
            # tokens are whole numbers far below what any type of float has exactly
            input=torch.from_numpy(sequences.token_NT).double(),
            target=class_target[label],
            label=label,
            class_target=class_target,
        )

    test, unseen = (sample(part) if len(part.target_N) else None for part in (drawn.test, drawn.of_unseen))
    return replace(sample(drawn.trained), test=test, unseen=unseen)


def _function(data: Sine | Formula) -> Dataset:
    count = data.samples + data.test_samples
    # The legacy generator: its stream for a seed is frozen, and published draws are named by it.
    random = np.random.RandomState(data.seed)
    even = isinstance(data, Formula) and data.spacing == "even"
    drawn = random.uniform(data.low, data.high, (data.test_samples if even else count, data.inputs))
    point_NI = np.concatenate([_grid(data), drawn]) if isinstance(data, Formula) and even else drawn
    value_N1 = _sine(data, point_NI) if isinstance(data, Sine) else _formula(data, point_NI)
    input_NI, target_N1 = torch.from_numpy(point_NI), torch.as_tensor(value_N1)
    spread = "even points" if even else "points"
    points = Dataset(
        name="sine" if isinstance(data, Sine) else "formula",
        note=f"{data.samples} {spread} in [{data.low:g}, {data.high:g}]^{data.inputs}, seed {data.seed}",
        input=input_NI[: data.samples],
        target=target_N1[: data.samples],
    )
    if not data.test_samples:
        return points
    return replace(points, test=replace(points, input=input_NI[data.samples :], target=target_N1[data.samples :]))


def _sine(data: Sine, point_NI: formulas.PointArray) -> formulas.PointArray:
    used = point_NI[:, : data.used]
    waves = (
        (amplitude * np.sin(frequency * used + phase)).sum(axis=1, keepdims=True)
        for amplitude, frequency, phase in data.terms
    )
    return np.asarray(sum(waves))


def _formula(data: Formula, point_NI: formulas.PointArray) -> formulas.PointArray:
    value_N = formulas.values(parse(data.target, data.inputs), point_NI)
    wrong = np.flatnonzero(~np.isfinite(value_N))
    if len(wrong):
        point = ", ".join(f"x{place + 1} = {value:.4g}" for place, value in enumerate(point_NI[wrong[0]][:8]))
        raise DataError(
            f"data.target: {value_N[wrong[0]]} at {point}, one of {len(wrong):,} points of {len(value_N):,}; expected a"
            " finite value in all of [data.low, data.high]"
        )
    return value_N[:, None]


def _grid(data: Formula) -> formulas.PointArray:
    side = np.linspace(data.low, data.high, data.side)
    return np.stack(np.meshgrid(*[side] * data.inputs, indexing="ij"), axis=-1).reshape(-1, data.inputs)
