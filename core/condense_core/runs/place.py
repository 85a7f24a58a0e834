"""Where runs live, what they are called, and how a person names one."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from condense_core.errors import RunFileError, SeveralRunsError, nearest
from condense_core.runfile.schema import FILE_NAME
from condense_core.runs.about_file import given_names
from condense_core.text import place_of, short

RUNS_VARIABLE = "CONDENSE_RUNS_DIR"
# Ids are file names and are typed: lower case, no spaces, no separators but the dash.
_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
# A mirror of a run elsewhere lies among the runs here, under the run's id and its host's name. No id has this sign.
_AT = "@"
_HOST = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")
# Errors of the system for a place that there is not, as pathlib has them.
_NOT_THERE = (errno.ENOENT, errno.ENOTDIR, errno.EBADF, errno.ELOOP)
# Time and random end of an id, around the name that says what the run is.
_AROUND_NAME = re.compile(r"^\d{6}-\d{6}-|-[0-9a-f]{4}$")


def runs_folder(given: Path | None = None) -> Path:
    """The folder of all runs: `given`, else $CONDENSE_RUNS_DIR, else that of the preferences, else the user's state
    folder. Not created here."""
    if given is not None:
        return place_of(str(given))
    from_environment = os.environ.get(RUNS_VARIABLE)
    if from_environment:
        return place_of(from_environment)
    from condense_core.preferences import preferred_runs_folder

    preferred = preferred_runs_folder()
    if preferred:
        return place_of(preferred)
    import platformdirs

    return platformdirs.user_state_path("condense-tui") / "runs"


def new_run_folder(runs: Path, name: str) -> Path:
    """A fresh folder for one run, for its owner only (0700), under an id that sorts by time and says what it is."""
    import secrets

    stem = _in_id(name) or "run"
    try:
        runs.mkdir(parents=True, exist_ok=True, mode=0o700)
        while True:
            folder = runs / f"{time.strftime('%y%m%d-%H%M%S')}-{stem}-{secrets.token_hex(2)}"
            with contextlib.suppress(FileExistsError):
                folder.mkdir(mode=0o700)
                return folder
    except OSError as error:
        raise RunFileError(
            f"cannot create a run in {runs}: {error.strerror}; choose another folder with --runs-dir"
        ) from None


def _in_id(name: str) -> str:
    """A name as it stands in an id; empty where nothing of it can."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40]


def run_folders(runs: Path) -> list[Path]:
    """Folders that hold a run file, the newest first."""
    return [runs / name for name in run_names(runs) if _holds_run(f"{runs}/{name}")]


def run_names(runs: Path) -> list[str]:
    """Names of what may be folders of runs, the newest first."""
    if not runs.is_dir():
        return []
    return sorted(filter(_is_name, os.listdir(runs)), reverse=True)  # noqa: PTH208 - thousands, which need no paths


def _holds_run(folder: str) -> bool:
    """Whether there is a run file; one that may not be looked at is named by whoever tries to read it."""
    try:
        # called for thousands of runs
        return stat.S_ISREG(os.stat(f"{folder}/{FILE_NAME}").st_mode)  # noqa: PTH116
    except OSError as error:
        return error.errno not in _NOT_THERE


def mirror_folder(runs: Path, run: str, host: str) -> Path:
    """The folder of the mirror of `run` on `host`; not created here. RunFileError for an id that is none."""
    if not _ID.fullmatch(run):
        raise RunFileError(f"{short(run)} is not the id of a run")
    name = re.sub(r"[^a-z0-9._-]+", "-", host.lower()).strip("-._")[:60] or "host"
    if name != host:
        import hashlib

        # two hosts whose names differ only in what a file name cannot show stay two
        name = f"{name}-{hashlib.sha256(host.encode()).hexdigest()[:6]}"
    return runs / f"{run}{_AT}{name}"


def is_mirror(folder: Path) -> bool:
    """Whether a run's folder is, by its name, the mirror of a run elsewhere."""
    return _AT in folder.name


