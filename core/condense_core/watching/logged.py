"""Numbers that somebody logs, as often as they like: kept down to what a curve can show."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping

from torch import Tensor

from condense_core.runfile.given_names import MOST_NAMES, named
from condense_core.runfile.precision import SINGLE, rounded

# Of each name a point every tenth of a second, and in a long run as many in each doubling of its time.
EVERY_S = 0.1
SHARE = 0.002


class Logged:
    """What was logged and when each name was last recorded."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._last: dict[str, float] = {}
        self._rest: dict[str, float | Tensor] = {}

    def add(self, values: Mapping[str, float | Tensor]) -> list[tuple[str, float]]:
        """What of these values is to be recorded now; the newest of the others is kept for `rest`."""
        now = time.monotonic()
        every = max(EVERY_S, SHARE * (now - self._begun))
        found = []
        for given, value in values.items():
            name = named(given)
            if name not in self._last and len(self._last) >= MOST_NAMES:
                continue
            on_gpu = isinstance(value, Tensor) and value.device.type != "cpu"
            if on_gpu or now - self._last.get(name, -math.inf) < every:
                # a number on a GPU is waited for at a measured step only
                self._rest[name] = value.detach() if isinstance(value, Tensor) else value
                self._last.setdefault(name, -math.inf)
                continue
            self._last[name] = now
            self._rest.pop(name, None)
            found.append((name, number(value)))
        return found

    def rest(self) -> list[tuple[str, float]]:
        """The newest values that were not recorded yet."""
        rest, self._rest = self._rest, {}
        return [(name, number(value)) for name, value in rest.items()]


def number(value: float | Tensor) -> float:
    """A value as it is recorded; of several their mean."""
    return rounded(float(value.float().mean()) if isinstance(value, Tensor) else float(value), SINGLE)
