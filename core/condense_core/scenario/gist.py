"""What lists and claims ask of what a run trains, in a tenth of the time that all of it takes."""

from __future__ import annotations

from condense_core.scenario.claims import Claim
from condense_core.scenario.watched import is_watched

# The text that was asked for last, and what was found. Of a run in a list it is asked for several times.
_last: tuple[str | None, tuple[int, Claim | None]] = (None, (1, None))


def members_and_claim(text: str, source: str) -> tuple[int, Claim | None]:
    """How many draws a run trains as one, and its claim: of one that was watched, one and none. ScenarioError, which
    begins with `source`, where the text is no scenario."""
    if is_watched(text):
        return 1, None
    global _last  # noqa: PLW0603 - replaced in one stroke, whatever threads there are
    before, known = _last
    if before != text:
        from condense_core.scenario.toml import ensemble_and_claim

        found, claim = ensemble_and_claim(text, source)
        known = found.members, claim
        _last = text, known
    return known
