"""A run that goes on takes its steps as what is recorded was taken, also where it was killed before its first
checkpoint; what cannot be so is said."""

from __future__ import annotations

import importlib.metadata
import os
import signal

import numba
import pytest
import torch
from support import rows, stopping_at, wait_for

from condense_core.engine import checkpoint
from condense_core.engine.steppers import compiled
from condense_core.engine.steppers.gradients import compiled as gradients
from condense_core.engine.steppers.gradients import mlp, numpys_tanh
from condense_core.engine.steppers.gradients.compiled import CompiledGradients
from condense_core.engine.steppers.gradients.mlp import MlpGradients
from condense_core.engine.training import device, way, worker
from condense_core.runfile.info import read_run
from condense_core.runfile.reader import RunReader
from condense_core.runfile.schema import FILE_NAME, writer
from condense_core.runfile.writer import RunWriter, StepRecord

CPU = torch.device("cpu")
NO_CHECKPOINT = "record.checkpoint_seconds=1000"


def texts(folder, kind):
    with RunReader(folder) as run:
        return [event.text for event in run.events if event.kind == kind]


def recorded_to(folder):
    with RunReader(folder) as run:
        return run.newest_step


@pytest.fixture
def compiles(monkeypatch):
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 0)


@pytest.mark.usefixtures("compiles")
def test_a_run_killed_before_its_first_checkpoint_repeats_itself_as_it_began(make_run, workers, monkeypatch):
    settings = ("steps=6000", "record.frames=100", NO_CHECKPOINT)
    whole, killed = make_run(*settings), make_run(*settings)
    # as on a machine that would choose otherwise
    monkeypatch.setattr(gradients, "REPAYS_S", 1e9)
    assert worker.work(whole) == 0
    pid = workers.start(killed)
    wait_for(lambda: (recorded_to(killed) or 0) > 3)
    os.kill(pid, signal.SIGKILL)
    wait_for(workers.has_ended, pid)
    assert not (killed / checkpoint.FILE_NAME).exists()
    (began,) = texts(killed, "started")
    kept = recorded_to(killed)
    assert 3 < kept < 6000
    monkeypatch.setattr(gradients, "REPAYS_S", 0.0)
    monkeypatch.setattr(numpys_tanh, "TANH_MATTERS_S", 0.0)
    assert worker.work(killed) == 0
    assert texts(killed, "started") == [began, began]
    assert texts(killed, "continued") == [
        f"from step 0, since there is no checkpoint; what was recorded up to step {kept} stays as it is"
    ]
    assert checkpoint.steps(killed) == checkpoint.steps(whole) == MlpGradients.name
    assert rows(whole) == rows(killed)


@pytest.mark.usefixtures("compiles")
def test_what_cannot_be_obeyed_is_said(make_run, monkeypatch):
    folder = make_run("steps=900", NO_CHECKPOINT, "record.probes=[]")
    monkeypatch.setattr(gradients, "REPAYS_S", 0.0)
    with stopping_at(400):
        assert worker.work(folder) == 0
    (folder / checkpoint.FILE_NAME).unlink()
    before, kept = rows(folder), recorded_to(folder)
    # on a machine without Numba
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 1)
    compiled.load.cache_clear()
    assert worker.work(folder) == 0
    compiled.load.cache_clear()
    (said,) = texts(folder, "continued")
    assert f"recorded up to step {kept} stays" in said
    assert "steps in place of compiled closed form steps: the last digits may differ" in said
    assert any("NUMBA_DISABLE_JIT" in note for note in texts(folder, "stepper"))
    now = rows(folder)
    assert all(row in now["scalar"] for row in before["scalar"])
    assert recorded_to(folder) == 900


def begin(run_writer, name, steps=()):
    run_writer.append(StepRecord(0, [], [], [("started", way.started(CPU, name))]))
    for step in steps:
        run_writer.append(StepRecord(step, [("loss", 1.0)], [], []))


@pytest.mark.parametrize(
    ("begun", "expected"),
    [
        ([], None),
        # nothing was recorded: another way is as good
        ([("eager", ())], None),
        ([("eager", (0, 1))], "eager"),
        # one that died at once, on a machine that could not do the same
        ([("compiled closed form", (0, 1)), ("closed form", ())], "compiled closed form"),
        ([("compiled closed form", (0, 1)), ("closed form", (2,))], "closed form"),
    ],
)
def test_the_way_is_that_of_what_was_recorded_last(make_run, begun, expected):
    folder = make_run()
    run_writer = RunWriter(folder)
    for name, steps in begun:
        begin(run_writer, name, steps)
    # the machine's load is logged, too
    run_writer.append(StepRecord(2, [("cpu_share", 0.5)], [], []))
    run_writer.close()
    with RunReader(folder) as run:
        assert way.way_so_far(run) == expected


@pytest.mark.parametrize("name", ["eager, channels-last, bf16", numpys_tanh.NAME, mlp.MlpGradients.name])
@pytest.mark.parametrize("threads", [1, 2])
def test_every_name_is_read_as_it_was_written(monkeypatch, name, threads):
    monkeypatch.setattr(device.torch, "get_num_threads", lambda: threads)
    assert way._STARTED.fullmatch(way.started(CPU, name))["way"] == name
    monkeypatch.setattr(device.torch.cuda, "get_device_name", lambda _: "NVIDIA H100 80GB HBM3")
    assert way._STARTED.fullmatch(way.started(torch.device("cuda", 1), name))["way"] == name


@pytest.mark.parametrize("text", ["", "watching SGD", "training on cpu, eager steps", "training on cpu A, 1 thread, "])
def test_what_says_no_way_is_no_way(make_run, text):
    folder = make_run()
    run_writer = RunWriter(folder)
    run_writer.append(StepRecord(0, [("loss", 1.0)], [], [("started", text)]))
    run_writer.append(StepRecord(1, [("loss", 1.0)], [], []))
    run_writer.close()
    with RunReader(folder) as run:
        assert way.way_so_far(run) is None


def test_another_processor_and_other_libraries_are_said(make_run, monkeypatch):
    folder = make_run("steps=900")
    with stopping_at(400):
        assert worker.work(folder) == 0
    info = read_run(folder)
    name = checkpoint.steps(folder)
    assert way.another(info, name, CompiledGradients.name, CPU) == (
        f"; now {CompiledGradients.name} steps in place of {name} steps: the last digits may differ"
    )
    # as many threads as there were are taken again, so they are no difference
    with writer(folder / FILE_NAME) as connection:
        connection.execute("UPDATE run SET device = 'cpu Some Processor, 1 thread'")
        connection.execute("UPDATE run SET versions = json_set(versions, '$.numpy', '1.0')")
    assert worker.work(folder) == 0
    step = texts(folder, "checkpoint")[0].rpartition(" ")[2]
    now = device.without_threads(device.describe(CPU))
    assert texts(folder, "continued") == [
        f"from the checkpoint at step {step}; now {now} in place of cpu Some Processor,"
        f" NumPy {importlib.metadata.version('numpy')} in place of 1.0: the last digits may differ"
    ]
