"""What several test modules need: small scenarios, and real worker processes that start fast."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import forking
import pytest
from hypothesis import settings
from support import SMALL, Workers, need_module

from condense_core.runs.create import create_run
from condense_core.scenario import toml
from condense_core.scenario.experiment import Experiment

# Whoever starts the tests in the background may have them ignore both, and the programs they start would do so too.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)

# pytest imports readline, which leaves the size of pytest's own terminal to all that is started from here: a program in
# a terminal of another size would believe it. os.environ knows of it only in xdist's workers.
for variable in ("COLUMNS", "LINES"):
    os.environ.pop(variable, None)
    os.unsetenv(variable)


# Programs that tests start compile what they import once and not each time, also where whoever runs the tests has
# Python keep no compiled files: a third of what it takes to start one.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Workers of tests take their steps in PyTorch: that a run of a million steps lasts is what many tests need, and
# compiling takes longer than most. Compiled steps have tests of their own (core/engine/steppers/ensembles.py).
os.environ["NUMBA_DISABLE_JIT"] = "1"

# An example takes as long as the machine lets it: beside other work one of a tenth of a second takes three.
settings.register_profile("unhurried", settings(), deadline=None)
settings.load_profile("unhurried")

# Tests that took 0.3 s each, or a second with all their parameters, as `pytest --durations=0 -vv` says: `-m "not slow"`
# leaves them out.
SLOW = frozenset((Path(__file__).parent / "slow.txt").read_text(encoding="utf-8").split())
# Tests whose parameters take a second and more together: one in three of these in every run, all in `make full`.
SAMPLED = frozenset((Path(__file__).parent / "sampled.txt").read_text(encoding="utf-8").split())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    seen: dict[str, int] = {}
    for item in items:
        name = item.nodeid.partition("[")[0]
        if name in SLOW:
            item.add_marker(pytest.mark.slow)
        if name in SAMPLED and item.get_closest_marker("thorough") is None:
            seen[name] = seen.get(name, 0) + 1
            if seen[name] % 3 != 1:
                item.add_marker(pytest.mark.thorough)


@pytest.fixture(autouse=True)
def own_preferences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the preferences of whoever runs it, nor those of another test."""
    monkeypatch.setenv("CONDENSE_CONFIG_DIR", str(tmp_path / "condense-config"))


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
def zygote() -> Iterator[None]:
    """The process that forks programs of tests; each of xdist's workers has its own."""
    need_module("torch")
    with forking.zygote():
        yield


@pytest.fixture
def forked(zygote: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Has `python -m …` forked, whoever starts it: a test of what a program does need not wait for its imports."""
    monkeypatch.setattr(subprocess, "Popen", forking.Forked)


@pytest.fixture
def workers(zygote: None) -> Iterator[Workers]:
    """Real worker processes; none outlives the test."""
    started = Workers()
    yield started
    for pid in started.pids:
        if not started.has_ended(pid):
            os.kill(pid, signal.SIGKILL)
