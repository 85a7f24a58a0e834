"""Whole runs in real worker processes: what is recorded, what survives, and that measuring changes nothing."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import shim
import torch
from forking import Forked
from support import rows, wait_for

from condense_core.engine import checkpoint
from condense_core.engine.training import worker
from condense_core.runfile import control, schema
from condense_core.runfile.reader import RunReader
from condense_core.runs.create import start_worker
from condense_presets import preset_text


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


def measured(folder: Path) -> int:
    with RunReader(folder) as run:
        return len(run.instants)


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
    assert (folder / "worker.log").read_text() == ""


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
    wait_for(lambda: measured(parts) > 3)
    os.kill(pid, signal.SIGTERM)
    wait_for(workers.has_ended, pid)
    assert info(parts).status == "stopped"
    assert 0 < info(parts).step < 3000
    workers.finish(parts)
    assert info(parts).status == "done"
    assert same_bits(final_weights(whole), final_weights(parts))
    assert rows(whole) == rows(parts)


@pytest.mark.thorough
def test_fifty_kills_lose_and_repeat_nothing(make_run, workers, random_source):
    """kill -9 at random moments: what was committed stays, the run continues from its checkpoint, nothing is left."""
    settings = ("steps=6000", "record.frames=100", "record.checkpoint_seconds=0.05")
    whole = make_run(*settings)
    workers.finish(whole)
    for _ in range(5):
        folder = make_run(*settings)
        committed: dict[str, set[str]] = {}
        for _ in range(10):
            pid = workers.start(folder)
            wait_for(lambda run=folder, it=pid: control.worker_is_alive(run) or workers.has_ended(it))
            # a moment anywhere from its start to well into the run, whose whole length is some seconds
            time.sleep(random_source.choice([0.0, random_source.uniform(0.0, 0.5)]))
            with contextlib.suppress(ProcessLookupError):  # it has ended by itself
                os.kill(pid, signal.SIGKILL)
            wait_for(workers.has_ended, pid)
            assert not control.worker_is_alive(folder)
            now = {kind: set(map(repr, found)) for kind, found in rows(folder).items()}
            assert all(before <= now[kind] for kind, before in committed.items()), "a committed row is gone"
            committed = now
            assert info(folder).status in {"starting", "lost", "done"}
        (folder / ".tmpAb3xYz").write_bytes(b"what an older version's worker left when it was killed")
        workers.finish(folder)
        assert info(folder).status == "done"
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
    assert "is already being trained" in (folder / "worker.log").read_text()
    assert info(folder).status == "running"


CONVOLUTION = ("data.name=digits", "data.samples=20", 'layers=[{kind="conv",width=4,size=3}]')


def test_divergence_ends_the_run_and_keeps_what_was_good(make_run, workers):
    folder = make_run("optimizer.name=gd", "optimizer.lr=1e6", 'layers=[{kind="dense",width=12,activation="relu"}]')
    workers.finish(folder)
    with RunReader(folder) as run:
        assert run.info().status == "diverged"
        assert "optimizer.lr" in run.info().reason
        steps, loss = run.curve("loss")
        assert len(steps) > 0
        assert np.isfinite(loss).all()


@pytest.mark.parametrize(
    ("settings", "advice"),
    [
        (("optimizer.name=gd", "optimizer.lr_lambda1=1e9", *CONVOLUTION), "a smaller optimizer.lr_lambda1 may help"),
        (("init.std=1e300",), "a smaller init.std may help"),
        (("init.scheme=width-power", "init.gamma=-30", "loss=mse"), "a larger init.gamma may help"),
    ],
)
def test_advice_after_a_divergence_names_the_field_that_was_set(make_run, workers, settings, advice):
    folder = make_run(*settings)
    workers.finish(folder)
    assert info(folder).status == "diverged"
    assert advice in info(folder).reason


def test_a_stop_condition_ends_the_run_early(make_run, workers):
    folder = make_run("optimizer.lr=0.02", "steps=100000", "stop.loss_ratio=0.8", "stop.every=5")
    workers.finish(folder)
    with RunReader(folder) as run:
        assert run.info().status == "done"
        assert run.info().step < 100000
        assert run.info().step % 5 == 0
        assert run.last("loss_ratio") <= 0.8


def test_a_resumed_run_stops_by_the_loss_that_it_began_with(make_run, workers):
    """And not by that of the checkpoint from which it went on."""
    folder = make_run("optimizer.lr=0.02", "steps=100000", "stop.loss_ratio=0.8", "stop.every=5")
    workers.finish(folder)
    ended, recorded = info(folder).step, rows(folder)
    # as after a disk that failed once the last checkpoint was there
    workers.finish(folder)
    assert info(folder).status == "done"
    assert info(folder).step == ended
    assert rows(folder) == recorded


def test_what_goes_wrong_is_the_reason_of_the_run(make_run, workers):
    folder = make_run("data.name=digits", "data.samples=5000", 'layers=[{kind="conv",width=4}]')
    workers.finish(folder)
    assert info(folder).status == "failed"
    assert "1797" in info(folder).reason
    assert "\n" not in info(folder).reason


def test_a_log_that_cannot_be_written_does_not_hide_why_a_run_failed(make_run, zygote):
    """The log lies on the disk that is full."""
    folder = make_run("data.name=digits", "data.samples=5000", 'layers=[{kind="conv",width=4}]')
    with Path("/dev/full").open("wb") as full:
        command = [sys.executable, "-P", "-m", "condense_core.engine", str(folder), "--stay"]
        assert Forked(command, stdout=full, stderr=full).wait(60) == 1
    assert info(folder).status == "failed"
    assert "1797" in info(folder).reason


def test_a_worker_holds_its_run_before_it_loads_pytorch(make_run):
    """Else one that dies while it starts would be waited for."""
    folder = make_run("steps=1000000000")
    start_worker(folder)
    assert control.worker_is_alive(folder)
    assert info(folder).status in {"starting", "running"}
    control.send(folder, "stop")
    wait_for(lambda: not control.worker_is_alive(folder), seconds=60)
    assert info(folder).status == "stopped"


def test_a_worker_does_not_import_what_lies_where_the_user_stands(make_run, tmp_path, monkeypatch):
    (tmp_path / "torch.py").write_text("raise SystemExit('imported from the working directory')")
    monkeypatch.chdir(tmp_path)
    folder = make_run("steps=20")
    start_worker(folder)
    wait_for(lambda: info(folder).status == "done", seconds=60)


def test_the_learning_rate_by_lambda1_does_not_depend_on_the_activation(make_run, workers):
    losses = []
    for activation in ("tanh", "relu", "xtanh"):
        settings = [f"layers.0.activation={activation}", "steps=3", "record.probes=[]"]
        folder = make_run(*settings, text=preset_text("digits-gd"))
        workers.finish(folder)
        assert info(folder).status == "done"
        with RunReader(folder) as run:
            losses.append(run.last("loss_ratio"))
    assert max(losses) - min(losses) < 1e-3


def test_rows_that_are_missing_before_the_checkpoint_are_said_and_can_be_measured_again(make_run, workers):
    """As after a loss of power that took the log and not the checkpoint."""
    settings = ("steps=400", "record.frames=40")
    whole, cut = make_run(*settings), make_run(*settings)
    workers.finish(whole)
    pid = workers.start(cut)
    wait_for(lambda: measured(cut) > 10)
    control.send(cut, "stop")
    wait_for(workers.has_ended, pid)
    with RunReader(cut) as run:
        at, kept = run.info().step, int(run.instants[4])
    with schema.writer(cut / schema.FILE_NAME) as connection:
        for table in ("scalar", "frame", "event"):
            connection.execute(f"DELETE FROM {table} WHERE step > ?", (kept,))
    workers.finish(cut)
    with RunReader(cut) as run:
        said = [event for event in run.events if event.kind == "missing"]
        assert [event.step for event in said] == [at]
        assert f"the recording ends at step {kept}, before the checkpoint at step {at}" in said[0].text
        instants = run.instants.tolist()
        assert instants[5] == at, "the checkpoint itself is measured"
        assert instants[-1] == 400
    # as the event says: without a checkpoint it trains from the start and records what is not there
    with schema.writer(cut / schema.FILE_NAME) as connection:
        for table in ("scalar", "frame", "event"):
            connection.execute(f"DELETE FROM {table} WHERE step > ?", (kept,))
        connection.execute("UPDATE run SET status = 'stopped'")
    (cut / checkpoint.FILE_NAME).unlink()
    workers.finish(cut)
    assert rows(cut) == rows(whole)
    assert same_bits(final_weights(whole), final_weights(cut))


def test_a_resumed_run_that_lacks_nothing_says_nothing(make_run, workers):
    folder = make_run("steps=3000")
    pid = workers.start(folder)
    wait_for(lambda: measured(folder) > 3)
    control.send(folder, "stop")
    wait_for(workers.has_ended, pid)
    workers.finish(folder)
    with RunReader(folder) as run:
        assert "missing" not in {event.kind for event in run.events}


@pytest.mark.skipif(shutil.which("cc") is None, reason="no compiler")
def test_the_log_is_on_the_medium_before_the_checkpoint_and_the_folder_after(make_run, tmp_path):
    folder = make_run("steps=80", "record.frames=80")
    environment = os.environ | {
        "LD_PRELOAD": str(shim.compiled(tmp_path)),
        "SHIM_UNDER": str(folder),
        "SHIM_LOG": str(tmp_path / "log"),
    }
    subprocess.run([sys.executable, "-m", "condense_core.engine", folder, "--stay"], env=environment, check=True)
    lines = [line.partition(" ") for line in (tmp_path / "log").read_text().splitlines()]
    calls = [(what, Path(place).name) for what, _, place in lines]
    at = calls.index(("sync", checkpoint.FILE_NAME))
    assert calls.count(("write", "run.sqlite-wal")) > 100, "the log is written in pieces"
    last = max(number for number, call in enumerate(calls[:at]) if call == ("sync", "run.sqlite-wal"))
    # nothing but a heartbeat may come between
    assert calls[last:at].count(("write", "run.sqlite-wal")) < 10
    assert ("sync", folder.name) in calls[at:]


@pytest.mark.parametrize("way", ["by command", "by SIGTERM"])
def test_a_run_that_still_loads_its_data_can_be_stopped(make_run, workers, monkeypatch, way):
    folder = make_run()
    reads, writes = os.pipe()
    asked = []

    def stop():
        # until the main thread waits: a signal that comes just before interrupts nothing
        wait_for(lambda: asked and "pipe" in Path(f"/proc/{os.getpid()}/wchan").read_text())
        if way == "by command":
            control.send(folder, "stop")
        else:
            os.kill(os.getpid(), signal.SIGTERM)

    def load(_):
        asked.append("data")
        # a network drive that does not answer
        os.read(reads, 1)

    monkeypatch.setattr(worker.datasets, "load", load)
    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=stop)
    thread.start()
    assert worker.work(folder) == 0
    thread.join()
    os.close(reads)
    os.close(writes)
    assert signal.getsignal(signal.SIGTERM) is before
    assert info(folder).status == "stopped"
    assert info(folder).reason == f"stopped {way} before training began"
    workers.finish(folder)
    assert info(folder).status == "done"


def test_a_run_that_still_imports_pytorch_can_be_stopped(make_run, tmp_path):
    """A stand-in for PyTorch on a cold network drive: its import never ends."""
    folder = make_run()
    (tmp_path / "slow").mkdir()
    (tmp_path / "slow" / "torch.py").write_text("open('begun', 'w').close()\nimport time\ntime.sleep(600)\n")
    path = os.pathsep.join([str(tmp_path / "slow"), *sys.path])
    process = subprocess.Popen(
        [sys.executable, "-m", "condense_core.engine", folder, "--stay"],
        env=os.environ | {"PYTHONPATH": path},
        cwd=tmp_path,
    )
    wait_for((tmp_path / "begun").exists)
    process.terminate()
    assert process.wait(20) == 0
    assert info(folder).status == "stopped"
    assert info(folder).reason == "stopped by SIGTERM before training began"


def test_the_classes_that_were_found_are_in_the_file(make_run, workers, tmp_path):
    from PIL import Image

    for number, name in enumerate(("owls", "cats", ".hidden")):
        (tmp_path / "animals" / name).mkdir(parents=True)
        for index in range(4):
            colour = (60 * number + 10 * index, 20 * index, 200)
            Image.new("RGB", (12, 9), colour).save(tmp_path / "animals" / name / f"{index}.png")
    settings = ("data.name=folder", f"data.path={tmp_path / 'animals'}", "data.samples=6", "data.size=8", "steps=3")
    folder = make_run(*settings)
    workers.finish(folder)
    with RunReader(folder) as run:
        assert [event.text for event in run.events if event.kind == "data"] == [
            "6 of 8 images, seed 0; 2 classes: cats, owls"
        ]
