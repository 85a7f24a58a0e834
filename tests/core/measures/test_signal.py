import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from planted import SCALES, generator, orthogonal_axes
from tolerances import rtol

from condense_core.measures import principal, signal
from condense_core.measures.signal import dense_signal, gradient_direction, ones_overlap, signal_matrix, spectrum

pytestmark = pytest.mark.usefixtures("either_way")


def random(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=generator(seed))


def slow_signal_matrix(residual, image, size, bias):
    """Patch by patch and sample by sample, as the formula is written."""
    samples, outputs = residual.shape
    _, channels, height, width = image.shape
    rows = []
    for k in range(outputs):
        for u in range(height - size + 1):
            for v in range(width - size + 1):
                row = [
                    -sum(float(residual[i, k] * image[i, a, u + p, v + q]) for i in range(samples)) / samples
                    for a in range(channels)
                    for p in range(size)
                    for q in range(size)
                ]
                rows.append(row + [-float(residual[:, k].sum()) / samples] * bias)
    return torch.tensor(rows, dtype=torch.float64)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(("outputs", "channels", "size"), [(1, 1, 1), (2, 3, 2), (3, 2, 3)])
def test_signal_matrix_equals_its_formula_and_a_perturbed_image_does_not(outputs, channels, size, bias):
    residual, image = random(6, outputs), random(6, channels, 4, 5, seed=1)
    expected = slow_signal_matrix(residual, image, size, bias)
    torch.testing.assert_close(signal_matrix(residual, image, size, bias=bias), expected, rtol=0, atol=1e-14)
    image[3, 0, 2, 2] += 1e-6
    assert (signal_matrix(residual, image, size, bias=bias) - expected).abs().max() > 1e-9


@pytest.mark.parametrize("bias", [False, True])
def test_signal_matrix_is_the_gradient_of_a_real_small_network(bias):
    """-∂R/∂θ_W = Zᵀ θ_a for kernels so small that tanh is the identity."""
    residual, image, size, kernels = random(5, 2), random(5, 3, 6, 6, seed=1), 3, 4
    weight = (1e-12 * random(kernels, 3, size, size, seed=2)).requires_grad_()
    offset = torch.zeros(kernels, dtype=torch.float64, requires_grad=True)
    readout = random(2, kernels, 16, seed=3)
    hidden = torch.tanh(torch.nn.functional.conv2d(image, weight, offset if bias else None)).flatten(2)
    output = torch.einsum("dmp,nmp->nd", readout, hidden)
    (output * residual).sum().div(5).backward()
    gradient = weight.grad.reshape(kernels, -1)
    if bias:
        gradient = torch.cat([gradient, offset.grad[:, None]], dim=1)
    matrix = signal_matrix(residual, image, size, bias=bias)
    predicted = -readout.transpose(0, 1).reshape(kernels, -1) @ matrix
    torch.testing.assert_close(gradient, predicted, rtol=rtol("float64"), atol=1e-13)


def test_signal_matrix_of_many_samples_in_chunks_is_the_same(monkeypatch):
    residual, image = random(11, 2), random(11, 1, 5, 5, seed=1)
    whole = signal_matrix(residual, image, 3, bias=True)
    monkeypatch.setattr(signal, "CHUNK", 4)
    torch.testing.assert_close(signal_matrix(residual, image, 3, bias=True), whole, rtol=0, atol=1e-15)


def test_signal_matrix_does_not_depend_on_how_images_lie_in_memory():
    residual, image = random(7, 2), random(7, 3, 6, 5, seed=1)
    elsewhere = image.contiguous(memory_format=torch.channels_last)
    assert torch.equal(signal_matrix(residual, elsewhere, 3, bias=True), signal_matrix(residual, image, 3, bias=True))


def test_signal_matrix_takes_float32_and_bytes():
    residual = random(6, 2)
    image = torch.randint(0, 256, (6, 1, 5, 5), generator=generator(0), dtype=torch.uint8)
    exact = signal_matrix(residual, image.double(), 3, bias=False)
    assert torch.equal(signal_matrix(residual, image, 3, bias=False), exact)
    single = signal_matrix(residual.float(), image.float(), 3, bias=False)
    torch.testing.assert_close(single, exact, rtol=0, atol=rtol("float32") * float(exact.abs().max()))


