"""The effective network of a whole network: every hidden layer's condensed lines replaced by one kernel each.

# M kernels, K entries a kernel, Q outgoing weights a kernel (next kernels × patch positions)
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import msgspec
import torch
from torch import Tensor

from condense_core.engine.network.activations import activation, multiplicity
from condense_core.engine.network.network import OUTPUT, Network
from condense_core.errors import ScenarioError
from condense_core.jobs.messages import LayerReduction
from condense_core.measures.clusters import CondensedLines, condensed_lines
from condense_core.measures.kernels import unit_kernels
from condense_core.measures.principal import principal_axis
from condense_core.measures.reduction import effective_layer
from condense_core.scenario.experiment import Conv, Experiment
from condense_core.thresholds import DROPPED, NO_LINE


@dataclass(frozen=True, eq=False)
class Effective:
    """The small network: its scenario but for where its weights are, its parameters in float64, and what was merged."""

    experiment: Experiment
    parameters: dict[str, Tensor]
    layers: list[LayerReduction]
    places: list[list[int] | None]
    """For each layer which effective kernel each of its kernels became, -1 for those left out; None where it stayed."""


def effective_network(experiment: Experiment, network: Network, *, keep_small: bool = False) -> Effective:
    """Merge each condensed line of each hidden layer to one kernel, first layer first.

    Lines are those of the network as trained; where a layer before was merged, the axis of a line is taken anew, in
    what its kernels have become. Kernels too small to be on a line, by the scenario's own threshold where it has one,
    are left out unless `keep_small`. A trunk stays as it is. With relu, which has no multiplicity but is homogeneous,
    and before a maximum is taken, the two sides of a line stay two kernels. ScenarioError for batch normalisation,
    after which kernels of one line give the same whatever their length, and for a residual network: h + σ(Wh) has one
    coordinate a neuron, and what is merged in one layer stays apart in the next.
    """
    if experiment.residual and len(experiment.layers) > 1:
        raise ScenarioError(
            "reduce: residual networks cannot be reduced: a neuron adds to a coordinate of its own that all later"
            " layers read, so merged neurons would need a narrower skip connection, and no scenario has one"
        )
    if experiment.batch_norm:
        raise ScenarioError(
            "reduce: networks with batch_norm cannot be reduced: behind it the length of a kernel does not count, by"
            " which kernels of one line are merged"
        )
    # a trunk's running statistics go with its parameters
    parameters = {name: value.detach().cpu() for name, value in network.state_dict().items()}
    parameters |= {name: value.double() for name, value in parameters.items() if value.is_floating_point()}
    names = [*experiment.layer_names, OUTPUT]
    reductions, widths = [], []
    places: list[list[int] | None] = []
    padded = [isinstance(layer, Conv) and layer.padding > 0 for layer in (*experiment.layers[1:], None)]
    for name, following, settings, next_padded in zip(names, names[1:], experiment.layers, padded, strict=False):
        sigma = activation(settings.activation)
        order = multiplicity(sigma)
        lines = condensed_lines(network.kernels(name), threshold=experiment.record.smallest_norm)
        if order is None or (isinstance(settings, Conv) and settings.pool == "max"):
            lines = _sides(lines)
        weight, bias = parameters[f"{name}.weight"], parameters.get(f"{name}.bias")
        kernels = len(weight)
        weight_MK = weight.flatten(1) if bias is None else torch.cat([weight.flatten(1), bias[:, None]], dim=1)
        lines = _with_axes(lines, weight_MK)
        outgoing = parameters[f"{following}.weight"]
        # (kernels of the next layer, M, patch positions): true of convolutions, of dense layers and between the two
        readout_MQ = outgoing.reshape(len(outgoing), kernels, -1).transpose(0, 1).reshape(kernels, -1)
        at_zero = float(sigma(torch.zeros((), dtype=torch.float64)))
        found = effective_layer(weight_MK, readout_MQ, lines, order or 1, at_zero=at_zero, keep_dropped=keep_small)
        next_bias = parameters.get(f"{following}.bias")
        shifts = bool((found.offset_Q != 0).any())
        if len(found.weight_EK) == 0 or (shifts and (next_bias is None or next_padded)):
            # nothing to merge, or σ(0) ≠ 0 with no bias after it that could take up what the left-out kernels gave, or
            # with zeros beside it, where they gave nothing
            widths.append(kernels)
            places.append(None)
            reductions.append(
                LayerReduction(name=name, before=kernels, after=kernels, lines=0, unchanged=kernels, dropped=0)
            )
            continue
        width = len(found.weight_EK)
        entries = weight[0].numel()
        parameters[f"{name}.weight"] = found.weight_EK[:, :entries].reshape(width, *weight.shape[1:])
        if bias is not None:
            parameters[f"{name}.bias"] = found.weight_EK[:, entries]
        merged = found.readout_EQ.reshape(width, len(outgoing), -1).transpose(0, 1)
        parameters[f"{following}.weight"] = (
            merged.reshape(len(outgoing), width, *outgoing.shape[2:])
            if outgoing.ndim > 2
            else merged.reshape(len(outgoing), -1)
        )
        if next_bias is not None:
            parameters[f"{following}.bias"] = next_bias + found.offset_Q.reshape(len(outgoing), -1).sum(dim=1)
        widths.append(width)
        kept = {kernel: lines.lines + row for row, kernel in enumerate(found.kept)}
        places.append([kept.get(kernel, max(-1, label)) for kernel, label in enumerate(lines.label_M.tolist())])
        dropped = 0 if keep_small else int((lines.label_M == DROPPED).sum())
        reductions.append(
            LayerReduction(
                name=name,
                before=kernels,
                after=width,
                lines=lines.lines,
                unchanged=len(found.kept),
                dropped=dropped,
            )
        )
    layers = tuple(
        msgspec.structs.replace(layer, width=width) for layer, width in zip(experiment.layers, widths, strict=True)
    )
    small = msgspec.structs.replace(experiment, layers=layers, claim=None, about=None, initial=None)
    return Effective(small, {name: value.contiguous() for name, value in parameters.items()}, reductions, places)


def _sides(lines: CondensedLines) -> CondensedLines:
    """Every side of a line as a line of its own; axes are taken later."""
    label_M = torch.where(lines.label_M >= 0, 2 * lines.label_M + (lines.sign_M < 0), lines.label_M)
    sides = torch.unique(label_M[label_M >= 0]).tolist()
    for number, side in enumerate(sides):
        label_M = torch.where(label_M == side, number, label_M)
    return replace(lines, label_M=label_M, sizes=tuple(int((label_M == number).sum()) for number in range(len(sides))))


def _with_axes(lines: CondensedLines, weight_MK: Tensor) -> CondensedLines:
    """The lines with axes of these kernels, without the kernels that have no direction any more."""
    unit_MK = unit_kernels(weight_MK)
    directed_M = torch.isfinite(unit_MK).all(dim=1)
    label_M = torch.where((lines.label_M >= 0) & ~directed_M, NO_LINE, lines.label_M)
    groups = [label_M == number for number in range(lines.lines)]
    axes = [_axis(unit_MK[group]) for group in groups if bool(group.any())]
    for number, group in enumerate(group for group in groups if bool(group.any())):
        label_M = torch.where(group, number, label_M)
    return replace(
        lines,
        label_M=label_M,
        axes_LK=torch.stack(axes) if axes else unit_MK.new_zeros(0, unit_MK.shape[1]),
        sizes=tuple(int(group.sum()) for group in groups if bool(group.any())),
    )


def _axis(unit_GK: Tensor) -> Tensor:
    """The principal axis, pointing to where most of the kernels do: relu tells the two ways apart."""
    axis_K = principal_axis(unit_GK)
    return -axis_K if float((unit_GK @ axis_K).sum()) < 0 else axis_K
