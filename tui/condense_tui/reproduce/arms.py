"""Claims across presets, as runs: which are asked for, and which runs each arm of them reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from condense_core.scenario.experiment import Experiment
from condense_core.scenario.figures import Arm, PaperFigure
from condense_core.scenario.toml import loads, with_settings


@dataclass(frozen=True)
class Across:
    """A figure and, by arm, the scenarios of the runs that only it needs."""

    figure: PaperFigure
    own: Mapping[str, Experiment]


def own_name(figure: PaperFigure, arm: Arm) -> str:
    """What the runs are called that belong to an arm alone."""
    return f"{figure.name}+{arm.name.replace(' ', '-')}"


def lent(figure: PaperFigure) -> list[str]:
    """The presets whose runs the figure reads, those that it has runs of its own of left out."""
    return [name for arm in figure.arms if arm.draws is None for name in arm.presets]


def is_named(figure: PaperFigure, word: str) -> bool:
    """Whether a word names the figure as it would a preset: by its name or the beginning of it."""
    return figure.name == word or figure.name.startswith(f"{word}-")


def read_across(names: Sequence[str], presets: Mapping[str, Experiment]) -> list[Across]:
    """The figures across presets that the words name as they name presets, all without words; of those, the ones
    whose arms without runs of their own are among `presets`."""
    from condense_presets import figures, preset_text

    found = []
    for figure in figures():
        named = not names or any(is_named(figure, name) for name in names)
        # without such arms it stands beside the preset of its own name
        if named and all(name in presets for name in lent(figure) or [figure.name]):
            own = {
                own_name(figure, arm): with_settings(
                    loads(preset_text(arm.presets[0]), arm.presets[0]), arm.set, figure.name
                )
                for arm in figure.arms
                if arm.draws is not None
            }
            found.append(Across(figure, own))
    return found
