"""Single damaged bytes among the frames and the scalars of run files: none is read as something else than was written,
and all that is left out is said."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

from one_byte import OneByte, Part
from recording import Recording

from campaigns.framework import Attempt, Campaign, Scene

PARTS: tuple[Part, ...] = ("frames", "scalars")
# Of a damaged index or page of a tree what it leads to may not be found.
MOST_MISSING = 0.04


@contextlib.contextmanager
def opened(scene: Scene) -> Iterator[Attempt]:
    recording = Recording(scene.folder / "run", frames=12, kernels=(6, 4))
    recording.write()
    recording.finish()
    recording.close()
    files = [(part, OneByte(recording.folder, part)) for part in PARTS]
    found: dict[Part, Counter[str]] = {part: Counter() for part in PARTS}

    def attempt(draw: Random, _: Path) -> int:
        for part, file in files:
            outcome = file.damaged(draw)
            found[part][outcome] += 1
            assert outcome != "wrong", f"one of the {part} was read as something else"
        return 1

    yield attempt
    for part, outcomes in found.items():
        missing = outcomes["missing"] / outcomes.total()
        assert scene.goal < 100 or missing < MOST_MISSING, f"{missing:.1%} of the {part} are missing without a word"
        said = ", ".join(f"{count:,} {outcome}" for outcome, count in outcomes.most_common())
        scene.notes.append(f"{part}: {said}")


CAMPAIGN = Campaign(
    "bytes",
    "single damaged bytes in run files: what was never written is never read",
    "bytes of frames, and as many of scalars",
    tried=3_000,
    short=50,
    open=opened,
)
