"""Finding the layers of any network.   # M kernels, K entries a kernel

A module is told by what it is, or by the attributes that make it what it is: no library but PyTorch is imported for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from condense_core.measures.rows import as_rows, stretch
from condense_core.scalar_names import layer_in_words
from condense_core.scenario.geometry import Geometry, LayerKind
from condense_core.scenario.watched import LONGEST_LAYER_NAME
from condense_core.watching.layers import FoundLayer, Parts

# What libraries call one linear layer that makes queries, keys and values.
_FUSED = frozenset({"qkv", "c_attn", "in_proj", "query_key_value", "wqkv", "qkv_proj", "to_qkv"})
_HEADS = ("num_heads", "n_head", "n_heads", "heads", "num_attention_heads")
_GATES = {"LSTM": "ifgo", "GRU": "rzn", "RNN": "h"}
# Names that wrappers put inside a network's names.
_OF_WRAPPERS = frozenset({"_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"})

Split = Mapping[str, int]
Reads = Literal["in", "out"]

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


def fits(name: str, pattern: str) -> bool:
    """Whether a name is one that the pattern means: `*` stands for anything, and everything else for itself."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), name, re.DOTALL) is not None


def unwrapped(module: nn.Module) -> nn.Module:
    """The network itself, without what compiles or distributes it."""
    while True:
        inner = module._modules.get("_orig_mod")
        if type(module).__name__ in {"DistributedDataParallel", "DataParallel"}:
            inner = module._modules.get("module")
        if inner is None:
            return module
        module = inner


