"""A cluster's launcher: waited for, and told of where it fails."""

from __future__ import annotations

import os
import time

import pytest

from condense_core.errors import ScenarioError
from condense_core.runfile import info
from condense_core.runfile.reader import RunReader
from condense_core.runs import launch


def row(folder):
    with RunReader(folder) as reader:
        return reader.info()


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["sh", "-c", "exit 3"], "ended with status 3 before training started"),
        (["/nowhere/srun"], "the launcher /nowhere/srun cannot be started"),
    ],
)
def test_a_launcher_that_fails_is_the_runs_reason(make_run, command, words):
    folder = make_run()
    assert launch.launch(folder, command) != 0
    assert row(folder).status == "failed"
    assert words in row(folder).reason


def test_a_run_that_waits_for_its_launcher_is_not_lost(make_run, monkeypatch):
    folder = make_run()
    monkeypatch.setattr(launch, "BEAT_S", 0.05)
    launch._update(folder, "host = ?, heartbeat = ?", "login (srun)", time.time() - 10 * info.COLD_GRACE_S)
    for file in folder.glob("run.sqlite*"):
        os.utime(file, (time.time() - 10 * info.COLD_GRACE_S,) * 2)
    assert row(folder).status == "lost"
    seen = []
    beat = launch._beat
    monkeypatch.setattr(launch, "_beat", lambda run: (beat(run), seen.append(row(run).status)))
    launch.launch(folder, ["sh", "-c", "sleep 0.4"])
    assert seen
    assert set(seen) == {"starting"}


def test_more_values_of_seeds_than_a_viewer_holds_are_refused_before_training(make_run):
    settings = ("ensemble.members=4096", "steps=100000")
    assert make_run(*settings, "record.frames=300").is_dir()
    with pytest.raises(ScenarioError, match=r"^record.frames: expected at most 305 with 4096 seeds of 1 layers"):
        make_run(*settings, "record.frames=400")
    with pytest.raises(ScenarioError, match=r"ensemble.members: expected 1 to 4096, got 4097"):
        make_run("ensemble.members=4097")
