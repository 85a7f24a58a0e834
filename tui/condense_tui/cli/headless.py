"""A run watched without the app: progress on standard error, the result on standard output."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import typer

from condense_core.errors import RunFileError, StoppedError
from condense_core.runfile.abilities import how_to_go_on, why_not
from condense_core.runfile.damage import Damage
from condense_core.runfile.reader import RunReader
from condense_core.runfile.status import BAD
from condense_core.scalar_names import layer_in_words
from condense_core.scenario.experiment import Experiment
from condense_tui.app.launch import goes_on
from condense_tui.cli.showing import Panels, Showing
from condense_tui.draw.label import label
from condense_tui.resolve.host import kept

if TYPE_CHECKING:
    from condense_core.remote.client.link import Link
    from condense_core.runfile.info import RunInfo
    from condense_core.runs.summary import Summary

POLL_S = 0.1
# A short run is looked at more often: after this share of the time for which it has been watched.
FIRST_POLL_S, POLL_SHARE = 0.01, 0.01
# Layers that a line of progress has room for.
MOST_NAMED = 4
# After Ctrl-C the run continues; within this time a second one stops it.
SECOND_THOUGHTS_S = 3.0
# How long a stopped worker may take for its last checkpoint before we stop waiting for it.
STOP_PATIENCE_S = 60.0


def watch(folder: Path, showing: Showing, link: Link | None = None) -> int:
    """Wait for the run to end, showing progress, then print its summary. `link` keeps a mirror up to date."""
    with kept(link), _interrupts() as interrupts, RunReader(folder) as run:
        # what the summary needs is loaded while the run trains
        from condense_core.runs import summary  # noqa: F401
        from condense_presets import paper_records  # noqa: F401
        from condense_tui.text import tables  # noqa: F401

        try:
            ended = _follow(run, interrupts, link)
        except KeyboardInterrupt:
            # not Ctrl-C, which is noted, but a signal that ends this process and nothing else
            if (info := run.info()).active:
                raise StoppedError(goes_on(info)) from None
            raise
        if not ended and not _ask_again(run, interrupts) and (info := run.info()).active:
            typer.echo(goes_on(info), err=True)
            return 0
    return show_result(folder, showing)


def show_result(folder: Path, showing: Showing) -> int:
    """Print the run's summary, or that it is training; 1 where it failed or diverged, or a claim that is checked does
    not hold."""
    from condense_core.runs.summary import summarise, to_json
    from condense_presets.paper_records import compared
    from condense_tui.text.tables import print_summary

    with RunReader(folder) as run:
        trained, info = run.subject, run.info()
        summary = summarise(run, compared(trained) if isinstance(trained, Experiment) else None)
    if showing.json:
        typer.echo(to_json(summary).encode())
    elif showing.detach:
        typer.echo(f"{summary.run} is training; watch it: condense-tui attach {summary.run}")
    else:
        print_summary(summary)
    return 0 if showing.detach else exit_code(info, summary, check=showing.check)


def show_panels(place: Path, panels: Panels) -> int:
    """Print the run's panels, as the run screen has them, or its summary in JSON; 1 where it failed or diverged.

    RunFileError at the end where something was left out because it is damaged.
    """
    from condense_tui.text.run_page import print_run

    if panels.json:
        return show_result(place, Showing(json=True))
    with RunReader(place, damage=Damage(left_out=True)) as run:
        status = exit_code(run.info(), print_run(run, at=panels.at, width=panels.width), check=False)
        if run.damage.text:
            raise RunFileError(f"cannot read all of {run.file}; {run.damage.text}")
        return status


def checked(folder: Path, showing: Showing) -> int:
    """`exit_code` for a run that was just watched in the app."""
    from condense_core.runs.summary import summarise

    if not showing.check:
        return 0
    with RunReader(folder) as run:
        return exit_code(run.info(), summarise(run), check=True)


def exit_code(info: RunInfo, summary: Summary, *, check: bool) -> int:
    """What a command that showed this run ends with; says why on standard error where it is not 0."""
    if summary.status in BAD:
        because = f": {summary.reason}" if summary.reason else ""
        how = how_to_go_on(info) if summary.status == "lost" else ""
        advice = f"; {how}" if how else ""
        typer.echo(f"condense-tui: {summary.run} {summary.status}{because}{advice}", err=True)
        return 1
    claim = summary.claim
    if not check or (claim is not None and claim.holds):
        return 0
    if claim is None:
        why = "the scenario makes no claim"
    elif claim.holds is None:
        why = f"the claim is not decided yet: the run is {summary.status}"
    else:
        why = f"the claim does not hold: {'; '.join(claim.against)}"
    typer.echo(f"condense-tui: {why}", err=True)
    return 1


def _follow(run: RunReader, interrupts: list[int], link: Link | None) -> bool:
    """Show progress until the run ends (True) or Ctrl-C is pressed (False)."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[measured]}", markup=False),
        TimeRemainingColumn(),
    )
    info, begun = run.info(), time.monotonic()
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(label(run.folder, info), total=info.steps, measured=info.status)
        # a mirror may still be as it was when it was last watched
        while info.active or not (link is None or link.up_to_date.is_set()):
            if interrupts:
                return False
            if link is not None and link.failure is not None:
                raise link.failure
            time.sleep(min(POLL_S, FIRST_POLL_S + POLL_SHARE * (time.monotonic() - begun)))
            info = run.info()
            if progress.disable:
                continue
            away = f"reconnecting to {info.mirror.host}" if info.mirror and info.mirror.link != "connected" else ""
            measured = _measured(run) or info.status
            if info.steps is None:
                measured = f"step {info.step:,} · {measured}"
            progress.update(task, completed=info.step, measured=away or measured)
    return True


