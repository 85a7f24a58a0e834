"""Data of one's own, trained on where they are: on the far side."""

from __future__ import annotations

import json

import numpy as np
import pytest
from programs import command
from support import SMALL

pytestmark = pytest.mark.terminal


@pytest.mark.thorough
def test_a_table_is_read_on_the_host_and_one_that_is_only_here_is_said_in_a_line(far, near, tmp_path, monkeypatch):
    table = "\n".join(f"{x},{x * x}" for x in np.linspace(-1, 1, 12))
    home = far.folder / "home"
    home.mkdir(exist_ok=True)
    (home / "there.csv").write_text(table)
    (tmp_path / "here.csv").write_text(table)
    monkeypatch.chdir(tmp_path)
    words = ("run", "-", "--host", "far", "--json")
    summary = json.loads(command(*words, "--data", "csv:~/there.csv", text=SMALL).stdout)
    assert (summary["status"], summary["steps"]) == ("done", 300)
    for path in ("here.csv", str(tmp_path / "nowhere.csv")):
        answer = command(*words, "--data", f"csv:{path}", text=SMALL, code=2)
        assert answer.stderr.count("\n") == 1
        assert answer.stderr.startswith("condense-tui: far: data.path: no file ")
        assert ("is here: copy it to far, and give its path there" in answer.stderr) is (path == "here.csv")
