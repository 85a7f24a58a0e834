"""The run that `condense-tui watch` has begun for a script, as long as nothing is measured in it: a script that calls
`watch` itself goes on in that run, and so trains once and is measured once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from condense_core.runs.take_up import watched_folder
from condense_core.scenario.watched import Watched
from condense_core.watching.recording import Recording
from condense_core.watching.resumed import Resumed
from condense_core.watching.run import WatchedRun


@dataclass(frozen=True)
class Offer:
    """A run that may be gone on with: `watched` is what it says of its script, `resumed` how it was where the command
    resumes it, and `taken` is told whose it is from then on, None where it is nobody's."""

    recording: Recording
    watched: Watched
    resumed: Resumed | None
    taken: Callable[[WatchedRun | None], None]

    def is_run(self, runs: Path, name: str | Path) -> bool:
        """Whether a run that is called so is this one; RunFileError where there is none."""
        return watched_folder(runs, name).resolve() == self.recording.folder.resolve()


_open: list[Offer] = []


def make(offer: Offer) -> None:
    """Offer a run to the first `watch` of this process."""
    _open[:] = [offer]


def take() -> Offer | None:
    """The run that is offered, which nobody else gets; None in a fork, where nothing is recorded."""
    found = _open.pop() if _open else None
    return found if found is not None and found.recording.usable else None
