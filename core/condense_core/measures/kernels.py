"""Kernels as rows in float64: their norms and their directions.   # S members, M kernels, K entries a kernel

Every measure passes through here, so that one place decides how a weight of 1e-30 or of zero is treated: a row is
divided by its largest entry before it is squared, never by a norm plus something.
"""

from __future__ import annotations

import torch
from torch import Tensor

from condense_core.measures import in_compiled_code


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
    return _norms_and_units(rows, units=False)[0]


def unit_kernels(weight_MK: Tensor) -> Tensor:
    """Direction of each kernel, shape (M, K), float64, rows of norm 1; all NaN in a row whose norm is 0 or NaN."""
    return units_of(as_kernels(weight_MK))


def units_of(rows: Tensor) -> Tensor:
    """`unit_kernels` of the rows (…, K) of any number of members at once, in the same shape."""
    return norms_and_units(rows)[1]


def norms_and_units(rows: Tensor) -> tuple[Tensor, Tensor]:
    """`norms_of` and `units_of` the same rows."""
    return _norms_and_units(rows, units=True)


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


def _norms_and_units(rows: Tensor, *, units: bool) -> tuple[Tensor, Tensor]:
    """Norms (…,) of the rows (…, K), and their directions where these are asked for; without, nothing of meaning."""
    rows, functions = rows.detach().to(torch.float64), in_compiled_code.functions()
    if functions is not None and in_compiled_code.is_for(rows, in_compiled_code.MOST_OF_A_ROW):
        norm, unit = rows.new_empty(rows.shape[:-1]), rows.new_empty(rows.shape if units else 0)
        arrays = (each.numpy() for each in (rows.contiguous(), norm, unit))
        functions["units"](*arrays, norm.numel(), rows.shape[-1], int(units))
        return norm, unit
    largest = rows.abs().amax(dim=-1, keepdim=True)
    scaled = rows / largest
    length = torch.linalg.vector_norm(scaled, dim=-1, keepdim=True)
    norm = torch.where(largest == 0, largest, largest * length).squeeze(-1)
    return norm, scaled.div_(length) if units else scaled


def _shape(tensor: Tensor) -> tuple[int, ...]:
    return tuple(tensor.shape)
