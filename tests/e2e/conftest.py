"""End-to-end tests need programs that a laptop may lack; where $CONDENSE_TESTS_REQUIRE names one, it must be there."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tmux import Terminal

from condense_core.runfile import control
from condense_core.runfile.reader import RunReader
from condense_core.runs.place import run_folders


def need(program: str) -> None:
    """Skip the test where the program is missing, or fail where it is required."""
    if shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin") is not None:
        return
    if program in os.environ.get("CONDENSE_TESTS_REQUIRE", "").split(","):
        pytest.fail(f"{program} is required here and not installed")
    pytest.skip(f"{program} is not installed")


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Path]:
    """A folder for runs; workers that a failed test leaves behind are killed."""
    folder = tmp_path / "runs"
    yield folder
    for run in run_folders(folder):
        with RunReader(run) as reader:
            pid = reader.info().pid
        if pid is not None and control.worker_is_alive(run):
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def terminal(runs: Path) -> Iterator[Callable[..., Terminal]]:
    """Opens terminals: terminal(120, 40, TERM="xterm"); all are closed at the end."""
    need("tmux")
    opened = []

    def open_(columns: int = 120, rows: int = 40, **environment: str) -> Terminal:
        opened.append(Terminal(columns, rows, {"CONDENSE_RUNS_DIR": str(runs), **environment}))
        return opened[-1]

    yield open_
    for each in opened:
        each.close()
