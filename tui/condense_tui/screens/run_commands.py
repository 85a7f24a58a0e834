"""Pausing, stopping and resuming a run from a screen: every way that the command line has, with its own words."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from textual.screen import Screen

from condense_core.runfile.status import ACTIVE, RESUMABLE
from condense_core.text import printable
from condense_tui.draw import numbers
from condense_tui.screens.dialogs.question import Question
from condense_tui.terminal.toast import say


def pause_or_go_on(screen: Screen[Any], run: Path, status: str, done: Callable[[], None]) -> None:
    """Pause a run that trains, go on with one that is paused, resume one that has ended before its end."""
    if status in ACTIVE:
        verb = "resume" if status == "paused" else "pause"
        _send(screen, run, verb, done)
        return
    if status in RESUMABLE and run.is_dir():
        screen.run_worker(partial(_resume, screen, run, done), thread=True, group="steering", exit_on_error=False)
    else:
        say(screen, "training is over; there is nothing to pause")


def pause_word(status: str) -> str:
    """What `pause_or_go_on` would do, in a word; empty where it would do nothing."""
    return "go on" if status == "paused" or status in RESUMABLE else "pause" if status in ACTIVE else ""


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


def stop(screen: Screen[Any], run: Path, of: Steered, done: Callable[[], None]) -> None:
    """Stop a run that trains, after asking."""
    if of.status not in ACTIVE:
        say(screen, "training is over; there is nothing to stop")
        return

    def answered(yes: bool | None) -> None:
        if yes:
            _send(screen, run, "stop", done)

    question = Question(
        f"Stop training {printable(of.name)}?",
        f"It is at step {numbers.step(of.step)} of {numbers.step(of.steps)}."
        " It leaves a checkpoint and can be resumed.",
        "stop",
        "keep training",
    )
    screen.app.push_screen(question, answered)


def _send(screen: Screen[Any], run: Path, verb: str, done: Callable[[], None]) -> None:
    def send() -> None:
        from condense_core.errors import CondenseError
        from condense_core.runfile import control

        try:
            control.send(run, verb)  # type: ignore[arg-type]
        except CondenseError as error:
            screen.app.call_from_thread(partial(say, screen, str(error), error=True))
        else:
            away = _away(run)
            words = f"no connection to {away}; it is asked to {verb} if there is one within a minute"
            told = partial(say, screen, words if away else f"asked the worker to {verb}", error=bool(away))
            screen.app.call_from_thread(told)
            screen.app.call_from_thread(done)

    # the disk may be slow, and a full one makes SQLite wait
    screen.run_worker(send, thread=True, group="steering", exit_on_error=False)


def _away(run: Path) -> str:
    """The host of a run elsewhere to which there is no connection; empty where there is one, and for runs here."""
    from condense_core.runs.place import is_mirror

    if not is_mirror(run):
        return ""
    from condense_core.remote.client.link import read_mirror

    mirror = read_mirror(run).mirror
    return mirror.host if mirror is not None and mirror.link != "connected" else ""


def _resume(screen: Screen[Any], run: Path, done: Callable[[], None]) -> None:
    from condense_core.errors import CondenseError
    from condense_core.runs.create import require_engine, resume_run

    try:
        require_engine()
        resume_run(run)
    except CondenseError as error:
        screen.app.call_from_thread(partial(say, screen, str(error), error=True))
        return
    screen.app.call_from_thread(partial(say, screen, "training goes on from its last checkpoint"))
    screen.app.call_from_thread(done)
