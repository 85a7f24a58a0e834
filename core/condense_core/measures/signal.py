"""The signal matrix, its spectrum, and the kernel direction it predicts.

# S members, N samples, d outputs, M kernels, K entries a kernel, P patch positions, R = d·P rows, r = min(R, K)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, unfold

from condense_core.measures.kernels import as_kernels
from condense_core.measures.principal import DENSE_SIDE, fix_signs, largest_by_lanczos
from condense_core.measures.small_matrices import decomposed
from condense_core.thresholds import direction_is_doubtful

# Samples turned into float64 at a time: 512 images of 3×32×32 are 12 MB.
CHUNK = 512
# Up to this shorter side a full decomposition takes at most 15 ms; beyond, the Gram matrix is three times as fast.
EXACT_SIDE = 256
# Values computed for matrices with a shorter side above DENSE_SIDE: the gap needs two, and each more costs a second.
LARGEST_VALUES = 4


@dataclass(frozen=True, eq=False)
class SignalSpectrum:
    """Singular values (r,), largest first, and the first two right singular vectors v1 and v2 (K,), of norm 1.

    Both have a fixed sign (`principal.fix_sign`). v2 is NaN where the matrix has only one row or column, and both are
    where it has no direction at all.
    """

    values: Tensor
    v1: Tensor
    v2: Tensor

    @property
    def direction_is_doubtful(self) -> bool:
        """Whether v1 is not determined: there is another singular value as large as the first."""
        return len(self.values) > 1 and direction_is_doubtful(*self.values[:2].tolist())


@dataclass(frozen=True, eq=False)
class Spectra:
    """`SignalSpectrum` of each member: values (S, r), v1 and v2 (S, K)."""

    values: Tensor
    v1: Tensor
    v2: Tensor

    def of(self, row: int) -> SignalSpectrum:
        """One member's."""
        return SignalSpectrum(self.values[row], self.v1[row], self.v2[row])

    def rows(self, rows: Sequence[int]) -> Spectra:
        """Those of some members."""
        return Spectra(*(each[list(rows)] for each in (self.values, self.v1, self.v2)))

    @classmethod
    def stack(cls, found: Sequence[SignalSpectrum]) -> Spectra:
        """Of members one by one."""
        return cls(
            torch.stack([each.values for each in found]),
            torch.stack([each.v1 for each in found]),
            torch.stack([each.v2 for each in found]),
        )


