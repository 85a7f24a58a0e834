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

    Running statistics of a trunk are taken where the file has them, and start anew where it has not. ScenarioError, in
    one line, where the file cannot be read or its parameters are not the network's.
    """
    try:
        found = load_file(file)
    except (SafetensorError, OSError) as error:
        reason = " ".join(str(error).split())
        raise ScenarioError(f"initial: {file} cannot be read as safetensors ({reason})") from None
    found = checkpoint.parameters(found) or found
    needed = {name: tuple(value.shape) for name, value in network.named_parameters()}
    shapes = {name: tuple(value.shape) for name, value in found.items()}
    needed |= {name: tuple(value.shape) for name, value in network.named_buffers() if name in shapes}
    for name in sorted(needed.keys() | shapes.keys()):
        if needed.get(name) != shapes.get(name):
            raise ScenarioError(
                f"initial: {file}: {name} is {_words(shapes.get(name))}, the scenario's network needs"
                f" {_words(needed.get(name))}; layers and data must be those that the weights are from"
            )
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if name in found:
                value.copy_(found[name])


def _words(shape: tuple[int, ...] | None) -> str:
    return "not there" if shape is None else "×".join(map(str, shape)) or "a number"
