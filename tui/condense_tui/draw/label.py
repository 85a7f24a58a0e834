"""What a run is called on screens, in tables and in files, by the one rule of `condense_core.runs.label`, and what a
person said of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from condense_core.errors import RunFileError

if TYPE_CHECKING:
    from condense_core.runfile.info import RunInfo
    from condense_core.runs.about_run import AboutRun

_told: dict[tuple[str, str, str], tuple[str, ...]] = {}


def preset_base(preset: str) -> str | None:
    """The scenario of a preset that ships, in TOML; None where there is none of that name."""
    from condense_presets import preset_base as of_presets

    return of_presets(preset)


def label(place: Path, info: RunInfo) -> str:
    """What the run in a folder, or in a file by itself, is called."""
    from condense_core.runs.label import differences, label_of

    key = info.preset, info.name, info.experiment
    if key not in _told:
        if len(_told) > 100:
            _told.clear()
        _told[key] = differences(info, preset_base)
    return label_of(info, _about(place), _told[key])


def said_of(place: Path) -> list[tuple[str, str]]:
    """The name that a run was given, its tags and its note, with the word for each; those that there are."""
    about = _about(place)
    said = ("name", about.name), ("tags", ", ".join(about.tags)), ("note", about.note)
    return [(word, text) for word, text in said if text]


def _about(place: Path) -> AboutRun:
    from condense_core.runs.about_run import NOTHING, read_about

    try:
        return read_about(place)
    except RunFileError:
        # home and `runs list` say what is wrong with it
        return NOTHING
