"""Going on with a run whose training its user resumes from a checkpoint: at which step, with which layers.

What was recorded stands. Steps that are trained once more, because the checkpoint is older than the end of the
recording, are not recorded again, and an event says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor
from torch.optim import Optimizer

from condense_core.errors import RunFileError
from condense_core.runfile.status import Status
from condense_core.runs.take_up import TakenUp, recorded
from condense_core.scenario.watched import Watched, in_words, settings
from condense_core.watching.choice import choose, draw
from condense_core.watching.find import Finder
from condense_core.watching.layers import FoundLayer

# Settings that are other than before, of which an event tells so many.
MOST_TOLD = 5


class OtherLayersError(RunFileError):
    """The network is not the one that was recorded."""


@dataclass(frozen=True)
class Resumed:
    """A run as it was when its training was resumed.

    `asked` is the step that its user says it goes on at, `last` the one that it had reached, `upto` the last one of any
    row, -1 without any; `seconds` were trained before, and `now` is what is said of the training that goes on with it.
    """

    id: str
    watched: Watched
    now: Watched
    status: Status
    reason: str
    last: int
    upto: int
    seconds: float
    asked: int | None = None

    def start(self, optimizer: Optimizer | None) -> tuple[int, str]:
        """The step that training goes on at, and who says so: its user, else the optimizer where it counts its steps,
        else the recording, which ends there."""
        if self.asked is not None:
            return self.asked, "as its script says"
        counted = steps_of(optimizer)
        return (self.last, "the last that it had reached") if counted is None else (counted, "as its optimizer counts")

    def told(self, step: int, why: str) -> str:
        """What the run's event says of it."""
        words = f"resumed at step {step:,}, {why}"
        if step < self.upto:
            words += f"; what was recorded up to step {self.upto:,} stands, and is not recorded again"
        elif step > self.upto + 1:
            words += f"; nothing is recorded of the steps between {max(self.upto, 0):,} and that"
        changed = changes(self.watched, self.now)
        return words + (f"; other than before: {changed}" if changed else "")


def steps_of(optimizer: Optimizer | None) -> int | None:
    """How many steps an optimizer has made by its own count, as Adam's and others keep one for each parameter; None
    where it has none."""
    counts = [state["step"] for state in (optimizer.state.values() if optimizer else ()) if "step" in state]
    found = [int(count) for count in counts if isinstance(count, int | float | Tensor)]
    return max(found, default=None)


def taken_up(resumed: Resumed, found: Sequence[FoundLayer]) -> list[FoundLayer]:
    """Those of a network's layers that were recorded; OtherLayersError where one is not there, or not as it was."""
    by_name = {layer.name: layer for layer in found}
    layers = []
    for before in resumed.watched.layers:
        layer = by_name.get(before.name)
        if layer is None:
            raise OtherLayersError(f"{resumed.id} has a layer {before.name}, and this network has none of that name")
        draw(layer)
        if layer.geometry != before.geometry:
            raise OtherLayersError(
                f"layer {before.name} of {resumed.id} is {in_words(before.geometry)}, and this network's is"
                f" {in_words(layer.geometry)}"
            )
        layers.append(layer)
    return layers


def same_layers(resumed: Resumed, finder: Finder, asked: tuple[str, ...]) -> None:
    """OtherLayersError where a network cannot go on with a run: it has other layers, or others are asked for. What gets
    its shape at the first step is looked at then."""
    if finder.waits:
        return
    found = finder.layers()
    names = {layer.name for layer in taken_up(resumed, found)}
    if asked != ("*",):
        chosen, _ = choose(found, asked, ())
        if {layer.name for layer in chosen} != names:
            raise OtherLayersError(
                f"layers: {resumed.id} has others than were asked for: {', '.join(sorted(names)[:MOST_TOLD])}"
            )


def resumed_in(folder: Path, now: Watched, step: int | None) -> Resumed:
    """The run in a folder as one that `now` goes on with, at that step; RunFileError where nobody can."""
    return resumed_as(recorded(folder), now, step)


def resumed_as(found: TakenUp, now: Watched, step: int | None) -> Resumed:
    """What was recorded as a run that `now` goes on with."""
    info = found.info
    return Resumed(
        id=info.id,
        watched=found.watched,
        now=now,
        status=info.status,
        reason=info.reason,
        last=info.step,
        upto=found.upto,
        seconds=info.seconds,
        asked=step,
    )


def changes(before: Watched, now: Watched) -> str:
    """What is other than before of a training's optimizer, settings, script and revision, in words."""
    old, new = (
        {name: value for name, value in settings(each) if not name.startswith("layers.")} for each in (before, now)
    )
    told = [
        f"{name} {new.get(name, 'none')} (was {old.get(name, 'none')})"
        for name in dict.fromkeys((*old, *new))
        if old.get(name) != new.get(name)
    ]
    more = f" and {len(told) - MOST_TOLD} more" if len(told) > MOST_TOLD else ""
    return ", ".join(told[:MOST_TOLD]) + more
