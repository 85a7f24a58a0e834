"""Output and direction field of a network with one input, as they were recorded."""

from __future__ import annotations

from condense_core.runfile.reader import RunReader
from condense_tui.snapshots.snapshot import FieldView, OutputsView
from condense_tui.snapshots.weights import neurons_of


class OneInputReader:
    """Reads output and field, and remembers those that it has read last."""

    def __init__(self) -> None:
        self._known: tuple[RunReader, str, int, OutputsView | None, FieldView | None] | None = None

    def at(self, run: RunReader, layer: str, step: int) -> tuple[OutputsView | None, FieldView | None]:
        """Output and field of a layer at a step; None where the network has several inputs."""
        if self._known is None or self._known[:3] != (run, layer, step):
            self._known = (run, layer, step, _outputs(run, layer, step), _field(run, layer, step))
        return self._known[3:]


def _outputs(run: RunReader, layer: str, step: int) -> OutputsView | None:
    frame = run.outputs(layer, step)
    if frame is None:
        return None
    point, output, polynomial = frame.point.numpy(), frame.output.numpy(), frame.polynomial.numpy()
    if point.ndim != 1 or not point.shape == output.shape == polynomial.shape:
        return None
    at = run.step_of("outputs", layer, step)
    return OutputsView(step if at is None else at, frame.degree, frame.complexity, point, output, polynomial)


def _field(run: RunReader, layer: str, step: int) -> FieldView | None:
    frame = run.field(layer, step)
    if frame is None:
        return None
    at, neurons = neurons_of(run, layer, step)
    return FieldView(frame.omega.numpy(), frame.velocity.numpy(), frame.stable.numpy(), neurons, at)
