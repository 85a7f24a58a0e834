"""A layer's heatmap from what was recorded of it."""

from __future__ import annotations

import numpy as np

from condense_core.runfile.frames import Condensation
from condense_core.thresholds import DROPPED
from condense_tui.draw import order as ordering
from condense_tui.snapshots.snapshot import LayerImage


def image_of(layer: str, cosine: np.ndarray, frame: Condensation | None, by_line: bool) -> LayerImage:
    """A layer's image from its matrix and its condensation; without the latter, or pooled, in the recorded order."""
    side = len(cosine)
    nothing, by_index = np.zeros(side, bool), ordering.by_index(side)
    if frame is None:
        return LayerImage(layer, side, cosine, by_index, nothing, ())
    if frame.kernels != side:
        pooled = side < frame.kernels
        return LayerImage(layer, frame.kernels, cosine, by_index, nothing, (), pooled, drawn_of=frame.drawn_of)
    label, sign = frame.label.numpy(), frame.sign.numpy()
    if len(label) != side or len(sign) != side:
        return LayerImage(layer, side, cosine, by_index, nothing, ())
    order = ordering.by_line(label, sign) if by_line else by_index
    groups = ordering.groups(label, sign, order) if by_line else ()
    return LayerImage(layer, side, cosine, order, label == DROPPED, groups, drawn_of=frame.drawn_of)
