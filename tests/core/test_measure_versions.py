"""A measure that gives other values has another version: those of three small runs are kept, each with its version.

`KEEP_MEASURES=1 pytest tests/core/test_measure_versions.py` keeps them anew, once the version has been raised.
"""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

import pytest
from tests.core.test_measure_table import CONVOLUTIONS, ONE_INPUT, PREDICTED

from condense_core.measure_table import CLAIMED, MEASURES
from condense_core.runfile.reader import RunReader
from condense_core.runs.standing import measured
from condense_core.scalar_names import split
from condense_core.scenario.claims import Requirement

KEPT = Path(__file__).with_name("measure_versions.json")
SCENARIOS = {"two convolutions": CONVOLUTIONS, "one convolution": PREDICTED, "one input": ONE_INPUT}
# in double precision processors and libraries differ by far less, and another definition by far more
RTOL = 1e-6
# of the clock and of the machine
NOT_REPEATED = {"steps_per_second", "recording_share"} | {
    name for name in MEASURES if name.startswith(("cpu_", "worker_", "memory_", "gpu_"))
}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_measure_that_gives_other_values_has_another_version(scenario, make_run, workers):
    folder = make_run("record.grace_seconds=1000", "dtype=float64", text=SCENARIOS[scenario])
    workers.finish(folder)
    found = _values(folder)
    if os.environ.get("KEEP_MEASURES"):
        _keep(scenario, found)
    kept = json.loads(KEPT.read_text())[scenario]
    assert kept.keys() == found.keys(), "the runs measure something else: keep the values anew"
    for name, (version, value) in kept.items():
        measure = split(name.removesuffix(" (claimed)"))[1]
        if MEASURES[measure].version != version:
            pytest.fail(f"{measure} is at version {MEASURES[measure].version}: keep its values anew")
        same = found[name][1] == pytest.approx(math.nan if value is None else value, rel=RTOL, abs=0, nan_ok=True)
        assert same, f"{name} is {found[name][1]!r}, and {value!r} at version {version}: raise the version of {measure}"


def _values(folder: Path) -> dict[str, tuple[int, float]]:
    """The last value of every measure, and what a claim would read, with the measure's version."""
    values: dict[str, tuple[int, float]] = {}
    with RunReader(folder) as run:
        one = run.member(0)
        for name in one.curve_names:
            measure = split(name)[1]
            if measure not in NOT_REPEATED:
                values[name] = (MEASURES[measure].version, float(one.curve(name)[1][-1]))
        for measure in CLAIMED:
            for name, value in measured(Requirement(measure=measure, at_least=0), one).items():
                values[f"{name} (claimed)"] = (MEASURES[measure].version, float(value))
    return dict(sorted(values.items()))


def _keep(scenario: str, found: dict[str, tuple[int, float]]) -> None:
    every = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    every[scenario] = {
        name: [version, None if math.isnan(value) else value] for name, (version, value) in found.items()
    }
    text = json.dumps(every, allow_nan=False).replace("}, ", "},\n\n").replace("], ", "],\n").replace("{", "{\n")
    KEPT.write_text(text + "\n")