@pytest.mark.parametrize(
    ("residual", "image", "size", "message"),
    [
        ((3, 1), (4, 1, 5, 5), 3, "same samples"),
        ((0, 1), (0, 1, 5, 5), 3, "same samples"),
        ((3, 1), (3, 1, 5, 5), 6, "kernel_size"),
        ((3,), (3, 1, 5, 5), 3, "residuals"),
        ((3, 1), (3, 5, 5), 3, "images"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(residual, image, size, message):
    with pytest.raises(ValueError, match=message):
        signal_matrix(torch.ones(residual), torch.ones(image), size, bias=False)


@pytest.mark.parametrize("bias", [False, True])
def test_dense_signal_is_the_mean_of_weighted_inputs(bias):
    residual, inputs = random(7, 2), random(7, 3, seed=1)
    found = dense_signal(residual, inputs, bias=bias)
    extended = torch.cat([inputs, torch.ones(7, 1, dtype=torch.float64)], dim=1) if bias else inputs
    expected = -sum(torch.outer(e, x) for e, x in zip(residual, extended, strict=True)) / 7
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-15)


def test_dense_signal_is_the_signal_matrix_of_images_of_one_pixel():
    residual, inputs = random(7, 2), random(7, 3, seed=1)
    as_image = signal_matrix(residual, inputs.reshape(7, 3, 1, 1), 1, bias=True)
    torch.testing.assert_close(dense_signal(residual, inputs, bias=True), as_image, rtol=0, atol=1e-16)


def planted_matrix(rows, entries, values, seed=0):
    count = len(values)
    left, right = orthogonal_axes(count, rows, seed=seed), orthogonal_axes(count, entries, seed=seed + 1)
    return left.T @ torch.diag(torch.tensor(values, dtype=torch.float64)) @ right, right


@pytest.mark.parametrize(("rows", "entries"), [(40, 9), (9, 40), (20, 20), (1, 6), (6, 1), (300, 290), (290, 300)])
def test_spectrum_equals_numpys_svd(rows, entries):
    import numpy as np

    matrix = random(rows, entries)
    found = spectrum(matrix)
    _, values, vectors = np.linalg.svd(matrix.numpy(), full_matrices=False)
    torch.testing.assert_close(found.values, torch.from_numpy(values), rtol=rtol("gram"), atol=rtol("gram"))
    assert abs(float(found.v1 @ torch.from_numpy(vectors[0]))) == pytest.approx(1.0, rel=rtol("eigenvector"))
    assert float(torch.linalg.vector_norm(matrix @ found.v1)) == pytest.approx(values[0], rel=1e-12)
    if min(rows, entries) > 1:
        assert abs(float(found.v2 @ torch.from_numpy(vectors[1]))) == pytest.approx(1.0, rel=1e-6)
    else:
        assert found.v2.isnan().all()


@pytest.mark.parametrize(("rows", "entries"), [(900, 28), (28, 900), (400, 300), (300, 400)])
def test_a_planted_direction_is_found(rows, entries):
    matrix, right = planted_matrix(rows, entries, [5.0, 1.0, 0.1])
    found = spectrum(matrix)
    assert abs(float(found.v1 @ right[0])) == pytest.approx(1.0, rel=1e-14)
    assert abs(float(found.v2 @ right[1])) == pytest.approx(1.0, rel=1e-12)
    torch.testing.assert_close(found.values[:3], torch.tensor([5.0, 1.0, 0.1], dtype=torch.float64))
    perturbed = spectrum(matrix + 0.1 * random(rows, entries, seed=5))
    assert abs(float(perturbed.v1 @ right[0])) < 1 - 1e-4


def test_small_singular_values_are_exact_up_to_a_side_of_256():
    matrix, _ = planted_matrix(900, 28, [1.0, 1e-6, 1e-12])
    assert float(spectrum(matrix).values[2]) == pytest.approx(1e-12, rel=1e-2)


def test_beyond_the_dense_side_the_largest_values_and_v1_are_the_same(monkeypatch):
    matrix, _ = planted_matrix(60, 50, [3.0, 2.0, *[1 / (k + 1) for k in range(30)]])
    whole = spectrum(matrix)
    monkeypatch.setattr(signal, "DENSE_SIDE", 20)
    large = spectrum(matrix)
    torch.testing.assert_close(large.values, whole.values[: signal.LARGEST_VALUES], rtol=1e-6, atol=0)
    torch.testing.assert_close(large.v1, whole.v1, rtol=0, atol=rtol("eigenvector"))
    torch.testing.assert_close(large.v2, whole.v2, rtol=0, atol=1e-6)
    assert signal.LARGEST_VALUES < principal.DENSE_SIDE


@pytest.mark.parametrize("scale", [1e-200, *SCALES, 1e200])
def test_spectrum_scales_with_the_matrix_and_the_direction_does_not(scale):
    matrix = random(300, 9)
    here, there = spectrum(matrix), spectrum(matrix * scale)
    torch.testing.assert_close(there.values / scale, here.values, rtol=rtol("float64"), atol=0)
    torch.testing.assert_close(there.v1, here.v1, rtol=0, atol=1e-13)


@settings(max_examples=30)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 2**32))
def test_sign_of_v1_does_not_depend_on_the_sign_of_the_matrix(rows, entries, seed):
    matrix = random(rows, entries, seed=seed)
    here, there = spectrum(matrix), spectrum(-matrix)
    torch.testing.assert_close(here.v1, there.v1, rtol=0, atol=1e-6)
    assert len(here.values) == min(rows, entries)
    assert (here.values[:-1] >= here.values[1:]).all()


