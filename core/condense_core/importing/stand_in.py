"""A network that has a checkpoint's weights where they would be, so that its layers are found as those of any other.

What a file of weights says is names and shapes: which module had them is told from those, as far as they tell it. Which
groups a convolution has, how many heads an attention, and which layer is the output, no shape tells.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

_EMBEDDING = re.compile(r"emb|^wte$|^wpe$", re.IGNORECASE)
_GATES = {4: nn.LSTM, 3: nn.GRU, 1: nn.RNN}
_CONVOLUTIONS = {3: (nn.Conv1d, nn.ConvTranspose1d), 4: (nn.Conv2d, nn.ConvTranspose2d)}
_CONVOLUTIONS |= {5: (nn.Conv3d, nn.ConvTranspose3d)}


class Conv1D(nn.Module):
    """transformers' linear layer that is stored the other way round; it is found by this name."""

    nf = 0


class StandIn:
    """The network of a checkpoint, which takes on the weights of later ones."""

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        self.root = nn.Module()
        self._parameters: dict[str, nn.Parameter] = {}
        modules: dict[str, dict[str, Tensor]] = {}
        for name in sorted(weights, key=_natural):
            path, _, leaf = name.rpartition(".")
            if weights[name].ndim:
                modules.setdefault(path, {})[leaf] = weights[name]
        turned = any(_is_turned(own) for own in modules.values())
        for path, own in modules.items():
            module = _module(path.rpartition(".")[2], own, turned)
            module._parameters.clear()
            for leaf, tensor in own.items():
                if tensor.is_floating_point() or leaf == "weight":
                    parameter = nn.Parameter(tensor, requires_grad=tensor.is_floating_point())
                    module._parameters[leaf] = parameter
                    self._parameters[f"{path}.{leaf}" if path else leaf] = parameter
            if "bias" not in own and not isinstance(module, nn.RNNBase):
                module._parameters["bias"] = None
            self._put(path, module)

    def take(self, weights: Mapping[str, Tensor]) -> list[str]:
        """Have these weights; names of those that are missing, or have another shape, and are NaN then."""
        odd = []
        for name, parameter in self._parameters.items():
            if not parameter.is_floating_point():
                continue
            tensor = weights.get(name)
            if tensor is None or tensor.shape != parameter.shape or not tensor.is_floating_point():
                odd.append(name)
                tensor = torch.full_like(parameter, torch.nan)
            parameter.data = tensor
        return odd

    def _put(self, path: str, module: nn.Module) -> None:
        if not path:
            # a bare module's parameters are the network's own
            self.root = module if not self.root._modules else self.root
            for name, parameter in module._parameters.items():
                self.root._parameters.setdefault(name, parameter)
            return
        parent = self.root
        *above, last = path.split(".")
        for name in above:
            inner = parent._modules.get(name)
            if inner is None:
                inner = parent._modules[name] = nn.Module()
            parent = inner
        inner = parent._modules.get(last)
        if inner is not None:
            module._modules.update(inner._modules)
        parent._modules[last] = module


def _module(name: str, own: Mapping[str, Tensor], turned: bool) -> nn.Module:
    """The module that has such parameters; a bare one where none is known."""
    if (fused := own.get("in_proj_weight")) is not None and fused.ndim == 2 and len(fused) % 3 == 0:
        return nn.MultiheadAttention(fused.shape[1], 1, device="meta")
    recurrent = next((own[leaf] for leaf in own if leaf.startswith("weight_hh")), None)
    if recurrent is not None and recurrent.ndim == 2 and recurrent.shape[1]:
        made: nn.RNNBase = _GATES.get(len(recurrent) // recurrent.shape[1], nn.RNN)(1, 1, device="meta")
        made.bias = any(leaf.startswith("bias_ih") for leaf in own)
        return made
    weight, bias = own.get("weight"), own.get("bias")
    if weight is None or weight.ndim < 2:
        return nn.Module()
    if weight.ndim == 2:
        if bias is None and _EMBEDDING.search(name):
            return nn.Embedding(1, 1, device="meta")
        if _is_turned(own) or (turned and name.startswith("c_") and weight.shape[0] == weight.shape[1]):
            return Conv1D()
        return nn.Linear(1, 1, device="meta")
    if weight.ndim not in _CONVOLUTIONS or 0 in weight.shape:
        return nn.Module()
    straight, transposed = _CONVOLUTIONS[weight.ndim]
    kind: Any = transposed if _is_turned(own) else straight
    channels = weight.shape[:2] if _is_turned(own) else (weight.shape[1], weight.shape[0])
    convolution: nn.Module = kind(*channels, tuple(weight.shape[2:]), device="meta")
    return convolution


def _is_turned(own: Mapping[str, Tensor]) -> bool:
    """Whether a weight is stored with its inputs first: its bias says how many outputs there are."""
    weight, bias = own.get("weight"), own.get("bias")
    if weight is None or bias is None or weight.ndim < 2 or bias.ndim != 1:
        return False
    return len(bias) == weight.shape[1] != weight.shape[0]


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d{1,18})", name)]
