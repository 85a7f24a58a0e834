"""The field that drives the neurons of a network with one input, as an SVG: arrows, stable lines, the neurons."""

from __future__ import annotations

import math

import numpy as np

from condense_core.runfile.frames import Field
from condense_tui.documents.markup import Markup, el, join
from condense_tui.draw.numbers import measure

SIDE = 300
MARGIN = 26
# Arrows fill this share of the room between grid points, the fastest all of it; speeds differ by orders of magnitude,
# so lengths go with the cube root.
FILL = 0.92
LENGTH_POWER = 1 / 3
HEAD = 0.32
NO_NEURONS = np.empty((0, 2))


def arrows(field: Field, label: str, neurons_M2: np.ndarray = NO_NEURONS) -> Markup:
    """The field as a picture of its own."""
    return el(
        "svg", drawing(field, neurons_M2), class_="field", viewBox=f"0 0 {SIDE} {SIDE}", role="img", aria_label=label
    )


def drawing(field: Field, neurons_M2: np.ndarray = NO_NEURONS) -> Markup:
    """The field's shapes in an area of SIDE × SIDE: weight to the right, bias upwards; `neurons_M2` (M, 2) as discs."""
    omega_G2, velocity_G2 = field.omega.numpy(), field.velocity.numpy()
    if omega_G2.ndim != 2 or omega_G2.shape[-1] != 2 or omega_G2.shape != velocity_G2.shape:
        return Markup("")
    reach = float(np.max(np.abs(omega_G2), initial=0.0))
    if not (math.isfinite(reach) and reach > 0):
        return Markup("")
    room = SIDE - 2 * MARGIN
    spacing = room / max(1.0, math.sqrt(len(omega_G2)) - 1)
    # what overflows is as good as infinite: no arrow says how long it is
    with np.errstate(over="ignore"):
        speed_G = np.hypot(velocity_G2[:, 0], velocity_G2[:, 1])
    fastest = float(np.max(speed_G[np.isfinite(speed_G)], initial=0.0))
    shapes = []
    for (w, b), (dw, db), speed in zip(omega_G2.tolist(), velocity_G2.tolist(), speed_G.tolist(), strict=True):
        if math.isfinite(speed) and 0 < speed <= fastest:
            length = FILL * spacing * (speed / fastest) ** LENGTH_POWER
            x, y = MARGIN + room * (w / reach + 1) / 2, MARGIN + room * (1 - b / reach) / 2
            shapes.append(_arrow(x, y, length * (dw / speed), -length * (db / speed)))
    edge = f"M{MARGIN} {SIDE / 2}h{room}M{SIDE / 2} {MARGIN}v{room}"
    return join(
        el("path", class_="axis", d=edge),
        el("path", class_="arrow", d="".join(shapes)),
        *(_line(angle, room) for angle in field.stable.numpy().tolist() if math.isfinite(angle)),
        *(_disc(w / reach, b / reach, room) for w, b in neurons_M2.tolist() if abs(w) <= reach and abs(b) <= reach),
        el("text", "weight", class_="tick", x=SIDE - MARGIN, y=SIDE - 8, text_anchor="end"),
        el("text", "bias", class_="tick", x=SIDE / 2, y=MARGIN - 9, text_anchor="middle"),
        el("text", f"±{measure(reach, 2)}", class_="tick", x=MARGIN, y=SIDE - 8),
    )


def _disc(weight: float, bias: float, room: float) -> Markup:
    x, y = MARGIN + room * (weight + 1) / 2, MARGIN + room * (1 - bias) / 2
    return el("circle", class_="neuron", cx=round(x, 1), cy=round(y, 1), r=2)


def _arrow(x: float, y: float, dx: float, dy: float) -> str:
    """A shaft around (x, y) with an open head."""
    tip_x, tip_y = x + dx / 2, y + dy / 2
    back_x, back_y, side_x, side_y = -HEAD * dx, -HEAD * dy, -HEAD * dy * 0.6, HEAD * dx * 0.6
    return (
        f"M{x - dx / 2:.1f} {y - dy / 2:.1f}L{tip_x:.1f} {tip_y:.1f}"
        f"m{back_x + side_x:.1f} {back_y + side_y:.1f}L{tip_x:.1f} {tip_y:.1f}"
        f"l{back_x - side_x:.1f} {back_y - side_y:.1f}"
    )


def _line(angle: float, room: float) -> Markup:
    half = room / 2 / max(abs(math.cos(angle)), abs(math.sin(angle)))
    dx, dy, middle = half * math.cos(angle), -half * math.sin(angle), SIDE / 2
    ends = {"x1": middle - dx, "y1": middle - dy, "x2": middle + dx, "y2": middle + dy}
    return el("line", class_="stable", **{name: round(value, 1) for name, value in ends.items()})
