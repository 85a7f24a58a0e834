"""Whether data of one's own are what a scenario's network and loss need: what is known only once the file is read."""

from __future__ import annotations

from condense_core.errors import DataError
from condense_core.scenario.arrays import OwnArrays
from condense_core.scenario.convolutions import least_side, why_no_variance
from condense_core.scenario.data import Csv, Npz, OwnSet
from condense_core.scenario.experiment import Experiment


def check_fits(experiment: Experiment, arrays: OwnArrays) -> None:
    """DataError, in one line that names the file, what was expected and what to do, where they do not fit."""
    data = experiment.data
    assert isinstance(data, Npz | Csv | OwnSet)
    trained = arrays.trained(data.samples, data.test_samples)
    arrays.held_out(data.test_samples)
    batch = experiment.optimizer.batch
    if batch is not None and batch > trained:
        raise DataError(f"{arrays.source}: {trained:,} samples to train on; lower optimizer.batch, which is {batch:,}")
    if experiment.trunk is not None and (batch or trained) < 2:
        raise DataError(f"{arrays.source}: one sample a step; expected two or more for trunk = {experiment.trunk!r}")
    if not arrays.class_names and experiment.loss != "mse":
        raise DataError(
            f"{arrays.source}: numbers to be trained towards; expected loss = 'mse' for them, got {experiment.loss!r},"
            f" or classes: {_CLASSES[type(data)]}"
        )
    if experiment.stop is not None and experiment.stop.accuracy is not None and not arrays.class_names:
        raise DataError(
            f"{arrays.source}: numbers have no accuracy; expected no stop.accuracy, or stop.loss_ratio instead"
        )
    _check_images(experiment, arrays, batch or trained)


_CLASSES = {Npz: "y as whole numbers", Csv: "data.values=classes", OwnSet: "targets as whole numbers"}


def _check_images(experiment: Experiment, arrays: OwnArrays, samples: int) -> None:
    convolutions = experiment.convolutions
    shape = arrays.input.shape[1:]
    if not convolutions and experiment.trunk is None:
        return
    what = (
        f"a trunk of {experiment.trunk}"
        if experiment.trunk is not None
        else f"{len(convolutions)} convolution{'s' * (len(convolutions) > 1)}"
    )
    if len(shape) != 3:
        raise DataError(
            f"{arrays.source}: samples of {shape[0]:,} inputs for {what}; expected X of shape (samples, channels, rows,"
            " columns), or a scenario of dense layers (such as fcn-fig03-tanh)"
        )
    if experiment.trunk is not None and shape[0] != 3:
        raise DataError(f"{arrays.source}: images of {shape[0]} channels for {what}; expected 3, red, green and blue")
    least = least_side(convolutions.values())
    if min(shape[1:]) < least:
        sizes = ", ".join(str(layer.size) for layer in convolutions.values())
        pools = ", ".join(str(layer.pool_size) for layer in convolutions.values() if layer.pool)
        raise DataError(
            f"{arrays.source}: images of {shape[1]}×{shape[2]} pixels for filters of {sizes}"
            f"{pools and f' and pools of {pools}'}; "
            f"expected {least} or more a side: use larger images, smaller filters or fewer convolutions"
        )
    if why := why_no_variance(convolutions, shape[1], shape[2], samples):
        raise DataError(f"{arrays.source}: {why}")