class Finder:
    """All layers of a network in its own order, each weight once; what has no weights yet is not there.

    `split` says of names into how many equal parts the rows of a fused layer are split, `reads` which way round a bare
    2-d parameter is: `out`, a row for each output as in a linear layer, or `in`.
    """

    def __init__(self, root: nn.Module, *, split: Split | None = None, reads: Reads = "out") -> None:
        self._root = unwrapped(root)
        self._split = split or {}
        self._reads = reads
        self._found: dict[int, list[FoundLayer]] = {}
        self.not_measured: list[str] = []
        """What has weights and no rows that could be measured, in words."""

    @property
    def waits(self) -> bool:
        """Whether some parameters get their shape at the first step."""
        return any(nn.parameter.is_lazy(parameter) for parameter in self._root.parameters())

    def layers(self) -> list[FoundLayer]:
        """The layers that there are now."""
        self._found, self.not_measured = {}, []
        skipped: tuple[str, ...] = ()
        found: list[FoundLayer] = []
        for path, module in self._root.named_modules(remove_duplicate=False):
            if skipped and path.startswith(skipped):
                continue
            name = ".".join(part for part in path.split(".") if part not in _OF_WRAPPERS)
            if parametrize.is_parametrized(module):
                skipped = (*skipped, f"{path}.parametrizations" if path else "parametrizations")
            if _is_lora(module):
                skipped = (*skipped, f"{path}.")
            found += self._of_module(name, module)
        return found

    def _of_module(self, name: str, module: nn.Module) -> Iterator[FoundLayer]:
        weight = _weight_of(module)
        if _is_lora(module):
            yield from _lora(name, module)
        elif isinstance(module, nn.MultiheadAttention):
            yield from self._once(module.in_proj_weight, name, lambda: _multihead(name, module))
        elif isinstance(module, nn.RNNBase):
            yield from self._recurrent(name, module, type(module).__name__)
        elif isinstance(module, nn.RNNCellBase):
            yield from self._recurrent(name, module, type(module).__name__.removesuffix("Cell"))
        elif isinstance(module, nn.Embedding | nn.EmbeddingBag):
            yield from self._once(weight, name, lambda: [_plain(name, module, "embedding", module.embedding_dim)])
        elif isinstance(weight, Tensor) and not _has_values(weight):
            return
        elif isinstance(weight, Tensor) and weight.ndim >= 2 and not weight.is_floating_point():
            self.not_measured.append(f"{layer_in_words(name)} (quantised)")
        elif isinstance(module, CONVOLUTIONS):
            yield from self._once(weight, name, lambda: _convolution(name, module))
        elif isinstance(module, nn.Linear):
            yield from self._once(weight, name, lambda: self._linear(name, module, weight.shape[1]))
        elif isinstance(module, nn.Bilinear):
            self.not_measured.append(f"{layer_in_words(name)} (bilinear)")
        elif type(module).__name__ == "Conv1D" and hasattr(module, "nf"):
            # transformers' own: a linear layer that is stored the other way round
            yield from self._once(weight, name, lambda: self._linear(name, module, weight.shape[0], turned=True))
        else:
            yield from self._bare(name, module)

    def _once(self, weight: Tensor | None, name: str, make: Callable[[], list[FoundLayer]]) -> list[FoundLayer]:
        """The layers that `make` makes of a weight; none where they are known, which have one more name then."""
        if isinstance(weight, nn.Parameter):
            if not _has_values(weight):
                return []
            if id(weight) in self._found:
                for layer in self._found[id(weight)]:
                    layer.also = (*layer.also, name)
                return []
        made = [layer for layer in make() if layer.geometry.kernels > 0 and layer.geometry.entries > 0]
        for layer in made:
            layer.name = layer.name[-LONGEST_LAYER_NAME:].replace("@", "_") or "weight"
        if isinstance(weight, nn.Parameter):
            self._found[id(weight)] = made
        return made

    def _linear(self, name: str, module: nn.Module, channels: int, *, turned: bool = False) -> list[FoundLayer]:
        whole = _plain(name, module, "dense", channels, turned=turned)
        parts = next((parts for pattern, parts in self._split.items() if fits(name, pattern)), 0)
        last = name.lower().rpartition(".")[2]
        width = whole.geometry.entries - whole.geometry.bias
        if not parts and last in _FUSED and whole.geometry.kernels == 3 * width:
            parts = 3
        if parts < 2 or whole.geometry.kernels % parts:
            return [whole]
        names = "qkv" if parts == 3 else [f"part[{number}]" for number in range(parts)]
        made = []
        for number, part in enumerate(names):
            made += _heads(_stretch(whole, f"{name}.{part}", number, parts, "attention"), self._heads_of(name))
        return made

    def _heads_of(self, name: str) -> int:
        """How many heads the attention has that the layer belongs to; 1 where it does not say."""
        try:
            parent = self._root.get_submodule(name.rpartition(".")[0]) if "." in name else self._root
        except AttributeError:  # a wrapper's name is left out of this one
            return 1
        return next((heads for word in _HEADS if isinstance(heads := getattr(parent, word, None), int)), 1)

    def _recurrent(self, name: str, module: nn.Module, kind: str) -> list[FoundLayer]:
        gates, made = _GATES.get(kind, "h"), []
        for parameter, weight in module.named_parameters(recurse=False):
            if not parameter.startswith(("weight_ih", "weight_hh")) or not _has_values(weight):
                continue
            bias_name = parameter.replace("weight", "bias") if getattr(module, "bias", False) else ""
            label = parameter.removeprefix("weight_")
            whole = _layer(
                f"{name}.{label}".strip("."),
                "recurrent",
                _of_parameters(module, parameter, bias_name),
                as_rows,
                channels=weight.shape[1],
                trainable=weight.requires_grad,
            )
            parts = [
                _stretch(whole, f"{whole.name}.{gate}", place, len(gates), "recurrent")
                for place, gate in enumerate(gates)
            ]
            made += self._once(weight, whole.name, partial(list, parts))
        return made

    def _bare(self, name: str, module: nn.Module) -> Iterator[FoundLayer]:
        """Matrices that a module of no known kind has as parameters of its own."""
        for parameter, weight in module.named_parameters(recurse=False):
            label = f"{name}.{parameter}".strip(".")
            if not _has_values(weight) or weight.ndim < 2:
                continue
            if weight.ndim > 2 or not weight.is_floating_point():
                self.not_measured.append(f"{label} ({'×'.join(map(str, weight.shape))})")
                continue
            make = partial(_bare, label, module, parameter, turned=self._reads == "in")
            yield from self._once(weight, label, make)


def _bare(name: str, module: nn.Module, parameter: str, *, turned: bool) -> list[FoundLayer]:
    weight: Tensor = getattr(module, parameter)
    parts, rows = _of_parameters(module, parameter, ""), _as_columns if turned else as_rows
    return [_layer(name, "raw", parts, rows, channels=weight.shape[0 if turned else 1], trainable=weight.requires_grad)]


