"""Which of somebody's own plugins a scenario trains and measures with, and what its run says of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from condense_core.errors import ScenarioError
from condense_core.plugins.kinds import KIND_NAMES, Own, OwnActivation, OwnProbe
from condense_core.plugins.load import Plugin, find, plugins
from condense_core.plugins.wanted import wanted
from condense_core.scenario.experiment import Experiment

# Characters of a help sentence in an event.
LONGEST_HELP = 200


class Plugged(NamedTuple):
    """What of plugins a scenario uses; `missing` are lines about probes that a resumed run has to do without, and
    `troubles` about plugins of this machine that are broken."""

    used: list[tuple[Own, Plugin]]
    missing: list[str]
    troubles: tuple[str, ...]

    @property
    def probes(self) -> list[tuple[OwnProbe, Plugin]]:
        """Those that measure."""
        return [(own, plugin) for own, plugin in self.used if isinstance(own, OwnProbe)]

    @property
    def versions(self) -> dict[str, str]:
        """What the run notes of each, beside the versions of packages."""
        return {f"own {KIND_NAMES[type(own)]} {own.name}": str(plugin) for own, plugin in self.used}

    def events(self, before: Mapping[str, str]) -> list[str]:
        """What the run says of them as it begins, or goes on: which they are and what they measure, and which are
        others than `before`."""
        known = self.versions
        changed = [
            f"{name} is another than the run had so far: {now}, before {before[name]}"
            for name, now in known.items()
            if name in before and before[name] != now
        ]
        new = [
            f"own {KIND_NAMES[type(own)]} {own.name} of {plugin}"
            + (f": {own.help[:LONGEST_HELP]}" if not isinstance(own, OwnActivation) and own.help else "")
            for own, plugin in self.used
            if f"own {KIND_NAMES[type(own)]} {own.name}" not in before
        ]
        return [*new, *changed, *self.missing, *self.troubles]


def plugged(experiment: Experiment, *, resumed: bool) -> Plugged:
    """The scenario's plugins; ScenarioError where one is missing, except a probe of a run that goes on: its weights do
    not depend on it. Where the scenario names none, nothing is imported."""
    used, missing = [], []
    names = wanted(experiment)
    for kind, name in names:
        try:
            used.append(find(kind, name))
        except ScenarioError as error:
            if not (resumed and kind is OwnProbe):
                raise
            missing.append(f"{error}; the run goes on without it")
    return Plugged(used, missing, plugins().troubles if names else ())
