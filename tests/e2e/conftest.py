"""Terminals, far sides and folders of runs for end-to-end tests."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from programs import GROWING, need
from sshd import FarSide
from tmux import Terminal

from condense_core.runfile import control
from condense_core.runfile.reader import RunReader
from condense_core.runs.place import run_folders


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Path]:
    """A folder for runs; workers that a failed test leaves behind are killed."""
    folder = tmp_path / "runs"
    yield folder
    for run in run_folders(folder):
        with RunReader(run) as reader:
            pid = reader.info().pid
        if pid is not None and control.worker_is_alive(run):
            # it may have ended since
            with contextlib.suppress(ProcessLookupError):
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


@pytest.fixture(scope="module")
def far(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FarSide]:
    need("sshd")
    side = FarSide(tmp_path_factory.mktemp("far"))
    yield side
    side.close()


@pytest.fixture
def near(far: FarSide, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder for runs here; ssh and hosts.toml are the far side's."""
    for name, value in far.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CONDENSE_RUNS_DIR", str(tmp_path / "near"))
    return tmp_path / "near"


@pytest.fixture
def grow(far: FarSide) -> Iterator[Callable[..., Path]]:
    """Starts runs on the far side that grow without PyTorch: grow(instants, per second); their folders."""
    started = []

    def start(instants: int, rate: float) -> Path:
        command = [sys.executable, str(GROWING), str(far.runs), str(instants), str(rate)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        return far.runs / process.stdout.readline().strip()

    yield start
    for process in started:
        process.kill()
        process.wait()
