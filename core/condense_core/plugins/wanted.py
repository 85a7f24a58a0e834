"""What a scenario names of plugins; nothing of them is imported."""

from __future__ import annotations

from condense_core.plugins.kinds import Own, OwnActivation, OwnDataSet, OwnProbe
from condense_core.scenario.experiment import OWN_PREFIX, Experiment, OwnSet


def wanted(experiment: Experiment) -> list[tuple[type[Own], str]]:
    """What the scenario names of plugins, by kind and name."""
    named: list[tuple[type[Own], str]] = [
        (OwnActivation, layer.activation.removeprefix(OWN_PREFIX))
        for layer in experiment.layers
        if layer.activation.startswith(OWN_PREFIX)
    ]
    if isinstance(experiment.data, OwnSet):
        named.append((OwnDataSet, experiment.data.set))
    named += [(OwnProbe, name) for name in experiment.record.own]
    return list(dict.fromkeys(named))
