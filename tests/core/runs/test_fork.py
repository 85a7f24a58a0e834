"""Runs that forks of a command read are the same runs, and nothing of the command shows twice or is left."""

from __future__ import annotations

import ast
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from recording import Recording

from condense_core.runfile.schema import FILE_NAME
from condense_core.runs import fork
from condense_core.scenario.claims import Claim, Requirement

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="there are forks on Linux alone")

CLAIM = Claim(text="it condenses", requires=(Requirement(measure="lines", layer="conv1", at_most=3),))
RUNS = 8

# A command that lists the runs of a folder: what it printed, then whether a process of its own is left; and, as errors,
# the names of the runs that other processes read.
LIST = """
import os, signal, sys, time
from pathlib import Path
from condense_core.runs import ahead, fork, glance, glances, kept, listing

ahead.usable_cores = lambda: 2
ahead.WORTH_PROCESSES = glances.WORTH_PROCESSES = 1
glances.SCREENFUL, kept.WORTH_KEEPING, ahead.AT_A_TIME, ahead.ANSWER = 0, 1000, 1, 1
folder, how = Path(sys.argv[1]), sys.argv[2]
here, write, reading, take, read = os.getpid(), ahead._write, ahead._reading, glances.Glances._take, []

def taken(*rest):
    read.append(rest[1].name)
    return take(*rest)

glances.Glances._take = taken
{set_up}
sys.stdout.write("begun\\n")
troubles = []
try:
    found = listing.rows(folder, glance.no_base, troubles.append, claims=True, forks=how == "forks")
    print([(row.glance, row.claim) for row in found], troubles)
except ZeroDivisionError:
    print("left")
try:
    print(os.waitpid(-1, os.WNOHANG))
except ChildProcessError:
    print("nothing runs")
print(read, file=sys.stderr)
"""
NO_FORK = "ahead.Fork = None"
NONE_STARTED = "ahead._started = None"
ONE_CORE = "ahead.usable_cores = lambda: 1"
# What is printed before the forks are made is still to be written when they end.
BUFFERED = {**os.environ, "PYTHONUNBUFFERED": ""}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs that were written an hour ago, one of them damaged."""
    place = tmp_path_factory.mktemp("runs")
    recording = Recording(place, frames=4, kernels=(6, 4), claim=CLAIM)
    recording.write()
    recording.finish()
    recording.close()
    for number in range(RUNS - 1):
        shutil.copytree(recording.folder, place / f"990101-00000{number}-copy-0000")
    (place / "990101-000003-copy-0000" / FILE_NAME).write_bytes(b"no run file")
    for folder in place.iterdir():
        for each in (*folder.iterdir(), folder):
            os.utime(each, (time.time() - 3600,) * 2)
    return place


def command(runs: Path, how: str, set_up: str) -> list[str]:
    return [sys.executable, "-c", LIST.format(set_up=set_up), str(runs), how]


def listed(runs: Path, how: str = "forks", set_up: str = NONE_STARTED) -> tuple[str, list[str]]:
    """What the command printed, and the names of the runs that other processes read."""
    words = command(runs, how, set_up)
    done = subprocess.run(words, capture_output=True, text=True, env=BUFFERED, timeout=60, check=True)
    return done.stdout, ast.literal_eval(done.stderr)


def test_what_forks_read_is_what_processes_and_the_command_itself_read(runs):
    alone, by_none = listed(runs, set_up=ONE_CORE)
    assert by_none == []
    begun, rows, left = alone.splitlines()
    assert (begun, left) == ("begun", "nothing runs")
    assert rows.count("is damaged") == 1
    whole = sorted(folder.name for folder in runs.iterdir() if (folder / FILE_NAME).stat().st_size > 100)
    assert len(whole) == RUNS - 1
    for how, set_up in (("forks", NONE_STARTED), ("starts", NO_FORK)):
        printed, read = listed(runs, how, set_up)
        assert printed == alone
        assert sorted(read) == whole


@pytest.mark.parametrize(
    "dies",
    [
        """
def die(*rest, **more):
    return reading(*rest, **more) if os.getpid() == here else os.kill(os.getpid(), 9)
ahead._reading = die
""",
        # in the middle of its second answer
        """
answers = []
def half(to, found):
    answers.append(found)
    if len(answers) == 1:
        return write(to, found)
    to.write(ahead._LENGTH.pack(1000) + b"half")
    to.flush()
    os.kill(os.getpid(), 9)
