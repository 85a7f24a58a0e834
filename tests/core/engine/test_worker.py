"""Whole runs in real worker processes: what is recorded, what survives, and that measuring changes nothing."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from support import rows, wait_for

from condense_core.engine import checkpoint
from condense_core.runs import control
from condense_core.runs.reader import RunReader


def final_weights(folder: Path) -> dict[str, torch.Tensor]:
    state = checkpoint.load(folder)
    assert state is not None
    return state


def same_bits(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def info(folder: Path):
    with RunReader(folder) as run:
        return run.info()


def step_of(folder: Path) -> int:
    return info(folder).step


def test_a_run_is_recorded_from_its_first_to_its_last_step(make_run, workers):
    folder = make_run()
    workers.finish(folder)
    with RunReader(folder) as run:
        assert run.info().status == "done"
        assert run.info().step == 300
        assert run.instants[0] == 0
        assert run.instants[-1] == 300
        assert run.similarity("dense1").shape == (12, 12)
        assert [event.kind for event in run.events if event.kind in {"started", "done"}] == ["started", "done"]
        assert run.last("loss") < run.last("loss", 0)


@pytest.mark.parametrize("data", ["sine", "digits"])
def test_weights_do_not_depend_on_probes(make_run, workers, data):
    """The same bits with every probe on every step, with none, and with batches drawn in between."""
    settings = ["steps=60", "record.frames=61"]
    if data == "digits":
        settings += ["data.name=digits", "data.samples=50", "optimizer.batch=16"]
        settings += ['layers=[{kind="conv",width=6},{kind="dense",width=8}]']
    watched, blind = make_run(*settings), make_run(*settings, "record.probes=[]", "record.frames=2")
    workers.finish(watched)
    workers.finish(blind)
    assert same_bits(final_weights(watched), final_weights(blind))
    other = make_run(*settings, "seed=1")
    workers.finish(other)
    assert not same_bits(final_weights(watched), final_weights(other))


@pytest.mark.parametrize("batch", ["none", "16"])
@pytest.mark.parametrize("optimiser", ["gd", "adam"])
def test_stopped_and_resumed_equals_never_stopped(make_run, workers, optimiser, batch):
    settings = [f"optimizer.name={optimiser}", f"optimizer.batch={batch}", "steps=3000"]
    whole, parts = make_run(*settings), make_run(*settings)
    workers.finish(whole)
    pid = workers.start(parts)
    wait_for(lambda: step_of(parts) > 0)
    os.kill(pid, signal.SIGTERM)
    wait_for(workers.has_ended, pid)
    assert info(parts).status == "stopped"
    assert 0 < info(parts).step < 3000
    workers.finish(parts)
    assert info(parts).status == "done"
    assert same_bits(final_weights(whole), final_weights(parts))
    assert rows(whole) == rows(parts)


def test_fifty_kills_lose_and_repeat_nothing(make_run, workers, random_source):
    """kill -9 at random moments: what was committed stays, the run goes on from its checkpoint, nothing is left."""
    settings = ("steps=2000", "record.frames=100", "record.checkpoint_seconds=0.05")
    whole = make_run(*settings)
    workers.finish(whole)
    kills = 0
    while kills < 50:
        folder = make_run(*settings)
        committed: dict[str, set[str]] = {}
        while info(folder).status != "done":
            pid = workers.start(folder)
            begun = step_of(folder)
            step = random_source.randrange(begun, 2001)
            wait_for(lambda run=folder, at=step, worker=pid: step_of(run) >= at or workers.has_ended(worker))
            # killed at its last step, a run is let end: a kill as soon as it starts could be repeated for ever
            if begun < 2000 and not workers.has_ended(pid):
                os.kill(pid, signal.SIGKILL)
                kills += 1
            wait_for(workers.has_ended, pid)
            assert not control.worker_is_alive(folder)
            assert info(folder).status in {"lost", "done"}
            now = {kind: set(map(repr, found)) for kind, found in rows(folder).items()}
            assert all(before <= now[kind] for kind, before in committed.items()), "a committed row is gone"
            committed = now
        assert same_bits(final_weights(whole), final_weights(folder))
        assert rows(whole) == rows(folder)
        sqlite_own = {"run.sqlite-wal", "run.sqlite-shm"}
        assert {file.name for file in folder.iterdir()} - sqlite_own == {
            "run.sqlite",
            "worker.log",
            "checkpoint.safetensors",
        }


def test_pause_holds_training_and_resume_lets_it_go_on(make_run, workers):
    folder = make_run("steps=1000000000", "record.checkpoint_seconds=1000")
    pid = workers.start(folder)
    wait_for(lambda: step_of(folder) > 0)
    control.send(folder, "pause")
    wait_for(lambda: info(folder).status == "paused")
    paused_at = step_of(folder)
    beat = info(folder).heartbeat
    wait_for(lambda: info(folder).heartbeat > beat)
    assert step_of(folder) == paused_at
    control.send(folder, "checkpoint")
    wait_for((folder / checkpoint.FILE_NAME).exists)
    control.send(folder, "resume")
    wait_for(lambda: step_of(folder) > paused_at)
    assert info(folder).status == "running"
    control.send(folder, "stop")
    wait_for(workers.has_ended, pid)
    assert info(folder).status == "stopped"


def test_a_run_has_one_worker(make_run, workers):
    folder = make_run("steps=1000000000")
    first = workers.start(folder)
    wait_for(lambda: step_of(folder) > 0)
    second = workers.start(folder)
    wait_for(workers.has_ended, second)
    assert not workers.has_ended(first)
    assert "has a worker already" in (folder / "worker.log").read_text()
    assert info(folder).status == "running"


def test_divergence_ends_the_run_and_keeps_what_was_good(make_run, workers):
    folder = make_run("optimizer.name=gd", "optimizer.lr=1e6", 'layers=[{kind="dense",width=12,activation="relu"}]')
    workers.finish(folder)
    with RunReader(folder) as run:
        assert run.info().status == "diverged"
        assert "optimizer.lr" in run.info().reason
        steps, loss = run.curve("loss")
        assert len(steps) > 0
        assert np.isfinite(loss).all()


def test_a_stop_condition_ends_the_run_early(make_run, workers):
    folder = make_run("optimizer.lr=0.02", "steps=100000", "stop.loss_ratio=0.8", "stop.every=5")
    workers.finish(folder)
    with RunReader(folder) as run:
        assert run.info().status == "done"
        assert run.info().step < 100000
        assert run.info().step % 5 == 0
        assert run.last("loss_ratio") <= 0.8


def test_what_goes_wrong_is_the_reason_of_the_run(make_run, workers):
    folder = make_run("data.name=digits", "data.samples=5000", 'layers=[{kind="conv",width=4}]')
    workers.finish(folder)
    assert info(folder).status == "failed"
    assert "1797" in info(folder).reason
    assert "\n" not in info(folder).reason
