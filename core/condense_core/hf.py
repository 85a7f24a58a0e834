"""Hugging Face's Trainer, watched: `Trainer(…, callbacks=[condense_core.hf.Watch()])`. Needs transformers."""

from __future__ import annotations

from typing import Any

from transformers import TrainerCallback

from condense_core.watching.frameworks import Framework


class Watch(TrainerCallback):  # type: ignore[misc]
    """Begins a run when training begins, and stops training where somebody asks for it. Takes the options of
    `condense_core.watch` but for the model and the optimizer."""

    def __init__(self, **options: Any) -> None:
        self._training = Framework(**options)

    def on_train_begin(self, args: Any, state: Any, control: Any, **found: Any) -> None:
        """Watch the model and its optimizer."""
        if state.is_world_process_zero:
            self._training.begin(
                found["model"], found.get("optimizer"), args.to_sanitized_dict(), step=state.global_step
            )

    def on_step_end(self, args: Any, state: Any, control: Any, **found: Any) -> None:
        """Stop where that is asked for."""
        if self._training.stop_asked:
            control.should_training_stop = True

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **found: Any) -> None:
        """Record what is logged."""
        self._training.log(logs or {})

    def on_train_end(self, args: Any, state: Any, control: Any, **found: Any) -> None:
        """End the run."""
        self._training.end()
