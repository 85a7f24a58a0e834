"""What is read of the members of an ensemble: their curves, a frame after the other, and a file for all of them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from condense_core.errors import RunFileError
from condense_core.runfile import frames, reader
from condense_core.runfile.curves import Spreads
from condense_core.runfile.member_files import MemberFiles
from condense_core.runfile.writer import RunWriter, StepRecord

MEMBERS = 5
NAMES = ("a", "b", "c")


def frame(names: tuple[str, ...], members: tuple[int, ...], values: np.ndarray) -> frames.Members:
    return frames.Members(names=names, members=members, values=frames.Array.of(values, "f8"))


def drawn(steps: int) -> list[tuple[int, frames.Members]]:
    """Each step with some of the names and some of the members, in any order."""
    generator = np.random.default_rng(0)
    found = []
    for step in range(steps):
        names = tuple(generator.permutation(NAMES)[: generator.integers(1, len(NAMES) + 1)].tolist())
        members = tuple(generator.permutation(MEMBERS)[: generator.integers(1, MEMBERS + 1)].tolist())
        found.append((step, frame(names, members, generator.standard_normal((len(names), len(members))))))
    return found


@pytest.mark.parametrize("ask_every", [1, 7, 40])
def test_curves_of_members_are_what_the_frames_say(ask_every):
    spreads = Spreads(MEMBERS)
    expected: dict[tuple[str, int], list[tuple[int, float]]] = {}
    for step, one in drawn(40):
        spreads.append(step + 1, step, one)
        for name, row in zip(one.names, one.numpy(), strict=True):
            for member, value in zip(one.members, row.tolist(), strict=True):
                expected.setdefault((name, member), []).append((step, value))
        if (step + 1) % ask_every:
            continue
        for name in NAMES:
            last = spreads.last(name)
            for member in range(MEMBERS):
                points = expected.get((name, member), [])
                steps, values = spreads.curve(name, member)
                assert list(zip(steps.tolist(), values.tolist(), strict=True)) == points
                assert last[member] == pytest.approx(points[-1][1] if points else math.nan, abs=0, nan_ok=True)
                steps, values = spreads.spread(name)
                known = ~np.isnan(values[:, member])
                assert list(zip(steps[known].tolist(), values[known, member].tolist(), strict=True)) == points
    assert len(spreads.spread("none")[0]) == 0


@pytest.mark.parametrize("members", [(0, 0), (MEMBERS,), (0, MEMBERS + 3)])
def test_members_that_a_run_does_not_have_are_damage(members):
    with pytest.raises(RunFileError, match="seeds that the run does not have"):
        Spreads(MEMBERS).append(1, 0, frame(("a",), members, np.zeros((1, len(members)))))


def test_a_file_is_opened_once_for_its_members_in_turn(make_run, monkeypatch):
    one, other = make_run("ensemble.members=3"), make_run()
    writer = RunWriter(one)
    writer.append(StepRecord(0, [("loss", 2.0)], [("", frame(("loss",), (0, 1, 2), np.array([[1.0, 2.0, 3.0]])))], []))
    writer.close()
    opened, real = [], reader.open_reader
    monkeypatch.setattr(reader, "open_reader", lambda file, **how: opened.append(file.parent) or real(file, **how))
    with MemberFiles() as files:
        assert [files.member(one, number).curve("loss")[1].tolist() for number in range(3)] == [[1.0], [2.0], [3.0]]
        assert opened == [one]
        assert files.member(other).members == 1
        assert opened == [one, other]
        with pytest.raises(RunFileError, match="expected 0 to 0"):
            files.member(other, 1)
        with pytest.raises(RunFileError, match="no run file"):
            files.member(other / "none")
        # and goes on with the next
        assert files.member(one, 2).curve("loss")[1].tolist() == [3.0]
