"""condense_core: measures, run files, and the engine; `watch` records a training of your own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from condense_core.watching.begin import watch

__all__ = ["watch"]


def __getattr__(name: str) -> object:
    # whoever only looks at runs never imports PyTorch
    if name == "watch":
        from condense_core.watching.begin import watch

        return watch
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
