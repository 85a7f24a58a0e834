"""Whatever a process is started with, a command does what it is for, or fails in one line."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from support import SMALL, need_module

# Commands that write files or train; {} is a folder of their own.
WORKING = (
    "run {}/small.toml --headless",
    "attach --headless",
    "export digits-gd --to csv --out {}/table.csv",
    "sweep {}/small.toml --over width=3 --seeds 1 --out {}/sweep",
    "reproduce fcn-fig12 --seeds 1 --finished --out {}/report",
)
COMMANDS = ("--help", "runs list", "replay digits-gd --headless")
# What the shell does around the command, and whether the command can do its work so.
SURROUNDINGS = {
    "standard input closed": ("{} <&-", True),
    "standard output closed": ("{} >&-", False),
    "standard output full": ("{} >/dev/full", False),
    "standard output for reading": ("{} 1</dev/null", False),
    "standard error closed": ("{} 2>&-", True),
    "standard error full": ("{} 2>/dev/full", True),
    "all closed": ("{} <&- >&- 2>&-", False),
    "a folder that is gone": ("d=$(mktemp -d) && cd $d && rmdir $d && {}", True),
    "no home": ("unset HOME CONDENSE_RUNS_DIR; {}", True),
    "a home that is not there": ("unset CONDENSE_RUNS_DIR; HOME=/nonexistent {}", True),
    "ASCII": ("PYTHONUTF8=0 PYTHONCOERCECLOCALE=0 LC_ALL=C {}", True),
    "no terminal": ("unset TERM; {}", True),
    "a width that is no number": ("COLUMNS=garbage LINES=-3 {}", True),
    "no width": ("COLUMNS=0 {}", True),
    "a width without end": ("COLUMNS=99999999 LINES=99999999 {}", True),
    "no temporary folder": ("TMPDIR=/nonexistent {}", True),
    "files for their owner only": ("umask 077; {}", True),
    "assertions off": ("PYTHONOPTIMIZE=2 {}", True),
    "no variables": ("env -i PYTHONPATH=$PYTHONPATH CONDENSE_RUNS_DIR=$CONDENSE_RUNS_DIR {}", True),
    "few files": ("ulimit -n 32; {}", True),
    "signals ignored": ("trap '' HUP INT TERM QUIT PIPE; {}", True),
}


@pytest.mark.parametrize("surroundings", SURROUNDINGS)
def test_commands_do_their_work_or_fail_in_a_line(tmp_path: Path, surroundings: str) -> None:
    for command in COMMANDS:
        done = _done(command, surroundings, tmp_path)
        assert done.stderr.count("\n") <= 1


@pytest.mark.thorough
@pytest.mark.parametrize("surroundings", SURROUNDINGS)
def test_commands_that_write_and_train_do_so_or_fail_in_a_line(tmp_path: Path, surroundings: str) -> None:
    (tmp_path / "small.toml").write_text(SMALL, encoding="utf-8")
    first = [sys.executable, "-m", "condense_tui", "run", str(tmp_path / "small.toml"), "--headless"]
    homes = {"HOME": str(tmp_path), "XDG_STATE_HOME": "", "CONDENSE_RUNS_DIR": str(tmp_path)}
    subprocess.run(first, env={**os.environ, **homes}, check=True, capture_output=True)
    for command in WORKING:
        if "CONDENSE_RUNS_DIR;" in SURROUNDINGS[surroundings][0] and command.startswith(("run", "attach")):
            # the runs of whoever tests are not ours, and where no home is there are none
            continue
        done = _done(command.replace("{}", str(tmp_path)), surroundings, tmp_path)
        # a sweep names each cell that ends
        assert done.stderr.count("\n") <= (2 if command.startswith("sweep") else 1)
        for made in ("table.csv", "sweep", "report"):
            place = tmp_path / made
            if place.exists():
                place.rename(tmp_path / f"{made}-{len(list(tmp_path.iterdir()))}")
    assert list(tmp_path.rglob("*.partial")) == []


def test_a_folder_of_runs_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    need_module("torch")
    (tmp_path / "small.toml").write_text(SMALL, encoding="utf-8")
    command = [sys.executable, "-m", "condense_tui", "run", str(tmp_path / "small.toml"), "--headless"]
    environment = {**os.environ, "CONDENSE_RUNS_DIR": "/dev/null/runs"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert (
        "cannot create a run in /dev/null/runs: Not a directory; choose another folder with --runs-dir" in done.stderr
    )


def _done(command: str, surroundings: str, place: Path) -> subprocess.CompletedProcess[str]:
    """The command in its surroundings, which has done its work, or failed in words of its own."""
    around, works = SURROUNDINGS[surroundings]
    words = shlex.join([sys.executable, "-m", "condense_tui", *command.split()])
    line = ["bash", "-c", f"({around.format(words)})"]
    environment = {**os.environ, "CONDENSE_RUNS_DIR": str(place)}
    done = subprocess.run(line, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode == 0) is works, (command, done.stderr)
    assert (len(done.stdout) > 30) is works, (command, done.stdout)
    assert not any(words in done.stderr for words in ("Traceback", "Error:", "unexpected", "Exception ignored"))
    if not works and surroundings != "all closed":
        assert done.stderr.splitlines()[-1].startswith("condense-tui: cannot read or write")
    return done
