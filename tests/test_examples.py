"""The examples run as they stand, and show what they say that they show."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support import need_module

from condense_core.runfile.info import read_run
from condense_core.runs.place import run_folders

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
LONGEST = 60

pytestmark = pytest.mark.usefixtures("forked")


def output_of(runs: Path, *module: str) -> str:
    """What `python -m MODULE …` prints, whose runs are in `runs`; it has ended well, and so have they."""
    answer = subprocess.run(
        [sys.executable, "-m", *module],
        cwd=ROOT,
        env={**os.environ, "CONDENSE_RUNS_DIR": str(runs), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert answer.returncode == 0, answer.stderr[-2000:]
    found = run_folders(runs)
    assert found, "nothing was recorded"
    assert {read_run(folder).status for folder in found} == {"done"}
    return str(answer.stdout)


def test_a_plain_loop_is_watched_and_condenses(tmp_path):
    said = output_of(tmp_path, "examples.plain_loop")
    shown = [(int(lines), int(share)) for lines, share in re.findall(r"lines (\d+), coverage (\d+)%", said)]
    assert len(shown) == 6
    assert shown[0][1] < 50, "it does not start condensed"
    # which steps are measured depends on the machine's speed
    assert any(lines <= 3 and share > 90 for lines, share in shown[1:])


@pytest.mark.thorough
def test_the_cells_of_the_notebook_run_one_after_the_other(tmp_path):
    said = output_of(tmp_path, "tests.notebooks", str(EXAMPLES / "notebook.ipynb"))
    assert re.search(r"<Run \S+-notebook-\w+: done, step 200 of 200>", said)
    assert "<table" in said
    assert "array([[" in said


@pytest.mark.thorough
def test_heads_condense_from_a_small_start_and_not_from_pytorchs_own(tmp_path):
    said = output_of(tmp_path, "examples.attention")
    shares = [[int(share) for share in re.findall(r"\((\d+)%\)", line)] for line in said.splitlines()]
    start, small, _, *default = shares
    assert start == [0] * 6
    assert all(share >= 50 for share in small)
    assert default == [[0] * 6] * 3


@pytest.mark.thorough
def test_a_training_that_is_resumed_goes_on_in_its_run(tmp_path):
    said = output_of(tmp_path, "examples.resume")
    assert len(run_folders(tmp_path)) == 1
    assert "the same run, done at step 300" in said
    before, after = map(int, re.findall(r"at (\d+)", said.split("measured", 1)[1])[:2])
    assert before > 0
    assert after > 0
    assert "resumed at step 100" in said


@pytest.mark.thorough
def test_lightning_is_watched_by_a_callback(tmp_path):
    need_module("lightning")
    said = output_of(tmp_path, "examples.lightning_callback")
    assert "done at step 240, layers first, second" in said


@pytest.mark.thorough
def test_transformers_trainer_is_watched_by_a_callback(tmp_path):
    need_module("transformers")
    need_module("accelerate")
    said = output_of(tmp_path, "examples.hf_trainer")
    assert "done at step 80" in said
    assert "transformer.h.1.attn.c_attn.q " in said


def test_each_example_is_short_and_has_its_line_in_the_list():
    listed = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    scripts = sorted(EXAMPLES.glob("*.py"))
    assert len(scripts) > 3
    for file in [*scripts, EXAMPLES / "notebook.ipynb"]:
        assert f"[{file.name}]({file.name})" in listed
        assert file.suffix != ".py" or len(file.read_text(encoding="utf-8").splitlines()) <= LONGEST, file.name


def test_the_notebook_is_kept_without_what_it_printed():
    cells = json.loads((EXAMPLES / "notebook.ipynb").read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert code
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
