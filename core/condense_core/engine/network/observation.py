"""The network at one step, as probes see it: everything measured once, when it is first asked for.

# N samples, D outputs, M kernels, K entries a kernel

Reading an observation never changes the network: forward passes run without gradients, gradients are taken functionally
and leave `.grad` alone, batch normalisation keeps its running statistics, and no random number is drawn. Of the sample
that is trained on, batch normalisation of convolutions goes by the sample's own statistics, as the step does; of others
by the running ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

from condense_core.engine.data.datasets import Dataset
from condense_core.engine.network import losses
from condense_core.engine.network.activations import activation, multiplicity
from condense_core.engine.network.linear_theory import (
    usable_unit,
    value_and_derivative_at_zero,
    why_no_linear_dynamics,
    why_not_from_data,
)
from condense_core.engine.network.measured import MeasuredNetwork
from condense_core.engine.network.network import Network
from condense_core.engine.network.neuron_outputs import LayerSample, input_rows, layer_samples, most_samples
from condense_core.engine.network.prediction import Prediction, Source
from condense_core.engine.network.surface import LossSurface
from condense_core.measures.change import gradient_norm
from condense_core.measures.clusters import keep_kernels
from condense_core.measures.curvature import largest_magnitude
from condense_core.measures.dynamics import LinearDynamics, linear_dynamics, readout_of_kernels
from condense_core.measures.kernels import kernel_norms
from condense_core.measures.sample import drawn_kernels
from condense_core.measures.signal import dense_signal, gradient_direction, signal_matrix, spectrum
from condense_core.scenario.experiment import Conv, Experiment, Layer
from condense_core.scenario.geometry import Geometry

# Samples a forward pass of a measurement takes at once: bounds memory on large data sets, whole for the papers' ones.
CHUNK = 1_000


class OutputAndGradient(NamedTuple):
    """What a training step on the whole sample computes: outputs (N, D), and the gradient by parameter name."""

    output_ND: Tensor
    gradient: dict[str, Tensor]


class Observation:
    """One step of one run, or of one member of an ensemble, to be read before the next step is taken.

    Tensors are on the training device, in the training precision unless said otherwise.
    """

    def __init__(
        self,
        experiment: Experiment,
        network: MeasuredNetwork,
        dataset: Dataset,
        step: int,
        lr: float = math.nan,
        *,
        computed: Callable[[], OutputAndGradient] | None = None,
    ) -> None:
        """`computed` gives what the coming training step needs in any case, where that sees the whole sample."""
        self._experiment = experiment
        self._computed = computed
        self.step = step
        self.lr = lr
        self.seconds = math.nan
        """Time trained so far, measuring not counted; the loop sets it."""
        self._network = network
        self._dataset = dataset
        # what is asked for once a layer by several probes; functools.cache would keep every observation alive
        self._predictions: dict[str, Prediction] = {}

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the hidden layers."""
        return self._network.layer_names

    @property
    def neuron_layers(self) -> tuple[str, ...]:
        """Those of them that are neurons or filters, with outputs of their own."""
        return self._network.neuron_layers

    def geometry(self, layer: str) -> Geometry:
        """What the layer's rows are: filters of a convolution, neurons, or a head's part of an attention."""
        return self._network.geometry(layer)

    def kernels(self, layer: str) -> Tensor:
        """The layer's kernels (M, K), a copy, or those of them that are measured; a bias is the last entry."""
        return _drawn(layer, self._network.kernels(layer).detach().clone())

    def kept(self, layer: str) -> Tensor:
        """Kernels (M,) that are not left out of lines, directions and alignment for their small norm."""
        return keep_kernels(kernel_norms(self.kernels(layer)), self._experiment.record.smallest_norm)

    @property
    def input(self) -> Tensor:
        """Inputs of the whole sample, (N, …)."""
        return self._dataset.input

    def parameters(self) -> dict[str, Tensor]:
        """All parameters by name, detached."""
        return {name: value.detach() for name, value in self._network.named_parameters()}

    def outputs(self, input_: Tensor) -> Tensor:
        """Output of the network (N, D) for any inputs of the sample's shape."""
        with torch.no_grad(), self._network.measuring():
            return torch.cat([self._network(part) for part in torch.split(input_, CHUNK)])

    @cached_property
    def output_ND(self) -> Tensor:
        """Output of the network on the whole sample."""
        if self._computed is not None:
            return self._computed().output_ND
        with torch.no_grad(), self._network.measuring_as_trained():
            return torch.cat([self._network(self._dataset.input[part]) for part in self._parts()])

    def _parts(self) -> Iterator[slice]:
        """Parts of the sample that pass through together; of one size where it decides on their statistics."""
        samples = len(self._dataset.input)
        size = CHUNK
        if self._network.batch_norms:
            size = math.ceil(samples / math.ceil(samples / CHUNK))
        for first in range(0, samples, size):
            yield slice(first, first + size)

    @cached_property
    def loss(self) -> float:
        """Loss on the whole sample."""
        return float(losses.loss(self._experiment.loss, self.output_ND, self._dataset.target))

    @cached_property
    def accuracy(self) -> float:
        """Share of the sample that is classified right; NaN for data without classes."""
        return losses.accuracy(self.output_ND, self._dataset)

    @cached_property
    def test_loss(self) -> float:
        """Loss on the held-out sample; NaN where there is none."""
        test, output_ND = self._dataset.test, self._test_output_ND
        if test is None or output_ND is None:
            return math.nan
        return float(losses.loss(self._experiment.loss, output_ND, test.target))

    @cached_property
    def test_accuracy(self) -> float:
        """Share of the held-out sample that is classified right; NaN where there is none."""
        test, output_ND = self._dataset.test, self._test_output_ND
        return math.nan if test is None or output_ND is None else losses.accuracy(output_ND, test)

    def on_unseen(self) -> tuple[float, float]:
        """Loss and accuracy on the sample that the data keep from training altogether; NaN where there is none."""
        unseen = self._dataset.unseen
        if unseen is None:
            return math.nan, math.nan
        output_ND = self.outputs(unseen.input)
        return float(losses.loss(self._experiment.loss, output_ND, unseen.target)), losses.accuracy(output_ND, unseen)

    @cached_property
    def _test_output_ND(self) -> Tensor | None:
        test = self._dataset.test
        return None if test is None else self.outputs(test.input)

    @cached_property
    def residual_ND(self) -> Tensor:
        """∂ loss_i / ∂ f_i of every sample."""
        return losses.residual(self._experiment.loss, self.output_ND, self._dataset.target)

    @cached_property
    def gradient(self) -> dict[str, Tensor]:
        """Gradient of the loss on the whole sample, by parameter name."""
        if self._computed is not None:
            return self._computed().gradient
        names, values = zip(*self._network.named_parameters(), strict=True)
        total = [torch.zeros_like(value) for value in values]
        for own in self._parts():
            input_, target = self._dataset.input[own], self._dataset.target[own]
            with torch.enable_grad(), self._network.measuring_as_trained():
                share = len(input_) / len(self._dataset.input)
                part = share * losses.loss(self._experiment.loss, self._network(input_), target)
            for so_far, gradient in zip(total, torch.autograd.grad(part, values), strict=True):
                so_far.add_(gradient)
        return dict(zip(names, total, strict=True))

    @cached_property
    def gradient_norm(self) -> float:
        """Euclidean norm of the whole gradient."""
        return gradient_norm(self.gradient.values())

    def prediction_source(self, layer: str) -> Source:
        """`data` for a layer whose prediction needs nothing else: the only hidden one, of multiplicity 1; `none` for
        those of a decoder, of which the theory says nothing."""
        if self._experiment.decodes:
            return "none"
        return "data" if layer == self.layers[0] and not why_not_from_data(self._experiment) else "gradient"

    def prediction(self, layer: str) -> Prediction:
        """The direction that the layer's kernels should turn to: the top right singular vector of a spectrum.

        For the hidden layer of a two-layer CNN that is the signal matrix Z of the data (Zhou et al. 2025), for one
        hidden dense layer of multiplicity 1 the vector Σ e_i x_i (Zhou et al. 2022, case 1), both from the current
        residuals; for every other layer the layer's negative gradient, which predicts only the next moment.
        """
        if layer not in self._predictions:
            self._predictions[layer] = self._predict(layer)
        return self._predictions[layer]

    def _predict(self, layer: str) -> Prediction:
        source = self.prediction_source(layer)
        if source == "none":
            return Prediction.none(self.geometry(layer).entries)
        found = spectrum(self.signal) if source == "data" else gradient_direction(self.kernel_gradient(layer))
        return Prediction(source, found)

    def kernel_gradient(self, layer: str) -> Tensor:
        """Gradient of the loss by the layer's kernels (M, K), as `kernels` has them."""
        return _drawn(layer, self._network.rows(layer, self.gradient).clone())

    def input_direction(self, layer: str) -> Tensor | None:
        """Σ e_i (x_i, 1) of a dense layer of multiplicity 1, (K,), x_i what enters it: the direction that all its
        neurons turn to while weights are small (Zhou et al. 2022, case 1).

        None for other layers, for residual networks, where a layer above adds its input, and for several outputs.
        """
        return self._input_directions[layer] if self.has_input_direction(layer) else None

    @cached_property
    def _input_directions(self) -> dict[str, Tensor]:
        """Those of all layers that have one: what enters them is found in one pass."""
        assert isinstance(self._network, Network)
        residual_ND, found = self.residual_ND, dict[str, Tensor]()
        layers = zip(self.layers, self._experiment.layers, strict=True)
        bias = {name: settings.bias for name, settings in layers if self.has_input_direction(name)}
        *_, last = bias
        with torch.no_grad(), self._network.measuring_as_trained():
            for part in self._parts():
                share = len(residual_ND[part]) / len(residual_ND)
                for name, given in self._network.layer_inputs(self._dataset.input[part]):
                    if name in bias:
                        own_K = share * dense_signal(residual_ND[part], given.flatten(1), bias=bias[name])[0]
                        found[name] = found[name] + own_K if name in found else own_K
                    if name == last:
                        # what it gives on is not asked for
                        break
        return found

    def has_input_direction(self, layer: str) -> bool:
        """Whether `input_direction` says something of the layer."""
        if self._experiment.decodes:
            return False
        place = self.layers.index(layer)
        linear = all(multiplicity(activation(item.activation)) == 1 for item in self._experiment.layers[place:])
        dense = not isinstance(self._experiment.layers[place], Conv) and not self._experiment.residual
        return dense and linear and self._dataset.outputs == 1

    def surface(self) -> LossSurface:
        """The loss around the weights as they are."""
        return LossSurface(self._experiment.loss, self._network, self._dataset)

    def layer_samples(self, samples: Sequence[int]) -> dict[str, LayerSample]:
        """Inputs and outputs of every layer of neurons for some of the sample."""
        return layer_samples(self._network, self._dataset.input, samples)

    def most_samples(self) -> int:
        """Of how many of the sample `layer_samples` bounds memory."""
        return most_samples(self._network, self._dataset.input)

    def input_rows(self, layer: str, input_: Tensor) -> Tensor:
        """What each neuron of the layer reads, a row a sample, of a convolution or a decoder a row a position; of what
        is averaged before it is given on, the average."""
        settings = self._experiment.convolutions.get(layer)
        module = self._network.get_submodule(self._network.parts[layer].module)
        return input_rows(module, input_, settings.averaged if settings else 1)

    @property
    def outputs_and_samples(self) -> tuple[int, int]:
        """D and N."""
        return self._dataset.outputs, len(self._dataset)

    @property
    def has_classes(self) -> bool:
        """Whether there is an accuracy."""
        return self._dataset.label is not None

    @property
    def has_test(self) -> bool:
        """Whether there is a held-out sample."""
        return self._dataset.test is not None

    @property
    def has_unseen(self) -> bool:
        """Whether something is kept from training altogether."""
        return self._dataset.unseen is not None

    @cached_property
    def signal(self) -> Tensor:
        """The signal matrix of the only hidden layer, from the current residuals."""
        return signal_of(self._experiment.layers[0], self.residual_ND, self._dataset)

    def linear_dynamics(self) -> LinearDynamics | None:
        """The closed form of the only hidden layer's training while its weights are small (Zhou et al. 2025, §5).

        None where it does not apply (`why_no_linear_dynamics`).
        """
        if why_no_linear_dynamics(self._experiment):
            return None
        _, derivative = value_and_derivative_at_zero(self._experiment)
        assert isinstance(self._network, Network)
        weight_MK = self._network.kernels(self.layers[0]).detach().clone()
        readout_MR = readout_of_kernels(self._network.output.weight.detach(), len(weight_MK))
        return linear_dynamics(self.signal, weight_MK, readout_MR, lr=self.lr, slope=derivative)

    def learning_rate(self) -> float:
        """The scenario's rate, where it is given in units of what the start is like: of λ1, the top singular value of
        the signal matrix, or of the curvature of the loss. ScenarioError where that is 0 or not finite."""
        settings = self._experiment.optimizer
        name, value = settings.rate
        if name == "lr":
            return value
        if name == "lr_lambda1":
            return value / usable_unit(float(spectrum(self.signal).values[0]), "lr_lambda1", "λ1 of the signal matrix")
        surface = self.surface()
        curvature = largest_magnitude(surface.hessian_product, surface.size)
        if settings.lr_most is not None and curvature * settings.lr_most <= value:
            return settings.lr_most
        return value / usable_unit(curvature, "lr_curvature", "the curvature at the start")


def signal_of(layer: Layer, residual_Nd: Tensor, dataset: Dataset, *, bias: bool | None = None) -> Tensor:
    """The signal matrix of a first layer, from the residuals of the sample; with a bias where the layer has one, or as
    `bias` says."""
    bias = layer.bias if bias is None else bias
    if not isinstance(layer, Conv):
        return dense_signal(residual_Nd, dataset.input.flatten(1), bias=bias)
    assert layer.pool != "max"
    assert not layer.batch_norm
    return signal_matrix(
        residual_Nd,
        dataset.input,
        layer.size,
        bias=bias,
        stride=layer.stride,
        padding=layer.padding,
        averaged=layer.averaged,
    )


def _drawn(layer: str, rows_MK: Tensor) -> Tensor:
    sample = drawn_kernels(layer, len(rows_MK))
    return rows_MK if sample is None else rows_MK[sample.to(rows_MK.device)]
