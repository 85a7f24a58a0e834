"""Values of a few groups as dots on one axis, with each group's mean: every run of a comparison is seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from condense_tui.documents.markup import Markup, el
from condense_tui.draw.numbers import tick
from condense_tui.draw.scale import Scale, fit, ticks

WIDTH = 560
LEFT, RIGHT, BOTTOM = 96, 16, 20
ROW = 46
RADIUS = 2.8
# Dots of equal value are set beside each other upwards and downwards, never out of their row.
APART = 2.6
MOST_APART = (ROW / 2 - RADIUS - 1) // APART


def strip(groups: Sequence[tuple[str, Sequence[float]]], label: str) -> Markup:
    """A row for each group that has a value; nothing if none has."""
    given = [(name, [float(value) for value in values]) for name, values in groups if len(values)]
    if not given:
        return Markup("")
    x = fit(np.array([value for _, values in given for value in values]), log=False)
    height = ROW * len(given) + BOTTOM
    parts = [part for value in ticks(x, 6) for part in _tick(x, value, height)]
    for row, (name, values) in enumerate(given):
        middle = ROW * (row + 0.5)
        parts.append(el("text", name, class_="tick", x=LEFT - 8, y=middle + 3.5, text_anchor="end"))
        seen: Counter[float] = Counter()
        for value in sorted(values):
            place = _x(x, value)
            step = seen[place]
            seen[place] += 1
            # 0, 1, -1, 2, -2, …
            shift = min((step + 1) // 2, MOST_APART) * (1 if step % 2 else -1) * APART
            parts.append(el("circle", class_="dot", cx=place, cy=round(middle + shift, 1), r=RADIUS))
        mean = _x(x, sum(values) / len(values))
        parts.append(el("line", class_="mean", x1=mean, x2=mean, y1=middle - ROW / 2 + 4, y2=middle + ROW / 2 - 4))
    return el("svg", *parts, class_="strip", viewBox=f"0 0 {WIDTH} {height}", role="img", aria_label=label)


def _tick(x: Scale, value: float, height: int) -> list[Markup]:
    place = _x(x, value)
    return [
        el("line", class_="grid", x1=place, x2=place, y1=0, y2=height - BOTTOM),
        el("text", tick(value), class_="tick", x=place, y=height - BOTTOM + 13, text_anchor="middle"),
    ]


def _x(scale: Scale, value: float) -> float:
    return round(LEFT + float(scale.share(value)) * (WIDTH - LEFT - RIGHT), 1)
