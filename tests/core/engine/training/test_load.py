"""What the machine does is recorded with the run, by the thread that records, and training does not notice."""

from __future__ import annotations

import importlib.util
import signal
import sys
import time
from collections.abc import Iterator
from types import SimpleNamespace

import psutil
import pytest
import torch
from support import wait_for

from condense_core.engine import checkpoint
from condense_core.engine.training import load
from condense_core.engine.training.worker import work
from condense_core.measure_table import MEASURES, OF_THE_MACHINE
from condense_core.runfile import writer
from condense_core.runfile.reader import RunReader
from condense_core.runfile.writer import RecordingThread

CPU = torch.device("cpu")


class NVMLError(Exception):
    """As NVIDIA's own."""


class Driver:
    """Stands for nvidia-ml-py on a machine with one GPU, which has no power to tell of."""

    NVMLError = NVMLError
    NVML_TEMPERATURE_GPU = 0

    def __init__(self) -> None:
        self.asked_for = ""

    def nvmlInit(self) -> None:
        pass

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> str:
        self.asked_for = uuid
        return "handle"

    def nvmlDeviceGetUtilizationRates(self, handle: str) -> SimpleNamespace:
        return SimpleNamespace(gpu=42)

    def nvmlDeviceGetMemoryInfo(self, handle: str) -> SimpleNamespace:
        return SimpleNamespace(used=20, total=80)

    def nvmlDeviceGetTemperature(self, handle: str, sensor: int) -> int:
        return 61

    def nvmlDeviceGetPowerUsage(self, handle: str) -> int:
        raise NVMLError("not supported")


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Driver:
    driver = Driver()
    monkeypatch.setitem(sys.modules, "pynvml", driver)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "psutil" else driver)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: SimpleNamespace(uuid="12-34"))
    return driver


@pytest.fixture
def every_look(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The machine is read at every turn of the recording thread; signals are the test's own again afterwards."""
    monkeypatch.setattr(writer, "SAMPLE_S", 0.0)
    monkeypatch.setattr(writer, "SAMPLE_SHARE", 0.0)
    monkeypatch.setattr(writer, "COMMAND_POLL_S", 0.005)
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    signal.signal(signal.SIGTERM, before[0])
    signal.signal(signal.SIGINT, before[1])


def test_processor_and_memory_are_those_of_the_machine():
    read = load.sampler(CPU)
    assert read() == []
    begun, used = time.monotonic(), time.process_time()
    while time.monotonic() - begun < 0.3:
        sum(range(10_000))
    found = dict(read())
    share = (time.process_time() - used) / (time.monotonic() - begun)
    assert set(found) == {"cpu_use", "worker_cpu", "memory_use", "worker_memory"}
    assert 0 < found["cpu_use"] <= 1
    # of one core, as the process's own clock has it: the others on a busy machine take the rest
    assert found["worker_cpu"] == pytest.approx(share, rel=0.3, abs=0.05)
    assert found["memory_use"] == pytest.approx(psutil.virtual_memory().percent / 100, abs=0.1)
    assert found["worker_memory"] == pytest.approx(psutil.Process().memory_info().rss / 2**20, rel=0.2)
    assert found.keys() <= set(OF_THE_MACHINE)


def test_a_gpu_is_asked_by_its_own_number_and_says_what_it_can(driver: Driver):
    read = load.sampler(torch.device("cuda", 1))
    assert driver.asked_for == "GPU-12-34"
    assert dict(read()) == {"gpu_use": 0.42, "gpu_memory_use": 0.25, "gpu_temperature": 61.0}


def test_without_driver_or_library_nothing_is_said(driver: Driver, monkeypatch: pytest.MonkeyPatch):
    def fail() -> None:
        raise NVMLError("driver not loaded")

    assert load.sampler(CPU)() == []
    monkeypatch.setattr(driver, "nvmlInit", fail)
    assert load.sampler(torch.device("cuda", 0))() == []
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert load.sampler(torch.device("cuda", 0))() == []


@pytest.mark.usefixtures("every_look")
def test_weights_are_the_same_bits_with_and_without(make_run, monkeypatch: pytest.MonkeyPatch):
    watched, blind = make_run("steps=3000"), make_run("steps=3000")
    assert work(watched) == 0
    monkeypatch.setattr(load, "sampler", lambda device: None)
    assert work(blind) == 0
    with RunReader(watched) as run:
        assert {"cpu_use", "worker_cpu", "memory_use", "worker_memory"} <= set(run.curve_names)
        assert len(run.curve("memory_use")[0]) > 1
        # what is measured of the network is at the same steps as without
        instants = run.instants.tolist()
    with RunReader(blind) as run:
        assert not set(OF_THE_MACHINE) & set(run.curve_names)
        assert run.instants.tolist() == instants
    one, other = checkpoint.load(watched), checkpoint.load(blind)
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.usefixtures("every_look")
def test_nothing_is_read_while_training_stands_still(make_run):
    folder, asked = make_run(), []
    thread = RecordingThread(folder)
    thread.sampler = lambda: asked.append(thread.progress[0]) or [("cpu_use", 0.5)]
    for step in (0, 7, 7, 9):
        thread.progress = (step, 1.0)
        for _ in range(3):
            thread.flush()
    thread.close()
    assert sorted(set(asked)) == asked
    assert set(asked) <= {0, 7, 9}
    with RunReader(folder) as run:
        assert run.curve("cpu_use")[0].tolist() == asked


@pytest.mark.usefixtures("every_look")
def test_rates_are_of_the_thread_that_records(make_run):
    """psutil has a clock for each thread, and a rate of no time is 0."""
    folder = make_run()
    thread = RecordingThread(folder)
    thread.sampler = load.sampler(CPU)
    begun = time.monotonic()
    while time.monotonic() - begun < 0.5:
        thread.progress = (thread.progress[0] + 1, 1.0)
        sum(range(20_000))
    thread.close()
    with RunReader(folder) as run:
        assert run.curve("worker_cpu")[1].max() > 0.2


def test_it_is_read_less_often_the_longer_a_run_goes_on(make_run, monkeypatch: pytest.MonkeyPatch):
    """A week makes some thousand points."""
    now = [0.0]
    thread = RecordingThread.__new__(RecordingThread)
    thread.sampler = lambda: [("cpu_use", 0.5)]
    taken: list[float] = []
    thread._begun, thread._sampled_at = 0.0, -1.0
    thread._sampled_step = -1
    thread._writer = SimpleNamespace(append=lambda record: taken.append(now[0]))
    monkeypatch.setattr(writer.time, "monotonic", lambda: now[0])
    while now[0] < 7 * 86_400:
        now[0] += 1 if now[0] < 4_000 else 20
        thread.progress = (int(now[0]), now[0])
        thread._sample()
    assert 100 < len([at for at in taken if at <= 400]) <= 200
    assert len(taken) < 2_000


def test_every_scalar_of_the_machine_is_in_the_table_of_measures():
    assert all(MEASURES[name].of == "network" for name in OF_THE_MACHINE)


def test_a_run_as_it_is_trained_is_sampled(make_run, workers):
    """In a process of its own, at the rate that everybody has."""
    folder = make_run("steps=100000000", "record.frames=20")
    workers.start(folder)
    with RunReader(folder) as run:
        wait_for(lambda: len(run.curve("cpu_use")[0]) > 0, seconds=60)
        run.send("stop")
