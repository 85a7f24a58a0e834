"""Kernels as rows in float64: their norms and their directions.   # S members, M kernels, K entries a kernel

Every measure passes through here, so that one place decides how a weight of 1e-30 or of zero is treated: a row is
divided by its largest entry before it is squared, never by a norm plus something.
"""

from __future__ import annotations

import torch
from torch import Tensor


def as_kernels(weight_MK: Tensor) -> Tensor:
    """The kernels detached and in float64, on their own device; ValueError if the shape is not (M, K), K ≥ 1."""
    if weight_MK.ndim != 2 or weight_MK.shape[1] == 0:
        raise ValueError(f"kernels: expected a matrix (M, K) with one vectorised kernel a row, got {_shape(weight_MK)}")
    return weight_MK.detach().to(torch.float64)


def kernel_norms(weight_MK: Tensor) -> Tensor:
    """Euclidean norm of each kernel, shape (M,), float64, in units of the weights; NaN if one entry is, or inf."""
    return norms_of(as_kernels(weight_MK))


def norms_of(rows: Tensor) -> Tensor:
    """`kernel_norms` of the rows (…, K) of any number of members at once, shape (…,)."""
    largest, _, length = _scaled(rows)
    return _norm(largest, length)


def unit_kernels(weight_MK: Tensor) -> Tensor:
    """Direction of each kernel, shape (M, K), float64, rows of norm 1; all NaN in a row whose norm is 0 or NaN."""
    return units_of(as_kernels(weight_MK))


def units_of(rows: Tensor) -> Tensor:
    """`unit_kernels` of the rows (…, K) of any number of members at once, in the same shape."""
    _, scaled, length = _scaled(rows)
    return scaled.div_(length)


def norms_and_units(rows: Tensor) -> tuple[Tensor, Tensor]:
    """`norms_of` and `units_of` the same rows."""
    largest, scaled, length = _scaled(rows)
    return _norm(largest, length), scaled.div_(length)


def slices(weight_MK: Tensor, channels: int, pixels: int) -> Tensor:
    """The slices (M · channels, pixels) of a layer of filters, one for each output and input channel.

    The first `channels` · `pixels` entries of each kernel are its filter, whatever follows (the bias) belongs to no
    input channel. ValueError if the kernels are too short for that.
    """
    entries = channels * pixels
    if weight_MK.ndim != 2 or weight_MK.shape[1] < entries or entries < 1:
        raise ValueError(f"slices: expected kernels of {channels} × {pixels} entries or more, got {_shape(weight_MK)}")
    return weight_MK[:, :entries].reshape(-1, pixels)


def safe_norm(values: Tensor) -> float:
    """Euclidean (Frobenius) norm of all entries in float64, right from 1e-300 to 1e300; NaN if one is not finite."""
    return float(kernel_norms(values.reshape(1, -1))) if values.numel() else 0.0


def _scaled(rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The largest entry of each row (…, 1), the rows divided by it, and the norm of these (…, 1)."""
    rows = rows.detach().to(torch.float64)
    largest = rows.abs().amax(dim=-1, keepdim=True)
    scaled = rows / largest
    return largest, scaled, torch.linalg.vector_norm(scaled, dim=-1, keepdim=True)


def _norm(largest: Tensor, length: Tensor) -> Tensor:
    return torch.where(largest == 0, largest, largest * length).squeeze(-1)


def _shape(tensor: Tensor) -> tuple[int, ...]:
    return tuple(tensor.shape)
