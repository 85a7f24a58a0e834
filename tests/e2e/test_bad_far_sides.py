"""What is bad on another machine, damaged or hostile, seen over a real sshd: one line each; it hides nothing else."""

from __future__ import annotations

import json
import sys
import unicodedata
from pathlib import Path

import pytest
from bad_runs import UNREADABLE, UNSHOWABLE, spoilt
from hostile_serve import ANSWERS
from programs import command
from recording import Recording
from sshd import FarSide
from support import some_of

# Hostile far sides that answer with a list.
LISTS = ("escapes in a list", "rows that are none")

pytestmark = pytest.mark.terminal


@pytest.fixture(scope="module")
def good(far: FarSide) -> Path:
    """A whole run there, with one beside it for each way to be bad."""
    recording = Recording(far.runs, frames=3)
    recording.write()
    recording.finish()
    recording.close()
    for how in (*UNREADABLE, *UNSHOWABLE):
        spoilt(recording.folder, how)
    return recording.folder


def one_line(text: str) -> bool:
    """Whether it is one, and can do nothing to a terminal."""
    return text.count("\n") == 1 and all(unicodedata.category(sign)[0] != "C" for sign in text[:-1])


def test_a_list_names_each_bad_run_in_a_line_and_has_all_others(far, near, good):
    answer = command("runs", "list", "--host", "far", "--json")
    listed = {run["id"] for run in json.loads(answer.stdout)}
    assert listed == {good.name, *(f"{good.name}-{how}" for how in UNSHOWABLE)}
    told = answer.stderr.splitlines(keepends=True)
    # how the claim stands cannot be said of one whose scenario is wrong, which is listed all the same
    named = [*UNREADABLE, "digits", "hexadecimal"]
    assert len(told) == len(named)
    for how in named:
        (line,) = [line for line in told if f"{good.name}-{how}" in line]
        assert one_line(line)


@pytest.mark.parametrize("how", some_of(UNSHOWABLE, one_in=3))
def test_a_run_that_is_wrong_only_inside_is_copied_or_refused_in_a_line(far, near, good, how):
    name = f"{good.name}-{how}"
    for arguments in (("runs", "pull", name), ("runs", "show", name), ("attach", name, "--headless")):
        answer = command(*arguments, "--host", "far", code=None)
        if answer.returncode != 0:
            assert answer.returncode in {1, 2, 3}
            assert one_line(answer.stderr)
            assert answer.stderr.startswith("condense-tui: ")
    # it is one run: the good one is copied after it, whole
    answer = command("runs", "show", good.name, "--host", "far", "--json")
    assert json.loads(answer.stdout)["status"] == "done"


@pytest.mark.parametrize("how", some_of(UNREADABLE, one_in=3))
def test_a_run_that_cannot_be_read_there_is_refused_by_its_name(far, near, good, how):
    answer = command("runs", "show", f"{good.name}-{how}", "--host", "far", code=None)
    assert answer.returncode in {1, 2, 3}
    assert one_line(answer.stderr)


@pytest.mark.parametrize("how", some_of(ANSWERS, one_in=3))
def test_a_hostile_far_side_gets_one_line_and_no_sign_to_the_terminal(far, near, how):
    name = how.replace(" ", "-")
    here = ":".join(path for path in sys.path if path)
    script = Path(__file__).with_name("hostile_serve.py")
    far.add(name, program=f"env PYTHONPATH={here} {sys.executable} {script} '{how}' ;:")
    for arguments in (("runs", "list"), ("attach", "--headless"), ("run", "digits-gd", "--headless")):
        answer = command(*arguments, "--host", name, code=None)
        # a list of which every row is refused is a list
        assert answer.returncode in ({0} if arguments[0] == "runs" and how in LISTS else {1, 2, 3, 7})
        lines = answer.stderr.splitlines(keepends=True)
        assert 1 <= len(lines) <= (3 if how in LISTS else 1)
        assert all(map(one_line, lines)), arguments
        assert len(answer.stderr) < 2_000
