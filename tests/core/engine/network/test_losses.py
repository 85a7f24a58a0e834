import math

import pytest
import torch
from tolerances import rtol
from torch.nn import functional

from condense_core.engine.data.datasets import Dataset
from condense_core.engine.network.losses import MODERATE, accuracy, are_surely_finite, loss, losses, residual
from condense_core.errors import ScenarioError

LOSSES = ["mse", "softmax-mse", "cross-entropy"]


def batch(samples=7, outputs=4, scale=1.0):
    generator = torch.Generator().manual_seed(3)
    output = scale * torch.randn(samples, outputs, dtype=torch.float64, generator=generator)
    label = torch.randint(outputs, (samples,), generator=generator)
    return output, functional.one_hot(label, outputs).double(), label


def labelled(label, class_target):
    return Dataset(
        name="test",
        note="",
        input=torch.zeros(len(label), 1),
        target=class_target[label],
        label=label,
        class_target=class_target,
    )


@pytest.mark.parametrize("scale", [1e-8, 1.0, 30.0])
@pytest.mark.parametrize("name", LOSSES)
def test_residual_is_n_times_the_gradient(name, scale):
    output, target, _ = batch(scale=scale)
    output.requires_grad_()
    (gradient,) = torch.autograd.grad(loss(name, output, target), output)
    closed = residual(name, output.detach(), target)
    assert closed.shape == output.shape
    torch.testing.assert_close(closed, len(output) * gradient, rtol=rtol("float64"), atol=1e-15)
    assert not torch.allclose(residual(name, output.detach() + 0.01, target.flip(0)), closed)


@pytest.mark.parametrize("name", LOSSES)
def test_residual_of_targets_that_are_no_shares(name):
    output, target, _ = batch()
    target = 3 * target - 1
    output.requires_grad_()
    (gradient,) = torch.autograd.grad(loss(name, output, target), output)
    torch.testing.assert_close(residual(name, output.detach(), target), 7 * gradient, rtol=rtol("float64"), atol=1e-15)


def test_mse_has_the_factor_one_half_and_the_mean_over_samples_only():
    output = torch.tensor([[1.0, 2.0], [0.0, 0.0]])
    target = torch.tensor([[0.0, 0.0], [0.0, 4.0]])
    assert float(loss("mse", output, target)) == (1 + 4 + 16) / 4


def test_softmax_mse_is_mse_of_the_softmax():
    output, target, _ = batch()
    expected = loss("mse", torch.softmax(output, dim=1), target)
    assert torch.equal(loss("softmax-mse", output, target), expected)


def test_cross_entropy_is_torchs_own():
    output, target, label = batch()
    torch.testing.assert_close(
        loss("cross-entropy", output, target), functional.cross_entropy(output, label), rtol=rtol("float64"), atol=0
    )


def test_cross_entropy_survives_large_outputs():
    output, target, _ = batch(scale=1e4)
    assert torch.isfinite(loss("cross-entropy", output, target))


def test_at_zero_output_the_residual_is_what_the_theory_uses():
    zero, target = torch.zeros(5, 4, dtype=torch.float64), batch(5)[1]
    assert torch.equal(residual("mse", zero, target), -target)
    assert torch.equal(residual("cross-entropy", zero, target), 0.25 - target)


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_accuracy_is_the_share_of_largest_outputs_that_are_right(scale):
    output, target, label = batch(200, scale=scale)
    data = labelled(label, torch.eye(4, dtype=torch.float64))
    right = sum(int(row.argmax()) == int(number) for row, number in zip(output, label, strict=True))
    assert accuracy(output, data) == right / 200
    assert accuracy(target * scale, data) == 1


@pytest.mark.parametrize("mean", [0.0, 1.7])
def test_a_single_output_is_the_nearest_class_number(mean):
    numbers = torch.arange(4, dtype=torch.float64)[:, None] - mean
    data = labelled(torch.tensor([0, 3, 2, 1]), numbers)
    output = torch.tensor([[-5.0], [9.0], [2.4], [1.6]], dtype=torch.float64) - mean
    assert accuracy(output, data) == 3 / 4


def test_accuracy_without_classes_is_nan():
    data = Dataset(name="sine", note="", input=torch.zeros(2, 1), target=torch.zeros(2, 1))
    assert math.isnan(accuracy(torch.zeros(2, 1), data))


@pytest.mark.parametrize("function", [loss, residual])
def test_shapes_that_would_broadcast_are_refused(function):
    with pytest.raises(ScenarioError, match=r"\(4, 1\) and \(4,\)") as caught:
        function("mse", torch.zeros(4, 1), torch.zeros(4))
    assert "\n" not in str(caught.value)


def test_an_unknown_loss_is_one_line():
    with pytest.raises(ScenarioError, match="expected one of mse, softmax-mse, cross-entropy"):
        loss("hinge", torch.zeros(4, 1), torch.zeros(4, 1))


@pytest.mark.parametrize("name", LOSSES)
def test_losses_of_moderate_outputs_are_finite(name):
    target = torch.full((30_000, 2), MODERATE)
    output = torch.stack([torch.full_like(target, -MODERATE), target * torch.tensor([1.0, -1.0])])
    assert are_surely_finite(output, MODERATE)
    assert losses(name, output, target).isfinite().all()


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e30])
def test_of_others_nothing_is_said(value):
    sane, odd = torch.zeros(3, 5, 2), torch.zeros(3, 5, 2)
    odd[1, 3, 0] = value
    assert not are_surely_finite(odd, 0.0)
    assert not are_surely_finite(sane, Dataset(name="", note="", input=odd[1], target=odd[1]).largest_target)