def _has_values(weight: Any) -> bool:
    """False for a lazy module's weight that has no shape yet, and for one without memory."""
    return isinstance(weight, Tensor) and not nn.parameter.is_lazy(weight) and weight.device.type != "meta"


def _weight_of(module: nn.Module) -> Any:
    if not parametrize.is_parametrized(module):
        return getattr(module, "weight", None)
    if not parametrize.is_parametrized(module, "weight"):
        return None
    with torch.no_grad():
        return _of_module(module)().weight


def _as_columns(weight: Tensor, bias: Tensor | None) -> Tensor:
    return as_rows(weight.transpose(0, 1), bias)


def _of_parameters(module: nn.Module, weight: str, bias: str) -> Callable[[], Parts]:
    return lambda: Parts(getattr(module, weight), getattr(module, bias, None) if bias else None)


def _of_module(module: nn.Module) -> Callable[[], Parts]:
    """A module's weight as its forward pass takes it, and its bias."""
    if not parametrize.is_parametrized(module):
        return _of_parameters(module, "weight", "bias")
    made = list(module.parametrizations.values())  # type: ignore[operator]

    def read() -> Parts:
        # a parametrization may take a step of its own whenever it is asked in training mode, as spectral_norm does
        before = [each.training for parametrized in made for each in parametrized.modules()]
        try:
            for each in made:
                each.eval()
            return Parts(getattr(module, "weight"), getattr(module, "bias", None))  # noqa: B009 - it is made there
        finally:
            modes = iter(before)
            for parametrized in made:
                for each in parametrized.modules():
                    each.training = next(modes)

    return read


def _layer(
    name: str,
    kind: LayerKind,
    parts: Callable[[], Parts],
    rows: Callable[[Tensor, Tensor | None], Tensor],
    *,
    channels: int,
    patch: tuple[int, ...] = (),
    trainable: bool = True,
    group: int | None = None,
) -> FoundLayer:
    with torch.no_grad():
        weight, bias = parts()
        # of their shapes alone: values may be spread over processes
        like = torch.empty(weight.shape, device="meta")
        kernels, entries = rows(like, None if bias is None else torch.empty(bias.shape, device="meta")).shape
    geometry = Geometry(
        kind=kind, kernels=kernels, entries=entries, channels=channels, patch=patch, bias=bias is not None, group=group
    )
    why_not = "" if trainable else "frozen"
    return FoundLayer(name, geometry, parts, rows, why_not=why_not or ("embedding" if kind == "embedding" else ""))


def _plain(name: str, module: nn.Module, kind: LayerKind, channels: int, *, turned: bool = False) -> FoundLayer:
    return _layer(
        name,
        kind,
        _of_module(module),
        _as_columns if turned else as_rows,
        channels=channels,
        trainable=any(parameter.requires_grad for parameter in module.parameters() if parameter.ndim > 1),
    )


def _convolution(name: str, module: nn.Module) -> list[FoundLayer]:
    """A convolution's filters, those of each group by themselves: filters of two groups read different channels."""
    assert isinstance(module, CONVOLUTIONS)
    groups = module.groups
    read, channels = module.in_channels // groups, module.out_channels // groups
    kind: LayerKind = "transposed" if module.transposed else "conv"
    if groups > 1 and read == 1:
        # each reads one channel: filters of one kind, which can be compared
        groups, channels, kind = 1, module.out_channels, "depthwise"

    def rows_of(group: int) -> Callable[[Tensor, Tensor | None], Tensor]:
        def rows(weight: Tensor, bias: Tensor | None) -> Tensor:
            if module.transposed:
                # (in, out of a group, …): what an output channel reads with are its own slices
                apart = weight.reshape(module.groups, -1, *weight.shape[1:]).transpose(1, 2).flatten(0, 1)
            else:
                apart = weight
            mine = slice(group * channels, (group + 1) * channels)
            return as_rows(apart[mine], None if bias is None else bias[mine])

        return rows

    trainable = any(parameter.requires_grad for parameter in module.parameters())
    return [
        _layer(
            f"{name}.group[{group}]" if groups > 1 else name,
            kind,
            _of_module(module),
            rows_of(group),
            channels=read,
            patch=tuple(module.kernel_size),
            trainable=trainable,
            group=group if groups > 1 else None,
        )
        for group in range(groups)
    ]


