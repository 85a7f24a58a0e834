"""The smaller version of a preset that `--quick` trains, and in what it differs, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from condense_core.scenario.experiment import Experiment
from condense_core.scenario.toml import quickened


def quick_version(experiment: Experiment, source: str) -> tuple[Experiment, list[str]]:
    """The preset with its quick settings in force, and each as `quick setting: steps 10000 instead of 26000`."""
    if experiment.quick is None:
        return experiment, []
    small = quickened(experiment, source)
    words = [
        f"quick setting: {key} {_words(_at(small, key))} instead of {_words(_at(experiment, key))}"
        for key in experiment.quick.set
    ]
    return small, words


def _at(value: Any, key: str) -> Any:
    """What a dotted name stands for; of a list's every item where a part of it is `*`."""
    part, _, rest = key.partition(".")
    if part == "*":
        items = [_at(item, rest) if rest else item for item in value]
        return items[0] if all(item == items[0] for item in items) else items
    item = value[int(part)] if isinstance(value, Sequence) else getattr(value, part, None)
    return _at(item, rest) if rest else item


def _words(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, float):
        return f"{value:g}"
    return ", ".join(map(_words, value)) if isinstance(value, list | tuple) else str(value)
