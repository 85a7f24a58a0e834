"""The two kinds of rows that a layer has: its kernels, under its own name, and the outputs of its neurons.

What is measured of rows is measured of both alike, so outputs are recorded as a layer of their own, `dense1-outputs`,
and every table, curve, claim and export has them under that name.
"""

from __future__ import annotations

from collections.abc import Collection

OUTPUTS_PROBE = "neuron-outputs"
"""What records outputs, where `record.probes` names it."""
_OUTPUTS = "-outputs"


def outputs_of(layer: str) -> str:
    """The name of the outputs of a layer's neurons."""
    return layer + _OUTPUTS


def layer_of_rows(name: str, names: Collection[str]) -> str:
    """The layer that rows of that name are of: its own, or that of the neurons whose outputs they are."""
    layer = name.removesuffix(_OUTPUTS)
    return layer if layer in names else name


def only_kernels(names: Collection[str]) -> tuple[str, ...]:
    """Those of the names that are of layers' kernels."""
    return tuple(name for name in names if layer_of_rows(name, names) == name)


def other_rows(name: str, names: Collection[str]) -> str | None:
    """The outputs of a layer, and the layer of outputs; None where these were not recorded."""
    layer = layer_of_rows(name, names)
    other = outputs_of(layer) if layer == name else layer
    return other if other in names else None
