"""How the claim of a run in a list stands, and what is kept of that."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from condense_core.measure_table import MEASURES
from condense_core.runfile.info import RunInfo
from condense_core.runs.claim_state import Standing
from condense_core.runs.kept import clean
from condense_core.scenario.gist import members_and_claim

if TYPE_CHECKING:
    from condense_core.runfile.open_file import OpenFile
    from condense_core.runs.standing import JudgedRun


class Listed(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A run without its scenario, and how its claim stands; None where it makes none, or that cannot be read."""

    info: RunInfo
    claim: Standing | None

    @property
    def is_clean(self) -> bool:
        """Whether its texts can be shown as they are."""
        claim = self.claim
        if claim is None:
            return clean(self.info)
        texts = (claim.text, claim.why, *(text for one in claim.findings for text in (one.layer, one.wanted)))
        return clean(self.info, *texts) and all(one.measure in MEASURES for one in claim.findings)


def judged(run: JudgedRun, info: RunInfo) -> Listed:
    """The run, and how its claim stands; RunFileError where that cannot be read."""
    from condense_core.runs.standing import standing

    return Listed(in_list(info), standing(run, info))


def judged_at_end(folder: Path, file: OpenFile) -> Listed:
    """The same of a run in a folder whose file is still: without NumPy, of one draw and of most claims. ScenarioError
    where its scenario cannot be read."""
    from condense_core.runs.at_end import AtEnd

    members, claim = members_and_claim(file.info.experiment, "its scenario")
    if claim is None:
        return Listed(in_list(file.info), None)
    return judged(AtEnd(folder, file, members, claim), file.info)


def in_list(info: RunInfo) -> RunInfo:
    """A row without its scenario, which would be most of what a list holds."""
    return msgspec.structs.replace(info, experiment="")
