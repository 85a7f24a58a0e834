"""What lists and claims ask of what a run trains, in a tenth of the time that all of it takes."""

from __future__ import annotations

import functools

from condense_core.errors import ScenarioError
from condense_core.scenario.claims import Claim
from condense_core.scenario.watched import is_watched

# Characters of a text of which what was found is kept, and how many are: of a run in a list it is asked for several
# times, and some runs are read side by side.
LONGEST_KEPT, MOST_KEPT = 20_000, 32


def members_and_claim(text: str, source: str) -> tuple[int, Claim | None]:
    """How many draws a run trains as one, and its claim: of one that was watched, one and none. ScenarioError, which
    begins with `source`, where the text is no scenario."""
    if is_watched(text):
        return 1, None
    if len(text) <= LONGEST_KEPT:
        try:
            return _kept(text)
        except ScenarioError:
            # which is said once more, of that source
            pass
    return _read(text, source)


def _read(text: str, source: str = "scenario") -> tuple[int, Claim | None]:
    from condense_core.scenario.toml import ensemble_and_claim

    found, claim = ensemble_and_claim(text, source)
    return found.members, claim


_kept = functools.lru_cache(MOST_KEPT)(_read)
