"""`python -m condense_core.engine.answers.plugged`: what the plugins of this machine offer, for `AskPlugins`."""

from __future__ import annotations

import sys

from condense_core.engine.answers.main import answer
from condense_core.engine.network.activations import describe_multiplicity
from condense_core.errors import ScenarioError
from condense_core.jobs.messages import AskPlugins, Offered, PluginsAnswer
from condense_core.plugins.kinds import KIND_NAMES, OwnActivation, OwnProbe
from condense_core.plugins.load import plugins
from condense_core.scenario.experiment import OWN_PREFIX
from condense_core.text import printable


def offered(_: AskPlugins) -> PluginsAnswer:
    """Everything by kind and name, each activation tried, and what is broken."""
    rows, troubles = [], list(plugins().troubles)
    for own, plugin in plugins().found.values():
        name, words = own.name, ""
        if isinstance(own, OwnActivation):
            name = OWN_PREFIX + own.name
            try:
                words = f"multiplicity {describe_multiplicity(name)}"
            except ScenarioError as error:
                troubles.append(str(error))
                continue
        else:
            lead = "of each layer: " if isinstance(own, OwnProbe) and own.of == "layer" else ""
            words = printable(lead + own.help)
        rows.append(Offered(kind=KIND_NAMES[type(own)], name=name, plugin=str(plugin), words=words))
    return PluginsAnswer(offered=rows, troubles=troubles)


if __name__ == "__main__":
    sys.exit(answer(AskPlugins, offered))
