"""How a figure for a paper looks: its size, its letters, its axes, its colours. Needs no NumPy."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from condense_core.errors import ScenarioError
from condense_tui.documents.files import ExportError

# One column of a page of two, as most journals and ICML set it.
COLUMN_MM: Final = 85.0
MM_PER_INCH: Final = 25.4
# What fits into a letter and what on a poster; above it a PNG takes minutes.
LEAST_MM, MOST_MM = 25.0, 1000.0
# Captions of conferences are set in 9 points, and what is smaller than 4 nobody reads.
FONT_PT, LEAST_PT, MOST_PT = 8.0, 4.0, 24.0
# Panels beside each other; more would leave no room for their numbers. The millimetres that one takes with numbers and
# labels by the size of its letters: 40 mm across at 8 points where it is free to choose, and what is still legible.
ACROSS: Final = 4
WIDE_MM, LEAST_WIDE_MM, LEAST_HIGH_MM = 5.0, 3.2, 2.8
# As in a comparison on the screen.
MOST_RUNS = 6
_SIZE = re.compile(r"(\d{1,5}(?:\.\d{1,3})?)(?:[x×](\d{1,5}(?:\.\d{1,3})?))?(mm|in)")


@dataclass(frozen=True)
class PaperLook:
    """`height_mm` None: as high as the panels need. `log_steps` and `log_values` None: as on the screen, steps linear
    and only values without a fixed range logarithmic."""

    width_mm: float = COLUMN_MM
    height_mm: float | None = None
    font_pt: float = FONT_PT
    titled: bool = True
    log_steps: bool = False
    log_values: bool | None = None

    def grid(self, panels: int) -> tuple[int, int]:
        """How many panels are beside each other and how many below; ExportError where they would be too small."""
        most = max(1, min(ACROSS, int(self.width_mm / (WIDE_MM * self.font_pt))))
        down = -(-panels // most)
        across = -(-panels // down)
        narrow = self.width_mm / across < LEAST_WIDE_MM * self.font_pt
        if narrow or (self.height_mm is not None and self.height_mm / down < LEAST_HIGH_MM * self.font_pt):
            size = f"{self.width_mm:g}" + (f"x{self.height_mm:g}" if self.height_mm is not None else "")
            raise ExportError(
                f"{size} mm are too small for {panels} panel{'s' if panels > 1 else ''} with letters of"
                f" {self.font_pt:g} points; choose a larger size, or a smaller --font-size"
            )
        return across, down


def is_paper_size(text: str) -> bool:
    """Whether a size is one on paper: it has a unit, where that of a screen has none."""
    return text.endswith(("mm", "in"))


def paper_size_of(text: str) -> tuple[float, float | None]:
    """Width and height in millimetres of `85x60mm`, `85mm` (the height follows) or `3.25x2in`; ScenarioError
    otherwise."""
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ScenarioError(f"--size {text}: expected WIDTHxHEIGHT with a unit, such as 85x60mm, 85mm or 3.25in")
    unit = 1.0 if match[3] == "mm" else MM_PER_INCH
    sides = [float(side) * unit for side in match.groups()[:2] if side is not None]
    if not all(LEAST_MM <= side <= MOST_MM for side in sides):
        raise ScenarioError(f"--size {text}: expected sides from {LEAST_MM:g} to {MOST_MM:g} mm")
    return sides[0], sides[1] if len(sides) > 1 else None


def font_size_of(points: float) -> float:
    """The size of letters in points, if it can be read; ScenarioError otherwise."""
    if not LEAST_PT <= points <= MOST_PT:
        raise ScenarioError(f"--font-size {points:g}: expected {LEAST_PT:g} to {MOST_PT:g} points")
    return points
