"""The app without Typer on the way: `condense-tui` alone, and `condense-tui attach [RUN]` without options."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from condense_core.remote.link import Link
    from condense_core.runs.info import RunInfo


def has_terminal() -> bool:
    """Whether there is one to draw on; Textual draws on standard error, and reads keys from standard input."""
    return sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty()


def opens_the_app(arguments: list[str]) -> bool:
    """Whether the arguments mean the app and nothing else."""
    plain = arguments[:1] == ["attach"] and len(arguments) <= 2 and not any(word.startswith("-") for word in arguments)
    return has_terminal() and (plain or not arguments)


def open_the_app(arguments: list[str]) -> int | None:
    """Open the run that `attach RUN` names, the newest without a name; None for no arguments and no run to open."""
    from condense_core.runs.place import find_run, run_folders, runs_folder

    runs = runs_folder()
    if not arguments and not run_folders(runs):
        return None
    return open_app(find_run(runs, arguments[1] if len(arguments) == 2 else None))


def open_app(folder: Path, link: Link | None = None) -> int:
    """The app on one run, until it is left; what goes on after that is said on standard error.

    `link` keeps the run up to date where it is the mirror of one elsewhere; without, a mirror is given one.
    """
    from condense_core.errors import RunFailedError
    from condense_core.runs.schema import FILE_NAME, open_reader
    from condense_tui.app import launch
    from condense_tui.remote import kept, link_to

    # a file that is none is refused before the screen is taken; the reader itself needs numpy, the first frame does not
    open_reader(folder / FILE_NAME if folder.is_dir() else folder).close()
    with kept(link or link_to(folder)):
        launch(folder)

    from condense_core.runs.reader import RunReader

    with RunReader(folder) as reader:
        info = reader.info()
    if info.active:
        print(goes_on(info), file=sys.stderr)  # noqa: T201
    elif info.status in {"failed", "diverged"}:
        raise RunFailedError(f"{info.id} {info.status}: {info.reason}")
    return 0


def goes_on(info: RunInfo) -> str:
    """That training goes on without a viewer, and how to watch it again."""
    there = f" on {info.mirror.host}" if info.mirror is not None else ""
    host = f" --host {info.mirror.host}" if info.mirror is not None else ""
    return f"{info.id} goes on training{there}; watch it again: condense-tui attach {info.id}{host}"
