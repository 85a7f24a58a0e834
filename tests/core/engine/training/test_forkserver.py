"""Many runs from one process: later ones are forked with what the first had to load; a killed one takes no other."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

import msgspec
import pytest
from support import wait_for

from condense_core.engine.steppers import compiled
from condense_core.engine.training import forkserver, worker
from condense_core.runfile.reader import RunReader
from condense_core.runs.create import write_run
from condense_core.runs.worker_pool import Pool
from condense_core.scenario.experiment import GD, Dense, Experiment, NormalInit, Sine
from condense_core.scenario.record import Record

WIDE = Experiment(
    name="wide",
    steps=3000,
    data=Sine(inputs=3, samples=400),
    layers=(Dense(width=400),),
    init=NormalInit(std=0.01),
    optimizer=GD(lr=0.001),
    record=Record(probes=("change",), frames=4),
)


def written(folder: Path, experiment: Experiment) -> Path:
    folder.mkdir()
    write_run(folder, experiment, name=folder.name, preset="", device="cpu")
    return folder


def trained(pool: Pool, wanted: int) -> list[Path]:
    ended: list[Path] = []
    wait_for(lambda: len(ended.extend(pool.ended(0.1)) or ended) >= wanted)
    return ended


def test_what_compiled_runs_load_late_is_loaded_once(tmp_path, monkeypatch):
    small = msgspec.structs.replace(WIDE, layers=(Dense(width=3),), steps=5)
    asked = []
    monkeypatch.setattr(compiled, "load", asked.append)
    assert not worker.preload(written(tmp_path / "small", small)), "PyTorch is faster, and is there"
    assert not worker.preload(tmp_path)
    assert worker.preload(written(tmp_path / "wide", WIDE))
    assert asked == ["float32"]


def test_a_folder_is_not_read_any_more_once_its_run_is_said_to_have_ended(tmp_path, monkeypatch):
    """A node of a cluster removes it at once, and SQLite makes files beside the one that it reads."""
    order = []
    monkeypatch.setattr(forkserver, "_say", order.append)
    assert not forkserver._ended("/runs/a", 0, lambda folder: bool(order.append(folder)))
    assert order == [Path("/runs/a"), "/runs/a\t0"]
    assert not forkserver._ended("/runs/b", 1, None)
    assert order[2:] == ["/runs/b\t1"]


@pytest.mark.usefixtures("forked")
def test_a_run_that_is_killed_takes_no_other_with_it_and_those_after_it_are_trained(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "0")
    endless = msgspec.structs.replace(WIDE, steps=10**8)
    first, second = written(tmp_path / "first", endless), written(tmp_path / "second", WIDE)
    bad = written(tmp_path / "bad", msgspec.structs.replace(WIDE, optimizer=GD(lr=1e30)))

    def pid() -> int | None:
        with contextlib.closing(RunReader(first)) as run:
            info = run.info()
            return info.pid if info.status == "running" else None

    with Pool(2) as pool:
        pool.start(first)
        pool.start(second)
        assert trained(pool, 1) == [second]
        wait_for(lambda: pid() is not None)
        os.kill(pid() or 0, signal.SIGKILL)
        assert trained(pool, 1) == [first]
        pool.start(bad)
        later = [written(tmp_path / f"later{number}", WIDE) for number in range(2)]
        for folder in later:
            pool.start(folder)
        assert sorted(trained(pool, 3)) == sorted([bad, *later])
    weights = []
    for folder in (second, *later):
        with RunReader(folder) as run:
            assert run.info().status == "done"
            weights.append(run.last("loss"))
    assert len(set(weights)) == 1, "forked early or late, the same bits"
    with RunReader(bad) as run:
        assert run.info().status == "diverged"
