"""Sign and word of a run's status, for every list and header: never colour alone."""

from __future__ import annotations

from typing import NamedTuple


class Sign(NamedTuple):
    """The sign, the same without Unicode, the word, and the name of the style in `look.Look`."""

    sign: str
    plain: str
    word: str
    style: str


LIVE = Sign("●", "*", "live", "good")
PAUSED = Sign("▮▮", "||", "paused", "warn")
REPLAY = Sign("▷", ">", "replay", "playhead")
# Of a run elsewhere that trained when it was last heard of, and to which there is no connection.
LAST_SEEN = Sign("○", "o", "last seen", "warn")
SIGNS = {
    "running": LIVE,
    "paused": PAUSED,
    "done": Sign("✔", "ok", "done", "good"),
    "stopped": Sign("■", "#", "stopped", "warn"),
    "failed": Sign("✖", "x", "failed", "bad"),
    "diverged": Sign("✖", "x", "diverged", "bad"),
    "lost": Sign("✖", "x", "worker lost", "bad"),
    "starting": Sign("○", "o", "starting", "muted"),
}


def sign_of(status: str) -> Sign:
    """Sign and word of a status; an unknown one is its own word."""
    return SIGNS.get(status, Sign("○", "o", status, "muted"))
