"""What a run is called on screens, in tables and in files: the one rule of `condense_core.runs.label`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from condense_core.errors import RunFileError

if TYPE_CHECKING:
    from condense_core.runfile.info import RunInfo

_told: dict[tuple[str, str, str], tuple[str, ...]] = {}


def preset_base(preset: str) -> str | None:
    """The scenario of a preset that ships, in TOML; None where there is none of that name."""
    from condense_presets import preset_base as of_presets

    return of_presets(preset)


def label(place: Path, info: RunInfo) -> str:
    """What the run in a folder, or in a file by itself, is called."""
    from condense_core.runs.about_run import NOTHING, read_about
    from condense_core.runs.label import differences, label_of

    try:
        about = read_about(place)
    except RunFileError:
        # home and `runs list` say what is wrong with it
        about = NOTHING
    key = info.preset, info.name, info.experiment
    if key not in _told:
        if len(_told) > 100:
            _told.clear()
        _told[key] = differences(info, preset_base)
    return label_of(info, about, _told[key])
