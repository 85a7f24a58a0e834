"""Data sets of one's own plugins, checked as a file of one's own is.   # N samples, I inputs, D targets"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from torch import Tensor

from condense_core.errors import DataError
from condense_core.plugins.kinds import OwnDataSet
from condense_core.plugins.load import error_in_words, find
from condense_core.scenario.arrays import OwnArrays, check_finite, check_input, classes_of
from condense_core.scenario.data import OwnSet


# the newest one only: whether it fits is asked before it is trained on
@functools.lru_cache(maxsize=1)
def own_arrays(data: OwnSet) -> OwnArrays:
    """What the plugin's function gives for the scenario's seed, the samples that are held out behind the others;
    DataError in one line where that cannot be trained on."""
    own, plugin = find(OwnDataSet, data.set)
    source = f"own data set {own.name} of {plugin}"
    wanted = data.samples + data.test_samples
    try:
        found = own.function(data.seed, wanted)
    except (Exception, SystemExit) as error:
        raise DataError(f"{source}: {error_in_words(error, plugin.file)}") from error
    if not isinstance(found, tuple | list) or len(found) != 2:
        raise DataError(f"{source}: expected inputs and targets, got {type(found).__name__}")
    input_, target = (_array(value, name, source) for value, name in zip(found, ("inputs", "targets"), strict=True))
    check_input("inputs", input_, source)
    for name, array in (("inputs", input_), ("targets", target)):
        if len(array.shape) < 1 or len(array) != wanted:
            raise DataError(f"{source}: {name} of shape {array.shape}; expected {wanted:,} samples, as asked for")
    if target.dtype.kind not in "fiub" or target.ndim not in {1, 2} or target.size == 0:
        raise DataError(f"{source}: targets of {target.dtype} and shape {target.shape}; expected (samples,) numbers")
    check_finite("targets", target, source)
    if target.ndim == 1 and target.dtype.kind in "iu":
        values, target = classes_of(target, source, "; give numbers as floating-point values")
        return OwnArrays(source=source, input=input_, target=target, class_names=tuple(map(str, values.tolist())))
    return OwnArrays(source=source, input=input_, target=target.reshape(wanted, -1).astype(np.float64))


def _array(value: Any, name: str, source: str) -> np.ndarray[Any, np.dtype[Any]]:
    try:
        array = np.asarray(value.detach().cpu().numpy() if isinstance(value, Tensor) else value)
    except (Exception, SystemExit) as error:
        raise DataError(f"{source}: {name}: {error_in_words(error)}; expected an array or a tensor") from error
    # a copy: what the function keeps is its own
    return array.copy()
