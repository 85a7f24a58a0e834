"""Where networks stand on the surface of their loss, as a command and a screen tell it."""

from __future__ import annotations

from condense_core.jobs.messages import ReduceAnswer
from condense_tui.draw.numbers import UNKNOWN, measure

POINTS_EXPLAINED = (
    "at a critical point |∇L| is 0; with a lowest curvature below 0 it is a saddle. Embedded: the reduced network with"
    " its kernels split into as many as there were, the same outputs in the full width"
)


def point_cells(found: ReduceAnswer) -> list[tuple[str, ...]]:
    """A row for the trained, the reduced and the embedded network: name, loss, gradient, steepness, curvatures."""
    points = {"trained": found.trained, "reduced": found.reduced, "embedded": found.embedded}
    return [
        (
            name,
            *(measure(value, 3) for value in (point.loss, point.gradient, point.steepness)),
            *(
                UNKNOWN if value is None else measure(value, 3)
                for value in (point.largest_curvature, point.lowest_curvature)
            ),
        )
        for name, point in points.items()
    ]
