"""A disk that is full, or fails, at any write: one line says so, nothing half is left, nothing that was there is lost.

A worker ends by itself; what it has recorded is recorded by an uninterrupted run too; and once there is room it goes on
to the same end. A command ends with one line and its exit code, and its file is there whole or not at all.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import subprocess
import sys
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import forking
from damage import refused
from recording import Recording
from support import rows, wait_for

from campaigns import workers
from campaigns.framework import Attempt, Campaign, Scene
from campaigns.workers import Worker
from condense_core.runfile.control import worker_is_alive
from condense_core.runfile.info import LOG_NAME, read_run
from condense_core.runfile.schema import FILE_NAME, writer
from condense_core.runs.create import create_run
from condense_core.runs.place import run_folders
from condense_core.scenario import toml

FORMATS = ("csv", "npz", "html", "svg")
# What a full disk refuses; what is removed or synced needs no room.
ROOM = "WTMOR"


def fault(draw: Random, most: int) -> str:
    """What fails, from when on, and for how often."""
    full = draw.random() < 0.6
    number = draw.choice((errno.ENOSPC, errno.EDQUOT)) if full else errno.EIO
    # where a file cannot even be removed, it stays
    kinds = ROOM if full else draw.choice((ROOM, "S", "W", "WTSRMO"))
    at = draw.randrange(1, draw.choice((10, 1 + most // 10, most)) + 1)
    return f"{at} {kinds} {number} {draw.choice((1, 3, -1, -1))}"


@contextlib.contextmanager
def opened(scene: Scene) -> Iterator[Attempt]:
    found = list(workers.SCENARIOS) if scene.goal > 40 else ["dense"]
    with workers.zygote(scene.folder):
        wholes = {name: workers.trained(workers.experiment(name), scene.folder) for name in found}
        recording = Recording(scene.folder / "recorded", frames=12)
        recording.write()
        recording.finish()
        recording.close()
        good = {kind: exported(recording.folder, scene.folder / f"good.{kind}")[1] for kind in FORMATS}
        counts: Counter[str] = Counter()

        def attempt(draw: Random, folder: Path) -> int:
            kind = draw.random()
            if kind < 0.5:
                name = draw.choice(found)
                counts[train(draw, name, folder, wholes[name])] += 1
            elif kind < 0.65:
                counts[start(draw, folder)] += 1
            elif kind < 0.8:
                counts[manage(draw, wholes[found[0]], folder)] += 1
            else:
                counts[write(draw, recording.folder, folder, good)] += 1
            return 1

        yield attempt
        scene.notes.append(", ".join(f"{number} {what}" for what, number in sorted(counts.items())))


def train(draw: Random, name: str, folder: Path, whole: Path) -> str:
    run = create_run(workers.experiment(name), runs=folder, device="cpu")
    what = fault(draw, 2500)
    status = Worker(run, SHIM_UNDER=str(run), SHIM_FAIL=what).ended()
    log, info = (run / LOG_NAME).read_text(), read_run(run)
    assert status in {0, 1}, f"the worker ended with {status}"
    for_ever = what.endswith("-1")
    # with nowhere to write at all it cannot say why
    assert bool(log or info.reason or for_ever) >= status, f"status {status}, log {log!r}"
    # what it waits for while it starts is not worth a run: where that cannot be written, the log says so
    assert status or not log or re.fullmatch(r"cannot write .*\n", log), f"status 0, log {log!r}"
    check_words(log, most=3)
    assert info.status in {"starting", "lost", "failed", "done"}, info.status
    assert status or info.status == "done"
    workers.assert_part_of(run, whole)
    workers.finish(run)
    assert rows(run) == rows(whole), "rows differ from those of the uninterrupted run"
    assert workers.weights(run) == workers.weights(whole), "weights differ"
    return "workers that failed" if status else "workers unharmed"


def start(draw: Random, folder: Path) -> str:
    """`run`, from the making of the folder on; what it makes is a run that can be read, or is not there."""
    runs, scenario = folder / "runs", folder / "small.toml"
    scenario.write_text(toml.dumps(workers.experiment("dense", "steps=200", "record.frames=10")))
    what = fault(draw, 150)
    (folder / "fault").write_text(what)
    status, words = command(
        "run", str(scenario), "--headless", CONDENSE_RUNS_DIR=str(runs), SHIM_UNDER=str(runs), SHIM_FAIL=what
    )
    assert status in {0, 1, 2}, f"status {status}: {words}"
    assert bool(status) == bool(words), f"status {status}, and said {words!r}"
    check_words(words, most=1)
    made = run_folders(runs) if runs.is_dir() else []
    assert status or made
    if runs.is_dir():
        assert {file.name for file in runs.iterdir()} == {run.name for run in made}, "a folder that is no run"
    for run in made:
        assert read_run(run).status in {"starting", "lost", "failed", "done", "running"}
        wait_for(lambda run=run: not worker_is_alive(run))  # type: ignore[misc]
        workers.finish(run)
    return "starts that failed" if status else "starts unharmed"


def manage(draw: Random, whole: Path, folder: Path) -> str:
    """What else writes: a table of a sweep, a reduced network, the row of a run that is stopped, resumed or removed."""
    run, scenario = folder / whole.name, folder / "small.toml"
    shutil.copytree(whole, run)
    with writer(run / FILE_NAME) as connection:
        connection.execute("UPDATE run SET status = 'stopped'")
    scenario.write_text(toml.dumps(workers.experiment("dense", "steps=60", "record.frames=8")))
    words = draw.choice(
        (
            ("reduce", str(run), "--out", str(folder / "out")),
            ("sweep", str(scenario), "--over", "init.std=0.01,0.1", "--out", str(folder / "out")),
            *(("runs", verb, run.name, *more) for verb, more in (("stop", ()), ("resume", ()), ("rm", ("--yes",)))),
        )
    )
    what = fault(draw, 300 if words[0] == "sweep" else 20)
    (folder / "fault").write_text(f"{' '.join(words)}: {what}")
    status, said = command(*words, CONDENSE_RUNS_DIR=str(folder), SHIM_UNDER=str(folder), SHIM_FAIL=what)
    assert status in {0, 1, 2}, f"status {status}: {said}"
    assert said or not status, f"status {status} without a word"
    # a sweep says how far it is
    check_words(said, most=20 if words[0] == "sweep" else 1)
    for left in run_folders(folder):
        wait_for(lambda run=left: not worker_is_alive(run))  # type: ignore[misc]
        assert not refused(lambda run=left: read_run(run))  # type: ignore[misc]
    return "other commands that failed" if status else "other commands unharmed"


def write(draw: Random, run: Path, folder: Path, good: dict[str, bytes]) -> str:
    kind = draw.choice(FORMATS)
    out = folder / f"out.{kind}"
    if draw.random() < 0.3:
        out.write_bytes(b"what was there before")
    before = out.read_bytes() if out.exists() else None
    status, content = exported(
        run, out, SHIM_UNDER=str(folder), SHIM_FAIL=fault(draw, 12), check=lambda words: check_words(words, most=1)
    )
    left = {file.name for file in folder.iterdir()} - {out.name}
    assert not left, f"left behind: {left}"
    assert content == (before or b"") if status else content == good[kind], f"{out.name} is neither whole nor absent"
    return "exports that failed" if status else "exports unharmed"


def exported(
    run: Path, out: Path, *, check: Callable[[str], None] = lambda _: None, **faults: str
) -> tuple[int, bytes]:
    """An export's exit status and the file that it made."""
    status, words = command("export", str(run), "--to", out.suffix[1:], "--out", str(out), "--force", **faults)
    assert status in {0, 1, 2}, f"status {status}: {words}"
    assert bool(status) == bool(words), f"status {status}, and said {words!r}"
    check(words)
    return status, out.read_bytes() if out.exists() else b""


def command(*arguments: str, **variables: str) -> tuple[int, str]:
    """A command's exit status, and what it said on standard error."""
    process = forking.Forked(
        [sys.executable, "-m", "condense_tui", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, **variables},
        text=True,
    )
    _, words = process.communicate(timeout=90)
    return process.returncode, words


def check_words(words: str, *, most: int) -> None:
    """At most so many lines, each bounded, printable, and in our words."""
    lines = words.splitlines()
    assert len(lines) <= most, f"{len(lines)} lines: {words}"
    for line in lines:
        assert len(line) < 2_000
        assert not any(unicodedata.category(character)[0] == "C" for character in line)
        assert "Traceback" not in line and "unexpected" not in line, line


CAMPAIGN = Campaign(
    "disk",
    "a full disk, a quota and failing writes, syncs and renames, under workers and exports",
    "faults of a disk",
    tried=400,
    short=6,
    open=opened,
)
