"""condense_core: `watch` records a training of your own, `open_run` and `list_runs` read what was recorded; `probe`,
`activation` and `data_set` are for plugins.

docs/PYTHON.md and docs/PLUGINS.md have examples. What is not named here is the program's own, and changes without
notice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from condense_core.plugins.kinds import activation, data_set, probe
    from condense_core.runs.listed_runs import FoundRun, RunList, list_runs
    from condense_core.runs.opened import KeptWeights, LayerSimilarity, Run, open_run
    from condense_core.watching.begin import watch

__all__ = [
    "FoundRun",
    "KeptWeights",
    "LayerSimilarity",
    "Run",
    "RunList",
    "activation",
    "data_set",
    "list_runs",
    "open_run",
    "probe",
    "watch",
]

_PLUGINS = frozenset({"activation", "data_set", "probe"})
_LISTED = frozenset({"FoundRun", "RunList", "list_runs"})
_OPENED = frozenset({"KeptWeights", "Run", "LayerSimilarity", "open_run"})


def __getattr__(name: str) -> object:
    # whoever only looks at runs never imports PyTorch, and whoever imports another part of this package no NumPy
    if name == "watch":
        from condense_core.watching.begin import watch

        return watch
    if name in _PLUGINS:
        from condense_core.plugins import kinds

        return getattr(kinds, name)
    if name in _LISTED:
        from condense_core.runs import listed_runs

        return getattr(listed_runs, name)
    if name in _OPENED:
        from condense_core.runs import opened

        return getattr(opened, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
