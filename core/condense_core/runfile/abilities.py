"""What can be done with a run, and the one line that says why something cannot."""

from __future__ import annotations

from typing import Protocol

from condense_core.errors import RunFileError
from condense_core.runfile.info import RunAbility, RunInfo, Trainer

_WHY: dict[RunAbility, str] = {
    "pause": "its script does not let itself be paused",
    "stop": "its script does not ask whether it should stop (run.stop_asked); end it where it runs",
    "resume": "only its own script can go on with it: start that again (condense-tui watch --resume)",
    "reduce": "only networks of this program's scenarios can be reduced",
    "new": "its script is what trains another one",
}


class Able(Protocol):
    """What has to be known of a run; its row and its header both say it."""

    @property
    def id(self) -> str:
        """The run's id."""

    @property
    def trainer(self) -> Trainer:
        """Who trains it."""

    @property
    def can(self) -> tuple[RunAbility, ...]:
        """What can be done with it."""


def why_not(info: Able, ability: RunAbility) -> str:
    """Why that cannot be done with the run, in one line; empty where it can."""
    if ability in info.can:
        return ""
    if info.trainer == "import":
        return f"{info.id} was imported: there is no training here to {'go on with' if ability == 'new' else ability}"
    return f"{info.id} was trained by a script of its own: {_WHY[ability]}"


def require_ability(info: Able, ability: RunAbility) -> None:
    """RunFileError, in one line, where that cannot be done with the run."""
    if why := why_not(info, ability):
        raise RunFileError(why)


def how_to_go_on(info: RunInfo, host: str = "") -> str:
    """How training goes on with a run that was ended before its end, in words; empty where nothing does. `host` is
    where the run is, where it is not here."""
    host = host or (info.mirror.host if info.mirror is not None else "")
    host = host and f" --host {host}"
    if "resume" in info.can:
        return f"to resume it: condense-tui runs resume {info.id}{host}"
    if info.trainer == "import":
        return ""
    loop = f', or in its loop watch(…, resume="{info.id}")'
    return f"to go on from a checkpoint of its script: condense-tui watch --resume {info.id}{host} SCRIPT{loop}"
