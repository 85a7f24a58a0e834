"""A phase diagram before it is drawn: one measure of one layer over the first two swept keys, cell by cell."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from condense_core.measure_table import MEASURES
from condense_tui.draw.palette import DROPPED, LEVELS, ZERO
from condense_tui.draw.written import written
from condense_tui.sweep.axes import Axis
from condense_tui.sweep.plan import Sweep
from condense_tui.sweep.results import CellResult, TableRow
from condense_tui.sweep.show import CLAIM, SLOPE, is_counted, of_network, title_of
from condense_tui.sweep.slope import Slope, fit_axes, slopes

# In [0, 1] by definition: the scale is the same in every sweep.
_SHARES = frozenset({"flag", "share", "cosine"})
# Over several orders of magnitude, as any other number is where the largest is so many times the smallest.
_BY_LOGARITHM = frozenset({"loss_last", "relative_change"})
_MANY_TIMES = 100.0
# Words for a cell that has nothing to show, whole and for a narrow column.
_MARKS = {"diverged": "div", "failed": "fail", "stopped": "stop", "lost": "lost"}
NOT_MEASURED = "–"


@dataclass(frozen=True)
class Square:
    """One cell as it is drawn: its value, NaN if there is none, and what stands in it, widest first."""

    value: float
    texts: tuple[str, ...]
    spread: str = ""
    mark: str = ""
    """One character that says the most of it."""

    def text(self, width: int) -> str:
        """The widest text that fits."""
        return next((text for text in self.texts if len(text) <= width), self.texts[-1][:width])


@dataclass(frozen=True)
class Grid:
    """A picture: `squares` by the values of `down` (rows) and `across`; `down` is none if one key is swept."""

    title: str
    across: Axis
    down: Axis | None
    squares: tuple[tuple[Square, ...], ...]

    def turned(self) -> Grid:
        """The same with the two axes changed for each other."""
        if self.down is None:
            return self
        return Grid(self.title, self.down, self.across, tuple(zip(*self.squares, strict=True)))


@dataclass(frozen=True)
class ColourScale:
    """From values to 0…1, linearly or by the logarithm."""

    low: float
    high: float
    log: bool = False
    signed: bool = False
    """From -high to high, with 0 in the middle."""

    def code(self, value: float) -> int:
        """The palette's code of a value: its warm half, brighter for more, of a signed scale both; hatched grey for
        none."""
        share = self.share(value)
        if math.isnan(share):
            return DROPPED
        return round(share * (LEVELS - 1)) if self.signed else ZERO + round(share * (LEVELS - 1 - ZERO))

    @property
    def codes(self) -> range:
        """All codes that it has, from low to high."""
        return range(0 if self.signed else ZERO, LEVELS)

    def share(self, value: float) -> float:
        """Place of the value between the ends; NaN if it has none, 1 where the ends are one."""
        if math.isnan(value) or (self.log and value <= 0):
            return math.nan
        if self.high == self.low:
            return 1.0
        low, high, here = (
            (math.log(v) for v in (self.low, self.high, value)) if self.log else (self.low, self.high, value)
        )
        return min(1.0, max(0.0, (here - low) / (high - low)))


def grids(sweep: Sweep, results: Sequence[CellResult], show: str, layers: Sequence[str]) -> list[Grid]:
    """A picture for each of the layers and each combination of the values of a third key and on."""
    axes = fit_axes(sweep.axes)[1] if show == SLOPE else sweep.axes
    across, down = axes[0], axes[1] if len(axes) > 1 else None
    rest = axes[2:]
    at = _slopes_at(sweep, results, layers) if show == SLOPE else _measures_at(sweep, results, show)
    pictures = []
    for layer in layers:
        for fixed in itertools.product(*(axis.values for axis in rest)):
            heads = [
                *([] if of_network(show) else [layer]),
                *(f"{axis.name} {value}" for axis, value in zip(rest, fixed, strict=True)),
            ]
            squares = tuple(
                tuple(at((x, *y, *fixed), layer) for x in across.values)
                for y in ([(value,) for value in down.values] if down else [()])
            )
            title = ": ".join(part for part in (", ".join(heads), title_of(show)) if part)
            pictures.append(Grid(title, across, down, squares))
    return pictures


def scale_of(pictures: Iterable[Grid], show: str) -> ColourScale:
    """One scale for all pictures of a measure: 0 to 1 for shares, else up to the largest, from 0 where it is linear."""
    kind = "" if show == SLOPE else MEASURES[show].kind
    if kind in _SHARES:
        return ColourScale(0.0, 1.0)
    values = [item.value for picture in pictures for row in picture.squares for item in row]
    finite = [value for value in values if math.isfinite(value)]
    wide = kind == "value" and min(finite, default=0.0) > 0 and max(finite) >= _MANY_TIMES * min(finite)
    log = show in _BY_LOGARITHM or kind == "step" or wide
    known = [value for value in finite if value > 0 or not log]
    if show == SLOPE:
        # one border for both signs: the same distance from 0 has the same strength
        most = max(map(abs, known), default=1.0) or 1.0
        return ColourScale(-most, most, signed=True)
    if not known:
        return ColourScale(0.0, 1.0)
    return ColourScale(min(known), max(known), log) if log else ColourScale(min(0.0, *known), max(0.0, *known))


def has_values(grid: Grid) -> bool:
    """Whether there is a number in any of its cells."""
    return any(not math.isnan(item.value) for row in grid.squares for item in row)


def square(result: CellResult, layer: str, show: str) -> Square:
    """What one cell of the sweep shows of the measure."""
    if not result.usable:
        return Square(math.nan, (result.status, _MARKS.get(result.status, "?")))
    row = result.row(layer)
    if row is None:
        return Square(math.nan, (NOT_MEASURED,))
    if is_counted(show):
        return _count(row, *(("claim_holds_in", "claim_decided") if show == CLAIM else (show, "seeds")))
    low, middle, high = (_number(row[f"{show}_{which}"]) for which in ("min", "median", "max"))
    if math.isnan(middle):
        return Square(math.nan, (NOT_MEASURED,))
    spread = "" if low == high else f"{words(low, show)}–{words(high, show)}"
    return Square(middle, (words(middle, show), words(middle, show).removeprefix("0")), spread)


def words(value: float, show: str) -> str:
    """A value of the measure as it stands in a cell and at the ends of the scale."""
    if is_counted(show):
        return f"{value:.0%}"
    if show == SLOPE:
        return f"{value:+.2f}"
    if MEASURES[show].kind in _SHARES:
        # a column is four characters wide at the least
        return f"{value:.2f}"
    return written(show, value, narrow=True)


def _measures_at(sweep: Sweep, results: Sequence[CellResult], show: str) -> Callable[[tuple[str, ...], str], Square]:
    found = {cell.values: result for cell, result in zip(sweep.cells, results, strict=True)}
    return lambda values, layer: square(found[values], layer, show)


def _slopes_at(
    sweep: Sweep, results: Sequence[CellResult], layers: Sequence[str]
) -> Callable[[tuple[str, ...], str], Square]:
    fitted = {(found.values, found.layer): found for found in slopes(sweep, results, layers)}
    return lambda values, layer: _of_slope(fitted[(values, layer)])


def _of_slope(found: Slope) -> Square:
    """+ and - where S is more than two standard errors from 0, 0 where it is not."""
    if math.isnan(found.slope):
        return Square(math.nan, (found.status or NOT_MEASURED, _MARKS.get(found.status, NOT_MEASURED)), mark="?")
    short = f"{found.slope:+.1f}"
    spread = "" if math.isnan(found.error) else f"±{found.error:.2f}"
    sure = math.isnan(found.error) or abs(found.slope) > 2 * found.error
    mark = ("+" if found.slope > 0 else "-") if sure else "0"
    return Square(found.slope, (words(found.slope, SLOPE), short, short.replace("0.", ".")), spread, mark)


def _count(row: TableRow, part: str, whole: str) -> Square:
    numerator, denominator = _number(row[part]), _number(row[whole])
    if not denominator > 0:
        return Square(math.nan, (NOT_MEASURED,))
    return Square(
        numerator / denominator, (f"{numerator:.0f} of {denominator:.0f}", f"{numerator:.0f}/{denominator:.0f}")
    )


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else math.nan
