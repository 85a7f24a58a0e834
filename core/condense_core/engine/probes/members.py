"""All members of a scenario at one step, as probes see them: what several of them ask for is worked out once, of all.

# S members, or rows of so many members at several steps, M kernels, K entries a kernel, T pairs of kernels
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor

from condense_core.engine.network.prediction import Source
from condense_core.engine.probes.view import View
from condense_core.measures.clusters import MembersLines, only_kept
from condense_core.measures.kernels import norms_and_units
from condense_core.measures.lines import members_lines
from condense_core.measures.signal import Spectra
from condense_core.measures.similarity import Pairs, cosines, pairs_of
from condense_core.scenario.geometry import Geometry
from condense_core.thresholds import COARSE, FINE, Cut

NumpyArray = np.ndarray[Any, Any]
T = TypeVar("T")

# Bytes of all pairs of kernels of a layer that are held at a time: of more members a few are measured after the other.
PAIRS_AT_ONCE = 2 * 2**20


class Instant(NamedTuple):
    """One of the steps that are measured together, and which rows are its members."""

    step: int
    seconds: float
    rows: slice


class MemberViews:
    """MemberViews of one scenario at one step, by their views; their layers are of one shape. Reading changes nothing.

    This class asks each view and puts the answers together; whoever trains the members together answers for all at once
    (`EnsembleMembers`).
    """

    def __init__(self, views: Sequence[View], numbers: Sequence[int] = (0,)) -> None:
        """`numbers` are those of the members among all of the scenario."""
        self.views = views
        self.numbers = tuple(numbers)
        self.step = self.views[0].step
        self.seconds = self.views[0].seconds
        self._known: dict[tuple[object, ...], Any] = {}

    @property
    def instants(self) -> Sequence[Instant]:
        """The steps at which these are, ascending: one, but for `SeveralSteps`, which only probes see that
        `takes_several_steps`."""
        return [Instant(self.step, self.seconds, slice(0, len(self.numbers)))]

    @cached_property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers that are measured."""
        return tuple(self.views[0].layers)

    def geometry(self, layer: str) -> Geometry:
        """What the layer's rows are."""
        return self._once(("geometry", layer), lambda: self.views[0].geometry(layer))

    def chance_entries(self, layer: str) -> Sequence[int]:
        """Entries (S,) of the random vectors that each member's rows are held against."""
        return [self.geometry(layer).entries] * len(self.numbers)

    def blocks(self) -> Iterator[MemberViews]:
        """These members, a few at a time where all pairs of all kernels would take much memory."""
        widest = max((self.geometry(layer).kernels for layer in self.layers), default=1)
        at_once = max(1, PAIRS_AT_ONCE // (8 * widest**2))
        if at_once >= len(self.views):
            yield self
            return
        for first in range(0, len(self.views), at_once):
            yield self.part(slice(first, first + at_once))

    def part(self, rows: slice) -> MemberViews:
        """Some of these members."""
        return MemberViews(self.views[rows], self.numbers[rows])

    def kernels(self, layer: str) -> Tensor:
        """The layers' kernels (S, M, K), to be read only; a bias is the last entry."""
        return self._once(("kernels", layer), lambda: torch.stack([view.kernels(layer) for view in self.views]))

    def norms(self, layer: str) -> NumpyArray:
        """The kernels' norms (S, M), float64."""
        return self._once(("norms", layer), lambda: self._norms_and_units(layer)[0].cpu().numpy())

    def kept(self, layer: str) -> NumpyArray:
        """Which kernels (S, M) are large enough to count."""
        return self._once(("kept", layer), lambda: self._kept(layer))

    def units(self, layer: str) -> Tensor:
        """The kernels' directions (S, M, K), float64; NaN where there is none."""
        return self._once(("units", layer), lambda: self._norms_and_units(layer)[1])

    def cosine(self, layer: str) -> NumpyArray:
        """Cosine similarity of the layers' kernels (S, M, M), float64."""
        return self._once(("cosine", layer), lambda: cosines(self.units(layer)).cpu().numpy())

    def pairs(self, layer: str) -> NumpyArray:
        """Each pair of `cosine` once (S, T)."""
        return self._pairs(layer).upper_ST

    def pair_abs_cos(self, layer: str) -> NumpyArray:
        """The mean |cos| of `pairs` of two different kernels (S,)."""
        return self._pairs(layer).mean_abs_S

    def kept_units(self, layer: str) -> Tensor:
        """The kernels' directions (S, M, K), float64, on the CPU; 0 for a kernel that is not kept."""
        return self._once(("kept units", layer), lambda: only_kept(self.units(layer).cpu(), self.kept(layer)))

    def lines(self, layer: str, cut: Cut = FINE) -> MembersLines:
        """The lines at one of the two cuts."""
        cuts = (FINE, COARSE)
        found = self._once(
            ("lines", layer),
            lambda: members_lines(self.kept_units(layer), self.kept(layer), self.pairs(layer), cuts),
        )
        return found[cuts.index(cut)]

    def kernel_gradient(self, layer: str) -> Tensor | None:
        """Gradient of the loss by the layers' kernels (S, M, K); None where there is none."""
        return self._once(("gradient", layer), lambda: self._kernel_gradient(layer))

    def prediction_source(self, layer: str) -> Source:
        """What `prediction` is of, without making it."""
        return self.views[0].prediction_source(layer)

    def prediction(self, layer: str) -> Spectra:
        """Whose first right singular vectors are the directions that the layers' kernels should turn to."""
        return self._once(("prediction", layer), lambda: self._prediction(layer))

    def input_direction(self, layer: str) -> Tensor | None:
        """Σ e_i (x_i, 1) of a dense layer of multiplicity 1, (S, K); None where that says nothing, or is not known."""
        return _stacked([view.input_direction(layer) for view in self.views])

    def parameters(self) -> Mapping[str, NumpyArray]:
        """All members' parameters (S, …) by name, to be read only."""
        each = [view.parameters() for view in self.views]
        return {name: torch.stack([own[name].detach() for own in each]).cpu().numpy() for name in each[0]}

    def loss(self) -> NumpyArray:
        """The loss of each (S,); NaN where it is not known."""
        return np.array([view.loss for view in self.views])

    def accuracy(self) -> NumpyArray:
        """The share of the sample that is classified right (S,); NaN where that is not known."""
        return np.array([view.accuracy for view in self.views])

    def test_loss(self) -> NumpyArray:
        """The loss on a held-out sample (S,); NaN where there is none."""
        return np.array([view.test_loss for view in self.views])

    def test_accuracy(self) -> NumpyArray:
        """The share of a held-out sample that is classified right (S,); NaN where there is none."""
        return np.array([view.test_accuracy for view in self.views])

    def gradient_norm(self) -> NumpyArray:
        """Euclidean norm of the whole gradient (S,); NaN where there is none."""
        return np.array([view.gradient_norm for view in self.views])

    def _pairs(self, layer: str) -> Pairs:
        return self._once(("pairs", layer), lambda: pairs_of(self.units(layer)))

    def _norms_and_units(self, layer: str) -> tuple[Tensor, Tensor]:
        return self._once(("norms and units", layer), lambda: norms_and_units(self.kernels(layer)))

    def _kept(self, layer: str) -> NumpyArray:
        return np.stack([view.kept(layer).cpu().numpy() for view in self.views])

    def _kernel_gradient(self, layer: str) -> Tensor | None:
        return _stacked([view.kernel_gradient(layer) for view in self.views])

    def _prediction(self, layer: str) -> Spectra:
        return Spectra.stack([view.prediction(layer).spectrum for view in self.views])

    def _once(self, key: tuple[object, ...], make: Callable[[], T]) -> T:
        if key not in self._known:
            self._known[key] = make()
        found: T = self._known[key]
        return found


def together(view: View | MemberViews) -> MemberViews:
    """One view as the only member."""
    return view if isinstance(view, MemberViews) else MemberViews([view])


def _stacked(found: Sequence[Tensor | None]) -> Tensor | None:
    known = [each for each in found if each is not None]
    return torch.stack(known) if len(known) == len(found) else None
