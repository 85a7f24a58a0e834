"""Names of layers where there is little room: a network of one's own has many long ones, which mostly begin alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rich.cells import cell_len

from condense_core.scalar_names import layer_in_words


def shared(names: Sequence[str]) -> str:
    """What all names begin with, up to a dot; empty where there are fewer than two."""
    if len(names) < 2:
        return ""
    heads = [name.split(".")[:-1] for name in names]
    common: list[str] = []
    for parts in zip(*heads, strict=False):
        if len(set(parts)) > 1:
            break
        common.append(parts[0])
    return "".join(f"{part}." for part in common)


def without_shared(name: str, names: Sequence[str]) -> str:
    """A name as people read it, without what all names begin with."""
    return layer_in_words(name.removeprefix(shared(names)))


def fitted(name: str, room: int) -> str:
    """A name in at most `room` cells, cut in its middle: its block and what it is there both stay."""
    if cell_len(name) <= room:
        return name
    if room < 3:
        return name[: max(0, room)]
    end = (room - 1) * 2 // 3
    return f"{name[: room - 1 - end]}…{name[len(name) - end :]}"


# From this many layers on, a list of all of them says less than one of their blocks.
GROUPED_FROM = 9


@dataclass(frozen=True)
class LayerBlock:
    """Layers that belong together in a network: `label` is what the block is called in a list of all of them, `short`
    what each of its layers is called there."""

    name: str
    label: str
    layers: tuple[str, ...]
    short: tuple[str, ...]


def block_of(layer: str) -> str:
    """The block that a layer is in: its name up to the first part that is a number, `transformer.h.3`, where more
    follows; else all but its last part. Empty where a layer stands by itself."""
    *parts, _ = layer.split(".")
    numbered = next((at for at, part in enumerate(parts) if part.isdigit()), len(parts) - 1)
    return ".".join(parts[: numbered + 1])


@lru_cache(maxsize=8)
def blocks(layers: tuple[str, ...]) -> tuple[LayerBlock, ...]:
    """The layers by their blocks, in the order in which the blocks begin; empty where there are few layers, or where no
    two stand together. A layer that stands alone is a block without a label."""
    # a layer that stands by itself may bear a block's name
    grouped: dict[tuple[str, str], list[str]] = {}
    for layer in layers:
        block = block_of(layer)
        grouped.setdefault((block, "" if block else layer), []).append(layer)
    if len(layers) < GROUPED_FROM or len(grouped) in {1, len(layers)}:
        return ()
    begin = shared(layers)
    found = []
    for (name, _), inside in grouped.items():
        if len(inside) == 1:
            found.append(LayerBlock(inside[0], "", tuple(inside), (inside[0].removeprefix(begin),)))
            continue
        label = name.removeprefix(begin)
        # a number alone says nothing: `h.3`
        label = ".".join(name.split(".")[-2:]) if label.isdigit() else label
        found.append(LayerBlock(name, label, tuple(inside), tuple(layer.removeprefix(f"{name}.") for layer in inside)))
    return tuple(found)


def together(layers: tuple[str, ...], layer: str, most: int) -> tuple[str, ...]:
    """At most `most` layers that are looked at together with `layer`: all where they are few, else those of its block,
    or a stretch of them."""
    if len(layers) <= most:
        return layers
    block = next((block.layers for block in blocks(layers) if layer in block.layers and block.label), layers)
    first = block.index(layer) // most * most
    return block[first : first + most]
