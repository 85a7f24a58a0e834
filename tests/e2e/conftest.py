"""End-to-end tests need programs that a laptop may lack; where $CONDENSE_TESTS_REQUIRE names one, it must be there."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sshd import FarSide
from tmux import Terminal

from condense_core.runfile import control
from condense_core.runfile.reader import RunReader
from condense_core.runs.place import run_folders

GROWING = Path(__file__).with_name("growing.py")


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


def command(*arguments: str, code: int | None = 0, text: str = "") -> subprocess.CompletedProcess[str]:
    """`condense-tui` here, with the exit code that is expected; None: any, which the test looks at."""
    answer = subprocess.run(
        [sys.executable, "-m", "condense_tui", *arguments],
        capture_output=True,
        text=True,
        input=text,
        check=False,
        timeout=240,
    )
    assert "Traceback" not in answer.stderr
    assert code is None or answer.returncode == code, answer.stdout + answer.stderr
    return answer
