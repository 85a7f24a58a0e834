"""Small trainings, and what is read of their runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from condense_core.runfile.reader import RunReader
from condense_core.runs.place import run_folders

STEPS = 12


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 6), nn.Tanh(), nn.Linear(6, 2))


def batch() -> tuple[Tensor, Tensor]:
    return torch.randn(16, 5), torch.randn(16, 2)


def only_run(runs: Path) -> Path:
    (folder,) = run_folders(runs)
    return folder


def waited(condition: Callable[[], object], seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return bool(condition())


def texts(run: RunReader, kind: str) -> list[str]:
    return [event.text for event in run.events if event.kind == kind]


def loop(model: nn.Module, optimizer: torch.optim.Optimizer, *, steps: int = STEPS, run=None) -> list[float]:
    losses = []
    for _ in range(steps):
        x, y = batch()
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        if run is not None:
            run.loss(loss)
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses
