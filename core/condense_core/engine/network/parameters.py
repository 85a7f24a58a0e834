"""Layers whose parameters are memory alone: nothing is drawn where they are made."""

from __future__ import annotations

from torch import nn


class Linear(nn.Linear):
    """Torch's own start would use the global generator."""

    def reset_parameters(self) -> None:
        """Left to whoever made it."""


class Conv2d(nn.Conv2d):
    """As `Linear`."""

    def reset_parameters(self) -> None:
        """Left to whoever made it."""


class Embedding(nn.Embedding):
    """As `Linear`."""

    def reset_parameters(self) -> None:
        """Left to whoever made it."""
