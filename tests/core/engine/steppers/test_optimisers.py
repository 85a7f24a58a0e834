import copy

import pytest
import torch
from tolerances import rtol
from torch.nn import Parameter

from condense_core.engine.steppers.optimisers import optimiser
from condense_core.scenario.experiment import GD, Adam, AdamW

SETTINGS = [
    GD(lr=0.03),
    Adam(lr=0.03),
    Adam(lr=0.03, betas=(0.5, 0.9), eps=1e-3),
    GD(lr=0.03, momentum=0.9, nesterov=True, weight_decay=0.1),
    Adam(lr=0.03, weight_decay=0.1),
    AdamW(lr=0.03, weight_decay=0.1),
]


def start():
    generator = torch.Generator().manual_seed(0)
    shapes = [(5, 3), (5,), (2, 5), (2,)]
    return [Parameter(torch.randn(shape, dtype=torch.float64, generator=generator)) for shape in shapes]


def gradient_at(parameter, step):
    """A gradient that depends on where the parameter is, and on the step."""
    return torch.sin(3 * parameter.detach()) + 0.1 * step


def train(optimizer, parameters, steps):
    for step in steps:
        optimizer.update([gradient_at(parameter, step) for parameter in parameters])


def trained(settings, steps=20):
    parameters = start()
    train(optimiser(settings, parameters, lr=settings.lr), parameters, range(steps))
    return parameters


def test_gradient_descent_is_the_formula():
    for got, parameter in zip(trained(GD(lr=0.03)), start(), strict=True):
        value = parameter.detach()
        for step in range(20):
            value = value - 0.03 * gradient_at(value, step)
        torch.testing.assert_close(got.detach(), value, rtol=rtol("float64"), atol=0)


@pytest.mark.parametrize("settings", SETTINGS[1:3])
def test_adam_is_the_formula(settings):
    (beta1, beta2), eps = settings.betas, settings.eps
    for got, parameter in zip(trained(settings), start(), strict=True):
        value = parameter.detach().clone()
        first, second = torch.zeros_like(value), torch.zeros_like(value)
        for step in range(20):
            gradient = gradient_at(value, step)
            first = beta1 * first + (1 - beta1) * gradient
            second = beta2 * second + (1 - beta2) * gradient**2
            mean, square = first / (1 - beta1 ** (step + 1)), second / (1 - beta2 ** (step + 1))
            value = value - settings.lr * mean / (square.sqrt() + eps)
        torch.testing.assert_close(got.detach(), value, rtol=rtol("float64"), atol=0)


@pytest.mark.parametrize("settings", SETTINGS)
def test_the_same_run_gives_the_same_bits(settings):
    assert all(map(torch.equal, trained(settings), trained(settings)))


@pytest.mark.parametrize("settings", SETTINGS)
def test_a_run_resumed_from_its_state_gives_the_same_bits(settings):
    parameters = start()
    before = optimiser(settings, parameters, lr=settings.lr)
    train(before, parameters, range(8))
    resumed = copy.deepcopy(parameters)
    after = optimiser(settings, resumed, lr=settings.lr)
    after.steps = before.steps
    for name, values in before.moments.items():
        for there, value in zip(after.moments[name], values, strict=True):
            there.copy_(value)
    train(after, resumed, range(8, 20))
    assert all(map(torch.equal, resumed, trained(settings)))


@pytest.mark.parametrize("settings", SETTINGS)
def test_each_entry_can_have_a_rate_of_its_own(settings):
    """What a rate of its own does to one entry is what that rate does to all of them."""
    rates = (0.03, 0.001)
    apart = []
    for rate in rates:
        value = start()[0].detach()[:2].clone()
        alone = optimiser(settings, [value], lr=rate)
        for step in range(20):
            alone.update([gradient_at(value, step)])
        apart.append(value)
    together = torch.cat([start()[0].detach()[:2]] * 2)
    each = optimiser(settings, [together], lr=torch.tensor(rates, dtype=torch.float64).repeat_interleave(2)[:, None])
    for step in range(20):
        each.update([gradient_at(together, step)])
    torch.testing.assert_close(together, torch.cat(apart), rtol=rtol("float64"), atol=0)


PYTORCHS = [
    (GD(lr=0.03, momentum=0.9), lambda own: torch.optim.SGD(own, 0.03, momentum=0.9)),
    (GD(lr=0.03, momentum=0.9, nesterov=True), lambda own: torch.optim.SGD(own, 0.03, momentum=0.9, nesterov=True)),
    (GD(lr=0.03, weight_decay=0.1), lambda own: torch.optim.SGD(own, 0.03, weight_decay=0.1)),
    (
        GD(lr=0.03, momentum=0.5, weight_decay=0.1),
        lambda own: torch.optim.SGD(own, 0.03, momentum=0.5, weight_decay=0.1),
    ),
    (Adam(lr=0.03, weight_decay=0.1), lambda own: torch.optim.Adam(own, 0.03, weight_decay=0.1)),
    (AdamW(lr=0.03), lambda own: torch.optim.AdamW(own, 0.03)),
    (AdamW(lr=0.03, weight_decay=0.3, eps=1e-3), lambda own: torch.optim.AdamW(own, 0.03, weight_decay=0.3, eps=1e-3)),
]
NAMES = ["momentum", "nesterov", "decay", "momentum and decay", "adam and decay", "adamw", "adamw and eps"]


@pytest.mark.parametrize(("settings", "pytorchs"), PYTORCHS, ids=NAMES)
def test_it_is_pytorchs_own(settings, pytorchs):
    expected = start()
    optimizer = pytorchs(expected)
    for step in range(20):
        for parameter in expected:
            parameter.grad = gradient_at(parameter, step)
        optimizer.step()
    for got, wanted in zip(trained(settings), expected, strict=True):
        torch.testing.assert_close(got.detach(), wanted.detach(), rtol=rtol("float64"), atol=0)


@pytest.mark.parametrize("settings", SETTINGS)
def test_a_gradient_in_another_order_of_memory_is_the_same_gradient(settings):
    (start_,) = (torch.randn(6, 3, 4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0)),)
    found = []
    for layout in (torch.contiguous_format, torch.channels_last):
        (value,) = values = [Parameter(start_.clone())]
        each = optimiser(settings, values, lr=settings.lr)
        for step in range(5):
            each.update([gradient_at(value, step).contiguous(memory_format=layout)])
        found.append(value.detach())
    torch.testing.assert_close(*found, rtol=0, atol=0)
