"""What a run is called depends on its own name too, not on which run of the same scenario was named first."""

from __future__ import annotations

import msgspec

from condense_core.runfile.info import read_run
from condense_tui.draw.label import label


def test_runs_of_one_scenario_keep_their_own_names(make_run):
    folder = make_run("ensemble.members=4")
    plain = read_run(folder)
    named = msgspec.structs.replace(plain, name="mine")
    for first, second in ((named, plain), (plain, named)):
        assert {label(folder, first), label(folder, second)} == {"mine", f"{plain.name} · 4 seeds"}
