"""Sign and word of a run's status, for every list and header: never colour alone."""

from __future__ import annotations

from typing import NamedTuple


class StatusSign(NamedTuple):
    """The sign, the word, and the name of the style in `look.Look`."""

    sign: str
    word: str
    style: str


LIVE = StatusSign("●", "live", "good")
PAUSED = StatusSign("▮▮", "paused", "warn")
REPLAY = StatusSign("▷", "replay", "playhead")
# Of a run elsewhere that trained when it was last heard of, and to which there is no connection.
LAST_SEEN = StatusSign("○", "last seen", "warn")
SIGNS = {
    "running": LIVE,
    "paused": PAUSED,
    "done": StatusSign("✔", "done", "good"),
    "stopped": StatusSign("■", "stopped", "warn"),
    "failed": StatusSign("✖", "failed", "bad"),
    "diverged": StatusSign("✖", "diverged", "bad"),
    "lost": StatusSign("✖", "worker lost", "bad"),
    "starting": StatusSign("○", "starting", "muted"),
}


def sign_of(status: str) -> StatusSign:
    """Sign and word of a status; an unknown one is its own word."""
    return SIGNS.get(status, StatusSign("○", status, "muted"))


def condensed_sign(condensed: bool | None, unicode: bool) -> str:
    """The sign of a layer that has condensed, of several seeds in all of them, and of one that has not."""
    return ("◆" if condensed else "◇") if unicode else ("*" if condensed else "o")
