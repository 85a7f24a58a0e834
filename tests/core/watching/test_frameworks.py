"""Callbacks, called as the two frameworks call them; their packages are stand-ins with what is used of them."""

from __future__ import annotations

import importlib
import sys
import types

import pytest
import torch
from torch import nn
from trainings import network, only_run, waited

from condense_core.runfile import control
from condense_core.runfile.info import read_run
from condense_core.runfile.reader import RunReader


@pytest.fixture
def stand_ins(monkeypatch) -> None:
    transformers = types.ModuleType("transformers")
    transformers.TrainerCallback = type("TrainerCallback", (), {})
    monkeypatch.setitem(sys.modules, "transformers", transformers)
    for name in ("lightning", "lightning.pytorch", "lightning.pytorch.callbacks"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    sys.modules["lightning.pytorch.callbacks"].Callback = type("Callback", (), {})
    for name in ("condense_core.hf", "condense_core.lightning"):
        monkeypatch.delitem(sys.modules, name, raising=False)


class WithLoss(nn.Module):
    """A model that computes its own loss, as those of transformers do."""

    def __init__(self) -> None:
        super().__init__()
        self.net = network()

    def forward(self, x: torch.Tensor) -> types.SimpleNamespace:
        return types.SimpleNamespace(loss=self.net(x).square().mean())


@pytest.mark.usefixtures("stand_ins")
def test_transformers_trainer_is_watched_with_its_log_and_the_loss_of_its_parts_together(runs):
    callback = importlib.import_module("condense_core.hf").Watch(runs_dir=runs, name="hf")
    model = WithLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    # as accelerate has it
    wrapped = types.SimpleNamespace(optimizer=optimizer)
    args = types.SimpleNamespace(to_sanitized_dict=lambda: {"learning_rate": 0.1})
    state, steering = types.SimpleNamespace(is_world_process_zero=True, global_step=0), types.SimpleNamespace()
    callback.on_train_begin(args, state, steering, model=model, optimizer=wrapped)
    losses = []
    for _ in range(3):
        optimizer.zero_grad()
        parts = [model(torch.randn(4, 5)).loss / 2 for _ in range(2)]
        for part in parts:
            part.backward()
        losses.append(sum(float(part.detach()) for part in parts))
        optimizer.step()
        callback.on_step_end(args, state, steering)
    callback.on_log(args, state, steering, logs={"loss": 1.0, "eval_loss": 0.5, "words": "none"})
    assert not hasattr(steering, "should_training_stop")
    assert waited(lambda: "stop" in read_run(only_run(runs)).can)
    control.send(only_run(runs), "stop")
    assert waited(lambda: callback.on_step_end(args, state, steering) or hasattr(steering, "should_training_stop"))
    callback.on_train_end(args, state, steering)
    with RunReader(only_run(runs)) as run:
        assert (run.info().name, run.info().status) == ("hf", "stopped")
        assert run.subject.config == {"learning_rate": 0.1}
        assert run.curve("loss")[1][:3] == pytest.approx(losses, rel=1e-5)
        assert run.last("eval_loss") == 0.5
        assert run.last("logged/loss") == 1.0


@pytest.mark.usefixtures("stand_ins")
def test_lightning_is_watched_and_a_training_that_fails_is_a_run_that_failed(runs):
    callback = importlib.import_module("condense_core.lightning").Watch(runs_dir=runs)
    module = network()
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    trainer = types.SimpleNamespace(
        is_global_zero=True, global_step=0, optimizers=[optimizer], callback_metrics={"val_acc": torch.tensor(0.25)}
    )
    callback.on_train_start(trainer, module)

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = module(torch.randn(4, 5)).square().mean()
        loss.backward()
        losses.append(float(loss.detach()))
        return loss

    losses: list[float] = []
    for _ in range(2):
        optimizer.step(closure)
        callback.on_train_batch_end(trainer, module, None, None, 0)
    callback.on_train_epoch_end(trainer, module)
    callback.on_exception(trainer, module, RuntimeError("out of data"))
    callback.on_train_end(trainer, module)
    with RunReader(only_run(runs)) as run:
        assert (run.info().status, run.info().reason) == ("failed", "RuntimeError: out of data")
        assert run.curve("loss")[1][:2] == pytest.approx(losses, rel=1e-5)
        assert run.last("val_acc") == 0.25


@pytest.mark.usefixtures("stand_ins")
@pytest.mark.parametrize("framework", ["hf", "lightning"])
def test_a_framework_that_resumes_says_itself_at_which_step(runs, framework):
    def trained(step: int, **options: object) -> str:
        callback = importlib.import_module(f"condense_core.{framework}").Watch(runs_dir=runs, **options)
        model = network()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        args = types.SimpleNamespace(to_sanitized_dict=dict)
        state = types.SimpleNamespace(is_world_process_zero=True, global_step=step)
        trainer = types.SimpleNamespace(is_global_zero=True, global_step=step, optimizers=[optimizer])
        if framework == "hf":
            callback.on_train_begin(args, state, None, model=model, optimizer=optimizer)
        else:
            callback.on_train_start(trainer, model)
        for _ in range(4):
            optimizer.zero_grad()
            model(torch.randn(4, 5)).square().mean().backward()
            optimizer.step()
        name: str = callback._training.run.id
        callback._training.end()
        return name

    name = trained(0)
    assert trained(3, resume=name) == name
    with RunReader(only_run(runs)) as run:
        assert run.info().step == 7
        assert run.instants.tolist() == list(range(8))
        (said,) = [event.text for event in run.events if event.kind == "resumed"]
        assert said.startswith("resumed at step 3, as its script says; what was recorded up to step 4 stands")