def _multihead(name: str, module: nn.MultiheadAttention) -> list[FoundLayer]:
    made: list[FoundLayer] = []
    for place, part in enumerate("qkv"):
        if module.in_proj_weight is not None:
            mine = stretch(len(module.in_proj_weight), place, 3)
            parts = _of_parameters(module, "in_proj_weight", "in_proj_bias")
            rows = _slice_of_both(mine)
            trainable = module.in_proj_weight.requires_grad
        else:
            weight = getattr(module, f"{part}_proj_weight")
            mine = stretch(3 * len(weight), place, 3)
            parts = _of_parameters(module, f"{part}_proj_weight", "in_proj_bias")
            rows = _slice_of_bias(mine)
            trainable = weight.requires_grad
        entries = parts().weight.shape[1]
        whole = _layer(f"{name}.{part}".strip("."), "attention", parts, rows, channels=entries, trainable=trainable)
        made += _heads(whole, module.num_heads)
    return made


def _slice_of_both(mine: slice) -> Callable[[Tensor, Tensor | None], Tensor]:
    return lambda weight, bias: as_rows(weight[mine], None if bias is None else bias[mine])


def _slice_of_bias(mine: slice) -> Callable[[Tensor, Tensor | None], Tensor]:
    return lambda weight, bias: as_rows(weight, None if bias is None else bias[mine])


def _stretch(whole: FoundLayer, name: str, number: int, parts: int, kind: LayerKind) -> FoundLayer:
    """One of equal parts of a layer's rows, as a layer."""
    return _some_rows(whole, name, number, parts, kind=kind, kernels=whole.geometry.kernels // parts)


def _heads(whole: FoundLayer, heads: int) -> list[FoundLayer]:
    """A layer of an attention, and each of its heads, which is measured only where it is asked for."""
    if heads < 2 or whole.geometry.kernels % heads:
        return [whole]
    width = whole.geometry.kernels // heads
    parts = [_some_rows(whole, f"{whole.name}[{head}]", head, heads, kernels=width, head=head) for head in range(heads)]
    for part in parts:
        part.whole, part.why_not = False, "head"
    return [whole, *parts]


def _some_rows(whole: FoundLayer, name: str, number: int, parts: int, **changes: Any) -> FoundLayer:
    import msgspec

    mine = stretch(whole.geometry.kernels, number, parts)
    geometry = msgspec.structs.replace(whole.geometry, **changes)
    return FoundLayer(
        name, geometry, whole.parts, lambda weight, bias: whole.rows(weight, bias)[mine], why_not=whole.why_not
    )


def _is_lora(module: Any) -> bool:
    """A linear layer with low-rank adapters, as peft makes it."""
    named = all(hasattr(module, name) for name in ("base_layer", "lora_A", "lora_B", "scaling"))
    return named and len(module.lora_A) > 0


def _lora(name: str, module: Any) -> Iterator[FoundLayer]:
    """Of each adapter its change ΔW = scaling · BA, and the weight with it, W + ΔW."""
    base = module.base_layer.weight
    if base.ndim != 2 or not base.is_floating_point():
        return
    for adapter in module.lora_A:

        def change(adapter: str = adapter) -> Tensor:
            made: Tensor = module.scaling[adapter] * (module.lora_B[adapter].weight @ module.lora_A[adapter].weight)
            return made

        def with_it(change: Callable[[], Tensor] = change) -> Parts:
            weight = module.base_layer.weight
            made = change()
            return Parts(weight + (made if made.shape == weight.shape else made.T).to(weight.dtype), None)

        def alone(change: Callable[[], Tensor] = change) -> Parts:
            return Parts(change(), None)

        named = name if adapter == "default" else f"{name}.{adapter}"
        rank = module.lora_B[adapter].weight.shape[0]
        rows = as_rows if len(base) == rank else _as_columns
        entries = base.shape[1] if rows is as_rows else base.shape[0]
        yield _layer(f"{named}.delta", "lora", alone, as_rows, channels=entries)
        yield _layer(f"{named}.merged", "lora", with_it, rows, channels=entries)
