"""Sign and word of a run's status, for every list and header: never colour alone."""

from __future__ import annotations

from typing import NamedTuple


class StatusSign(NamedTuple):
    """The sign, the same without Unicode, the word, and the name of the style in `look.Look`."""

    sign: str
    plain: str
    word: str
    style: str


LIVE = StatusSign("●", "*", "live", "good")
PAUSED = StatusSign("▮▮", "||", "paused", "warn")
REPLAY = StatusSign("▷", ">", "replay", "playhead")
# Of a run elsewhere that trained when it was last heard of, and to which there is no connection.
LAST_SEEN = StatusSign("○", "o", "last seen", "warn")
SIGNS = {
    "running": LIVE,
    "paused": PAUSED,
    "done": StatusSign("✔", "ok", "done", "good"),
    "stopped": StatusSign("■", "#", "stopped", "warn"),
    "failed": StatusSign("✖", "x", "failed", "bad"),
    "diverged": StatusSign("✖", "x", "diverged", "bad"),
    "lost": StatusSign("✖", "x", "worker lost", "bad"),
    "starting": StatusSign("○", "o", "starting", "muted"),
}


def sign_of(status: str) -> StatusSign:
    """Sign and word of a status; an unknown one is its own word."""
    return SIGNS.get(status, StatusSign("○", "o", status, "muted"))


def condensed_sign(condensed: bool | None, unicode: bool) -> str:
    """The sign of a layer that has condensed, of several seeds in all of them, and of one that has not."""
    return ("◆" if condensed else "◇") if unicode else ("*" if condensed else "o")
