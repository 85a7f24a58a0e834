"""Which run a person means by a name."""

from __future__ import annotations

import pytest

from condense_core.errors import RunFileError, SeveralRunsError
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
    with pytest.raises(SeveralRunsError, match=f"'mine' fits 2 runs .{again}, {MINE}."):
        choose([again, TANH, MINE], "mine", "here")
    assert choose([again, TANH, MINE], again, "here") == again


def test_what_cannot_be_undone_takes_no_name():
    with pytest.raises(RunFileError, match="needs the whole of it"):
        choose([TANH, MINE], "mine", "here", whole=True)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("wide start", TANH),
        ("wide st", TANH),
        ("start", TANH),
        # the run that screens call so, and not the one that was
        ("mine-tanh", OTHER),
        ("mine", MINE),
        ("11bb", MINE),
        # as it stands in the id of a run that was started by that name
        ("Mine!", MINE),
    ],
)
def test_a_name_that_was_given_says_which_run_is_meant(name, meant):
    assert choose([TANH, MINE, OTHER], name, "here", given=lambda: {TANH: "wide start", OTHER: "mine-tanh"}) == meant


def test_runs_that_were_given_one_name_are_told_apart_by_their_ids():
    with pytest.raises(SeveralRunsError, match=f"'wide' fits 2 runs .{TANH}, {OTHER}."):
        choose([TANH, MINE, OTHER], "wide", "here", given=lambda: {TANH: "wide", OTHER: "wide"})


def test_an_error_lists_the_names_that_screens_show():
    with pytest.raises(RunFileError, match="no run 'x' in here; expected one of wide start, mine, other, 261126-"):
        choose([TANH, MINE, OTHER], "x", "here", given=lambda: {TANH: "wide start"})


def test_what_cannot_be_undone_takes_no_name_that_was_given():
    with pytest.raises(RunFileError, match=f"'wide' is no id, and .* needs the whole of it: {TANH}"):
        choose([TANH, MINE], "wide", "here", whole=True, given=lambda: {TANH: "wide"})


def test_an_id_is_found_without_asking_for_names():
    def given():
        raise AssertionError

    assert choose([TANH, MINE], "11bb", "here", given=given) == MINE
