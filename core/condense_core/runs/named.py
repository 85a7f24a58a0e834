"""What a person means by the name of a recording: a path, a preset's recording, or a run. The one rule, for commands
and for Python."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

from condense_core.errors import RunFileError, SeveralRunsError, nearest
from condense_core.runs.glance import no_base
from condense_core.runs.label import PresetBase
from condense_core.runs.place import find_run, shown_names
from condense_core.text import place_of, short

# The package of presets is installed beside this one, which does not know it: where it is missing, nothing ships.
_PRESETS = "condense_presets"


class Shipped(NamedTuple):
    """What ships with the program: recordings by their preset's name, and the names of all presets."""

    recordings: Mapping[str, Path]
    presets: Collection[str]
    base: PresetBase = no_base
    """From a preset to the text of its scenario."""


def shipped_here() -> Shipped:
    """What the package of presets has, looked up by its name as a plug-in; nothing where it is not installed."""
    if importlib.util.find_spec(_PRESETS) is None:
        return Shipped({}, ())
    package = importlib.import_module(_PRESETS)
    return Shipped(package.recordings(), package.all_preset_files(), package.preset_base)


def find_recording(name: str, runs: Path, shipped: Shipped) -> Path:
    """What a person means to look at: a path, a preset by its whole name where it has a recording, or a run in the
    folder `runs`. RunFileError if it is none of these, with the nearest recording or run, or fits several runs."""
    path = place_of(name)
    if path.exists():
        return path
    recording = shipped.recordings.get(name)
    if recording is not None:
        return recording
    try:
        return find_run(runs, name)
    except SeveralRunsError:
        raise
    except RunFileError:
        if name in shipped.presets:
            raise RunFileError(
                f"no run {name!r}, and the preset has no recording; train it: condense-tui run {name}"
            ) from None
        hint = nearest(name, [*shown_names(runs), *shipped.recordings])
        if hint.startswith("did you mean"):
            where = "(condense-tui runs list, condense-tui presets)"
            raise RunFileError(f"no run or recording {short(name)}; {hint} {where}") from None
        raise
