"""A share as a bar: a bold part on a thin track, to half a character."""

from __future__ import annotations

import math


def bar(share: float, width: int, unicode: bool = True) -> tuple[str, str]:
    """Text of the filled part and of the track; together `width` characters. A share that is no number fills none."""
    if width <= 0:
        return "", ""
    clean = min(1.0, max(0.0, share)) if math.isfinite(share) else 0.0
    if not unicode:
        full = round(clean * width)
        return "#" * full, "." * (width - full)
    halves = round(clean * width * 2)
    full, half = divmod(halves, 2)
    filled = "━" * full + "╸" * half
    # thin where it is empty: the two parts differ even without colours
    return filled, "─" * (width - len(filled))
