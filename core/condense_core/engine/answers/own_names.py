"""`python -m condense_core.engine.answers.own_names`: whether this machine has what a scenario names of plugins."""

from __future__ import annotations

import sys

from condense_core.engine.answers.main import answer
from condense_core.engine.training.plugged import plugged
from condense_core.jobs.messages import AskOwnNames, OwnNamesAnswer
from condense_core.scenario import toml


def found(asked: AskOwnNames) -> OwnNamesAnswer:
    """That all of it is here; ScenarioError in one line where something is not."""
    plugged(toml.loads(asked.scenario), resumed=False)
    return OwnNamesAnswer()


if __name__ == "__main__":
    sys.exit(answer(AskOwnNames, found))
