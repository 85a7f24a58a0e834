"""`reduce` as a person calls it, and its scenario as another command finds it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from condense_tui.resolve.scenario import build_scenario

pytestmark = pytest.mark.usefixtures("forked")


def test_reduce_writes_a_scenario_that_is_found_from_anywhere(make_run, workers, tmp_path, monkeypatch):
    folder = make_run("steps=100")
    workers.finish(folder)
    command = [sys.executable, "-m", "condense_tui", "reduce", str(folder), "--out", str(tmp_path / "small"), "--json"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    found = json.loads(answer.stdout)
    assert found["layers"][0]["before"] == 12
    monkeypatch.chdir("/")
    experiment, _ = build_scenario(found["scenario"], settings=[])
    assert Path(experiment.initial).resolve() == (tmp_path / "small" / "effective.safetensors").resolve()
    assert experiment.layers[0].width == found["layers"][0]["after"]


def test_a_step_without_weights_says_which_are_kept(make_run, workers, tmp_path):
    folder = make_run("steps=100")
    workers.finish(folder)
    command = [sys.executable, "-m", "condense_tui", "reduce", str(folder), "--out", str(tmp_path / "small")]
    answer = subprocess.run([*command, "--at", "99"], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    kept = re.search(r"no weights are kept of step 99; they are at \d+ steps: 0, .* … 100", answer.stdout)
    assert kept, answer.stdout
