"""Recorded scalars by their names: of which layer and measure one is, and what people and tables call it."""

from __future__ import annotations

from condense_core.measure_table import MEASURES, UNKNOWN_SOURCE, MeasureKind, PredictionSource


def split(scalar: str) -> tuple[str, str]:
    """Layer and measure of a recorded scalar: `conv1.lines`, `loss` without a layer, `conv1.eigenvalue.2`."""
    layer, _, name = scalar.rpartition(".")
    return split(layer) if name.isdigit() and layer else (layer, name)


def kind_of(scalar: str) -> MeasureKind:
    """How values of a recorded scalar are written; one that is not ours is any number."""
    _, name = split(scalar)
    return MEASURES[name].kind if name in MEASURES else "value"


def layer_in_words(name: str) -> str:
    """A layer's name as people read it: of one that is a number, as those in nn.Sequential are, that it is a name.
    Files and whatever programs read have names as they are."""
    return f"layer {name}" if name.isdigit() else name


def label_of(scalar: str, source: PredictionSource = UNKNOWN_SOURCE) -> str:
    """What a recorded scalar is called: `conv1: lines` for `conv1.lines`; of one that is not ours, its own name.

    `source` says where the layer's predicted direction is from, for measures that are beside it.
    """
    layer, name = split(scalar)
    label = MEASURES[name].label if name in MEASURES else name.replace("_", " ")
    label = source.eigenvalue if name == "eigenvalue" else label.replace(UNKNOWN_SOURCE.direction, source.direction)
    rank = scalar.rpartition(".")[2]
    label += f" {rank}" if rank.isdigit() else ""
    return f"{layer_in_words(layer)}: {label}" if layer else label


def column_of(scalar: str, source: PredictionSource = UNKNOWN_SOURCE) -> str:
    """What a recorded scalar is called in an exported table: run files say `share_on_v1` whatever direction it is."""
    layer, name = split(scalar)
    return f"{layer}.{name.replace('v1', source.first).replace('v2', source.second)}" if _named_for_v(name) else scalar


def _named_for_v(name: str) -> bool:
    return name in {"share_on_v1", "share_on_v2"}
