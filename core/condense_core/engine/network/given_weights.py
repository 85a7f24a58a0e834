"""Weights that a network starts from instead of a random draw."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from condense_core.engine import checkpoint
from condense_core.errors import ScenarioError


def load_weights(network: nn.Module, file: Path) -> None:
    """Give the network the parameters in a safetensors file, cast to its precision; a run's checkpoint will do.

    Running statistics are taken where the file has them, and start anew where it has not; PyTorch's count of batches,
    which decides on nothing, is passed over where the network has none. ScenarioError, in one line, where the file
    cannot be read or its parameters are not the network's.
    """
    try:
        found = load_file(file)
    except (SafetensorError, OSError) as error:
        reason = " ".join(str(error).split())
        raise ScenarioError(f"initial: {file} cannot be read as safetensors ({reason})") from None
    found = checkpoint.parameters(found) or found
    own = network.state_dict()
    found = {name: value for name, value in found.items() if name in own or not name.endswith(".num_batches_tracked")}
    needed = {name: tuple(value.shape) for name, value in network.named_parameters()}
    shapes = {name: tuple(value.shape) for name, value in found.items()}
    needed |= {name: tuple(value.shape) for name, value in network.named_buffers() if name in shapes}
    for name in sorted(needed.keys() | shapes.keys()):
        if needed.get(name) != shapes.get(name):
            raise ScenarioError(
                f"initial: {file}: {name} {_difference(shapes.get(name), needed.get(name))}; use the layers and data"
                " that the weights come from"
            )
    with torch.no_grad():
        for name, value in own.items():
            if name in found:
                value.copy_(found[name])


def _difference(found: tuple[int, ...] | None, needed: tuple[int, ...] | None) -> str:
    if found is None:
        return f"is missing, the scenario's network needs {_words(needed or ())}"
    if needed is None:
        return "is not in the scenario's network"
    return f"is {_words(found)}, the scenario's network needs {_words(needed)}"


def _words(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "a single number"
