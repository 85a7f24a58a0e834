"""Whether what a scenario names of plugins is here, before a run is made of it that could only fail."""

from __future__ import annotations

from condense_core.jobs.ask import ask
from condense_core.jobs.messages import AskOwnNames, OwnNamesAnswer
from condense_core.plugins.wanted import wanted
from condense_core.scenario import toml
from condense_core.scenario.experiment import Experiment


def check_own_names(experiment: Experiment) -> None:
    """CondenseError in one line where a plugin's probe, activation or data set is not on this machine.

    A name is known only by importing the plugins, which a process of its own does; of a scenario without any, none is
    started.
    """
    if wanted(experiment):
        ask("condense_core.engine.answers.own_names", AskOwnNames(scenario=toml.dumps(experiment)), OwnNamesAnswer)
