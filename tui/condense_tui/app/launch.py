"""The app without Typer on the way: `condense-tui` alone, and `condense-tui attach [RUN]` without options."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from condense_core.remote.client.link import Link
    from condense_core.runfile.info import RunInfo
    from condense_tui.snapshots.playhead import Play

# Set by a shell that asks how the line that is typed may go on.
SHELL_ASKS = "_CONDENSE_TUI_COMPLETE"
# How soon after a change Textual draws, as its own setting has it. Ours come ten times a second, and at its usual 60 a
# key press that comes just after one of them waits for up to two ticks, which is half of what it has.
DRAWS_PER_SECOND = 250


def has_terminal() -> bool:
    """Whether there is one to draw on; Textual draws on standard error, and reads keys from standard input."""
    # a stream that the parent process closed is None
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))


def can_draw() -> bool:
    """Whether the app can be shown: there is a terminal, and it is not one that only prints line after line."""
    return has_terminal() and os.environ.get("TERM", "").lower() != "dumb"


def opens_the_app(arguments: list[str]) -> bool:
    """Whether the arguments mean the app and nothing else."""
    plain = arguments[:1] == ["attach"] and len(arguments) <= 2 and not any(word.startswith("-") for word in arguments)
    return can_draw() and (plain or not arguments)


def open_the_app(arguments: list[str]) -> int:
    """Open the run that `attach RUN` names, the newest without a name; the home screen for no arguments."""
    if not arguments:
        return open_app(None)
    from condense_core.runs.place import find_run, runs_folder

    return open_app(find_run(runs_folder(), arguments[1] if len(arguments) == 2 else None))


def open_app(place: Path | None, link: Link | None = None, play: Play | None = None) -> int:
    """The app on one run, or at home, until it is left; what continues after that is printed to standard error.

    `link` keeps the run up to date where it is the mirror of one elsewhere; without, the app sees to that.
    """
    os.environ.setdefault("TEXTUAL_FPS", str(DRAWS_PER_SECOND))
    from condense_core.errors import CondenseError, LastingHostError, RunFailedError, RunGoneError
    from condense_tui.app.app import launch
    from condense_tui.resolve.host import kept

    if place is not None:
        from condense_core.runfile.schema import FILE_NAME, open_reader

        # a file that is none is refused before the screen is taken; the reader itself needs numpy, the first frame not
        alone = not place.is_dir()
        open_reader(place if alone else place / FILE_NAME, alone=alone).close()
    visited: list[Path] = []
    wrong: CondenseError | None = None
    try:
        with kept(link):
            visited = launch(place, () if link is None or place is None else (place,), play=play)
    except LastingHostError as error:
        # that nothing brings the connection back was said on the screen; a run that is gone there continues nowhere
        wrong = error if isinstance(error, RunGoneError) else None

    from condense_core.runfile.info import read_run

    for run in visited:
        if run == place and isinstance(wrong, RunGoneError):
            continue
        if run != place and not run.exists():
            continue
        try:
            info = read_run(run)
        except CondenseError as error:
            # one that cannot be read hides no other that continues
            wrong = wrong or error
            continue
        if info.active:
            print(goes_on(info), file=sys.stderr)  # noqa: T201
        elif run == place and info.status in {"failed", "diverged"}:
            wrong = wrong or RunFailedError(f"{info.id} {info.status}: {info.reason}")
    if wrong is not None:
        raise wrong
    return 0


def open_tour() -> int:
    """The app on a recording that it explains, until it is left."""
    os.environ.setdefault("TEXTUAL_FPS", str(DRAWS_PER_SECOND))
    from condense_presets import recordings
    from condense_tui.app.app import launch

    launch(recordings()["digits-gd"], tour=True)
    return 0


def goes_on(info: RunInfo) -> str:
    """That training continues without a viewer, and how to watch it again."""
    there = f" on {info.mirror.host}" if info.mirror is not None else ""
    host = f" --host {info.mirror.host}" if info.mirror is not None else ""
    what = "is paused" if info.status == "paused" else "continues training"
    return f"{info.id} {what}{there}; to watch it again: condense-tui attach {info.id}{host}"
