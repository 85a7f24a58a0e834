"""What to train: one frozen, validated value that says everything a run depends on.

Every struct here checks itself when it is built, so a value that exists is a value that can be trained. Reading and
writing TOML, and `--set`, are in `toml.py`.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from condense_core.rows_of_layers import OUTPUTS_PROBE, outputs_of
from condense_core.scenario.about import About, Quick
from condense_core.scenario.checked import (
    MOST,
    Checked,
    at_least,
    check_path,
    positive,
    require,
    require_in_words,
)
from condense_core.scenario.claims import Claim, Requirement
from condense_core.scenario.convolutions import check_convolutions
from condense_core.scenario.data import (
    Anchors,
    Cifar10,
    Cifar100,
    Csv,
    Data,
    Digits,
    Folder,
    Formula,
    ImageData,
    Labels,
    Mnist,
    Npz,
    OwnSet,
    Photos,
    Sine,
)
from condense_core.scenario.initial_weights import (
    FanOutPowerInit,
    GlorotNormalInit,
    GlorotUniformInit,
    HeNormalInit,
    Init,
    InitBias,
    LayerPowersInit,
    MeanFanPowerInit,
    NormalInit,
    PhaseInit,
    WidthPowerInit,
)
from condense_core.scenario.layers import (
    ACTIVATIONS,
    CENTRED_PREFIX,
    OWN_PREFIX,
    Block,
    Conv,
    Dense,
    Layer,
    block_layer,
)
from condense_core.scenario.optimizers import GD, Adam, AdamW, Optimizer
from condense_core.scenario.record import Record

__all__ = [
    "ACTIVATIONS",
    "CENTRED_PREFIX",
    "GD",
    "OWN_PREFIX",
    "Adam",
    "AdamW",
    "Anchors",
    "Block",
    "Cifar10",
    "Cifar100",
    "Claim",
    "Conv",
    "Csv",
    "Data",
    "Dense",
    "Digits",
    "Ensemble",
    "Experiment",
    "FanOutPowerInit",
    "Folder",
    "Formula",
    "GlorotNormalInit",
    "GlorotUniformInit",
    "HeNormalInit",
    "ImageData",
    "Init",
    "InitBias",
    "Labels",
    "Layer",
    "LayerPowersInit",
    "MeanFanPowerInit",
    "Mnist",
    "NormalInit",
    "Npz",
    "Optimizer",
    "OwnSet",
    "PhaseInit",
    "Photos",
    "Requirement",
    "Sine",
    "WidthPowerInit",
]


class Stop(Checked, frozen=True, kw_only=True):
    """End early at the first checked step where the loss (relative to its start) or the accuracy has got there."""

    loss_ratio: float | None = None
    """End where the loss over its first value is at most this; none means not for the loss."""
    accuracy: float | None = None
    """End where this share of the sample, up to 1, is classified right; none means not for the accuracy."""
    every: int = 10
    """Steps between two looks at it."""

    def __post_init__(self) -> None:
        if self.loss_ratio is not None:
            positive("loss_ratio", self.loss_ratio)
        if self.accuracy is not None:
            require(0 < self.accuracy <= 1, "accuracy", "a share in (0, 1]", self.accuracy)
        at_least("every", self.every, 1)


class Ensemble(Checked, frozen=True, kw_only=True):
    """Several seeds of one scenario, trained as one run: member k has `seed` + k, or `data.seed` + k, or both."""

    members: int = 1
    """How many seeds are trained, 1 to 4096."""
    vary: Literal["init", "data", "both"] = "init"
    """What differs between them: the initial weights, the data, or both."""

    def __post_init__(self) -> None:
        require(1 <= self.members <= 4096, "members", "1 to 4096", self.members)


class Experiment(Checked, frozen=True, kw_only=True):
    """One scenario: data, hidden layers (a linear output layer is added), initialisation, loss, optimiser, steps.

    Layers are convolutions, then dense ones; or they are blocks of a decoder, which read tokens.
    """

    name: str
    """What the scenario is called, and its runs unless they have a name of their own."""
    steps: int
    """Training steps, 1 to 1000000000; with full batches, a step is an epoch."""
    data: Data
    """What is trained on."""
    layers: tuple[Layer, ...]
    """The hidden layers in order, 1 to 64, convolutions before dense ones; a linear output layer is added."""
    init: Init
    """How the initial weights are drawn."""
    optimizer: Optimizer
    """How the weights move."""
    loss: Literal["mse", "softmax-mse", "cross-entropy"] = "mse"
    """What is minimised: half the mean squared error of the outputs, or of their softmax, or cross-entropy."""
    seed: int = 0
    """Seed of the initial weights and of the batches; `data.seed` is that of the data."""
    dtype: Literal["float32", "float64"] = "float32"
    """Precision of weights and training; measures are taken in float64 where that matters."""
    residual: bool = False
    """h_{l+1} = σ(W_l h_l + b_l) + h_l from the second hidden layer on; dense layers of one width only."""
    initial: str | None = None
    """Weights to start from instead of a draw by `init`: a safetensors file, such as `condense-tui reduce` writes."""
    trunk: Literal["resnet18"] | None = None
    """What images pass through before the first dense layer: torchvision's ResNet18 up to its 512 features, untrained,
    convolutions drawn by Glorot's normal scheme whatever `init` says, trained along with the rest."""
    output_bias: bool = True
    """Whether the output layer has a trained bias; the linear theory of two-layer networks excludes one."""
    fast: tuple[Literal["channels-last", "bf16"], ...] = ()
    """Ways to train convolutions faster that change the last digits (`channels-last`) or all but three of them (`bf16`:
    products in bfloat16, weights and sums in `dtype`); none unless asked for. On a CPU that they slow down they are
    refused."""
    ensemble: Ensemble = Ensemble()
    """Several seeds of the scenario as one run."""
    record: Record = Record()
    """What is measured, and when."""
    stop: Stop | None = None
    """When training ends early; none means at the last step."""
    claim: Claim | None = None
    """What the run must show, checked while it trains; none claims nothing."""
    about: About | None = None
    """Where a preset comes from and how long it takes."""
    quick: Quick | None = None
    """What `reproduce --quick` trains in its place; none means the whole."""

    def __post_init__(self) -> None:
        require(0 < len(self.name) <= 80 and self.name.isprintable(), "name", "1 to 80 printable characters", self.name)
        require(1 <= self.steps <= 10**9, "steps", "1 to 1000000000", self.steps)
        require(0 <= self.seed < MOST, "seed", "0 to 2^63 - 1", self.seed)
        require(1 <= len(self.layers) <= 64, "layers", "1 to 64 hidden layers", len(self.layers))
        require(len(set(self.fast)) == len(self.fast), "fast", "each name once", self.fast)
        if self.fast:
            require(self.dtype == "float32", "fast", "dtype = 'float32'", self.dtype)
            convolves = isinstance(self.layers[0], Conv) or self.trunk is not None
            require_in_words(convolves, "fast", "a network with convolutions", self._kinds_of_layers)
        if self.initial is not None:
            check_path("initial", self.initial, "a path to a safetensors file")
        self._check_layer_order()
        check_convolutions(self.convolutions, self.data, self.optimizer, self.record.probes)
        self._check_loss_and_labels()
        self._check_draws()
        batch = self.optimizer.batch
        # of all of a file it is known once that is read
        if batch is not None and self.data.samples is not None:
            require(batch <= self.data.samples, "optimizer.batch", f"at most data.samples ({self.data.samples})", batch)
        warmup = self.optimizer.warmup
        require(warmup < self.steps, "optimizer.warmup", f"fewer than steps ({self.steps})", warmup)
        late = [step for step in self.record.steps if step > self.steps]
        require(not late, "record.steps", f"at most steps ({self.steps})", late)
        rows = (*self.layer_names, *self.output_names)
        for requirement in self.claim.requires if self.claim else ():
            known = requirement.layer is None or requirement.layer in rows
            require(known, "claim.requires", f"a layer of this network ({', '.join(rows)})", requirement.layer)
            in_time = requirement.at is None or requirement.at <= self.steps
            require(in_time, "claim.requires.at", f"at most steps ({self.steps})", requirement.at)

    @property
    def members(self) -> tuple[Experiment, ...]:
        """The experiments that train as one: what each would be alone."""
        return tuple(self.member(number) for number in range(self.ensemble.members))

    def member(self, number: int) -> Experiment:
        """The experiment that is one member, 0 to `ensemble.members` - 1."""
        alone = msgspec.structs.replace(self, ensemble=Ensemble())
        return alone._drawn_again(number, self.ensemble.vary)

    def _check_draws(self) -> None:
        """The last member's seeds are the highest ones."""
        last, vary = self.ensemble.members - 1, self.ensemble.vary
        most = MOST - 1 - (last if vary != "data" else 0)
        require(0 <= self.seed <= most, "seed", f"0 to {most}, for {last + 1} seeds", self.seed)
        if last and vary != "init":
            most = (2**32 if isinstance(self.data, Sine | Formula) else MOST) - 1 - last
            require(self.data.seed <= most, "data.seed", f"0 to {most}, for {last + 1} seeds", self.data.seed)

    def _drawn_again(self, number: int, vary: str) -> Experiment:
        if not number:
            return self
        seed, data_seed = self._seeds_of(number, vary)
        return msgspec.structs.replace(self, seed=seed, data=msgspec.structs.replace(self.data, seed=data_seed))

    def seeds_of(self, number: int) -> tuple[int, int]:
        """The seed of a member, and that of its data, without making its experiment."""
        return self._seeds_of(number, self.ensemble.vary)

    def _seeds_of(self, number: int, vary: str) -> tuple[int, int]:
        return self.seed + (number if vary != "data" else 0), self.data.seed + (number if vary != "init" else 0)

    def _check_layer_order(self) -> None:
        kinds = [isinstance(layer, Conv) for layer in self.layers]
        has, name = self._kinds_of_layers, str(self.data.__struct_config__.tag)
        self._check_blocks(has, name)
        no_images = isinstance(self.data, Sine | Formula | Csv)
        ordered = kinds == sorted(kinds, reverse=True)
        require_in_words(ordered, "layers", "convolutions before dense layers", "a convolution after a dense layer")
        require_in_words(not (no_images and any(kinds)), "layers", f"dense layers for data.name = '{name}'", has)
        if self.trunk is not None:
            require(not no_images, "trunk", "images as data", name)
            require_in_words(not any(kinds), "trunk", "dense layers only", has)
            # batch normalisation at a single 1×1 position has no variance to divide by
            batch = self.optimizer.batch
            seen = ("data.samples", self.data.samples) if batch is None else ("optimizer.batch", batch)
            if seen[1] is not None:
                at_least(seen[0], seen[1], 2)
        if self.residual:
            require_in_words(not any(kinds), "residual", "dense layers only", has)
            widths = [layer.width for layer in self.layers]
            require(len(set(widths)) == 1, "residual", "layers of one width", widths)
        if isinstance(self.init, LayerPowersInit):
            stacked = "layers one after the other for 'layer-powers'"
            require_in_words(not self.decodes, "init.scheme", stacked, has)
            wanted = len(kinds) + 1
            require(len(self.init.gammas) == wanted, "init.gammas", f"{wanted} exponents", self.init.gammas)
            no_trunk = self.trunk is None
            require_in_words(no_trunk, "init.scheme", "a network without a trunk for 'layer-powers'", "a trunk")
        if isinstance(self.init, PhaseInit):
            two_layers = kinds == [False] and not self.decodes and self.trunk is None
            found = f"a trunk and {has}" if self.trunk is not None else has
            require_in_words(two_layers, "init.scheme", "a network of one dense layer for 'phase'", found)
        if self.optimizer.lr_curvature is not None:
            no_trunk = self.trunk is None
            require_in_words(no_trunk, "optimizer.lr_curvature", "a network without a trunk", f"trunk = {self.trunk!r}")
        if self.optimizer.lr_lambda1 is not None:
            theory = len(kinds) == 1 and kinds[0]
            advice = "; give optimizer.lr instead, since λ1 is that of a convolution's signal matrix"
            require_in_words(theory, "optimizer.lr_lambda1", "a network of one convolution", has + advice)

    @property
    def convolutions(self) -> dict[str, Conv]:
        """Its convolutions by their names, in order."""
        named = zip(self.layer_names, self.layers, strict=False)
        return {name: layer for name, layer in named if isinstance(layer, Conv)}

    @property
    def batch_norm(self) -> bool:
        """Whether a layer under study is normalised over the batch."""
        return any(layer.batch_norm for layer in self.convolutions.values())

    @property
    def decodes(self) -> bool:
        """Whether its layers are blocks of a decoder."""
        return isinstance(self.layers[0], Block)

    def _check_blocks(self, has: str, name: str) -> None:
        blocks = [layer for layer in self.layers if isinstance(layer, Block)]
        reads_tokens = isinstance(self.data, Anchors)
        if not blocks:
            require_in_words(not reads_tokens, "layers", f"blocks for data.name = '{name}'", has)
            return
        require_in_words(len(blocks) == len(self.layers), "layers", "blocks alone, or none", has)
        require_in_words(reads_tokens, "data.name", f"'anchors' for {has}", repr(name))
        for what in ("width", "norm"):
            values = list(dict.fromkeys(getattr(block, what) for block in blocks))
            require(len(values) == 1, "layers", f"blocks of one {what}", values)
        require_in_words(not self.residual, "residual", "false: blocks add to what they read", "true")
        require_in_words(self.trunk is None, "trunk", f"none for {has}", repr(self.trunk))

    @property
    def _kinds_of_layers(self) -> str:
        """`1 convolution and 2 dense layers`."""
        convolutions = sum(isinstance(layer, Conv) for layer in self.layers)
        blocks = sum(isinstance(layer, Block) for layer in self.layers)
        dense = len(self.layers) - convolutions - blocks
        counts = {"convolution": convolutions, "dense layer": dense, "block": blocks}
        return " and ".join(f"{count} {kind}{'s' * (count > 1)}" for kind, count in counts.items() if count)

    def _check_loss_and_labels(self) -> None:
        if self.loss == "mse":
            return
        labels = getattr(self.data, "labels", None)
        name = str(self.data.__struct_config__.tag)
        require(labels is not None, "loss", f"'mse' for data.name = '{name}'", self.loss)
        require(labels == "onehot", "data.labels", f"'onehot' with loss = {self.loss!r}", labels)

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names under which the outputs of the layers' neurons are recorded, where they are; of a decoder those of its
        blocks' hidden layers."""
        if OUTPUTS_PROBE not in self.record.probes:
            return ()
        named = self.layer_names
        if self.decodes:
            named = tuple(block_layer(number) for number in range(1, len(self.layers) + 1))
        return tuple(map(outputs_of, named))

    @property
    def layer_names(self) -> tuple[str, ...]:
        """Names of what is measured, in order: conv1, conv2, …, dense1, …; of a decoder the embedding, and then what is
        measured of each block."""
        return tuple(self.kernel_counts)

    @property
    def kernel_counts(self) -> dict[str, int]:
        """How many kernels each of `layer_names` has."""
        found: dict[str, int] = {}
        seen = {"conv": 0, "dense": 0}
        if isinstance(self.data, Anchors):
            found["embedding"] = self.data.vocabulary
        for number, layer in enumerate(self.layers, start=1):
            if isinstance(layer, Block):
                found |= layer.kernel_counts(number)
                continue
            kind = "conv" if isinstance(layer, Conv) else "dense"
            seen[kind] += 1
            found[f"{kind}{seen[kind]}"] = layer.width
        return found
