"""Whatever a process is started with, a command does what it is for, or fails in one line."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

COMMANDS = ("--help", "runs list", "replay digits-gd --headless")
# What the shell does around the command, and whether the command can do its work so.
SURROUNDINGS = {
    "standard input closed": ("{} <&-", True),
    "standard output closed": ("{} >&-", False),
    "standard output full": ("{} >/dev/full", False),
    "standard output for reading": ("{} 1</dev/null", False),
    "standard error closed": ("{} 2>&-", True),
    "all closed": ("{} <&- >&- 2>&-", False),
    "a folder that is gone": ("d=$(mktemp -d) && cd $d && rmdir $d && {}", True),
    "no home": ("unset HOME CONDENSE_RUNS_DIR; {}", True),
    "a home that is not there": ("unset CONDENSE_RUNS_DIR; HOME=/nonexistent {}", True),
    "ASCII": ("PYTHONUTF8=0 PYTHONCOERCECLOCALE=0 LC_ALL=C {}", True),
    "no terminal": ("unset TERM; {}", True),
    "a width that is no number": ("COLUMNS=garbage LINES=-3 {}", True),
    "no width": ("COLUMNS=0 {}", True),
    "a width without end": ("COLUMNS=99999999 LINES=99999999 {}", True),
    "signals ignored": ("trap '' HUP INT TERM QUIT PIPE; {}", True),
}


@pytest.mark.parametrize("surroundings", SURROUNDINGS)
def test_commands_do_their_work_or_fail_in_a_line(tmp_path: Path, surroundings: str) -> None:
    around, works = SURROUNDINGS[surroundings]
    environment = {**os.environ, "CONDENSE_RUNS_DIR": str(tmp_path)}
    for command in COMMANDS:
        words = shlex.join([sys.executable, "-m", "condense_tui", *command.split()])
        line = ["bash", "-c", f"({around.format(words)})"]
        done = subprocess.run(line, env=environment, capture_output=True, text=True, check=False, timeout=60)
        assert (done.returncode == 0) is works, (command, done.stderr)
        assert (len(done.stdout) > 60) is works, (command, done.stdout)
        assert done.stderr.count("\n") <= 1
        assert not any(words in done.stderr for words in ("Traceback", "Error:", "unexpected", "Exception ignored"))
        if not works and surroundings != "all closed":
            assert done.stderr.startswith("condense-tui: cannot read or write")
