"""What the callbacks for frameworks share: they begin a run when training begins and end it with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer

from condense_core.watching.begin import watch
from condense_core.watching.ending import ending
from condense_core.watching.heard import heard
from condense_core.watching.run import WatchedRun


class Framework:
    """A run of a training whose loop a framework makes. `options` are those of `watch`."""

    def __init__(self, **options: Any) -> None:
        self._options = options
        self.run: WatchedRun | None = None
        """The run; None before training begins."""

    def begin(
        self, model: nn.Module, optimizer: Optimizer | Sequence[Optimizer] | None, config: object, *, step: int
    ) -> None:
        """Training begins, at a step that is not 0 where the framework resumes from its checkpoint."""
        known = {"config": config}
        if self._options.get("resume") is not None:
            known["step"] = step
        self.run = watch(model, optimizer, **{**known, **self._options})
        self.run.hears = heard().take

    def log(self, values: Mapping[str, Any]) -> None:
        """Record the numbers among these values."""
        if self.run is not None:
            self.run.log({name: value for name, value in values.items() if isinstance(value, int | float | Tensor)})

    @property
    def stop_asked(self) -> bool:
        """Whether somebody has asked that training should stop."""
        return self.run is not None and self.run.stop_asked

    def end(self, error: BaseException | None = None) -> None:
        """Training is over."""
        if self.run is not None:
            self.run.close(*ending(error))
            self.run = None
