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
    if frame is None or frame.kernels != side:
        kernels = side if frame is None else frame.kernels
        return LayerImage(layer, kernels, cosine, ordering.by_index(side), np.zeros(side, bool), (), side < kernels)
    label, sign = frame.label.numpy(), frame.sign.numpy()
    if len(label) != side or len(sign) != side:
        return LayerImage(layer, side, cosine, ordering.by_index(side), np.zeros(side, bool), ())
    order = ordering.by_line(label, sign) if by_line else ordering.by_index(side)
    groups = ordering.groups(label, sign, order) if by_line else ()
    return LayerImage(layer, side, cosine, order, label == DROPPED, groups)
