"""A run as lists show it, and how its claim stands, read in one opening of its file; and what is kept of it."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from condense_core.errors import RunFileError, ScenarioError
from condense_core.runfile.info import RunInfo
from condense_core.runs import glance as glancing
from condense_core.runs.about_run import NOTHING, AboutRun
from condense_core.runs.glance import Glance, LayerGlance
from condense_core.runs.kept import Signature, clean, lasts, signature
from condense_core.runs.label import PresetBase
from condense_core.runs.side_by_side import Steps

if TYPE_CHECKING:
    from condense_core.runfile.open_file import OpenFile
    from condense_core.runs.judged import ClaimOfRun


class KeptGlance(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A glance without what only says where it is."""

    info: RunInfo
    loss: tuple[float, ...]
    layers: tuple[LayerGlance, ...]
    about: AboutRun = NOTHING
    differs: tuple[str, ...] = ()

    @property
    def is_clean(self) -> bool:
        """Whether its texts can be shown as they are."""
        about = self.about
        words = (about.name, about.note, *about.tags, about.sweep, *self.differs)
        return clean(self.info, *(layer.name for layer in self.layers), *words)


class Lasting(NamedTuple):
    """What can be kept of a run that was read between two looks at its files; `claim` where that was asked for, and
    could be read."""

    before: Signature
    after: Signature
    glance: KeptGlance
    claim: ClaimOfRun | None


def read(folder: Path, base: PresetBase, before: Signature | None, *, claims: bool) -> tuple[Glance, Lasting | None]:
    """The run in a folder that looked so just before, and what can be kept of it: nothing where it may change without
    its files, or its file cannot be read. With `claims`, how its claim stands is read as well."""
    claim = _Claim(folder)
    found = glancing.glance(folder, base, claim.judge) if claims else glancing.glance(folder, base)
    return found, None if before is None else _lasting(found, before, claim)


def read_in_steps(folder: Path, base: PresetBase, *, claims: bool) -> Steps[Lasting | None]:
    """What can be kept of the run in a folder, as one of many that are read side by side; OSError where its files
    cannot be looked at."""
    before = signature(str(folder))
    if not any(before[:2]):
        # no run, or not yet
        return None
    yield
    claim = _Claim(folder)
    found = yield from glancing.glance_in_steps(folder, base, claim.judge if claims else None)
    return _lasting(found, before, claim)


class _Claim:
    """How the claim of the run in a folder stands, where that was asked for and can be read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.found: ClaimOfRun | None = None

    def judge(self, file: OpenFile) -> None:
        from condense_core.runs.judged import judged_at_end

        # whoever lists claims reads it once more, and says why
        with contextlib.suppress(RunFileError, ScenarioError):
            self.found = judged_at_end(self._folder, file)


def _lasting(found: Glance, before: Signature, claim: _Claim) -> Lasting | None:
    info = found.info
    if info is None or not lasts(info) or found.trouble:
        return None
    kept = KeptGlance(info, found.loss, found.layers, found.about, found.differs)
    return Lasting(before, signature(str(found.folder), before), kept, claim.found)
