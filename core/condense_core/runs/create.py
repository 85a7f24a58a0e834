"""Making a run and starting its worker: the only way in, for commands, the app and Python alike. No torch here."""

from __future__ import annotations

import contextlib
import errno
import importlib.metadata
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from condense_core.errors import CondenseError, MissingExtraError, RunFailedError, RunFileError, ScenarioError
from condense_core.installation import how_to_add
from condense_core.libraries import ENGINE, wrong_libraries
from condense_core.machine import here, is_of_job, machine_of, was_requeued
from condense_core.runfile import control
from condense_core.runfile.abilities import require_ability
from condense_core.runfile.info import (
    LEAST_SPACE,
    LOG_NAME,
    LOST_AFTER_S,
    RunAbility,
    RunInfo,
    Trainer,
    read_info,
    read_run,
)
from condense_core.runfile.measure_versions import versions_in_words
from condense_core.runfile.schema import FILE_NAME, create, writer
from condense_core.runfile.status import RESUMABLE
from condense_core.runs import place
from condense_core.runs.about_run import AboutRun, write_about
from condense_core.runs.early import EarlyWorker
from condense_core.scenario import toml
from condense_core.scenario.experiment import Experiment
from condense_core.scenario.paths import check_data_is_there, with_absolute_paths
from condense_core.scenario.watched import Watched, dumps

LONGEST_NAME = 80
# Scalars of a layer, and of a run besides, at most: what is read of all seeds together has a bound.
_OF_A_LAYER, _OF_A_RUN = 30, 10
# Between two looks at whether a run on another machine is heard of, which beats once a second.
_LISTEN_S = 0.2
_WATCH_PACKAGES = ("torch", "scipy")
_ENGINE_PACKAGES = ("torch", "torchvision", "scipy", "sklearn", "safetensors")
# Under this name a run notes the versions of its measures, beside those of packages.
MEASURES_NOTED = "measures"
_NOTED_VERSIONS = ("condense-tui", "torch", "torchvision", "numpy", "scipy", "scikit-learn")


def create_run(
    experiment: Experiment,
    *,
    runs: Path,
    name: str = "",
    preset: str = "",
    device: str = "auto",
    changed: tuple[str, ...] = (),
) -> Path:
    """The folder of a new run of `experiment`, not yet started; paths in it are made absolute. `changed` are the fields
    that are otherwise than in the file that it was made from, by which it is called."""
    experiment = with_absolute_paths(experiment)
    check_data_is_there(experiment)
    if name and (len(name) > LONGEST_NAME or not name.isprintable()):
        raise RunFileError(f"--name: expected 1 to {LONGEST_NAME} printable characters, got {name[:LONGEST_NAME]!r}")
    folder = place.new_run_folder(runs, name or experiment.name)
    try:
        write_run(folder, experiment, name=name, preset=preset, device=device)
        write_about(folder, AboutRun(changed=changed))
    except BaseException:
        # a folder without a run is in nobody's list, and in everybody's way
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder


def _check_that_it_can_be_read(experiment: Experiment) -> None:
    """Refuse more seeds at more steps than a viewer takes into its memory."""
    members = experiment.ensemble.members
    if members == 1:
        return
    from condense_core.runfile.curves import MOST_VALUES

    most = MOST_VALUES // (members * (_OF_A_RUN + _OF_A_LAYER * len(experiment.layer_names)))
    measured = min(experiment.record.frames, experiment.steps + 1) + len(experiment.record.steps)
    if measured > most:
        of = f"{members} seeds of {len(experiment.layer_names)} layers, of which a viewer holds every value"
        raise ScenarioError(f"record.frames: expected at most {most} with {of}, got {measured}; fewer seeds or frames")


def write_run(folder: Path, experiment: Experiment, *, name: str = "", preset: str = "", device: str = "auto") -> None:
    """Make the run file of `experiment`, whose paths are absolute, in a folder that has none, ready for a worker."""
    _check_that_it_can_be_read(experiment)
    _write(
        folder,
        name=name or experiment.name,
        preset=preset,
        experiment=toml.dumps(experiment),
        seed=experiment.seed,
        revision=revision(Path(__file__).parents[3]),
        device=device,
        steps=experiment.steps,
    )


