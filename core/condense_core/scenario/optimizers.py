"""How weights move: gradient descent, Adam and AdamW, with the learning rate of every step."""

from __future__ import annotations

import math
from typing import Literal

from condense_core.scenario.checked import MOST, Checked, at_least, positive, require, require_in_words

# Ways to say the learning rate, of which a scenario has one.
RATES = ("lr", "lr_lambda1", "lr_curvature")


class _Optimizer(Checked, frozen=True, kw_only=True):
    lr: float | None = None
    """The learning rate; either it or `lr_lambda1` is given."""
    lr_lambda1: float | None = None
    """Instead of `lr`: the learning rate times λ1, the top singular value of the signal matrix at the start."""
    lr_curvature: float | None = None
    """Instead of `lr`: the learning rate times the curvature at the start, the largest |eigenvalue| of the Hessian of
    the loss, so that as many steps are as much training from small and large initial weights."""
    lr_most: float | None = None
    """The highest rate that `lr_curvature` may come to: deep networks of tiny weights are flat at the start."""
    batch: int | None = None
    """Samples a step; none means the full batch, where a step is an epoch."""
    later_lr: tuple[tuple[int, float], ...] = ()
    """(step, lr) pairs, rising in the step: from that step on, the learning rate is that one."""
    warmup: int = 0
    """Steps in which the learning rate rises to its full value, by the same amount each."""
    decay: Literal["none", "cosine", "linear"] = "none"
    """How the learning rate falls from the end of the warm-up to the last step."""
    decay_to: float = 0.0
    """The share of the learning rate that a decay ends at."""
    weight_decay: float = 0.0
    """Times the weights, biases among them, that is added to the gradient, as in PyTorch; with AdamW each step takes
    the learning rate times this from the weights themselves."""
    noise: float = 0.0
    """Standard deviation of the normal numbers that each step adds to every entry of the gradient."""

    def __post_init__(self) -> None:
        given = {name: value for name in RATES if (value := getattr(self, name)) is not None}
        found = " and ".join(given) if given else "none"
        require_in_words(len(given) == 1, "lr", "exactly one of lr, lr_lambda1 and lr_curvature", found)
        for name, value in given.items():
            positive(name, value)
        if self.lr_most is not None:
            require_in_words("lr_curvature" in given, "lr_most", "lr_curvature, which it bounds", f"{found} alone")
            positive("lr_most", self.lr_most)
        if self.batch is not None:
            at_least("batch", self.batch, 1)
        steps = [step for step, _ in self.later_lr]
        rising = all(1 <= step < MOST for step in steps) and steps == sorted(set(steps))
        require(rising, "later_lr", "(step, lr) pairs with steps from 1 on, each above the one before", self.later_lr)
        for _, lr in self.later_lr:
            positive("later_lr", lr)
        at_least("warmup", self.warmup, 0)
        require(0 <= self.decay_to <= 1, "decay_to", "a share from 0 to 1", self.decay_to)
        require_in_words(
            not self.decay_to or self.decay != "none", "decay_to", "a decay that it ends ('cosine', 'linear')", "none"
        )
        changes = self.warmup or self.decay != "none"
        require_in_words(not (changes and self.later_lr), "later_lr", "either later_lr or a warm-up and decay", "both")
        for field in ("weight_decay", "noise"):
            value = getattr(self, field)
            require(math.isfinite(value) and value >= 0, field, "a finite number, 0 or more", value)

    @property
    def rate(self) -> tuple[str, float]:
        """Which of RATES says the learning rate, and what."""
        (found,) = ((name, float(value)) for name in RATES if (value := getattr(self, name)) is not None)
        return found

    @property
    def constant_lr(self) -> bool:
        """Whether every step has the same learning rate."""
        return not (self.later_lr or self.warmup or self.decay != "none")

    def lr_share(self, step: int, steps: int) -> float:
        """What warm-up and decay leave of the learning rate in the update of `step`, the first being 0, of `steps`.

        The last step of a cosine would have the rate that it ends at if there was one more, as PyTorch's
        `CosineAnnealingLR` with `T_max=steps` has it.
        """
        if step < self.warmup:
            return (step + 1) / self.warmup
        if self.decay == "none":
            return 1.0
        gone = (step - self.warmup) / (steps - self.warmup)
        left = (1 + math.cos(math.pi * gone)) / 2 if self.decay == "cosine" else 1 - gone
        return self.decay_to + (1 - self.decay_to) * left


class GD(_Optimizer, frozen=True, kw_only=True, tag_field="name", tag="gd"):
    """Gradient descent, plain or with momentum."""

    momentum: float = 0.0
    """The share of the last step's movement that is kept, as in PyTorch's SGD."""
    nesterov: bool = False
    """Whether the gradient is taken into account once more after the momentum (Nesterov's, as PyTorch has it)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require(0 <= self.momentum < 1, "momentum", "0 or more and less than 1", self.momentum)
        require_in_words(not self.nesterov or self.momentum > 0, "nesterov", "a momentum above 0", "none")


class _Moments(_Optimizer, frozen=True, kw_only=True):
    betas: tuple[float, float] = (0.9, 0.999)
    """Shares of the running means of gradient and squared gradient that a step keeps."""
    eps: float = 1e-8
    """What is added to the root of the squared gradient's mean, so that nothing is divided by 0."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require(all(0 <= beta < 1 for beta in self.betas), "betas", "two numbers in [0, 1)", self.betas)
        require(math.isfinite(self.eps) and self.eps >= 0, "eps", "0 or more", self.eps)


class Adam(_Moments, frozen=True, kw_only=True, tag_field="name", tag="adam"):
    """Adam with PyTorch's defaults."""


class AdamW(_Moments, frozen=True, kw_only=True, tag_field="name", tag="adamw"):
    """Adam whose weight decay is apart from the gradient (Loshchilov & Hutter 2019), with PyTorch's defaults."""

    weight_decay: float = 0.01


Optimizer = GD | Adam | AdamW
