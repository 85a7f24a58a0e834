"""A preset that trains in a moment."""

from __future__ import annotations

from typing import Any

from condense_core.scenario import toml
from condense_core.scenario.experiment import Experiment

PRESET = """
name = "tiny"
steps = 12
layers = [{ kind = "dense", width = 6 }]
about = { summary = "tiny", paper = "fcn", minutes_cpu = 0.5 }
claim = { text = "hardly moves", requires = [{ measure = "loss_ratio", at_least = 0.7 }] }
record = { frames = 4 }
init = { scheme = "normal", std = 0.005 }
optimizer = { name = "adam", lr = 1e-4 }
[data]
name = "sine"
samples = 10
inputs = 2
"""


def preset(**changes: Any) -> Experiment:
    return toml.build({**toml.parse(PRESET), **changes})


def about(**changes: Any) -> dict[str, Any]:
    return {"summary": "s", "paper": "fcn", **changes}
