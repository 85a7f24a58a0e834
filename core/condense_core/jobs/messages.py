"""What work that needs PyTorch answers to a command: typed JSON, from a separate process to a viewer without it."""

from __future__ import annotations

from typing import Literal

import msgspec

LabelKind = Literal["raw", "centred", "onehot", "values"]
"""How targets were made: of images by one of the kinds of labels, or the values of a function."""


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """Base of what is asked for."""


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """A value measured in several trials; `std` with n - 1 in the denominator, None for one trial."""

    mean: float
    std: float | None
    least: float
    most: float


class AskTheory(Ask, frozen=True, kw_only=True):
    """The theory of a scenario, given as TOML, over data draws `data.seed`, `data.seed` + 1, …"""

    scenario: str
    trials: int
    samples: int
    bias: bool
    """Whether the spectrum takes in the kernel's bias, as one more column of Z."""


class TheoremTime(msgspec.Struct, frozen=True, kw_only=True):
    """Zhou et al. 2025, thm 1, of weights of std M^-γ: the step T up to which they follow the linear dynamics, and what
    these make of the layer by then: the share of its weights on v1, and how far it has moved over its first norm."""

    step: Spread
    ratio: Spread
    relative_change: Spread


class LabelTheory(msgspec.Struct, frozen=True, kw_only=True):
    """The theory under one kind of label. `values` are singular values of Z, largest first; `eigenvalues` of ZᵀZ.

    `ones_overlap` has an entry for each input channel, none for a dense layer. `predicted` is the step of condensation
    in the trials that reach it, `predicted_in` how many do; where it cannot be predicted, `unpredicted` says why.
    """

    labels: LabelKind
    shape: tuple[int, int]
    values: list[Spread]
    eigenvalues: list[Spread]
    ratio: Spread | None
    """λ2/λ1; None for a matrix with one singular value."""
    gap: Spread | None
    """λ1 - λ2."""
    ones_overlap: list[Spread]
    doubtful: int
    """Trials in which the direction is not determined (`thresholds.direction_is_doubtful`)."""
    lr: Spread | None
    predicted: Spread | None
    predicted_in: int
    unpredicted: str
    theorem: TheoremTime | None = None
    """None if the theorem says nothing: another initialisation, γ of 1/2 or less, or no linear dynamics."""


class Phase(msgspec.Struct, frozen=True, kw_only=True):
    """Where the initialisation lies in the phase diagram of two-layer networks (Luo et al. 2021)."""

    gamma: float
    gamma_prime: float
    regime: Literal["linear", "critical", "condensed"]


class TheoryAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the data and the initial weights say before any training."""

    data: str
    layer: str
    trials: int
    samples: int
    bias: bool
    by_labels: list[LabelTheory]
    phase: Phase | None
    """None if the network has more hidden layers than one, or is not drawn by a formula."""
    notes: list[str]
    seconds: float


class AskReduce(Ask, frozen=True, kw_only=True):
    """The effective network of a run at its newest weights, or at the newest at or before step `at`."""

    run: str
    out: str
    at: int | None = None
    keep_small: bool = False


class LayerReduction(msgspec.Struct, frozen=True, kw_only=True):
    """Kernels of one layer before and after; `unchanged` of those after are kernels that stood on no line."""

    name: str
    before: int
    after: int
    lines: int
    unchanged: int
    dropped: int


class PointAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Where a network stands on the surface of its loss, over the whole sample in float64.

    `gradient` is its Euclidean norm, `steepness` ‖∇L‖ ‖θ‖ / L, which no change of units moves: both 0 at a critical
    point. The curvatures are the largest and the lowest eigenvalue of the Hessian, to a hundredth; None where the
    network is too large for them or they were not found.
    """

    parameters: int
    loss: float
    gradient: float
    steepness: float
    largest_curvature: float | None
    lowest_curvature: float | None


class ReduceAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the effective network is and what it costs. `output_change` is ‖f_after - f_before‖ / ‖f_before‖ over the
    sample, `loss_change` relative to the loss before; accuracies are None for data without classes."""

    run: str
    step: int
    source: Literal["checkpoint", "recording"]
    layers: list[LayerReduction]
    parameters_before: int
    parameters_after: int
    output_change: float
    loss_before: float
    loss_after: float
    loss_change: float
    accuracy_before: float | None
    accuracy_after: float | None
    weights: str
    scenario: str
    trained: PointAnswer
    reduced: PointAnswer
    embedded: PointAnswer
    """The reduced network with its kernels split into as many as there were: the same outputs in the full width."""


class AskImport(Ask, frozen=True, kw_only=True):
    """A run made of event files and checkpoints: `paths` of files and folders, in the folder `runs`.

    `steps` says at which step each checkpoint was saved (importing/sources.py), `loss` which scalar is the loss,
    `layers` which layers are measured, as `watch` takes them.
    """

    paths: list[str]
    runs: str
    name: str = ""
    steps: str = "from-name"
    loss: str = ""
    layers: tuple[str, ...] = ("*",)


class ImportAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The run that was made, and what is to be said of it, in lines."""

    run: str
    folder: str
    said: list[str]


class AskDevices(Ask, frozen=True, kw_only=True):
    """Where training can run on this machine."""


class DevicesAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """PyTorch's version, and each device in words, the one that `auto` means first."""

    torch: str
    devices: list[str]


class AskPlugins(Ask, frozen=True, kw_only=True):
    """What the plugins of this machine offer."""


class Offered(msgspec.Struct, frozen=True, kw_only=True):
    """A probe, an activation or a data set of a plugin: its name as scenarios have it, the plugin with its version, and
    what it is in words."""

    kind: str
    name: str
    plugin: str
    words: str


class PluginsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """All that they offer, and what is broken, in lines."""

    offered: list[Offered]
    troubles: list[str]


class AskOwnNames(Ask, frozen=True, kw_only=True):
    """Whether what a scenario, given as TOML, names of plugins is on this machine."""

    scenario: str


class OwnNamesAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """That all of it is."""


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Instead of an answer: the one line for the person, and the exit code that goes with it."""

    error: str
    exit_code: int
