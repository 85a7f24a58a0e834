"""Weights by name from a checkpoint's files. Nothing in them is run: safetensors, or what PyTorch reads as weights
alone."""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from condense_core.errors import DataError
from condense_core.foreign import decoding
from condense_core.importing.sources import SAFE
from condense_core.text import printable, short

# Tensors of one network, and characters of a name.
MOST_TENSORS = 20_000
LONGEST_NAME = 500
# Under these names trainings save a network beside other things, the likeliest first.
_NETWORKS = ("state_dict", "model_state_dict", "model", "module", "net", "network", "weights", "params", "ema")


def read_weights(files: Sequence[Path]) -> dict[str, Tensor]:
    """All tensors of a checkpoint by name, on the CPU; DataError, in one line, for a file that holds no weights, or
    more than can be read without running it."""
    found: dict[str, Tensor] = {}
    for file in files:
        if not file.is_file():
            raise DataError(f"cannot read {file}: not a file")
        with decoding(DataError, f"cannot read {file}"):
            found |= _safe(file) if file.suffix.lower() == SAFE else _of_pytorch(file)
    return _without_common_start(found)


def _safe(file: Path) -> dict[str, Tensor]:
    from safetensors import safe_open

    with safe_open(file, framework="pt") as opened:
        names = list(opened.keys())
        _check(file, names)
        return {printable(name): opened.get_tensor(name) for name in names}


def _of_pytorch(file: Path) -> dict[str, Tensor]:
    try:
        # read from the file where it is used; a zip archive in the form of PyTorch before 1.6 cannot be
        loaded = torch.load(file, map_location="cpu", weights_only=True, mmap=True)
    except pickle.UnpicklingError:
        raise DataError(
            f"{file} holds more than weights, and reading that would run code; in your own script save"
            " model.state_dict() with safetensors.torch.save_file"
        ) from None
    found = _network_in(loaded)
    if found is None:
        raise DataError(f"{file} holds no weights by name; expected what model.state_dict() gives")
    _check(file, list(found))
    size = file.stat().st_size
    for name, tensor in found.items():
        if tensor.numel() * tensor.element_size() > size:
            raise DataError(f"{file}: {short(name)} would be larger than the file is")
    return {printable(name): tensor for name, tensor in found.items()}


def _network_in(loaded: Any) -> dict[str, Tensor] | None:
    """The network in what was loaded: itself, or under one of the usual names."""
    if not isinstance(loaded, Mapping):
        return None
    tensors = {name: each for name, each in loaded.items() if isinstance(name, str) and isinstance(each, Tensor)}
    if any(tensor.ndim >= 2 for tensor in tensors.values()):
        return tensors
    inner = (loaded.get(name) for name in _NETWORKS)
    return next((found for each in inner if (found := _network_in(each)) is not None), None)


def _check(file: Path, names: Sequence[str]) -> None:
    if len(names) > MOST_TENSORS or any(len(name) > LONGEST_NAME for name in names):
        raise DataError(f"{file}: more than {MOST_TENSORS:,} tensors, or a name of more than {LONGEST_NAME} characters")


def _without_common_start(found: dict[str, Tensor]) -> dict[str, Tensor]:
    """Names without what a wrapper put before all of them."""
    for wrapper in ("module.", "_orig_mod.", "model."):
        if found and all(name.startswith(wrapper) for name in found):
            found = {name.removeprefix(wrapper): tensor for name, tensor in found.items()}
    return found
