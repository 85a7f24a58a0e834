"""A script that is on another machine, watched there and seen here."""

from __future__ import annotations

import json

import pytest
from programs import command

from condense_core.runs.place import find_run

pytestmark = pytest.mark.terminal

SCRIPT = """
import pathlib, sys
import torch
from torch import nn
pathlib.Path("beside.txt").write_text("made in the script's own folder")
model = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 4))
optimizer = torch.optim.SGD(model.parameters(), lr=float(sys.argv[2]))
for step in range(10):
    optimizer.zero_grad()
    model(torch.randn(8, 10)).square().mean().backward()
    optimizer.step()
"""


@pytest.mark.thorough
def test_a_script_there_is_watched_here(far, near):
    folder = far.folder / "my project"
    folder.mkdir()
    (folder / "train.py").write_text(SCRIPT)
    words = ("watch", "--host", "far", "--headless", "--json", str(folder / "train.py"), "--lr", "0.1")
    summary = json.loads(command(*words).stdout)
    assert (summary["status"], summary["steps"]) == ("done", 10)
    assert [layer["name"] for layer in summary["layers"]] == ["0"]
    assert (folder / "beside.txt").exists()
    mirror = find_run(near, summary["run"])
    assert "@far" in mirror.name
    line = command("runs", "resume", summary["run"], "--host", "far", code=2).stderr
    assert "only its own script can go on with it" in line


def test_a_script_that_is_not_there_is_said_in_a_line(far, near):
    answer = command("watch", "--host", "far", "--headless", "nowhere/train.py", code=2)
    assert answer.stderr == "condense-tui: far: watch: there is no script nowhere/train.py\n"
