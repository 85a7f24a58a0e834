"""Spectra that stand where the eigenvalues of Z stand, as far as they were recorded: of the Hessian, of the tangent
kernel, and the singular values of the layer's kernels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from condense_core.runfile.reader import RunReader
from condense_core.scalar_names import layer_in_words

CurvePoints = tuple[np.ndarray, np.ndarray]
SpectrumName = Literal["hessian", "ntk", "singular"]
# What the curves of the network's spectra are called, and the scalars that they are.
SCALARS: dict[SpectrumName, dict[str, str]] = {
    "hessian": {
        "sharpness": "sharpness",
        **{f"λ{rank}": f"hessian_{rank}" for rank in range(2, 5)},
        "lowest": "lowest_curvature",
    },
    "ntk": {f"λ{rank}": f"ntk_{rank}" for rank in range(1, 5)},
}
TITLES = {"hessian": "eigenvalues of the Hessian", "ntk": "eigenvalues of the tangent kernel"}
LIMIT, LIMIT_NAME = "stability_limit", "2/lr"
# The largest singular values that are drawn, as many as of any spectrum.
SINGULAR_CURVES = 4
# Steps at which singular values are kept: twenty a run.
MOST_STEPS = 64


@dataclass(frozen=True)
class RecordedSpectrum:
    """Eigenvalues or singular values over time, each with its name; `limit` is a curve that they are held against."""

    name: SpectrumName
    title: str
    curves: tuple[tuple[str, CurvePoints], ...]
    limit: CurvePoints | None = None

    def is_as(self, other: RecordedSpectrum) -> bool:
        """Nothing of it differs; curves are compared by identity."""
        drawn = [curve for _, curve in self.curves], [curve for _, curve in other.curves]
        return (
            self.title == other.title
            and len(drawn[0]) == len(drawn[1])
            and all(a is b for a, b in zip(*drawn, strict=True))
            and self.limit is other.limit
        )


class SpectraReader:
    """Reads what was recorded, and remembers the singular values that it has read."""

    def __init__(self) -> None:
        self._known: tuple[tuple[int | None, str, int | None], tuple[tuple[str, CurvePoints], ...]] = (
            (None, "", None),
            (),
        )

    def of(self, run: RunReader, layer: str, curve: Callable[[str], CurvePoints]) -> tuple[RecordedSpectrum, ...]:
        """All spectra but the layer's own; `curve` gives scalars, and `run` the frames of the seed that is shown."""
        found = [*network_spectra(curve), self.singular(run, layer)]
        return tuple(spectrum for spectrum in found if spectrum.curves)

    def singular(self, run: RunReader, layer: str) -> RecordedSpectrum:
        """The largest singular values of the layer's kernels, at the steps at which weights were kept."""
        title = f"singular values of {layer_in_words(layer)}"
        return RecordedSpectrum("singular", title, self._singular(run, layer))

    def _singular(self, run: RunReader, layer: str) -> tuple[tuple[str, CurvePoints], ...]:
        newest = at = run.step_of("singular", layer)
        key = run.member_number, layer, newest
        if self._known[0] == key:
            return self._known[1]
        steps: list[int] = []
        rows: list[np.ndarray] = []
        while at is not None and len(steps) < MOST_STEPS:
            frame = run.singular(layer, at)
            values = np.full(SINGULAR_CURVES, np.nan)
            if frame is not None:
                largest = frame.values.numpy()[:SINGULAR_CURVES]
                values[: len(largest)] = largest
            steps.append(at)
            rows.append(values)
            at = run.step_of("singular", layer, at - 1)
        columns = np.array(rows[::-1]).T if rows else np.empty((0, 0))
        when = np.array(steps[::-1], np.int64)
        curves = tuple(
            (f"s{rank}", (when, column)) for rank, column in enumerate(columns, start=1) if np.isfinite(column).any()
        )
        self._known = key, curves
        return curves


def network_spectra(curve: Callable[[str], CurvePoints]) -> tuple[RecordedSpectrum, ...]:
    """Those of the network, with no curves where they were not recorded."""
    limit = curve(LIMIT)
    return (
        RecordedSpectrum(
            "hessian", TITLES["hessian"], _known(SCALARS["hessian"], curve), limit if len(limit[0]) else None
        ),
        RecordedSpectrum("ntk", TITLES["ntk"], _known(SCALARS["ntk"], curve)),
    )


def _known(names: dict[str, str], curve: Callable[[str], CurvePoints]) -> tuple[tuple[str, CurvePoints], ...]:
    found = ((called, curve(name)) for called, name in names.items())
    return tuple((called, points) for called, points in found if len(points[0]))