@pytest.mark.parametrize(("fill", "value"), [(0.0, 0.0), (math.nan, math.nan), (math.inf, math.nan)])
def test_matrix_without_signal_has_no_direction(fill, value):
    found = spectrum(torch.full((5, 3), fill))
    assert found.v1.isnan().all() and found.v2.isnan().all()
    torch.testing.assert_close(found.values, torch.full((3,), value, dtype=torch.float64), equal_nan=True)
    assert not found.direction_is_doubtful


def test_equal_top_values_make_the_direction_doubtful():
    assert spectrum(planted_matrix(20, 9, [1.0, 0.9995])[0]).direction_is_doubtful
    assert not spectrum(planted_matrix(20, 9, [1.0, 0.99])[0]).direction_is_doubtful


def test_gradient_direction_is_that_of_the_descent():
    gradient, right = planted_matrix(32, 28, [2.0, 0.3])
    found = gradient_direction(gradient)
    assert abs(float(found.v1 @ right[0])) == pytest.approx(1.0, rel=1e-14)
    assert float((gradient @ found.v1).norm()) == pytest.approx(float(found.values[0]), rel=1e-12)


def test_ones_overlap_is_one_for_flat_channels_and_their_cosine_else():
    v1 = torch.cat([torch.full((9,), -0.2), torch.tensor([1.0] + [0.0] * 8), torch.zeros(9), torch.tensor([7.0])])
    overlap = ones_overlap(v1, channels=3, kernel_size=3)
    assert overlap[:2].tolist() == pytest.approx([1.0, 1 / 3], rel=rtol("float64"))
    assert overlap[2].isnan()
    assert torch.equal(ones_overlap(v1[:-1], 3, 3)[:2], overlap[:2])


@pytest.mark.parametrize("scale", SCALES)
def test_ones_overlap_does_not_depend_on_the_scale(scale):
    v1 = random(18)
    expected = [abs(float(part.sum())) / 3 / float(part.norm()) for part in v1.reshape(2, 9)]
    assert ones_overlap(v1 * scale, 2, 3).tolist() == pytest.approx(expected, rel=rtol("float64"))


def test_ones_overlap_of_another_number_of_entries_is_refused():
    with pytest.raises(ValueError, match="expected 9 entries, or one more"):
        ones_overlap(torch.ones(8), 1, 3)


def test_images_with_a_constant_background_predict_flat_kernels():
    """Zhou et al. 2025, figs 7 and 14: v1 is close to all ones when labels are not centred."""
    image = torch.rand(200, 3, 8, 8, dtype=torch.float64, generator=generator(0))
    label = torch.arange(200, dtype=torch.float64)[:, None] % 10
    found = spectrum(signal_matrix(-label, image, 3, bias=False))
    assert (ones_overlap(found.v1, 3, 3) > 0.999).all()
    assert found.values[1] < 0.1 * found.values[0]
