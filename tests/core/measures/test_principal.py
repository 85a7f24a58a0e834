import pytest
import torch
from planted import generator, orthogonal_axes, planted_layer
from tolerances import rtol

from condense_core.measures import principal
from condense_core.measures.principal import fix_sign, principal_axis


@pytest.mark.parametrize(("kernels", "entries"), [(1, 5), (4, 9), (9, 4), (30, 30)])
def test_axis_equals_the_top_right_singular_vector(kernels, entries):
    unit = torch.randn(kernels, entries, dtype=torch.float64, generator=generator(kernels))
    unit /= unit.norm(dim=1, keepdim=True)
    expected = fix_sign(torch.linalg.svd(unit).Vh[0])
    torch.testing.assert_close(principal_axis(unit), expected, rtol=0, atol=rtol("eigenvector"))


@pytest.mark.parametrize(("kernels", "entries"), [(40, 60), (60, 40)])
def test_lanczos_gives_the_axis_that_the_dense_solver_gives(monkeypatch, kernels, entries):
    layer = planted_layer(orthogonal_axes(1, entries, seed=0), kernels, noise=0.5, seed=0)
    unit = layer / layer.norm(dim=1, keepdim=True)
    dense = principal_axis(unit)
    monkeypatch.setattr(principal, "DENSE_SIDE", 10)
    torch.testing.assert_close(principal_axis(unit), dense, rtol=0, atol=rtol("eigenvector"))


def test_lanczos_leaves_the_global_generators_alone(monkeypatch):
    import numpy as np

    monkeypatch.setattr(principal, "DENSE_SIDE", 2)
    before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()
    principal_axis(torch.eye(6, dtype=torch.float64))
    assert torch.equal(torch.get_rng_state(), before)
    assert (np.random.get_state()[1] == numpy_before).all()


def test_the_sign_is_that_of_the_sum():
    axis = torch.tensor([0.5, -0.7, 0.1], dtype=torch.float64)
    assert torch.equal(fix_sign(axis), -axis)
    assert torch.equal(fix_sign(-axis), -axis)


@pytest.mark.parametrize("noise", [0.0, 1e-16, -1e-16])
def test_where_entries_cancel_the_first_largest_is_positive_whatever_the_last_bits(noise):
    axis = torch.tensor([-0.5, 0.5 + noise, 0.1, -0.1], dtype=torch.float64)
    assert fix_sign(axis)[0] > 0
    assert fix_sign(-axis)[0] > 0


@pytest.mark.parametrize("rows", [torch.empty(0, 3), torch.tensor([[float("nan"), 1.0]])])
def test_no_directions_and_nan_are_refused(rows):
    with pytest.raises(ValueError, match="at least one direction"):
        principal_axis(rows)
