"""Commands of README and docs do what they say, as they stand; those of the tutorial are in tests/test_site.py."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from documented import DOCUMENTS, TOP, commands_in
from many_small_runs import make_many

from condense_tui.main import main

# Where there is another machine, a data set that is not here, a GPU, or hours.
ELSEWHERE = {"--host", "--data-root", "--device", "--engine", "folder:~/pictures", "$SLURM_ARRAY_TASK_ID"}
# A value that is there to be refused.
REFUSED = {"layers.0.activation=thanh"}
EVERY = [
    (document.name, words)
    for document in DOCUMENTS
    for words in commands_in(document)
    if not ELSEWHERE.intersection(words) and document.name != "TUTORIAL.md"
]
OF_RUNS = [words for _, words in EVERY if words[0] == "runs"]
TRAINING = [(name, words) for name, words in EVERY if words[0] == "run"]


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "runs"
    make_many(folder, 12, sweep=4)
    first, second, *_ = sorted(folder.iterdir())
    first.rename(folder / "261126-120000-digits-gd-1f3a")
    second.rename(folder / "261126-120000-digits-deep-9c02")
    monkeypatch.setenv("CONDENSE_RUNS_DIR", str(folder))
    monkeypatch.chdir(tmp_path)
    return folder


def test_commands_on_runs_work_in_the_order_in_which_they_are_given(runs, monkeypatch, capsys):
    assert len(OF_RUNS) > 12
    there = len(list(runs.iterdir()))
    for words in OF_RUNS:
        # in scripts, what cannot be undone wants a word more; and a run that is gone is gone
        more = ["--yes"] if words[1] == "rm" and "--yes" not in words else []
        gone = words[1] == "rm" and not any("1f3a" in folder.name for folder in runs.iterdir())
        monkeypatch.setattr(sys, "argv", ["condense-tui", *words, *more])
        code = main()
        told = capsys.readouterr()
        assert code == 0 or (gone and "1f3a" in told.err), f"{' '.join(words)}: {told.err}"
        if words[1] in {"rename", "tag", "note"} and "1f3a" in words:
            monkeypatch.setattr(sys, "argv", ["condense-tui", "runs", "list", "--columns", "id,name,tag,note"])
            assert main() == 0
            assert words[-1] in capsys.readouterr().out or words[1] == "tag"
    assert len(list(runs.iterdir())) < there


@pytest.mark.thorough
@pytest.mark.parametrize(("document", "words"), TRAINING, ids=lambda of: " ".join(of) if isinstance(of, list) else "")
def test_commands_that_train_end_well(document, words, tmp_path, monkeypatch, forked):
    monkeypatch.setenv("CONDENSE_CONFIG_DIR", str(tmp_path / "config"))
    (tmp_path / "config").mkdir()
    if document == "PLUGINS.md":
        text = (TOP / "docs/PLUGINS.md").read_text(encoding="utf-8")
        code = "".join(re.findall(r"```python\n(.+?)```", text, re.DOTALL))
        (tmp_path / "config/own.py").write_text(code)
        (tmp_path / "config/preferences.toml").write_text('plugins = ["own.py"]\n')
    # as short as it can be: what is said of the result needs all of its steps
    words = [word for word in words if word not in {"--headless", "--check"}]
    short = ["--headless", "--set", "steps=3", "--set", "claim=none", "--set", "record.steps=[]", "--set", "quick=none"]
    answer = subprocess.run(
        [sys.executable, "-m", "condense_tui", *words, *short, "--runs-dir", str(tmp_path / "runs")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    if REFUSED.intersection(words):
        assert answer.returncode == 2 and "did you mean 'tanh'?" in answer.stderr
    else:
        assert answer.returncode == 0, answer.stderr
        assert "done at step 3" in answer.stdout
