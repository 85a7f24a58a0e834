"""A scenario's data as tensors: inputs, targets and labels.   # N samples, I inputs, D outputs, C classes"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from msgspec import structs
from torch import Tensor
from torch.nn import functional

from condense_core.engine.data.images import Images, open_images, read_images
from condense_core.scenario.experiment import Cifar10, Cifar100, Data, ImageData, Labels, Mnist, Sine


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """The whole sample, float64 on the CPU until `to` moves it.

    `input` (N, channels, rows, columns) or (N, I); `target` (N, D) is what the loss compares the output with; `label`
    (N,) the class numbers as int64 and `class_target` (C, D) the target of each class, both None for data without
    classes; `note` says in one line where the sample comes from, `class_names` which classes were found in a
    user's own set. `test` is the sample held out, if any.
    """

    name: str
    note: str
    input: Tensor
    target: Tensor
    label: Tensor | None = None
    class_target: Tensor | None = None
    test: Dataset | None = None
    class_names: str = ""

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

    def __len__(self) -> int:
        return len(self.input)

    def select(self, index: Tensor) -> Dataset:
        """The samples of those numbers (int64, on the CPU or the data's device), in that order."""
        index = index.to(self.input.device)
        label = None if self.label is None else self.label[index]
        return replace(self, input=self.input[index], target=self.target[index], label=label)

    def to(self, device: torch.device | str, dtype: torch.dtype) -> Dataset:
        """The same sample on a device, its floating-point parts cast to `dtype`."""
        return replace(
            self,
            input=self.input.to(device, dtype),
            target=self.target.to(device, dtype),
            label=None if self.label is None else self.label.to(device),
            class_target=None if self.class_target is None else self.class_target.to(device, dtype),
            test=None if self.test is None else self.test.to(device, dtype),
        )


def load(data: Data) -> Dataset:
    """The sample that a scenario names; the same scenario gives the same sample on every machine.

    Targets of images are the class number (`raw`, (N, 1)), the class number minus its mean over the sample
    (`centred`, (N, 1)), or one-hot (N, C). DataError where the data are missing, damaged, or too few.
    """
    if isinstance(data, Sine):
        return _sine(data)
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
    index = torch.arange(len(both))
    return replace(both.select(index[: data.samples]), test=both.select(index[data.samples :]))


def open_draws(data: Data) -> Callable[[int, Labels], Dataset]:
    """The data set read once, to be drawn from many times: (seed, labels) gives `load` with those two changed.

    A set of points on a sine has no labels to choose; it ignores them.
    """
    if isinstance(data, Sine):
        points = data
        return lambda seed, _: _sine(structs.replace(points, seed=seed))
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
        class_names=images.class_names,
    )


def _class_targets(labels: Labels, classes: int, label: Tensor) -> Tensor:
    if labels == "onehot":
        return functional.one_hot(torch.arange(classes), classes).to(torch.float64)
    number_C1 = torch.arange(classes, dtype=torch.float64)[:, None]
    return number_C1 if labels == "raw" else number_C1 - label.to(torch.float64).mean()


def _sine(data: Sine) -> Dataset:
    # The legacy generator: its stream for a seed is frozen, and published draws are named by it.
    point_NI = np.random.RandomState(data.seed).uniform(data.low, data.high, (data.samples, data.inputs))
    used = point_NI[:, : data.used]
    value_N1 = sum(
        (amplitude * np.sin(frequency * used + phase)).sum(axis=1, keepdims=True)
        for amplitude, frequency, phase in data.terms
    )
    return Dataset(
        name="sine",
        note=f"{data.samples} points in [{data.low:g}, {data.high:g}]^{data.inputs}, seed {data.seed}",
        input=torch.from_numpy(point_NI),
        target=torch.as_tensor(value_N1),
    )
