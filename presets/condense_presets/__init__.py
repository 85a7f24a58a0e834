"""Scenarios that ship with the program: TOML files, grouped by paper, each with the claim that it must show; and those
in folders of one's own."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

from condense_core.errors import ScenarioError, nearest
from condense_core.text import place_of, printable, short

if TYPE_CHECKING:
    from condense_core.scenario.figures import PaperFigure

_FOLDER = Path(__file__).parent
RECORDINGS = _FOLDER / "recordings"
# In the order in which a person would list them.
_PRESETS = ("cnn", "fcn", "demonstrations", "frontier", "starters")
_FIGURES = _FOLDER / "figures"
# Scenarios of a folder of one's own that are looked at.
MOST_OWN = 1_000


def preset_files() -> dict[str, Path]:
    """The file of every preset that ships by its name, in the order in which a person would list them."""
    return dict(_shipped())


@functools.cache
def _shipped() -> dict[str, Path]:
    # looked for once: each preset that is read asks for them
    return {file.stem: file for folder in _PRESETS for file in sorted((_FOLDER / folder).glob("*.toml"))}


def own_preset_files() -> tuple[dict[str, Path], list[str]]:
    """The files of presets in the folders that the preferences name, by their names; and what of these folders cannot
    be used, in lines."""
    from condense_core.preferences import config_folder, find_preferences

    shipped, found, troubles = preset_files(), dict[str, Path](), []
    for named in find_preferences().preferences.presets:
        folder = config_folder() / place_of(named)
        if not folder.is_dir():
            troubles.append(f"presets: no folder {printable(str(folder))}")
        for file in sorted(folder.glob("*.toml"))[:MOST_OWN]:
            name = file.stem
            if name in shipped or name in found:
                has = "a preset that ships" if name in shipped else f"one in {printable(str(found[name].parent))}"
                troubles.append(f"preset {printable(str(file))}: left out, {has} has this name")
            elif not name.isprintable():
                troubles.append(f"preset {printable(str(file))}: left out, its name cannot be shown")
            else:
                found[name] = file
    return found, troubles


def all_preset_files() -> dict[str, Path]:
    """Those that ship, and one's own behind them."""
    return preset_files() | own_preset_files()[0]


def preset_folder(name: str) -> Path:
    """Where a preset's file is, to which paths in it are relative; the working directory for those that ship, which
    have none."""
    own = own_preset_files()[0]
    return own[name].parent if name in own else Path()


def figures() -> list[PaperFigure]:
    """The claims across presets that ship with the program, by name."""
    # the names of presets, for which a shell waits, do without all that reads scenarios
    from condense_core.scenario.figures import load_figure

    return [load_figure(file.read_text(encoding="utf-8"), file.stem) for file in sorted(_FIGURES.glob("*.toml"))]


def preset_text(name: str) -> str:
    """The TOML of a preset; ScenarioError that names the nearest where there is none."""
    files = preset_files()
    if name not in files:
        files = all_preset_files()
    if name not in files:
        raise ScenarioError(f"no preset {short(name)}; {nearest(name, files)} (condense-tui presets)")
    from condense_core.foreign import LONGEST_SCENARIO, decoding, read_text

    with decoding(ScenarioError, f"preset {short(name)}"):
        return read_text(files[name], LONGEST_SCENARIO)


@functools.lru_cache(maxsize=256)
def preset_base(name: str) -> str | None:
    """The TOML of a preset, by which the differences of its runs are told; None where there is none of that name."""
    try:
        return preset_text(name)
    except ScenarioError:
        return None


def recordings() -> dict[str, Path]:
    """The recordings that ship with the program, by the name of their preset."""
    return {file.stem: file for file in sorted(RECORDINGS.glob("*.sqlite"))}
