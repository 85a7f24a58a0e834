"""The whole run as one line: how far it is recorded, what happened when, and where the playhead stands."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from condense_tui.draw.line import Glyph, Span, spans
from condense_tui.draw.scale import Scale, fit


class TimelineTone(enum.IntEnum):
    """What a piece of the line is; events are EVENT + importance."""

    BLANK = 0
    TRACK = 1
    RECORDED = 2
    PLAYHEAD = 3
    NOTE = 4
    GOOD = 5
    BAD = 6


@dataclass(frozen=True)
class EventSign:
    """How a kind of event is marked."""

    character: str
    ascii: str
    tone: TimelineTone
    weight: int


# The heavier sign wins where two fall on one column. Kinds that are not listed are marked as notes.
SIGNS = {
    "condensed": EventSign("◆", "*", TimelineTone.GOOD, 5),
    "initial-stage-ended": EventSign("▽", "v", TimelineTone.NOTE, 4),
    "plateau": EventSign("▬", "-", TimelineTone.NOTE, 2),
    "drop": EventSign("▼", "V", TimelineTone.NOTE, 3),
    "diverged": EventSign("✖", "x", TimelineTone.BAD, 9),
    "failed": EventSign("✖", "x", TimelineTone.BAD, 9),
    "lost": EventSign("✖", "x", TimelineTone.BAD, 8),
    "stopped": EventSign("■", "#", TimelineTone.NOTE, 6),
    "paused": EventSign("‖", "=", TimelineTone.NOTE, 3),
    "done": EventSign("●", "o", TimelineTone.GOOD, 2),
    "checkpoint": EventSign("·", ".", TimelineTone.TRACK, 0),
    "started": EventSign("╶", "[", TimelineTone.TRACK, 0),
    "data": EventSign("╶", "[", TimelineTone.TRACK, 0),
}
_OTHER = EventSign("•", "+", TimelineTone.NOTE, 1)


def axis(instants: np.ndarray, steps: int | None) -> Scale:
    """The time axis of a run: logarithmic where its frames are (about as many in each octave), and where nobody knows
    how far it goes, since what is seen then stays about where it is; else linear."""
    last = max(int(instants[-1]) if len(instants) else 0, steps or 0, 1)
    log = steps is None or is_logarithmic(instants)
    return fit(np.array([0, last]), log, 1.0 if log else 0.0)


def is_logarithmic(instants: np.ndarray) -> bool:
    """Half the frames lie in the first quarter of the steps: a linear axis would heap them up at its left end."""
    if len(instants) < 8 or instants[-1] < 16:
        return False
    return bool(instants[len(instants) // 2] < instants[-1] / 4)


def marks(
    events: Iterable[tuple[int, str]], scale: Scale, width: int, unicode: bool = True
) -> list[tuple[str, int, int]]:
    """For each column that holds an event (its character, tone, column), left to right."""
    best: dict[int, EventSign] = {}
    for step, kind in events:
        column = scale.column(step, width)
        sign = SIGNS.get(kind, _OTHER)
        if column is not None and (column not in best or best[column].weight < sign.weight):
            best[column] = sign
    return [
        (best[column].character if unicode else best[column].ascii, int(best[column].tone), column)
        for column in sorted(best)
    ]


def line(
    width: int,
    scale: Scale,
    *,
    recorded: int | None,
    playhead: int | None,
    events: Iterable[tuple[int, str]] = (),
    unicode: bool = True,
) -> list[Span]:
    """The line as spans: `recorded` is the last recorded step, `playhead` the step shown; None if there is none."""
    if width <= 0:
        return []
    full, track, head = ("━", "─", "█") if unicode else ("=", "-", "|")
    end = -1 if recorded is None else scale.column(recorded, width)
    end = width - 1 if end is None else end
    cells: list[Glyph] = [
        (full, int(TimelineTone.RECORDED)) if column <= end else (track, int(TimelineTone.TRACK))
        for column in range(width)
    ]
    for character, tone, column in marks(events, scale, width, unicode):
        if tone != TimelineTone.TRACK:
            cells[column] = (character, tone)
    at = None if playhead is None else scale.column(playhead, width)
    if at is not None:
        cells[at] = (head, int(TimelineTone.PLAYHEAD))
    return spans(cells)