def create_watched(
    watched: Watched,
    *,
    runs: Path,
    revision: str = "",
    steps: int | None = None,
    can: Sequence[RunAbility] = (),
    trainer: Trainer = "watch",
) -> Path:
    """The folder of a new run that somebody's own script trains, not yet begun. `steps` is how far it goes, if known,
    `can` what can be done with it, `revision` what its script's repository was at. `trainer`
    is `import` where its files were made elsewhere."""
    folder = place.new_run_folder(runs, watched.name)
    try:
        _write(
            folder,
            name=watched.name,
            preset="",
            experiment=dumps(msgspec.structs.replace(watched, revision=revision)),
            seed=0,
            revision=revision,
            device="",
            steps=steps,
            trainer=trainer,
            can=json.dumps(list(can)),
        )
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder


def _write(folder: Path, **columns: object) -> None:
    create(folder / FILE_NAME)
    now = time.time()
    columns |= {"id": folder.name, "versions": json.dumps(_versions()), "host": here()}
    columns |= {"status": "starting", "created": now, "heartbeat": now}
    with writer(folder / FILE_NAME) as connection:
        connection.execute(
            f"INSERT INTO run ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})", tuple(columns.values())
        )


def start_worker(folder: Path, launcher: Sequence[str] = (), early: EarlyWorker | None = None) -> None:
    """Start the process that trains the run; it is in a session of its own and outlives this one.

    `launcher` is a command line that runs another, such as `srun --gres=gpu:1`; `early` a process that was started
    for this before, which is taken where it can be.
    """
    require_engine()
    starter = "condense_core.runs.launch" if launcher else "condense_core.engine"
    log = os.open(folder / LOG_NAME, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        if early is not None and early.train(folder, log):
            return
        # -P: nothing is imported from the folder where the user happens to stand.
        # The worker takes its lock and forks itself away, so waiting here is short and leaves no zombie behind.
        started = subprocess.run(
            [sys.executable, "-P", "-m", starter, str(folder.resolve()), *launcher],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            check=False,
        )
    finally:
        os.close(log)
    if started.returncode != 0:
        raise RunFailedError(f"the worker process did not start; see {folder / LOG_NAME}")


def start_watching(
    folder: Path, script: Sequence[str], arguments: Sequence[str], *, start: str = "new", inside: Path | None = None
) -> None:
    """Start the process that runs somebody's script, watched as the run in `folder`; it outlives this one, and what the
    script prints is the run's log.

    `script` is its file, or `-m` and a module's name; `start` is `new`, `resume`, or the step at which it is resumed;
    `inside` is the folder that it runs in, by default this process's.
    """
    missing = [name for name in _WATCH_PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingExtraError(f"watching needs {', '.join(missing)}, missing here; to install: {how_to_add('watch')}")
    log = os.open(folder / LOG_NAME, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        started = subprocess.run(
            [
                sys.executable,
                "-P",
                "-m",
                "condense_core.watching.launch",
                str(folder.resolve()),
                start,
                *script,
                *arguments,
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd=inside,
            # a log is read while it is written
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            check=False,
        )
    finally:
        os.close(log)
    if started.returncode != 0:
        raise RunFailedError(f"the script's process did not start; see {folder / LOG_NAME}")


def resume_run(folder: Path, launcher: Sequence[str] = (), early: EarlyWorker | None = None) -> None:
    """Start a worker that goes on from the run's last checkpoint; RunFileError if there is nothing to resume."""
    before = ready_to_resume(folder)
    try:
        start_worker(folder, launcher, early)
    except CondenseError:
        with writer(folder / FILE_NAME) as connection:
            connection.execute("UPDATE run SET status = 'stopped', reason = ?", (before.reason,))
        raise


def ready_to_resume(folder: Path) -> RunInfo:
    """Mark the run as starting, for a worker that whoever calls this starts; the run as it was before."""
    file = folder / FILE_NAME
    _refuse_beating(folder)
    _refuse_full(folder)
    with writer(file) as connection:
        # whoever resumes it at the same time waits here, and then finds it starting
        connection.execute("BEGIN IMMEDIATE")
        before = read_info(connection, folder)
        _refuse_resume(before, folder)
        # commands that the former worker did not take were meant for it, not for this one
        connection.execute("UPDATE command SET taken_at = ? WHERE taken_at IS NULL", (time.time(),))
        connection.execute(
            "UPDATE run SET status = 'starting', reason = '', heartbeat = ?, host = ?",
            (time.time(), here()),
        )
        connection.execute("COMMIT")
    return before


def _refuse_full(folder: Path) -> None:
    """RunFileError where the disk has no room for what a resumed run writes first: it would be lost without a word,
    since its log is on that disk too."""
    checkpoint = folder / "checkpoint.safetensors"
    try:
        needed = LEAST_SPACE + (checkpoint.stat().st_size if checkpoint.exists() else 0)
        free = shutil.disk_usage(folder).free
        if free < needed:
            raise OSError(errno.ENOSPC, f"{free:,} bytes are free, and its checkpoint and rows need {needed:,}")
        with tempfile.TemporaryFile(dir=folder) as probe:
            # a quota is found by trying
            os.posix_fallocate(probe.fileno(), 0, LEAST_SPACE)
    except OSError as error:
        raise RunFileError(
            f"{folder.name} cannot be resumed on the disk of {folder}: {error.strerror}; free some space first"
        ) from None


def _refuse_beating(folder: Path) -> None:
    """RunFileError if a run that seems lost on another machine, whose lock is not seen here, is heard of after all."""
    first = read_run(folder)
    if first.mirror is not None or first.status != "lost" or machine_of(first.host) == socket.gethostname():
        return
    deadline = time.monotonic() + LOST_AFTER_S
    while time.monotonic() < deadline:
        time.sleep(_LISTEN_S)
        again = read_run(folder)
        if again.heartbeat != first.heartbeat:
            raise RunFileError(
                f"{folder.name} is being trained on {again.host}: its heartbeat changes, whatever the clocks say;"
                f" to stop it: condense-tui runs stop {folder.name}"
            )


def _refuse_resume(info: RunInfo, folder: Path) -> None:
    name = folder.name
    require_ability(info, "resume")
    if info.mirror is not None:
        host = info.mirror.host
        raise RunFileError(
            f"{name} is a copy of a run on {host}; to resume it there: condense-tui runs resume {info.id} --host {host}"
        )
    if info.active:
        raise RunFileError(
            f"{name} is {info.status}: there is nothing to resume (to watch it: condense-tui attach {name})"
        )
    if info.status not in RESUMABLE:
        raise RunFileError(
            f"{name} is {info.status} and cannot be resumed; to start it again: condense-tui run {info.preset}"
        )
    if control.worker_is_alive(folder):
        raise RunFileError(f"{name} is still being stopped by its worker; try again in a moment")


def run_of_this_job(experiment: Experiment, runs: Path) -> Path | None:
    """The run of `experiment` that this process's Slurm job began before it was put back into the queue; None where it
    was not, or began none."""
    if not was_requeued():
        return None
    wanted = toml.dumps(with_absolute_paths(experiment))
    for folder in place.run_folders(runs):
        with contextlib.suppress(RunFileError):
            info = read_run(folder)
            if is_of_job(info.host) and info.experiment == wanted:
                return folder
    return None


def missing_packages() -> list[str]:
    """Packages that training needs and this machine lacks, or has in a version that is too old or too new."""
    missing = [name for name in _ENGINE_PACKAGES if importlib.util.find_spec(name) is None]
    return missing + [library.in_words for library in wrong_libraries(ENGINE) if library.found]


def require_engine() -> None:
    """MissingExtraError if training cannot work on this machine for want of a package; nothing is imported."""
    missing = missing_packages()
    if missing:
        raise MissingExtraError(
            f"training needs {', '.join(missing)}, missing here; to install: {how_to_add('engine')}"
        )


def _versions() -> dict[str, str]:
    versions = {"python": sys.version.split()[0]}
    for name in _NOTED_VERSIONS:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    return versions | {MEASURES_NOTED: versions_in_words()}


def revision_at(folder: Path) -> str:
    """Git revision of the checkout that a folder is in; empty where it is in none."""
    return next((revision(place) for place in (folder, *folder.parents) if (place / ".git").exists()), "")


def revision(top: Path) -> str:
    """Git revision of the checkout at `top`, `+` where it has uncommitted changes; empty where it is none."""
    if not (top / ".git").exists():
        return ""
    try:
        answer = subprocess.run(
            ["git", "-C", str(top), "describe", "--always", "--dirty=+", "--exclude=*"],
            capture_output=True,
            text=True,
            check=False,
            timeout=2,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""
