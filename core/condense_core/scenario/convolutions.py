"""What a scenario's convolutions need of the images that they are given, and of the rest of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from condense_core.errors import ScenarioError
from condense_core.scenario.checked import require, require_in_words
from condense_core.scenario.data import Data, Npz, OwnSet
from condense_core.scenario.data_sizes import input_shape
from condense_core.scenario.layers import Conv
from condense_core.scenario.optimizers import Optimizer


def check_convolutions(
    convolutions: Mapping[str, Conv], data: Data, optimizer: Optimizer, probes: Collection[str]
) -> None:
    """Refuse what can be known before files are read; of those `fitting.check_fits` knows. The convolutions are given
    by their names. ValueError, or ScenarioError for what is no single field's fault."""
    if not convolutions:
        return
    shape = None if isinstance(data, Npz | OwnSet) else input_shape(data)
    if shape is not None:
        _, side = shape
        # all of these data say how many samples there are
        samples = optimizer.batch or data.samples or 2
        why = why_too_small(convolutions, side, side) or why_no_variance(convolutions, side, side, samples)
        if why:
            raise ScenarioError(why)
    (first, *_) = convolutions.values()
    if optimizer.lr_lambda1 is not None:
        linear = not first.batch_norm and first.pool != "max"
        found = "batch_norm" if first.batch_norm else "pool = 'max'"
        wanted = "a convolution that is linear in small kernels"
        require_in_words(linear, "optimizer.lr_lambda1", wanted, f"{found}; give optimizer.lr instead")
    if any(layer.batch_norm for layer in convolutions.values()):
        # the loss on one sample has no gradient apart from the others
        single = [probe for probe in probes if probe in {"hessian", "ntk"}]
        require(not single, "record.probes", "neither 'hessian' nor 'ntk' with batch_norm", single)
        curvature = optimizer.lr_curvature is not None
        require_in_words(not curvature, "optimizer.lr_curvature", "a network without batch_norm", "batch_norm")


def why_too_small(convolutions: Mapping[str, Conv], rows: int, columns: int) -> str:
    """Why images of so many pixels cannot pass through the convolutions, which are given by their names; empty where
    they can."""
    for name, layer in convolutions.items():
        least = min(layer.positions(rows), layer.positions(columns))
        if least < 1:
            padded = f", with {layer.padding} of padding on each side" if layer.padding else ""
            return (
                f"{name}: a {layer.size}×{layer.size} filter does not fit into the {rows}×{columns} pixels that reach"
                f" it{padded}; use smaller filters, fewer convolutions or larger images"
            )
        if layer.pool and least < layer.pool_size:
            return (
                f"{name}: a pool of {layer.pool_size}×{layer.pool_size} does not fit into the"
                f" {layer.positions(rows)}×{layer.positions(columns)} pixels that its filters give; use a smaller"
                " pool_size, a smaller stride or larger images"
            )
        rows, columns = layer.side_after(rows), layer.side_after(columns)
    return ""


def why_no_variance(convolutions: Mapping[str, Conv], rows: int, columns: int, samples: int) -> str:
    """Why so many samples a step are too few for batch normalisation of such images; empty where they are not."""
    for name, layer in convolutions.items():
        values = samples * layer.positions(rows) * layer.positions(columns)
        if layer.batch_norm and values < 2:
            return (
                f"{name}: batch_norm of one sample a step, of which the filters give a single pixel, has no variance;"
                " use two samples a step or more, or larger images"
            )
        rows, columns = layer.side_after(rows), layer.side_after(columns)
    return ""


def least_side(convolutions: Iterable[Conv]) -> int:
    """Pixels of the smallest square image that can pass through the convolutions."""
    side = 1
    for layer in reversed(list(convolutions)):
        positions = side * layer.pool_size if layer.pool else side
        side = max(1, (positions - 1) * layer.stride + layer.size - 2 * layer.padding)
    return side
