"""How the claim of a run in a list stands, and what is kept of that."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from condense_core.measure_table import MEASURES
from condense_core.runfile.info import RunInfo
from condense_core.runs.claim_state import Standing
from condense_core.scenario.gist import members_and_claim

if TYPE_CHECKING:
    from condense_core.runfile.open_file import OpenFile
    from condense_core.runs.standing import JudgedRun


class ClaimOfRun(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """How the claim of a run stands; None where it makes none, or that cannot be read."""

    claim: Standing | None

    @property
    def is_clean(self) -> bool:
        """Whether its texts can be shown as they are."""
        claim = self.claim
        if claim is None:
            return True
        texts = [claim.text, claim.why]
        for one in claim.findings:
            if one.measure not in MEASURES:
                return False
            texts += (one.layer, one.wanted)
        return "".join(texts).isprintable()


def judged(run: JudgedRun, info: RunInfo) -> ClaimOfRun:
    """How the run's claim stands; RunFileError where that cannot be read."""
    from condense_core.runs.standing import standing

    return ClaimOfRun(standing(run, info))


def judged_at_end(folder: Path, file: OpenFile) -> ClaimOfRun:
    """The same of the run in a folder whose file is still: without NumPy, of one draw and of most claims. ScenarioError
    where its scenario cannot be read."""
    from condense_core.runs.at_end import AtEnd

    members, claim = members_and_claim(file.info.experiment, "its scenario")
    if claim is None:
        return ClaimOfRun(None)
    return judged(AtEnd(folder, file, members, claim), file.info)
