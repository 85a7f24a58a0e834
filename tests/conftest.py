"""What several test modules need: small scenarios, and real worker processes that start fast."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support import SMALL, Workers, need_module

from condense_core.runs.create import create_run
from condense_core.scenario import toml
from condense_core.scenario.experiment import Experiment

# Whoever starts the tests in the background may have them ignore Ctrl-C, and the programs they start would do so too.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A worker imports PyTorch, which takes seconds. This process has done so, and forks a worker for every folder it reads.
ZYGOTE = """
import os, signal, sys
from pathlib import Path
from condense_core.engine.training.worker import work
from condense_core.measures.null import null_condensation
for kernels in (2, 3, 4, 6, 8, 12):
    null_condensation(4, kernels)  # what the small scenario asks for; a worker started anew takes a second for it
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
print("ready", flush=True)
for line in sys.stdin:
    folder = Path(line.strip())
    pid = os.fork()
    if pid == 0:
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        log = os.open(folder / "worker.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os._exit(work(folder))
    print(pid, flush=True)
"""


@pytest.fixture
def small() -> Experiment:
    """A two-layer network on 3-d sines: a whole run takes a quarter of a second."""
    return toml.loads(SMALL)


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Path]:
    """Makes a run of the small scenario with settings changed: make_run("steps=50", …)."""

    def make(*settings: str, text: str = SMALL) -> Path:
        experiment = toml.build(toml.override(toml.parse(text), settings))
        return create_run(experiment, runs=tmp_path / "runs", device="cpu")

    return make


@pytest.fixture
def random_source() -> random.Random:
    """Random numbers whose seed is shown with a failure; $TEST_SEED repeats it."""
    seed = int(os.environ.get("TEST_SEED", random.randrange(2**32)))
    sys.stdout.write(f"TEST_SEED={seed}\n")
    return random.Random(seed)


@pytest.fixture(scope="session")
def zygote() -> Iterator[subprocess.Popen[str]]:
    need_module("torch")
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [sys.executable, "-c", ZYGOTE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def workers(zygote: subprocess.Popen[str]) -> Iterator[Workers]:
    """Real worker processes; none outlives the test."""
    started = Workers(zygote)
    yield started
    for pid in started.pids:
        if not started.has_ended(pid):
            os.kill(pid, signal.SIGKILL)