def signal_matrix(
    residual_Nd: Tensor,
    image_NCHW: Tensor,
    kernel_size: int,
    *,
    bias: bool,
    stride: int = 1,
    padding: int = 0,
    averaged: int = 1,
) -> Tensor:
    """Z[(k,u,v), (α,p,q)] = -(1/n) Σ_i e_ik x_i[α, u+p, v+q], shape (d·P, K), float64 (Zhou et al. 2025).

    e_ik = ∂loss_i/∂f_k of sample i alone, without the 1/n of the mean loss: f - y for MSE, softmax(f) - onehot for
    cross-entropy; Z has the units of e times those of the pixels. For stride 1 and no padding P = (H-m+1)(W-m+1).
    With a stride s and padding, which the paper does not have, x is the image with its zeros around it and u+p is
    s·u+p; `averaged` is the side of squares of positions that the layer averages, and a row is then the average of
    theirs. All three are linear, so Z has the same part in the dynamics (docs/SCIENCE.md).
    With `bias`, K = C·m² + 1 and the last column belongs to the kernel's bias, as if each patch ended in a constant 1.
    It gives the dynamics of a two-layer network while its weights are small, and only up to σ'(0); a deeper layer
    has `gradient_direction`. Raises ValueError for shapes that do not fit or a kernel larger than the image.
    """
    _, channels, height, width = _image_shape(residual_Nd, image_NCHW)
    positions = [(side + 2 * padding - kernel_size) // stride + 1 for side in (height, width)]
    if kernel_size < 1 or min(positions) < averaged:
        most = min(height, width) + 2 * padding
        raise ValueError(f"kernel_size: expected 1 to {most} for images {height}×{width}, got {kernel_size}")
    mean_dI = _signal(residual_Nd, image_NCHW, bias=bias)
    outputs = len(mean_dI)
    pixels = channels * height * width
    mean_dCHW = mean_dI[:, :pixels].reshape(outputs, channels, height, width)
    patch_dKP = unfold(mean_dCHW, kernel_size, padding=padding, stride=stride)
    if averaged > 1:
        patch_dKP = avg_pool2d(patch_dKP.reshape(outputs, -1, *positions), averaged).flatten(2)
    patch_dPK = patch_dKP.transpose(1, 2)
    if bias:
        constant_d11 = mean_dI[:, pixels:, None]
        patch_dPK = torch.cat([patch_dPK, constant_d11.expand(-1, patch_dPK.shape[1], 1)], dim=2)
    return patch_dPK.reshape(-1, patch_dPK.shape[2])


def dense_signal(residual_Nd: Tensor, input_NI: Tensor, *, bias: bool) -> Tensor:
    """Z[k, :] = -(1/n) Σ_i e_ik (x_i, 1), shape (d, K), float64: the signal matrix of a dense layer.

    K = I, or I + 1 with `bias`, whose column is the last. `input_NI` is what enters the layer. For one output it is the
    one direction that every neuron of an activation of multiplicity 1 turns to (Zhou et al. 2022, case 1); of a higher
    multiplicity it says nothing. Raises ValueError if the numbers of samples differ or are zero.
    """
    if residual_Nd.ndim != 2 or input_NI.ndim != 2:
        raise ValueError(f"expected residuals (N, d) and inputs (N, I), got {_shapes(residual_Nd, input_NI)}")
    return _signal(residual_Nd, input_NI, bias=bias)


def spectrum(matrix_RK: Tensor) -> SignalSpectrum:
    """Singular values of a signal matrix, and its first two directions; v1 is the one that kernels are predicted to
    turn to (Zhou et al. 2025).

    Float64 on the matrix's own device. Up to a shorter side of 256 every value is right to rounding of the largest.
    Beyond, from the eigenvalues of the Gram matrix, which squares: values under about 1e-8 λ1 are noise, v1 is not
    affected. Beyond 1024 only the 4 largest values are computed, and v1 to 1e-6. A matrix that is zero or not finite
    has no direction: v1 is NaN, the values 0 or NaN. Where `direction_is_doubtful`, v1 is not determined by
    the matrix.
    """
    return spectra(as_kernels(matrix_RK)[None]).of(0)


def spectra(matrix_SRK: Tensor) -> Spectra:
    """`spectrum` of each member's matrix."""
    matrix_SRK = matrix_SRK.detach().to(torch.float64)
    vectors = min(2, *matrix_SRK.shape[1:])
    found = decomposed(matrix_SRK, vectors, lambda left_SRK: _values_and_vectors(left_SRK, vectors))
    if found is None:
        return _by_libraries(matrix_SRK)
    v1_SK = found.vectors[:, 0]
    return Spectra(found.values, v1_SK, found.vectors[:, 1] if vectors == 2 else torch.full_like(v1_SK, torch.nan))


def _values_and_vectors(matrix_SRK: Tensor, vectors: int) -> tuple[Tensor, Tensor]:
    """Values (S, r), and the first so many vectors (S, V, K)."""
    found = _by_libraries(matrix_SRK)
    return found.values, torch.stack([found.v1, found.v2][:vectors], dim=1)


def _by_libraries(matrix_SRK: Tensor) -> Spectra:
    _, rows, entries = matrix_SRK.shape
    if min(rows, entries) == 0:
        unknown_SK = matrix_SRK.new_full((len(matrix_SRK), entries), torch.nan)
        return Spectra(matrix_SRK.new_zeros(len(matrix_SRK), 0), unknown_SK, unknown_SK)
    largest_S11 = matrix_SRK.abs().amax(dim=(1, 2), keepdim=True)
    none_S1 = ~(torch.isfinite(largest_S11) & (largest_S11 != 0))[:, :, 0]
    # a matrix without any direction is decomposed as one of ones, whose spectrum is not taken
    scaled_SRK = torch.where(none_S1[:, :, None], 1.0, matrix_SRK / largest_S11)
    values_Sr, v1_SK, v2_SK = _top(scaled_SRK)
    v1_SK, v2_SK = (
        torch.where(none_S1, torch.nan, fix_signs(v_SK / torch.linalg.vector_norm(v_SK, dim=1, keepdim=True)))
        for v_SK in (v1_SK, v2_SK)
    )
    values_Sr = torch.where(
        none_S1, torch.where(largest_S11[:, :, 0] == 0, 0.0, torch.nan), values_Sr * largest_S11[:, :, 0]
    )
    return Spectra(values_Sr, v1_SK, v2_SK)


def gradient_direction(gradient_MK: Tensor) -> SignalSpectrum:
    """Spectrum of -∂R/∂W of any layer, one kernel a row: its v1 is the direction the layer is being pushed along.

    For layers that have no signal matrix of their own: deeper ones, other multiplicities, a user's own model. Unlike
    there, v1 holds only at this step and to first order; at initialisation it agrees with the signal matrix's for a
    two-layer network of multiplicity 1 whose kernels have similar output weights.
    """
    return spectrum(-gradient_MK)


def ones_overlap(v1_K: Tensor, channels: int, kernel_size: int | Sequence[int]) -> Tensor:
    """|⟨v1^α / ‖v1^α‖, 1/m⟩| for each input channel α, shape (c_in,), in [0, 1]: 1 where v1 is flat in that channel.

    Zhou et al. 2025, figs 7 and 14. `kernel_size` is m of a square filter, or the sides of another. An entry for the
    bias at the end of v1 is left out; a channel in which v1 is zero gives NaN. Raises ValueError if v1 has neither
    c_in·m² nor c_in·m² + 1 entries.
    """
    pixels = kernel_size**2 if isinstance(kernel_size, int) else math.prod(kernel_size)
    entries = channels * pixels
    if v1_K.shape not in {(entries,), (entries + 1,)}:
        raise ValueError(f"v1_K: expected {entries} entries, or one more for a bias, got {tuple(v1_K.shape)}")
    return ones_overlaps(v1_K[None, :entries], channels, kernel_size)[0]


def ones_overlaps(v1_SK: Tensor, channels: int, kernel_size: int | Sequence[int]) -> Tensor:
    """`ones_overlap` of each member's direction, without a bias: (S, c_in)."""
    pixels = kernel_size**2 if isinstance(kernel_size, int) else math.prod(kernel_size)
    v1_SCK = v1_SK.detach().to(torch.float64).reshape(len(v1_SK), channels, -1)
    v1_SCK = v1_SCK / v1_SCK.abs().amax(dim=2, keepdim=True)
    overlap_SC: Tensor = v1_SCK.sum(dim=2).abs() / (torch.linalg.vector_norm(v1_SCK, dim=2) * math.sqrt(pixels))
    return overlap_SC.clamp_(max=1.0)


def _signal(residual_Nd: Tensor, input_: Tensor, *, bias: bool) -> Tensor:
    """`input_` is (N, I), or images that have I numbers each, however they lie in memory."""
    samples = len(residual_Nd)
    if samples == 0 or samples != len(input_):
        raise ValueError(f"expected residuals and inputs of the same samples, got {_shapes(residual_Nd, input_)}")
    residual_Nd, total_dI = residual_Nd.detach().to(torch.float64), None
    for start in range(0, samples, CHUNK):
        x_NI = input_[start : start + CHUNK].detach().flatten(1).to(torch.float64)
        part_dI = residual_Nd[start : start + CHUNK].T @ x_NI
        total_dI = part_dI if total_dI is None else total_dI + part_dI
    assert total_dI is not None
    total_dK = torch.cat([total_dI, residual_Nd.sum(dim=0)[:, None]], dim=1) if bias else total_dI
    return total_dK / -samples


def _top(scaled_SRK: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Singular values and the first two right singular vectors, the second NaN where there is one only."""
    rows, entries = scaled_SRK.shape[1:]
    if min(rows, entries) > DENSE_SIDE:
        found = [largest_by_lanczos(scaled_RK.cpu(), LARGEST_VALUES) for scaled_RK in scaled_SRK]
        values_Sr, vectors = (torch.stack(each).to(scaled_SRK.device) for each in zip(*found, strict=True))
        return values_Sr, vectors[:, 0], vectors[:, 1]
    if min(rows, entries) <= EXACT_SIDE:
        square_SRK = torch.linalg.qr(scaled_SRK, mode="r").R if rows > entries else scaled_SRK
        _, values_Sr, vectors = torch.linalg.svd(square_SRK, full_matrices=False)
        second = vectors[:, 1] if vectors.shape[1] > 1 else torch.full_like(vectors[:, 0], torch.nan)
        return values_Sr, vectors[:, 0], second
    wide = rows < entries
    squares, vectors = torch.linalg.eigh(scaled_SRK @ scaled_SRK.mT if wide else scaled_SRK.mT @ scaled_SRK)
    top_S2r = vectors[:, :, [-1, -2]].mT
    if wide:
        top_S2r = top_S2r @ scaled_SRK
    return squares.clamp(min=0.0).sqrt().flip(1), top_S2r[:, 0], top_S2r[:, 1]


def _image_shape(residual_Nd: Tensor, image_NCHW: Tensor) -> tuple[int, int, int, int]:
    if residual_Nd.ndim != 2 or image_NCHW.ndim != 4:
        raise ValueError(f"expected residuals (N, d) and images (N, C, H, W), got {_shapes(residual_Nd, image_NCHW)}")
    samples, channels, height, width = image_NCHW.shape
    return samples, channels, height, width


def _shapes(*tensors: Tensor) -> str:
    return " and ".join(str(tuple(tensor.shape)) for tensor in tensors)
