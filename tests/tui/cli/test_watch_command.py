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


RESUMED = """
import sys
import torch
from torch import nn
width, start, steps = map(int, sys.argv[1:])
torch.manual_seed(0)
model = nn.Sequential(nn.Linear(10, width), nn.ReLU(), nn.Linear(width, 12), nn.ReLU(), nn.Linear(12, 4))
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
if start:
    kept = torch.load("kept.pt")
    model.load_state_dict(kept[0])
    optimizer.load_state_dict(kept[1])
for step in range(start, steps):
    if step == 7:
        torch.save((model.state_dict(), optimizer.state_dict()), "kept.pt")
    optimizer.zero_grad()
    model(torch.randn(8, 10)).square().mean().backward()
    optimizer.step()
"""


@pytest.mark.thorough
def test_a_script_that_resumes_goes_on_in_its_run_untouched(command, tmp_path):
    (tmp_path / "resumes.py").write_text(RESUMED)
    command("watch", "--headless", "resumes.py", "16", "0", "10")
    folder = only(tmp_path)
    assert "step 15" in command("watch", "--headless", "--resume", folder.name, "resumes.py", "16", "7", "15").stdout
    with RunReader(only(tmp_path)) as run:
        assert run.curve("loss")[0].tolist() == list(range(16))
        (said,) = [event.text for event in run.events if event.kind == "resumed"]
        assert said == (
            "resumed at step 7, as its optimizer counts; what was recorded up to step 10 stands, and is not recorded"
            " again; other than before: arguments 16 7 15 (was 16 0 10)"
        )
        assert (run.info().status, run.info().can) == ("done", ("pause", "stop"))
    # another network is said at its first step, and ends
    answer = command("watch", "--headless", "--resume", folder.name, "resumes.py", "20", "0", "30", code=1)
    said = f"layer 0 of {folder.name} is dense 16 × 11 (bias), and this network's is dense 20 × 11 (bias)"
    assert f"failed: not resumed: {said}; what was recorded stands" in answer.stderr
    assert said in (folder / "worker.log").read_text()
    assert read_run(folder).step == 15


def test_a_run_that_cannot_be_resumed_is_said_before_the_script_starts(command, tmp_path, make_run):
    folder = make_run()
    for words, says in (
        (
            ("--resume", folder.name),
            f"{folder.name} was trained by the engine; to go on with it: condense-tui runs resume",
        ),
        (("--resume", "nothing"), "no run 'nothing' in"),
        (("--step", "3"), "--step: only a run that is resumed (--resume) begins at another step than 0"),
        (("--resume", folder.name, "--name", "x"), "--name: a run that is resumed has its name already"),
    ):
        line = command("watch", "--headless", *words, "train.py", "--steps", "1", code=2).stderr
        assert line.count("\n") == 1
        assert line.startswith(f"condense-tui: {says}"), line
    assert len(run_folders(tmp_path / "runs")) == 1


@pytest.mark.thorough
def test_a_module_is_run_as_python_runs_it_and_two_optimizers_of_one_network_are_found(command, tmp_path):
    package = tmp_path / "project"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "sizes.py").write_text("WIDTH = 16")
    script = RESUMED.replace("import sys", "import sys\nfrom .sizes import WIDTH\nprint(__name__, sys.argv[0])")
    one = "optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)"
    two = (
        "optimizer = torch.optim.AdamW(model[2:].parameters())\nother = torch.optim.SGD(model[0].parameters(), lr=0.1)"
    )
    script = script.replace(one, two).replace("optimizer.step()", "optimizer.step(); other.step()")
    (package / "train.py").write_text(f"{script}assert steps < 9, 'too many'")
    words = ("watch", "--headless", "-m", "project.train", "16", "0")
    summary = command(*words, "8").stdout
    assert "step 8" in summary
    folder = only(tmp_path)
    with RunReader(folder) as run:
        assert (run.info().name, run.subject.script, run.subject.arguments) == (
            "train",
            "-m project.train",
            ("16", "0", "8"),
        )
        found = [event.text for event in run.events if event.kind == "found"]
        assert found[1].startswith("another optimizer, SGD, lr 0.1")
        assert found[1].endswith("changes 2 parameters of it, too")
        assert len(run.curve("0.velocity_cos")[0]) == 8
    assert f"__main__ {package / 'train.py'}" in (folder / "worker.log").read_text()
    answer = command(*words, "9", code=1)
    assert "failed: AssertionError: too many" in answer.stderr
    log = max(run_folders(tmp_path / "runs")) / "worker.log"
    assert log.read_text().count("Traceback") == 1
    assert "condense_core" not in log.read_text().partition("Traceback")[2]
    for name, says in (("nowhere.train", "there is no module nowhere in"), ("a-b", "expected the name of a module")):
        line = command("watch", "-m", name, code=2).stderr
        assert line.startswith(f"condense-tui: watch -m: {says}")
        assert line.count("\n") == 1


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
