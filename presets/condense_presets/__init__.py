"""Scenarios that ship with the program: TOML files, grouped by paper, each with the claim that it must show."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

from condense_core.errors import ScenarioError, nearest
from condense_core.text import short

if TYPE_CHECKING:
    from condense_core.scenario.figures import PaperFigure

_FOLDER = Path(__file__).parent
RECORDINGS = _FOLDER / "recordings"
# In the order in which a person would list them.
_PRESETS = ("cnn", "fcn", "demonstrations", "frontier", "starters")
_FIGURES = _FOLDER / "figures"


def preset_files() -> dict[str, Path]:
    """Every preset's file by its name, in the order in which a person would list them."""
    return {file.stem: file for folder in _PRESETS for file in sorted((_FOLDER / folder).glob("*.toml"))}


def figures() -> list[PaperFigure]:
    """The claims across presets that ship with the program, by name."""
    # the names of presets, for which a shell waits, do without all that reads scenarios
    from condense_core.scenario.figures import load_figure

    return [load_figure(file.read_text(encoding="utf-8"), file.stem) for file in sorted(_FIGURES.glob("*.toml"))]


def preset_text(name: str) -> str:
    """The TOML of a preset; ScenarioError that names the nearest where there is none."""
    files = preset_files()
    if name not in files:
        raise ScenarioError(f"no preset {short(name)}; {nearest(name, files)} (condense-tui presets)")
    return files[name].read_text(encoding="utf-8")


@functools.lru_cache(maxsize=256)
def preset_base(name: str) -> str | None:
    """The TOML of a preset, by which the differences of its runs are told; None where there is none of that name."""
    file = preset_files().get(name)
    return None if file is None else file.read_text(encoding="utf-8")


def recordings() -> dict[str, Path]:
    """The recordings that ship with the program, by the name of their preset."""
    return {file.stem: file for file in sorted(RECORDINGS.glob("*.sqlite"))}
