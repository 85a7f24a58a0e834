"""Which run a person means by a name."""

from __future__ import annotations

import pytest

from condense_core.errors import RunFileError
from condense_core.runs.place import choose

TANH, MINE, OTHER = "261126-120000-mine-tanh-00aa", "261126-110000-mine-11bb", "261126-100000-other-22cc"
FAR = f"{MINE}@lab"


@pytest.mark.parametrize(
    ("names", "name", "meant"),
    [
        ([TANH, MINE, OTHER], "mine", MINE),
        ([TANH, MINE, OTHER], "mine-tanh", TANH),
        ([TANH, OTHER, FAR], "mine", FAR),
        ([TANH, OTHER], "mine", TANH),
        ([TANH, MINE, OTHER], "11bb", MINE),
        ([TANH, MINE, OTHER], "mine-t", TANH),
    ],
)
def test_a_name_that_is_whole_wins_over_one_that_it_is_part_of(names, name, meant):
    assert choose(names, name, "here") == meant


def test_two_runs_of_one_name_are_told_apart_by_more_of_the_id():
    again = "261126-130000-mine-33dd"
    with pytest.raises(RunFileError, match=f"'mine' fits 2 runs .{again}, {MINE}."):
        choose([again, TANH, MINE], "mine", "here")
    assert choose([again, TANH, MINE], again, "here") == again


def test_what_cannot_be_undone_takes_no_name():
    with pytest.raises(RunFileError, match="needs the whole of it"):
        choose([TANH, MINE], "mine", "here", whole=True)
