"""Fully connected networks in compiled code (`steppers.compiled`): whole blocks of steps without Python between them.

# S members, N samples, D outputs, I inputs
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from condense_core.engine.data.datasets import Dataset
from condense_core.engine.network.network import Network
from condense_core.engine.steppers import compiled
from condense_core.engine.steppers.drawn import Masks
from condense_core.engine.steppers.gradients import mlp
from condense_core.engine.steppers.optimisers import Optimiser
from condense_core.engine.steppers.parameters import FlatParameters
from condense_core.machine import usable_cores
from condense_core.scenario.data_sizes import sample_count
from condense_core.scenario.experiment import GD, AdamW, Experiment

Numbers = NDArray[Any]
Rates = tuple[Numbers, Numbers, Numbers]
"""`rates`, `roots` and `decays` of steps, as `training.train` takes them."""

# Activations, and as many derivatives, of a chunk of samples: they stay in a core's own cache.
CHUNK_BYTES = 256 * 1024
# Numbers in the widest vector that is worked on: columns are a multiple of it.
VECTOR = 16
# A block of steps takes about this long, so that commands are seen in time.
BLOCK_S = 0.01
MOST_STEPS = 2_000
# What an activation with its derivative takes, and a weight for each sample, roughly.
ELEMENT_S = 1.5e-10
MULTIPLICATION_S = 8e-11

# Weights of a layer above which PyTorch's own products are as fast.
MOST_WEIGHTS = 30_000
# Steps in PyTorch that take less than this in all are over before compiled ones have begun.
REPAYS_S = 1.0
# What PyTorch takes, roughly: for the kernels of a layer, and for an activation and its derivative.
LAYER_S = 2.5e-5
TORCH_ELEMENT_S = 2.5e-9


def applies(experiment: Experiment) -> bool:
    """Whether compiled code knows the scenario's steps: every optimiser, and nothing that is drawn."""
    return not experiment.optimizer.noise and not any(layer.dropout for layer in experiment.layers)


def repays(experiment: Experiment) -> bool:
    """Whether compiled steps are faster by more than it takes to have them: a function of the scenario and its
    data alone."""
    widths = [layer.width for layer in experiment.layers]
    if max(map(operator.mul, widths, widths[1:]), default=0) > MOST_WEIGHTS:
        return False
    samples = experiment.optimizer.batch or sample_count(experiment.data) or 1
    step = LAYER_S * (len(widths) + 1) + TORCH_ELEMENT_S * experiment.ensemble.members * samples * sum(widths)
    return step * experiment.steps > REPAYS_S


