"""A training with several optimizers is one run: whose steps count, and which gradient belongs to which weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from trainings import batch, network, only_run

from condense_core import watch
from condense_core.runfile.reader import RunReader
from condense_core.watching import recording
from condense_core.watching.recording import WeightCopy

STEPS = 6


@pytest.fixture
def copies(monkeypatch) -> list[WeightCopy]:
    """What is handed over to be measured."""
    found: list[WeightCopy] = []
    real = recording.Recording.measure

    def measure(own: recording.Recording, copy: WeightCopy) -> None:
        found.append(copy)
        real(own, copy)

    monkeypatch.setattr(recording.Recording, "measure", measure)
    return found


def norm(*tensors: torch.Tensor) -> float:
    return float(torch.linalg.vector_norm(torch.cat([each.flatten() for each in tensors])))


def test_two_networks_that_train_against_each_other_have_each_its_own_gradient(runs, copies):
    """As in a GAN: the generator's loss leaves gradients in the discriminator that no step takes."""
    torch.manual_seed(0)
    both = nn.ModuleDict({"D": network(), "G": nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 5))})
    first = torch.optim.SGD(both["D"].parameters(), lr=0.1)
    second = torch.optim.Adam(both["G"].parameters(), lr=0.01)
    seen = []
    with watch(both, [first, second], layers=["*.0", "*.2"], runs_dir=runs) as run:
        for _ in range(STEPS):
            first.zero_grad()
            loss = both["D"](both["G"](torch.randn(8, 3)).detach()).square().mean()
            loss.backward()
            run.loss(loss)
            own = {"D": (both["D"][0].weight.detach().clone(), both["D"][0].weight.grad.clone())}
            of_first = norm(*(p.grad for p in both["D"].parameters()))
            first.step()
            second.zero_grad()
            (-both["D"](both["G"](torch.randn(8, 3))).square().mean()).backward()
            own["G"] = both["G"][0].weight.detach().clone(), both["G"][0].weight.grad.clone()
            of_second = norm(*(p.grad for p in both["G"].parameters()))
            second.step()
            seen.append((own, float(loss.detach()), (of_first**2 + of_second**2) ** 0.5))
    for copy, (own, _, _) in zip(copies, seen, strict=False):
        for name, (weight, gradient) in own.items():
            assert torch.equal(copy.weights[f"{name}.0"][:, :-1], weight)
            assert torch.equal(copy.gradients[f"{name}.0"][:, :-1], gradient)
    with RunReader(only_run(runs)) as found:
        assert found.info().step == STEPS
        assert found.instants.tolist() == list(range(STEPS + 1))
        assert found.layers == ("D.0", "D.2", "G.0", "G.2")
        assert found.curve("loss")[1][:STEPS] == pytest.approx([loss for _, loss, _ in seen], rel=1e-5)
        assert found.curve("gradient_norm")[1][:STEPS] == pytest.approx([both for *_, both in seen], rel=1e-4)
        assert len(found.curve("G.0.velocity_cos")[0]) == STEPS
        assert found.subject.optimizer == "SGD, lr 0.1, momentum 0, dampening 0, weight_decay 0; Adam, lr 0.01, " + (
            "betas (0.9, 0.999), eps 1e-08, weight_decay 0"
        )


def test_one_network_with_two_optimizers_and_one_that_steps_more_rarely(runs, copies):
    """What makes no step is there with its weights, and without a gradient."""
    model = network()
    every = torch.optim.SGD([*model[0].parameters(), *model[4].parameters()], lr=0.1)
    rarely = torch.optim.SGD(model[2].parameters(), lr=0.1)
    with watch(model, [every, rarely], runs_dir=runs) as run:
        for step in range(STEPS):
            model.zero_grad()
            loss = nn.functional.mse_loss(model(batch()[0]), batch()[1])
            loss.backward()
            run.loss(loss)
            every.step()
            if step % 3 == 0:
                rarely.step()
    assert [sorted(copy.gradients) for copy in copies] == [["0", "2"], ["0"], ["0"], ["0", "2"], ["0"], ["0"], []]
    assert all(list(copy.weights) == ["0", "2"] for copy in copies)
    with RunReader(only_run(runs)) as found:
        assert found.instants.tolist() == list(range(STEPS + 1))
        assert np.isfinite(found.curve("gradient_norm")[1][:STEPS]).all()
        assert found.similarity("2", 2) is not None


@pytest.mark.parametrize("fused", [False, True])
def test_each_gradient_is_divided_by_its_own_scale(runs, fused):
    model = network()
    optimizers = [torch.optim.Adam(part.parameters(), lr=1e-3, fused=fused) for part in (model[:1], model[2:])]
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    norms = []
    with watch(model, optimizers, runs_dir=runs):
        for _ in range(3):
            model.zero_grad()
            scaler.scale(nn.functional.mse_loss(model(batch()[0]), batch()[1])).backward()
            norms.append(norm(*(p.grad for p in model.parameters())) / float(scaler.get_scale()))
            for optimizer in optimizers:
                scaler.step(optimizer)
            scaler.update()
    with RunReader(only_run(runs)) as found:
        assert found.curve("gradient_norm")[1][:3] == pytest.approx(norms, rel=1e-4)


def test_weights_are_the_same_bits_with_two_optimizers(runs):
    def trained(*, watched: bool) -> dict[str, torch.Tensor]:
        torch.manual_seed(1)
        model = network()
        optimizers = [torch.optim.Adam(part.parameters(), lr=1e-2) for part in (model[:1], model[2:])]
        run = watch(model, optimizers, runs_dir=runs) if watched else None
        for _ in range(STEPS):
            model.zero_grad()
            nn.functional.mse_loss(model(batch()[0]), batch()[1]).backward()
            for optimizer in optimizers:
                optimizer.step()
        if run is not None:
            run.close()
        return model.state_dict()

    plain, watched = trained(watched=False), trained(watched=True)
    assert all(torch.equal(value, watched[name]) for name, value in plain.items())