ahead._write = half
""",
        "ahead._write = lambda to, found: 1 / 0",
    ],
    ids=["at once", "in an answer", "by an error"],
)
def test_what_a_fork_that_dies_has_not_read_the_command_reads(runs, dies):
    alone, _ = listed(runs, set_up=ONE_CORE)
    printed, read = listed(runs, set_up=f"{NONE_STARTED}\n{dies}")
    assert printed == alone
    assert len(read) == len(set(read)) == (2 if "half" in dies else 0)


@pytest.mark.parametrize("how", ["forks", "starts"])
def test_nothing_runs_on_after_an_error(runs, how):
    printed, _ = listed(runs, how, "glances.Glances._take = lambda *rest: 1 / 0")
    assert printed == "begun\nleft\nnothing runs\n"


def test_forks_read_no_further_where_the_command_was_killed(runs):
    waits = """
begun, begins = os.pipe()
def wait(*rest, **more):
    if os.getpid() != here:
        os.write(begins, b"x")
        while os.getppid() == here:
            time.sleep(0.01)
        os.write(ready, b"x")
    return reading(*rest, **more)
ahead._reading = wait
def killed(readers):
    os.read(begun, 1), os.read(begun, 1)
    os.kill(here, signal.SIGKILL)
ahead.Ahead.found = killed
"""
    ready, theirs = os.pipe()
    process = subprocess.Popen(command(runs, "forks", f"ready = {theirs}{waits}"), pass_fds=[theirs])
    os.close(theirs)
    assert process.wait(timeout=30) == -signal.SIGKILL
    with os.fdopen(ready, "rb", buffering=0) as forks:
        # each finds out with its first answer
        assert forks.readall() == b"xx"


def test_a_fork_ends_with_a_signal_that_comes_as_it_is_made(runs):
    signalled = """
def error(*rest):
    1 / 0
signal.signal(signal.SIGTERM, error)
make, made = os.fork, []
def fork_and_signal():
    made.append(make())
    if made[-1] and len(made) == 2:
        os.kill(here, signal.SIGTERM)
    return made[-1]
os.fork = fork_and_signal
ahead._reading = lambda *rest, **more: reading(*rest, **more) if os.getpid() == here else time.sleep(60)
"""
    assert listed(runs, set_up=signalled) == ("begun\nleft\nnothing runs\n", [])


def test_where_no_process_can_be_made_the_command_reads_all(runs):
    refuse = "def refuse(*rest):\n    raise BlockingIOError\nahead._started = os.fork = refuse"
    alone, _ = listed(runs, set_up=ONE_CORE)
    for how in ("forks", "starts"):
        assert listed(runs, how, refuse) == (alone, [])


def test_a_signal_ends_command_and_forks_and_is_told_once(runs):
    # as the command has a handler for it, which no fork may run
    waits = """
def handler(number, frame):
    os.write(ready, b"told")
    raise ZeroDivisionError
signal.signal(signal.SIGINT, handler)
def wait(*rest, **more):
    if os.getpid() != here:
        os.write(ready, b"x")
        time.sleep(60)
    return reading(*rest, **more)
ahead._reading = wait
found = ahead.Ahead.found
def waits(readers):
    os.write(ready, b"x")
    yield from found(readers)
ahead.Ahead.found = waits
"""
    ready, theirs = os.pipe()
    process = subprocess.Popen(
        command(runs, "forks", f"ready = {theirs}{waits}"),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=BUFFERED,
        pass_fds=[theirs],
        start_new_session=True,
    )
    os.close(theirs)
    with os.fdopen(ready, "rb", buffering=0) as forks:
        assert b"".join(forks.read(1) for _ in range(3)) == b"xxx"
        os.killpg(process.pid, signal.SIGINT)
        printed, _ = process.communicate(timeout=30)
        # nobody has the other end any more
        assert forks.readall() == b"told"
    assert printed == "begun\nleft\nnothing runs\n"


def test_a_process_of_several_threads_is_not_forked():
    end = threading.Event()
    thread = threading.Thread(target=end.wait)
    thread.start()
    try:
        assert not fork.may_fork()
    finally:
        end.set()
        thread.join()


def test_elsewhere_than_on_linux_nothing_is_forked(monkeypatch, tmp_path):
    (tmp_path / "one").touch()
    monkeypatch.setattr(fork, "THREADS", tmp_path)
    assert fork.may_fork()
    monkeypatch.setattr(fork.sys, "platform", "darwin")
    assert not fork.may_fork()
