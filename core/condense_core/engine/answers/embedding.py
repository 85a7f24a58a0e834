"""The effective network put back into the width that it came from, and whether a point is critical there.

Critical points of a narrow network are critical points of a wide one: a kernel is split into copies that share its
outgoing weights, and one that is left out stays at 0 (Zhang, Zhang, Luo, Xu, *Embedding Principle of Loss Landscape of
Deep Neural Networks*, NeurIPS 2021).   # M kernels, E kernels of the effective layer
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from condense_core.engine.network.network import OUTPUT
from condense_core.engine.network.observation import Observation
from condense_core.jobs.messages import PointAnswer
from condense_core.measures.change import gradient_norm
from condense_core.measures.curvature import ROUGHLY, extremes

# Numbers that a product with the Hessian works through, parameters by samples: a few hundred products of as many are
# done in a minute; of more, no curvature is given.
MOST_WORK = 1e8


def embedded(
    small: Mapping[str, Tensor], names: Sequence[str], places: Sequence[Sequence[int] | None]
) -> dict[str, Tensor]:
    """Parameters of the wide network with the outputs of the small one, by name.

    `places` has for each hidden layer which effective kernel each of the M kernels became, -1 where it was left out,
    None where the layer stayed as it is. A kernel's copies have an equal share each of its outgoing weights; those left
    out are 0, and so are their outgoing weights.
    """
    wide = dict(small)
    for name, following, place in zip(names, [*names[1:], OUTPUT], places, strict=True):
        if place is None:
            continue
        place_M = torch.tensor(place)
        there_M = (place_M >= 0).double()
        from_M = place_M.clamp(min=0)
        copies_E = torch.bincount(place_M[place_M >= 0], minlength=int(from_M.max()) + 1)
        for part in ("weight", "bias"):
            rows = wide.get(f"{name}.{part}")
            if rows is not None:
                wide[f"{name}.{part}"] = rows[from_M] * there_M.view(-1, *[1] * (rows.ndim - 1))
        outgoing = wide[f"{following}.weight"]
        # (kernels of the next layer, E, patch positions): true of convolutions, of dense layers and between the two
        parts = outgoing.reshape(len(outgoing), len(copies_E), -1)[:, from_M]
        shared = parts * (there_M / copies_E[from_M].clamp(min=1))[None, :, None]
        shape = (len(outgoing), len(place), *outgoing.shape[2:]) if outgoing.ndim > 2 else (len(outgoing), -1)
        wide[f"{following}.weight"] = shared.reshape(shape)
    return {name: value.contiguous() for name, value in wide.items()}


def point_of(seen: Observation) -> PointAnswer:
    """How steep and how curved the loss is where the network stands: of a critical point the gradient is 0, and at a
    saddle the lowest curvature is below 0."""
    surface = seen.surface()
    weights = seen.parameters().values()
    gradient = seen.gradient_norm
    largest = lowest = math.nan
    if surface.size * seen.outputs_and_samples[1] <= MOST_WORK:
        ends = extremes(surface.hessian_product, surface.size, 1, ROUGHLY)
        largest, lowest = float(ends.largest[0]), ends.smallest
    return PointAnswer(
        parameters=surface.size,
        loss=seen.loss,
        gradient=gradient,
        steepness=gradient * gradient_norm(weights) / seen.loss if seen.loss else math.nan,
        largest_curvature=_number(largest),
        lowest_curvature=_number(lowest),
    )


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
