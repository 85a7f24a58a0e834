"""How many threads a run gets: what is fastest, and the same again when it goes on."""

from __future__ import annotations

import pytest
import torch

from condense_core.engine.training import device


@pytest.fixture(autouse=True)
def free(monkeypatch):
    before = torch.get_num_threads()
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(device, "usable_cores", lambda: 4)
    yield
    torch.set_num_threads(before)


def seconds_by_threads(monkeypatch, taken: dict[int, float]) -> list[int]:
    """Steps that take what is said for each number of threads; which numbers were tried."""
    tried: list[int] = []
    clock = [0.0]

    def step() -> None:
        tried.append(torch.get_num_threads())
        clock[0] += taken[torch.get_num_threads()]

    monkeypatch.setattr(device.time, "perf_counter", lambda: clock[0])
    device.set_threads(1e9, step, "auto")
    return tried


@pytest.mark.parametrize(
    ("taken", "threads"),
    [({1: 1.0, 2: 0.6, 4: 0.4}, 4), ({1: 1.0, 2: 0.6, 4: 0.58}, 2), ({1: 1.0, 2: 1.5, 4: 3.0}, 1)],
)
def test_the_fastest_number_is_taken_and_more_only_where_they_pay(monkeypatch, taken, threads):
    tried = seconds_by_threads(monkeypatch, taken)
    assert torch.get_num_threads() == threads
    assert set(tried) == {1, 2, 4}


def test_short_steps_are_tried_twice(monkeypatch):
    assert seconds_by_threads(monkeypatch, {1: 0.01, 2: 0.01, 4: 0.01}) == [1, 1, 2, 2, 4, 4]


def test_small_steps_get_one_thread_untried():
    device.set_threads(1e5, pytest.fail, "auto")
    assert torch.get_num_threads() == 1


def test_a_run_that_goes_on_keeps_its_number():
    device.set_threads(1e9, pytest.fail, "cpu Some Processor, 3 threads")
    assert torch.get_num_threads() == 3
    assert device._THREADS.search(device.describe(torch.device("cpu")))[1] == "3"


def test_the_environment_is_obeyed(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    torch.set_num_threads(2)
    device.set_threads(1e9, pytest.fail, "auto")
    assert torch.get_num_threads() == 2
