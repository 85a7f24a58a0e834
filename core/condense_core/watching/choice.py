"""Which layers of a network are measured, and what is said of those that are not."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from condense_core.errors import ScenarioError, nearest
from condense_core.measures.sample import MOST_KERNELS, drawn_kernels
from condense_core.scalar_names import layer_in_words
from condense_core.scenario.schedule import thinned
from condense_core.scenario.watched import MOST_LAYERS
from condense_core.watching.find import fits
from condense_core.watching.layers import FoundLayer

# Layers that are measured where nobody says which: as many as a screen can still list.
MOST = 24
# A row that has so few beside it says nothing about condensation.
LEAST_ROWS = 4

Chosen = tuple[list[FoundLayer], str]
"""The layers that are measured, and what is left out, in words."""


def choose(
    layers: Sequence[FoundLayer], asked: Sequence[str], not_measured: Sequence[str], *, ordered: bool = True
) -> Chosen:
    """Those of a network's layers that one of the patterns `asked` fits; ScenarioError for one that fits none.

    Where all are asked for (`*`), those that are trained, have at least LEAST_ROWS rows, are neither an embedding nor
    the last linear layer, and of these at most MOST, evenly over the network's depth. Where the layers are not
    `ordered` as in the network, nobody knows which is the last.
    """
    if tuple(asked) == ("*",):
        found, left = _usual(layers, ordered)
    else:
        for pattern in asked:
            if not any(fits(layer.name, pattern) for layer in layers):
                names = [layer.name for layer in layers]
                raise ScenarioError(f"layers: {pattern!r} fits no layer; {nearest(pattern, names)}")
        found = [layer for layer in layers if any(fits(layer.name, pattern) for pattern in asked)]
        left = [f"{len(found) - MOST_LAYERS} that were asked for"] if len(found) > MOST_LAYERS else []
        found = found[:MOST_LAYERS]
    for layer in found:
        draw(layer)
    left += not_measured
    total = sum(layer.whole for layer in layers)
    whole = sum(layer.whole for layer in found) == total
    words = f"{_all(total)} measured" if whole and not left else f"{len(found)} of {total} layers are measured"
    sampled = [layer.name for layer in found if layer.sample is not None]
    if sampled:
        words += f"; of {_some(sampled)} {MOST_KERNELS:,} rows each"
    return found, words + (f"; left out: {', '.join(left)}" if left else "")


def _all(total: int) -> str:
    return "the one layer is" if total == 1 else f"all {total} layers are"


def _usual(layers: Sequence[FoundLayer], ordered: bool) -> tuple[list[FoundLayer], list[str]]:
    # an embedding whose weights are used again is the output, too
    tied = any(layer.geometry.kind == "embedding" and layer.also for layer in layers)
    dense = (layer for layer in reversed(layers) if layer.geometry.kind == "dense" and layer.whole)
    last = None if tied or not ordered else next(dense, None)
    reasons: dict[str, list[str]] = {}
    found = []
    for layer in layers:
        why = layer.why_not
        if not why and layer is last and len(layers) > 1:
            why = "output"
        if not why and layer.geometry.kernels < LEAST_ROWS:
            why = f"fewer than {LEAST_ROWS} rows"
        if not why:
            found.append(layer)
        elif layer.whole:
            reasons.setdefault(why, []).append(layer.name)
    if len(found) > MOST:
        kept = {id(layer) for layer in thinned(found, MOST)}
        reasons["more than can be shown"] = [layer.name for layer in found if id(layer) not in kept]
        found = [layer for layer in found if id(layer) in kept]
    return found, [f"{_some(names)} ({why})" for why, names in reasons.items()]


def _some(names: Sequence[str]) -> str:
    return ", ".join(map(layer_in_words, names[:3])) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def draw(layer: FoundLayer) -> None:
    """Of a layer with very many rows only some are measured: always the same ones, drawn by its name alone."""
    rows = layer.geometry.kernels
    layer.sample = drawn_kernels(layer.name, rows)
    if layer.sample is not None:
        layer.geometry = msgspec.structs.replace(layer.geometry, kernels=len(layer.sample), sampled=rows)
