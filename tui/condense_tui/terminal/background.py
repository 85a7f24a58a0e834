"""What colour a terminal's background is: the question, and its answer among the keys that are typed meanwhile."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

QUESTION = "\x1b]11;?\x1b\\"
# A local terminal answers in some milliseconds, one over ssh in a round trip. What comes later changes no colours any
# more on a screen that somebody is looking at.
DEADLINE_S = 0.4
# How long the escape key may be taken for the beginning of an answer, and for how long after the question.
ESCAPE_S, EXPECTED_S = 0.05, 3.0

_ANSWER = re.compile(r"\x1b\]11;([^\x07\x1b]{0,60})(?:\x07|\x1b\\)")
# What may be the beginning of one, at the end of what was read.
_BEGUN = re.compile(r"\x1b(?:\]|\]1|\]11|\]11;[^\x07\x1b]{0,60}\x1b?)?\Z")
_COLOUR = re.compile(r"rgba?:([0-9a-f]{1,4})/([0-9a-f]{1,4})/([0-9a-f]{1,4})(?:/[0-9a-f]{1,4})?", re.IGNORECASE)


def is_light(colour: str) -> bool | None:
    """Whether a colour such as `rgb:ffff/ffff/ffff` is light; None for what is no colour."""
    found = _COLOUR.fullmatch(colour)
    if found is None:
        return None
    red, green, blue = (int(part, 16) / (16 ** len(part) - 1) for part in found.groups())
    return bool(0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.5)


class Answers:
    """Takes the answers out of what is read from a terminal, whatever pieces they come in, and leaves all that is
    typed."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._asked_at: float | None = None
        self._held = ""
        self._held_at = 0.0

    def asked(self) -> None:
        """From now on there may be an answer."""
        self._asked_at = self._now()

    @property
    def since(self) -> float:
        """Seconds since the question."""
        return math.inf if self._asked_at is None else self._now() - self._asked_at

    def read(self, data: str) -> tuple[str, list[str]]:
        """What of it was typed, and the colours that were answered."""
        if self._asked_at is None:
            return data, []
        data, self._held = self._held + data, ""
        colours = _ANSWER.findall(data)
        typed = _ANSWER.sub("", data)
        begun = _BEGUN.search(typed)
        # an escape alone is a key, which only waits while an answer is near
        if begun and (len(begun[0]) > 1 or self.since < EXPECTED_S):
            typed, self._held, self._held_at = typed[: begun.start()], begun[0], self._now()
        return typed, colours

    def overdue(self) -> str:
        """What was held back as the beginning of an answer, and was none."""
        if not self._held or self._now() - self._held_at < ESCAPE_S:
            return ""
        held, self._held = self._held, ""
        return held
