"""Pausing, stopping and resuming a run from a screen, with the same conditions and messages as the commands."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from textual.screen import Screen

from condense_core.errors import CondenseError
from condense_core.runfile.status import ACTIVE, RESUMABLE
from condense_core.text import printable
from condense_tui.draw import numbers
from condense_tui.screens.dialogs.question import Question
from condense_tui.terminal.toast import say

if TYPE_CHECKING:
    from condense_core.runfile.control import Verb
    from condense_core.runfile.info import RunAbility, Trainer


class Steered(Protocol):
    """What has to be known of a run that is stopped; its row and its header both say it."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def trainer(self) -> Trainer: ...
    @property
    def can(self) -> tuple[RunAbility, ...]: ...
    @property
    def status(self) -> str: ...
    @property
    def step(self) -> int: ...
    @property
    def steps(self) -> int | None: ...


class RunCommands:
    """Tells the worker of a run what somebody wants, and a screen what came of it."""

    def __init__(self, screen: Screen[Any], changed: Callable[[], None]) -> None:
        """`changed` is called, in the screen's thread, once something was done to a run."""
        self._screen = screen
        self._changed = changed

    def pause_or_go_on(self, run: Path, of: Steered) -> None:
        """Pause a run that trains, go on with one that is paused, resume one that has ended before its end."""
        if of.status in ACTIVE:
            if not self._refused(of, "pause"):
                self._in_thread(partial(self._send, run, "resume" if of.status == "paused" else "pause"))
        elif of.status in RESUMABLE and run.is_dir():
            if not self._refused(of, "resume"):
                self._in_thread(partial(self._resume, run))
        else:
            say(self._screen, "training has ended; there is nothing to pause")

    def stop(self, run: Path, of: Steered) -> None:
        """Stop a run that trains, after asking."""
        if of.status not in ACTIVE:
            say(self._screen, "training has ended; there is nothing to stop")
            return
        if self._refused(of, "stop"):
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self._in_thread(partial(self._send, run, "stop"))

        at = f"It is at step {numbers.progress(of.step, of.steps)}."
        question = Question(
            f"Stop training {printable(of.name)}?",
            f"{at} {'It saves a checkpoint and can be resumed.' if 'resume' in of.can else 'Its script is told.'}",
            "stop",
            "keep training",
        )
        self._screen.app.push_screen(question, answered)

    def _refused(self, of: Steered, ability: RunAbility) -> bool:
        """Say why that cannot be done with the run, where it cannot."""
        from condense_core.runfile.abilities import why_not

        why = why_not(of, ability)
        if why:
            say(self._screen, why, error=True)
        return bool(why)

    def _in_thread(self, work: Callable[[], None]) -> None:
        # the disk may be slow, and a full one makes SQLite wait
        self._screen.run_worker(work, thread=True, group="steering", exit_on_error=False)

    def _say(self, text: str, *, error: bool = False) -> None:
        """From a thread."""
        self._screen.app.call_from_thread(partial(say, self._screen, text, error=error))

    def _send(self, run: Path, verb: Verb) -> None:
        from condense_core.runfile import control

        try:
            control.send(run, verb)
        except CondenseError as error:
            self._say(str(error), error=True)
            return
        away = _away(run)
        if away:
            self._say(f"not connected to {away}; will {verb} if the connection is back within a minute", error=True)
        else:
            self._say(f"asked the worker to {verb}")
        self._screen.app.call_from_thread(self._changed)

    def _resume(self, run: Path) -> None:
        from condense_core.runfile.info import has_checkpoint, read_run
        from condense_core.runs.create import require_engine, resume_run

        try:
            info = read_run(run)
            require_engine()
            resume_run(run)
        except CondenseError as error:
            self._say(str(error), error=True)
            return
        there = has_checkpoint(info, run)
        self._say("training resumes from its last checkpoint" if there else "training starts again from step 0")
        self._screen.app.call_from_thread(self._changed)


def pause_word(of: Steered) -> str:
    """What `RunCommands.pause_or_go_on` would do, in a word; empty if it would do nothing."""
    if of.status in RESUMABLE:
        return "resume" if "resume" in of.can else ""
    if of.status not in ACTIVE or "pause" not in of.can:
        return ""
    return "resume" if of.status == "paused" else "pause"


def _away(run: Path) -> str:
    """The host of a run elsewhere to which there is no connection; empty if there is one, and for runs here."""
    from condense_core.runs.place import is_mirror

    if not is_mirror(run):
        return ""
    from condense_core.runfile.info import read_run

    mirror = read_run(run).mirror
    return mirror.host if mirror is not None and mirror.link != "connected" else ""
