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


class Steered(Protocol):
    """What has to be known of a run that is stopped; its row and its header both say it."""

    @property
    def name(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def step(self) -> int: ...
    @property
    def steps(self) -> int: ...


class RunCommands:
    """Tells the worker of a run what somebody wants, and a screen what came of it."""

    def __init__(self, screen: Screen[Any], changed: Callable[[], None]) -> None:
        """`changed` is called, in the screen's thread, once something was done to a run."""
        self._screen = screen
        self._changed = changed

    def pause_or_go_on(self, run: Path, status: str) -> None:
        """Pause a run that trains, go on with one that is paused, resume one that has ended before its end."""
        if status in ACTIVE:
            self._in_thread(partial(self._send, run, "resume" if status == "paused" else "pause"))
        elif status in RESUMABLE and run.is_dir():
            self._in_thread(partial(self._resume, run))
        else:
            say(self._screen, "training has ended; there is nothing to pause")

    def stop(self, run: Path, of: Steered) -> None:
        """Stop a run that trains, after asking."""
        if of.status not in ACTIVE:
            say(self._screen, "training has ended; there is nothing to stop")
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self._in_thread(partial(self._send, run, "stop"))

        at = f"It is at step {numbers.step(of.step)} of {numbers.step(of.steps)}."
        question = Question(
            f"Stop training {printable(of.name)}?",
            f"{at} It saves a checkpoint and can be resumed.",
            "stop",
            "keep training",
        )
        self._screen.app.push_screen(question, answered)

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
            require_engine()
            info = read_run(run)
            resume_run(run)
        except CondenseError as error:
            self._say(str(error), error=True)
            return
        there = has_checkpoint(info, run)
        self._say("training resumes from its last checkpoint" if there else "training starts again from step 0")
        self._screen.app.call_from_thread(self._changed)


def pause_word(status: str) -> str:
    """What `RunCommands.pause_or_go_on` would do, in a word; empty if it would do nothing."""
    return "resume" if status == "paused" or status in RESUMABLE else "pause" if status in ACTIVE else ""


def _away(run: Path) -> str:
    """The host of a run elsewhere to which there is no connection; empty if there is one, and for runs here."""
    from condense_core.runs.place import is_mirror

    if not is_mirror(run):
        return ""
    from condense_core.runfile.info import read_run

    mirror = read_run(run).mirror
    return mirror.host if mirror is not None and mirror.link != "connected" else ""
