"""Accelerate's optimizer is around another one, whose steps are fewer than its own, and has no hooks."""

from __future__ import annotations

import contextlib
import importlib.util
import types
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import nn
from trainings import batch, network, only_run

from condense_core import watch
from condense_core.runfile.reader import RunReader

MICRO_STEPS = 2


class AcceleratedOptimizer(torch.optim.Optimizer):
    """As Accelerate documents it: it steps and clears gradients only where they are synchronized, and is no optimizer
    of its own."""

    def __init__(self, optimizer: torch.optim.Optimizer, state: types.SimpleNamespace) -> None:
        self.optimizer, self.gradient_state = optimizer, state

    @property
    def param_groups(self) -> Any:
        return self.optimizer.param_groups

    def zero_grad(self, set_to_none: bool | None = None) -> None:
        if self.gradient_state.sync_gradients:
            self.optimizer.zero_grad()

    def step(self, closure: Any = None) -> None:
        if self.gradient_state.sync_gradients:
            self.optimizer.step(closure)


class Accelerator:
    """What a loop uses of Accelerate's."""

    def __init__(self, gradient_accumulation_steps: int) -> None:
        self._every, self._micro = gradient_accumulation_steps, 0
        self._state = types.SimpleNamespace(sync_gradients=True)

    def prepare(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> tuple[nn.Module, Any]:
        return model, AcceleratedOptimizer(optimizer, self._state)

    @contextlib.contextmanager
    def accumulate(self, _: nn.Module) -> Iterator[None]:
        self._micro += 1
        self._state.sync_gradients = self._micro % self._every == 0
        yield

    def backward(self, loss: torch.Tensor) -> None:
        (loss / self._every).backward()


def makers() -> list[Any]:
    """The stand-in, and the package itself where it is installed."""
    found: list[Any] = [pytest.param(Accelerator, id="stand-in")]
    if importlib.util.find_spec("accelerate") is not None:

        def real(**options: Any) -> Any:
            import accelerate

            return accelerate.Accelerator(cpu=True, **options)

        found.append(pytest.param(real, id="accelerate"))
    return found


@pytest.mark.parametrize("make", makers())
def test_steps_are_those_of_the_optimizer_inside_with_the_whole_gradient(runs, make):
    accelerator = make(gradient_accumulation_steps=MICRO_STEPS)
    plain = network()
    model, optimizer = accelerator.prepare(plain, torch.optim.SGD(plain.parameters(), lr=0.1))
    norms = []
    with watch(model, optimizer, runs_dir=runs) as run:
        for micro in range(4 * MICRO_STEPS):
            with accelerator.accumulate(model):
                loss = nn.functional.mse_loss(model(batch()[0]), batch()[1])
                accelerator.backward(loss)
                run.loss(loss)
                if micro % MICRO_STEPS == MICRO_STEPS - 1:
                    grads = torch.cat([parameter.grad.flatten() for parameter in model.parameters()])
                    norms.append(float(torch.linalg.vector_norm(grads)))
                optimizer.step()
                optimizer.zero_grad()
    with RunReader(only_run(runs)) as found:
        assert found.instants.tolist() == [0, 1, 2, 3, 4]
        assert found.curve("gradient_norm")[1][:4] == pytest.approx(norms, rel=1e-5)
        assert found.subject.optimizer.startswith("SGD, lr 0.1")
        assert found.layers == ("0", "2")