def _is_name(name: str) -> bool:
    run, at, host = name.partition(_AT)
    return bool(_ID.fullmatch(run)) and (not at or bool(_HOST.fullmatch(host)))


def find_run(runs: Path, name: str | None, *, whole: bool = False) -> Path:
    """The run a person means: its id, the name that it was given or has in its id, a part of these, or the newest where
    none is given.

    `whole`, for what cannot be undone: the id, or its last part with the dash before it or without.
    """
    folders = {folder.name: folder for folder in run_folders(runs)}
    if not folders:
        raise RunFileError(f"no runs in {runs}; start one: condense-tui run digits-gd")
    return folders[choose(list(folders), name, str(runs), given=lambda: given_names(runs, folders), whole=whole)]


def shown_names(runs: Path) -> list[str]:
    """What the runs here are called by whoever gives no id: the names that they were given, or have in their ids."""
    names = [folder.name for folder in run_folders(runs)]
    called = given_names(runs, names)
    return list(dict.fromkeys(called.get(each) or _AROUND_NAME.sub("", each.partition(_AT)[0]) for each in names))


def choose(
    names: Sequence[str],
    name: str | None,
    where: str,
    *,
    given: Callable[[], Mapping[str, str]] = dict,
    whole: bool = False,
) -> str:
    """The one of `names`, newest first, that a person means; RunFileError that speaks of runs in `where`.

    `given`: names that people gave to some of them, which are asked for where an id does not say it.
    """
    if name is None:
        return names[0]
    if not name:
        raise RunFileError(
            "the name of the run is empty; expected a run's id or name, or part of one (condense-tui runs list)"
        )
    last_part = "-" + name.removeprefix("-")
    ids = {each: each.partition(_AT)[0] for each in names}
    by_id = (
        [each for each in names if each == name],
        [each for each in names if ids[each] == name],
        [each for each in names if ids[each].endswith(last_part)],
    )
    if (found := _only(name, by_id)) is not None:
        return found
    called = given()
    inside = {each: _AROUND_NAME.sub("", ids[each]) for each in names}
    shown = {each: called.get(each) or inside[each] for each in names}
    # `mine` is the run of that name and not `mine-tanh`, and a name that was given goes before the one in an id
    by_name = (
        [each for each in names if shown[each] == name],
        [each for each in names if inside[each] in {name, _in_id(name)}],
        [
            each
            for each in names
            if each.startswith(name) or ids[each].endswith(name) or called.get(each, "").startswith(name)
        ],
        [each for each in names if name in each or name in shown[each]],
    )
    if not whole:
        if (found := _only(name, by_name)) is not None:
            return found
    elif meant := list(dict.fromkeys(each for matches in by_name for each in matches)):
        # what cannot be undone wants more than a name, which shows a run and does not do to say which was meant
        what = "part of an id" if any(name in each for each in meant) else "no id"
        raise RunFileError(f"{short(name)} is {what}, and what cannot be undone needs the whole of it: {_some(meant)}")
    # what a person gets wrong is the name, not the id's time or its end
    known = dict.fromkeys(shown.values())
    raise RunFileError(f"no run {short(name)} in {where}; {nearest(name, [*known, *names])} (condense-tui runs list)")


def _only(name: str, ways: Iterable[Sequence[str]]) -> str | None:
    """The run that fits in the first of these ways in which any does; None where none does."""
    for matches in ways:
        if len(matches) == 1:
            return matches[0]
        if matches:
            raise SeveralRunsError(f"{short(name)} fits {len(matches)} runs ({_some(matches)}); give more of the id")
    return None


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:4]) + (", …" if len(names) > 4 else "")


def remove_run(folder: Path) -> None:
    """Delete a run and everything it recorded. The caller has made sure that no worker is at it."""
    import shutil

    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise RunFileError(f"cannot remove {folder}: {error.strerror}") from None
