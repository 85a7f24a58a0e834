"""What a run is called on screens, in tables and in files, by the one rule of `condense_core.runs.label`, and what a
person said of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from condense_core.runfile.info import RunInfo

_told: dict[tuple[str, str, str, tuple[str, ...]], tuple[str, ...]] = {}


def preset_base(preset: str) -> str | None:
    """The scenario of a preset that ships, in TOML; None where there is none of that name."""
    from condense_presets import preset_base as of_presets

    return of_presets(preset)


def label(place: Path, info: RunInfo) -> str:
    """What the run in a folder, or in a file by itself, is called."""
    from condense_core.runs.about_run import known_about
    from condense_core.runs.label import differences, label_of

    about = known_about(place)
    key = info.preset, info.name, info.experiment, about.changed
    if key not in _told:
        if len(_told) > 100:
            _told.clear()
        _told[key] = differences(info, preset_base, about)
    return label_of(info, about, _told[key])


def said_of(place: Path) -> list[tuple[str, str]]:
    """The name that a run was given, its tags and its note, with the word for each; those that there are."""
    from condense_core.runs.about_run import known_about

    about = known_about(place)
    said = ("name", about.name), ("tags", ", ".join(about.tags)), ("note", about.note)
    return [(word, text) for word, text in said if text]
