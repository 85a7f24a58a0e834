"""What the machine that trains is doing, as scalars of the run: processor, memory, and the GPU where it trains on one.

Read by the thread that records, now and then (`runfile.writer`), so that training never waits for it. psutil and
nvidia-ml-py come with the extra `engine`; where one of them is missing, or a driver answers nothing, nothing is
recorded of what it would have read.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import torch

Sampled = list[tuple[str, float]]
MIB = 2**20


def sampler(device: torch.device) -> Callable[[], Sampled]:
    """Reads the machine at each call, all of them in one thread; rates are those since the call before, and so the
    first one has little to say."""
    readers = [reader for reader in (_processor(), _gpu(device)) if reader is not None]
    return lambda: [scalar for reader in readers for scalar in reader()]


def _processor() -> Callable[[], Sampled] | None:
    if importlib.util.find_spec("psutil") is None:
        return None
    import psutil

    own = psutil.Process()
    begun = False

    def read() -> Sampled:
        nonlocal begun
        machine, worker = psutil.cpu_percent(), own.cpu_percent()
        if not begun:
            # of each thread, psutil's first call only begins the time that the next one is about
            begun = True
            return []
        return [
            ("cpu_use", machine / 100),
            ("worker_cpu", worker / 100),
            ("memory_use", psutil.virtual_memory().percent / 100),
            ("worker_memory", own.memory_info().rss / MIB),
        ]

    return read


def _gpu(device: torch.device) -> Callable[[], Sampled] | None:
    """The GPU of that device, by its own number: CUDA's and the driver's order of devices differ."""
    if device.type != "cuda" or importlib.util.find_spec("pynvml") is None:
        return None
    import pynvml

    try:
        pynvml.nvmlInit()
        handle = pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{torch.cuda.get_device_properties(device).uuid}")
    except (pynvml.NVMLError, AttributeError):
        # no driver that answers, or a PyTorch that does not say which GPU it is
        return None
    asked: dict[str, Callable[[Any], float]] = {
        "gpu_use": lambda gpu: pynvml.nvmlDeviceGetUtilizationRates(gpu).gpu / 100,
        "gpu_memory_use": lambda gpu: _share(pynvml.nvmlDeviceGetMemoryInfo(gpu)),
        "gpu_temperature": lambda gpu: pynvml.nvmlDeviceGetTemperature(gpu, pynvml.NVML_TEMPERATURE_GPU),
        "gpu_power": lambda gpu: pynvml.nvmlDeviceGetPowerUsage(gpu) / 1e3,
    }

    def read() -> Sampled:
        found = []
        for name, ask in asked.items():
            try:
                found.append((name, float(ask(handle))))
            except pynvml.NVMLError:
                # a part of a GPU has no temperature of its own, and a laptop's no power
                continue
        return found

    return read


def _share(memory: Any) -> float:
    return float(memory.used) / float(memory.total)
