"""What a probe is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from condense_core.engine.probes.view import View
from condense_core.runfile.frames import Frame
from condense_core.runfile.precision import SINGLE, rounded
from condense_core.runfile.reader import RunReader


@dataclass
class Measurement:
    """What was measured at one step: scalars by name, frames and events; probes add to it."""

    step: int
    scalars: list[tuple[str, float]] = field(default_factory=list)
    frames: list[tuple[str, Frame]] = field(default_factory=list)
    events: list[tuple[str, str]] = field(default_factory=list)
    one_time: float = 0.0
    """Seconds that went into what is needed only once, and so do not count as the cost of a measurement."""

    def scalar(self, name: str, value: float, bits: int = SINGLE) -> None:
        """Add one scalar with so many significant bits; NaN where it has no value."""
        self.scalars.append((name, rounded(value, bits)))

    def frame(self, layer: str, frame: Frame) -> None:
        """Add one frame of a layer."""
        self.frames.append((layer, frame))

    def event(self, kind: str, text: str) -> None:
        """Add one event."""
        self.events.append((kind, text))


class Probe(Protocol):
    """An observer. What it remembers between steps only steers how results are shown, never what they are."""

    def measure(self, view: View, into: Measurement) -> None:
        """Measure the network and add the results."""

    def resume(self, run: RunReader) -> None:
        """Take up where the recording stops, in a resumed run."""
