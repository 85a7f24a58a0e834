"""`condense-tui watch`: a script that knows nothing of it, and what can be done with its run afterwards."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from condense_core.runfile import control
from condense_core.runfile.info import read_run
from condense_core.runfile.reader import RunReader
from condense_core.runs.place import run_folders

SCRIPT = """
import sys
import torch
from torch import nn
import beside
print("begins with", sys.argv[1:])
model = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 12), nn.ReLU(), nn.Linear(12, 4))
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
for step in range(int(sys.argv[2])):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(torch.randn(8, 10)), torch.randint(0, 4, (8,)))
    loss.backward()
    optimizer.step()
print("ends")
{end}
"""


@pytest.fixture
def command(tmp_path):
    """Runs `condense-tui watch` beside a script, with its runs in a folder of the test's."""

    def run(*arguments: str, end: str = "", code: int = 0) -> subprocess.CompletedProcess[str]:
        (tmp_path / "beside.py").write_text("")
        (tmp_path / "train.py").write_text(SCRIPT.format(end=end))
        environment = {**os.environ, "CONDENSE_RUNS_DIR": str(tmp_path / "runs"), "COLUMNS": "100"}
        answer = subprocess.run(
            [sys.executable, "-m", "condense_tui", *arguments],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            env=environment,
            cwd=tmp_path,
            check=False,
            timeout=120,
        )
        assert "Traceback" not in answer.stderr
        assert answer.returncode == code, answer.stdout + answer.stderr
        return answer

    return run


def only(tmp_path: Path) -> Path:
    (folder,) = run_folders(tmp_path / "runs")
    return folder


def test_an_untouched_script_is_watched_and_what_cannot_be_done_with_its_run_is_said_in_a_line(command, tmp_path):
    summary = json.loads(command("watch", "--headless", "--json", "train.py", "--steps", "20").stdout)
    assert (summary["status"], summary["steps"]) == ("done", 20)
    assert [layer["name"] for layer in summary["layers"]] == ["0", "2"]
    assert summary["claim"] is None
    folder = only(tmp_path)
    log = (folder / "worker.log").read_text()
    assert "begins with ['--steps', '20']" in log
    assert "ends" in log
    with RunReader(folder) as run:
        info, subject = run.info(), run.subject
        assert (info.name, info.trainer, info.steps) == ("train", "watch", None)
        assert subject.script == str(tmp_path / "train.py")
        assert subject.arguments == ("--steps", "20")
        assert run.curve("loss")[1][0] == pytest.approx(1.4, abs=0.4)
        found = [event.text for event in run.events if event.kind == "found"]
        assert found[0].startswith("found Sequential (432 parameters), trained by AdamW, lr 0.001")

    for words, why in (
        (("runs", "resume", folder.name), "only its own script can go on with it: start that again"),
        (("reduce", folder.name), "only networks of this program's scenarios can be reduced"),
        (("runs", "stop", folder.name), "is done: there is nothing to stop"),
    ):
        line = command(*words, code=2).stderr
        assert line.count("\n") == 1
        assert why in line
    assert "step 20 " in command("runs", "show", folder.name).stdout
    assert "20" in command("runs", "list").stdout
    page = tmp_path / "page.html"
    command("export", folder.name, "--to", "html", "--out", str(page))
    assert "optimizer: AdamW" in page.read_text()


@pytest.mark.thorough
def test_a_script_that_fails_is_a_run_that_failed_with_its_traceback_in_the_log(command, tmp_path):
    answer = command("watch", "--headless", "train.py", "--steps", "3", end="raise ValueError('no data')", code=1)
    assert "failed: ValueError: no data" in answer.stderr
    log = (only(tmp_path) / "worker.log").read_text()
    assert log.count("Traceback") == 1
    assert "condense_core" not in log[log.index("Traceback") :]


@pytest.mark.thorough
def test_a_script_is_stopped_from_outside(command, tmp_path):
    command("watch", "--detach", "train.py", "--steps", "1000000000")
    folder = only(tmp_path)
    deadline = time.monotonic() + 60
    while read_run(folder).step < 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    control.send(folder, "stop")
    while read_run(folder).active and time.monotonic() < deadline:
        time.sleep(0.1)
    assert read_run(folder).status == "stopped"


def test_a_script_that_is_not_there_is_said_in_a_line(command, tmp_path):
    line = command("watch", "--headless", "tarin.py", code=2).stderr
    assert line == "condense-tui: watch: there is no script tarin.py\n"
    assert "give the script itself" in command("watch", "--headless", "python", "train.py", code=2).stderr
    assert run_folders(tmp_path / "runs") == []
