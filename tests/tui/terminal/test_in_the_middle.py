"""Commands that are ended while they print or write: at once, by what ended them, and nothing half made is left."""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import forking
import pytest
from pseudo_terminal import PseudoTerminal
from recording import Recording

PROGRAM = [sys.executable, "-m", "condense_tui"]
TERM, HUP, QUIT, INT = signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGINT
LISTS = ["runs list", "presets list"]
# What is printed, and what is written; the rest where there is time.
EXPORTS = [pytest.param(kind, marks=() if kind == "csv" else pytest.mark.thorough) for kind in ("csv", "npz", "html")]
# More than a pipe of one page and a terminal hold.
RUNS = 150


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A folder of many runs, each as the first."""
    folder = tmp_path / "runs"
    recording = Recording(folder, frames=5)
    recording.write()
    recording.finish()
    recording.close()
    for number in range(1, RUNS):
        # the recording's own number is any
        own = int(recording.folder.name[-4:], 16)
        shutil.copytree(recording.folder, folder / f"{recording.folder.name[:-4]}{(own + number) % 2**16:04x}")
    return folder


@pytest.fixture
def environment(runs: Path) -> dict[str, str]:
    return {**os.environ, "CONDENSE_RUNS_DIR": str(runs)}


def begun(words: list[str], environment: dict[str, str], stdout: int = subprocess.PIPE) -> forking.Forked:
    return forking.Forked(
        [*PROGRAM, *words], stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE, env=environment
    )


def check_end(number: signal.Signals, status: int, said: bytes) -> None:
    """It died by the signal and said nothing, or what Ctrl-C is answered."""
    assert (status, said) == ((130, b"condense-tui: interrupted\n") if number is INT else (-number, b""))


def check_words(status: int, said: bytes) -> None:
    """No traceback; once its work is done, what it was forked from still takes its leave, which is PyTorch's."""
    assert status == 0 or b"Traceback" not in said


@pytest.mark.parametrize(
    "number", [TERM, INT, *(pytest.param(each, marks=pytest.mark.thorough) for each in (HUP, QUIT))]
)
@pytest.mark.parametrize("words", LISTS)
def test_a_list_whose_reader_waits_is_ended_at_once(
    words: str, number: signal.Signals, environment: dict[str, str], zygote: None
) -> None:
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    process = begun(words.split(), environment, writer)
    os.close(writer)
    os.read(reader, 1)
    os.kill(process.pid, number)
    said = process.communicate(timeout=20)[1]
    os.close(reader)
    check_end(number, process.returncode, said)


@pytest.mark.thorough
@pytest.mark.parametrize("number", [TERM, INT])
@pytest.mark.parametrize("words", LISTS)
def test_a_list_in_a_terminal_that_is_ended_leaves_it_as_it_was(
    words: str, number: signal.Signals, tmp_path: Path, environment: dict[str, str], zygote: None
) -> None:
    with PseudoTerminal([*PROGRAM, *words.split()], tmp_path, environment=environment, forked=True) as terminal:
        while not terminal.written:
            terminal.read()
        os.kill(terminal.pid, number)
        # a terminal that nobody reads takes some kB, and perhaps that was all
        status = terminal.end()
        assert status in {0, 130 if number is INT else -number}
        assert terminal.left_on() == []
        check_words(status, terminal.written)


def moments(environment: dict[str, str], words: list[str], source: random.Random) -> list[float]:
    """Three moments of a command, from its start to its end."""
    start, process = time.monotonic(), begun(words, environment)
    process.communicate(timeout=60)
    assert process.returncode == 0
    took = time.monotonic() - start
    return [source.uniform(third, third + 1) / 3 * took for third in range(3)]


@pytest.mark.parametrize("kind", EXPORTS)
def test_an_export_that_is_ended_at_any_moment_leaves_the_file_as_it_was_or_whole(
    kind: str, runs: Path, environment: dict[str, str], random_source: random.Random, zygote: None
) -> None:
    place = runs.parent / "written"
    place.mkdir()
    run, out, before = min(runs.iterdir()), place / f"out.{kind}", b"what was there before"
    words = ["export", str(run), "--to", kind, "--out", str(out), "--force"]
    times = moments(environment, words, random_source)
    whole = out.read_bytes()
    for number, seconds in zip((TERM, INT, HUP), times, strict=True):
        out.write_bytes(before)
        process = begun(words, environment)
        time.sleep(seconds)
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)
        said = process.communicate(timeout=20)[1]
        check_words(process.returncode, said)
        if process.returncode == 0:
            assert out.read_bytes() == whole
        else:
            assert process.returncode == (130 if number is INT else -number)
            # it may have come just after the file was put in its place
            assert out.read_bytes() in {before, whole}
        assert list(place.iterdir()) == [out], "left behind"


@pytest.mark.thorough
def test_lists_that_are_ended_at_any_moment_leave_what_the_next_one_reads(
    runs: Path, environment: dict[str, str], random_source: random.Random, zygote: None
) -> None:
    """What is kept of ended runs is written while they are listed."""
    kept = runs / ".index"
    words = ["runs", "list", "--json"]
    times = moments(environment, words, random_source)
    whole, _ = begun(words, environment).communicate(timeout=60)
    for number, seconds in zip((TERM, INT, HUP), times, strict=True):
        kept.unlink(missing_ok=True)
        process = begun(words, environment)
        time.sleep(seconds)
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)
        _, said = process.communicate(timeout=20)
        check_words(process.returncode, said)
        assert process.returncode in {0, 130 if number is INT else -number}
        assert begun(words, environment).communicate(timeout=60) == (whole, b"")
        assert {each.name for each in runs.iterdir() if not each.is_dir()} <= {kept.name}
