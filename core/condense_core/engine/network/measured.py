"""What is measured of a scenario's network, whatever kind it is: rows of its parameters, by a layer's name.

# S members, M kernels, K entries a kernel
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from torch import Tensor, nn

from condense_core.engine.network.batch_norm import BatchNorm
from condense_core.measures.rows import as_rows
from condense_core.measures.sample import drawn_kernels
from condense_core.scenario.geometry import Geometry, LayerKind

Mask = Callable[[int, Tensor], "Tensor | None"]
"""What the outputs of a hidden layer, counted from 0, are multiplied by; None where they stay as they are."""


class MeasuredRows(NamedTuple):
    """The rows of one measured layer: those of a module's weight and bias, all of them or a stretch."""

    module: str
    kind: LayerKind
    rows: slice = slice(None)
    head: int | None = None
    """The number of the attention head that they are of, from 0."""


class MeasuredNetwork(nn.Module):
    """A network in training, of which the layers in `parts` are measured."""

    def __init__(self, parts: Mapping[str, MeasuredRows]) -> None:
        super().__init__()
        self.parts = dict(parts)
        self.batch_norms: Sequence[BatchNorm] = ()
        """Batch normalisation of the layers under study, in order; that of a trunk is not among them."""

    @property
    def layer_names(self) -> tuple[str, ...]:
        """Names of the layers that are measured, in the network's order."""
        return tuple(self.parts)

    @property
    def neuron_layers(self) -> tuple[str, ...]:
        """Those of them whose rows are neurons or filters, each with an activation after it, in the order in which a
        mask is asked: of a decoder the hidden layers of its blocks."""
        return tuple(name for name, part in self.parts.items() if part.kind in {"dense", "conv"})

    def forward(self, x: Tensor, mask: Mask | None = None) -> Tensor:
        """Outputs, shape (N, D), of a batch (N, …); with dropout where there is a mask."""
        raise NotImplementedError

    def geometry(self, name: str) -> Geometry:
        """What the layer's rows are, of which some are drawn where they are very many."""
        part = self.parts[name]
        weight = self.get_parameter(f"{part.module}.weight")[part.rows]
        bias = getattr(self.get_submodule(part.module), "bias", None) is not None
        sample = drawn_kernels(name, len(weight))
        return Geometry(
            kind=part.kind,
            kernels=len(weight) if sample is None else len(sample),
            entries=weight[0].numel() + bias,
            channels=weight.shape[1],
            patch=tuple(weight.shape[2:]),
            bias=bias,
            head=part.head,
            sampled=None if sample is None else len(weight),
        )

    def kernels(self, name: str) -> Tensor:
        """The layer's kernels as rows, shape (M, K): flattened weights, and last the bias where the layer has one.

        Row i is what output channel or neuron i reads with. Gradients flow back to the parameters.
        """
        return self.rows(name, dict(self.named_parameters()))

    def rows(self, name: str, values: Mapping[str, Tensor], members: int = 0) -> Tensor:
        """The layer's rows (M, K) of parameters, or of what is laid out as they are, such as gradients, by their names;
        (S, M, K) where `members` is 1 and each has a first dimension over members."""
        part = self.parts[name]
        weight, bias = values[f"{part.module}.weight"], values.get(f"{part.module}.bias")
        mine = (slice(None),) * members + (part.rows,)
        return as_rows(weight[mine], None if bias is None else bias[mine], members)

    @contextlib.contextmanager
    def measuring(self) -> Iterator[None]:
        """Batch normalisation by its running statistics, which stay as they are: what is measured of a sample does
        not depend on the others in its chunk, and training does not see that it was measured."""
        training = self.training
        self.eval()
        try:
            yield
        finally:
            self.train(training)

    @contextlib.contextmanager
    def measuring_as_trained(self) -> Iterator[None]:
        """The same, but `batch_norms` go by the statistics of what passes through together, as in a training step,
        whose loss is that; running statistics would be those of the steps before."""
        seen = [norm.seen for norm in self.batch_norms]
        with self.measuring():
            for norm in self.batch_norms:
                norm.train()
            try:
                yield
            finally:
                for norm, before in zip(self.batch_norms, seen, strict=True):
                    norm.seen = before