def _measured(run: RunReader) -> str:
    """How the claim stands, loss, lines of each layer and speed."""
    from condense_core.runs.layer_over_seeds import read_layer_over_seeds
    from condense_core.runs.standing import standing
    from condense_core.thresholds import FINE
    from condense_tui.draw.verdict import sign_of, verdict
    from condense_tui.draw.written import lines_of

    if run.newest_step is None:
        return ""
    claim = standing(run)
    cut = FINE if claim is None else claim.cut
    parts = [] if claim is None else [f"{sign_of(claim).sign} {verdict(claim)}"]
    parts += [f"loss {run.newest('loss'):.4g}"]
    layers = [read_layer_over_seeds(run, name, None, cut) for name in run.layers]
    if len(layers) > MOST_NAMED:
        parts.append(f"{sum(layer.is_condensed is True for layer in layers)} of {len(layers)} layers condensed")
    else:
        parts += [f"{layer_in_words(layer.name)} {lines_of(layer.lines)} at {cut.short}" for layer in layers]
    parts.append(f"{run.newest('steps_per_second'):.4g} steps/s")
    return " · ".join(parts)


def _ask_again(run: RunReader, interrupts: list[int]) -> bool:
    """After a first Ctrl-C: True where a second one came and the run was stopped."""
    if why := why_not(run.info(), "stop"):
        typer.echo(f"leaving; the run continues ({why})", err=True)
        return False
    typer.echo(f"leaving; the run continues. Press Ctrl-C again within {SECOND_THOUGHTS_S:.0f} s to stop it.", err=True)
    if not _wait(lambda: len(interrupts) > 1, SECOND_THOUGHTS_S):
        return False
    run.send("stop")
    typer.echo("saving a checkpoint and stopping …", err=True)
    if not _wait(lambda: not run.info().active, STOP_PATIENCE_S):
        typer.echo("the worker has not answered yet; it will stop as soon as it does", err=True)
    return True


def _wait(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True


@contextmanager
def _interrupts() -> Iterator[list[int]]:
    """Ctrl-C pressed so far, instead of KeyboardInterrupt at any line."""
    pressed: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        pressed.append(number)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)
