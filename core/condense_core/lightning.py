"""PyTorch Lightning, watched: `Trainer(callbacks=[condense_core.lightning.Watch()])`. Needs lightning."""

from __future__ import annotations

from typing import Any

from lightning.pytorch.callbacks import Callback

from condense_core.watching.frameworks import Framework


class Watch(Callback):  # type: ignore[misc]
    """Begins a run when training begins, and stops training where somebody asks for it. Takes the options of
    `condense_core.watch` but for the model and the optimizer."""

    def __init__(self, **options: Any) -> None:
        self._training = Framework(**options)

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Watch the module and its optimizers, of which the first one's steps count."""
        if trainer.is_global_zero:
            config = dict(getattr(pl_module, "hparams", {}))
            self._training.begin(pl_module, list(trainer.optimizers), config, step=trainer.global_step)

    def on_train_batch_end(self, trainer: Any, pl_module: Any, *_: Any) -> None:
        """Stop where that is asked for."""
        if self._training.stop_asked:
            trainer.should_stop = True

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Record what is logged."""
        self._training.log(trainer.callback_metrics)

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """End the run."""
        self._training.end()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """End the run as the training ended."""
        self._training.end(exception)