class CompiledGradients:
    """Dense layers of any depth, one or many members; takes steps itself."""

    name = "compiled closed form"

    def __init__(
        self, experiment: Experiment, networks: Sequence[Network], datasets: Sequence[Dataset], *, shared: bool
    ) -> None:
        from condense_core.engine.steppers.compiled import training

        self._train = compiled.load(experiment.dtype).call
        self._names = experiment.layer_names
        self.parameters = FlatParameters(networks, joined=self._names[:1])
        self._experiment = experiment
        self._rows = len(networks)
        self._apart = not shared
        self._dtype = np.dtype(experiment.dtype)
        self._batch = experiment.optimizer.batch or 0
        self._samples = self._batch or len(datasets[0])
        self._outputs_shape = (self._rows, datasets[0].outputs, self._samples)
        self._hidden = sum(layer.width for layer in experiment.layers)
        self._columns = _columns(self._samples, self._hidden * self._dtype.itemsize)
        self._tables()
        own = datasets[:1] if shared else datasets
        with_bias = experiment.layers[0].bias
        self._inputs = self._lay_out([mlp.columns(dataset.input, with_bias=with_bias) for dataset in own])
        self._targets = self._lay_out([dataset.target.T for dataset in own])
        settings = experiment.optimizer
        if isinstance(settings, GD):
            kind = training.NESTEROV if settings.nesterov else training.MOMENTUM if settings.momentum else training.GD
            self._betas, eps, momentum = (0.0, 0.0), 0.0, settings.momentum
        else:
            kind, self._betas, eps, momentum = training.ADAM, settings.betas, settings.eps, 0.0
        self._weight_decay, self._decays_apart = settings.weight_decay, isinstance(settings, AdamW)
        decay = training.DECAY_APART if self._decays_apart else training.DECAY_IN_GRADIENT
        self._sizes = (
            self._samples,
            self._columns,
            int(self._batch > 0),
            int(self._apart),
            len(datasets[0]) if self._batch else -(-self._samples // self._columns) * self._columns,
            training.LOSSES[experiment.loss],
            int(experiment.residual),
            kind,
            decay if settings.weight_decay else training.NO_DECAY,
        )
        first, second = self._betas
        self._settings = np.array((1 - first, second, 1 - second, eps, 1 / self._samples, momentum), self._dtype)
        self._work = [self._memory()]
        self._pool: ThreadPoolExecutor | None = None
        self._outputs = np.empty(0, self._dtype)
        work = self._rows * self._samples * (self._hidden * ELEMENT_S + self._own * MULTIPLICATION_S)
        self.block = max(1, min(MOST_STEPS, int(BLOCK_S / work)))

    def _tables(self) -> None:
        """Where everything is in memory, for `training.train`."""
        from condense_core.engine.steppers.compiled.functions import code_of

        place: dict[str, int] = {}
        tensors, flat_at, own_at = [], 0, 0
        for name, stacked in self.parameters.stacked.items():
            size = stacked[0].numel()
            place[name] = own_at
            tensors.append((flat_at, size, own_at))
            flat_at, own_at = flat_at + self._rows * size, own_at + size
        self._tensors = np.array(tensors, np.int64)
        self._own = -(-own_at // VECTOR) * VECTOR
        layers: list[list[int]] = []
        # a chunk's inputs come first
        hidden = self.parameters.stacked[f"{self._names[0]}.kernels"].shape[2]
        for number, (name, layer) in enumerate(zip(self._names, self._experiment.layers, strict=True)):
            weight = f"{name}.{'weight' if number else 'kernels'}"
            rows, entries = self.parameters.stacked[weight].shape[1:]
            sigma = code_of(layer.activation)
            layers.append([rows, entries, place[weight], place.get(f"{name}.bias", -1), hidden * self._columns, sigma])
            hidden += rows
        rows, entries = self.parameters.stacked["output.weight"].shape[1:]
        layers.append([rows, entries, place["output.weight"], place.get("output.bias", -1), hidden * self._columns, 0])
        self._layers = np.array(layers, np.int64)

    def forward_backward(self, batch: Sequence[Tensor] | None, masks: Masks | None = None) -> None:
        assert masks is None
        order = np.zeros(0, np.int64) if batch is None else torch.stack(list(batch)).numpy().ravel()
        self._outputs = np.empty(math.prod(self._outputs_shape), self._dtype)
        (grad,) = self.parameters.groups[0].grads
        nothing = np.zeros(0, self._dtype)
        self._run(0, [(nothing, nothing, nothing)], order, grad.numpy(), [nothing, nothing])

    def rehearse(self) -> None:
        # a whole block: threads begin once for it, and not at each step
        flat = self.parameters.groups[0].params[0].numpy()
        before, unmoved = flat.copy(), np.zeros(self.block, self._dtype)
        kept = np.full(self.block, self._decays_apart, self._dtype)
        order = np.tile(np.arange(self._batch), self._rows * self.block)
        moments = [np.zeros_like(flat), np.zeros_like(flat)]
        self._run(self.block, [(unmoved, unmoved, kept)], order, np.zeros(0, self._dtype), moments)
        flat[:] = before

    def output(self, row: int) -> Tensor:
        return torch.from_numpy(self._outputs.reshape(self._outputs_shape)[row].T)

    def outputs(self) -> Tensor:
        return torch.from_numpy(self._outputs.reshape(self._outputs_shape)).mT.contiguous()

    def train(
        self,
        steps: int,
        optimiser: Optimiser,
        batches: Tensor | None,
        shares: Sequence[float] | None = None,
        *,
        goes_on: bool = False,
    ) -> None:
        order = np.zeros(0, np.int64) if batches is None else batches.numpy().ravel()
        nothing = np.zeros(0, self._dtype)
        moments = [value.numpy() for (value,) in optimiser.moments.values()]
        moments += [nothing] * (2 - len(moments))
        share = np.ones(steps) if shares is None else np.array(shares)
        grads = self.parameters.groups[0].grads[0].numpy() if goes_on else nothing
        self._run(steps, self._rates(steps, optimiser, share), order, grads, moments)
        optimiser.steps += steps

    def _rates(self, steps: int, optimiser: Optimiser, share: NDArray[np.float64]) -> list[Rates]:
        """What each step is multiplied by, and what its weight decay is: the same for all members, or for each where
        they have rates of their own."""
        lr = optimiser.lr
        # a rate for every entry, the same for all of a member's: those of the first tensor say it
        each = [lr] if isinstance(lr, float) else lr.numpy()[: self._rows * self._tensors[0, 1] : self._tensors[0, 1]]
        count = optimiser.steps + np.arange(1, steps + 1)
        with np.errstate(divide="ignore"):
            # β^t; as a power it would take ten times as long
            first, second = (np.exp(count * np.log(beta)) for beta in self._betas)
        root = (1 / np.sqrt(1 - second)).astype(self._dtype)
        found = []
        for rate in each:
            own = float(rate) * share
            decay = 1 - own * self._weight_decay if self._decays_apart else np.full(steps, self._weight_decay)
            found.append(((own / (1 - first)).astype(self._dtype), root, decay.astype(self._dtype)))
        return found

    def _run(
        self,
        steps: int,
        rates: Sequence[Rates],
        order: NDArray[np.int64],
        grads: Numbers,
        moments: Sequence[Numbers],
    ) -> None:
        flat = self.parameters.groups[0].params[0].numpy()

        def rows(first: int, last: int, work: tuple[Numbers, ...]) -> None:
            own = rates if len(rates) == 1 else rates[first:last]
            for number, rate in enumerate(own):
                part = (first, last) if len(rates) == 1 else (first + number, first + number + 1)
                self._train(
                    steps, *part, self._sizes, self._layers, self._tensors, flat, grads, *moments,
                    self._inputs, self._targets, order, self._settings, *rate, work, self._outputs,
                )  # fmt: skip

        # each thread has members of its own: their number changes no bit
        threads = min(torch.get_num_threads(), self._rows)
        while len(self._work) < threads:
            self._work.append(self._memory())
        bounds = [self._rows * part // threads for part in range(threads + 1)]
        shares = list(zip(bounds, bounds[1:], self._work, strict=False))
        if threads > 1 and self._pool is None:
            self._pool = ThreadPoolExecutor(usable_cores())
        others = [self._pool.submit(rows, *share) for share in shares[1:]] if self._pool is not None else []
        rows(*shares[0])
        for other in others:
            other.result()

    def _lay_out(self, parts: Sequence[Tensor]) -> Numbers:
        """The samples of each row (entry, N) as `training.train` takes them."""
        arrays = [part.numpy().astype(self._dtype) for part in parts]
        if self._batch:
            return np.concatenate([array.ravel() for array in arrays])
        chunks = -(-self._samples // self._columns)
        padded = np.zeros((len(arrays), len(arrays[0]), chunks * self._columns), self._dtype)
        padded[:, :, : self._samples] = arrays
        laid = self._zeros(padded.size)
        laid[:] = padded.reshape(len(arrays), len(arrays[0]), chunks, self._columns).transpose(0, 2, 1, 3).ravel()
        return laid

    def _memory(self) -> tuple[Numbers, ...]:
        """What one thread works in, as `training.train` takes it."""
        outputs = self._outputs_shape[1]
        widest = max(layer.width for layer in self._experiment.layers)
        # inputs, activations and outputs; then targets, or what skips a layer
        units = (int(self._layers[-1, 4]) // self._columns + outputs + max(outputs, widest)) * self._columns
        return tuple(self._zeros(size) for size in (*(self._own,) * 4, units, units))

    def _zeros(self, *shape: int) -> Numbers:
        """In memory where vectors may begin: PyTorch's is aligned to 64 bytes, NumPy's is not."""
        return torch.zeros(shape, dtype=getattr(torch, self._dtype.name)).numpy()


def _columns(samples: int, bytes_a_sample: int) -> int:
    """Samples of a chunk: as many as fit, in chunks of nearly one size."""
    most = max(2 * VECTOR, CHUNK_BYTES // (2 * bytes_a_sample) // VECTOR * VECTOR)
    chunks = -(-samples // most)
    return -(-samples // (chunks * VECTOR)) * VECTOR
