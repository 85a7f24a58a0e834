"""`condense-tui import`: from a training's files to a run that every command takes."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from support import need_module

from condense_core.runfile.reader import RunReader
from condense_core.runs.glance import glance
from condense_core.runs.place import run_folders
from condense_tui.draw.line import Line
from condense_tui.main import main
from condense_tui.screens.list_lines import Viewer, run_details, run_lines
from condense_tui.snapshots import plots
from condense_tui.snapshots.assemble import Assembler, ViewRequest
from condense_tui.snapshots.playhead import Playhead
from condense_tui.terminal import look

torch = pytest.importorskip("torch")


@pytest.fixture
def command(tmp_path, monkeypatch, forked):
    """Runs `condense-tui` with its runs in a folder of the test's; its exit code."""
    monkeypatch.setenv("CONDENSE_RUNS_DIR", str(tmp_path / "runs"))
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["condense-tui", *arguments])
        return main()

    return run


def save(file: Path, weights: dict[str, torch.Tensor]) -> None:
    from safetensors.torch import save_file

    file.parent.mkdir(exist_ok=True)
    save_file(weights, file)


def test_an_import_is_shown_exported_and_refuses_what_is_not_there(command, tmp_path, capsys):
    need_module("safetensors")
    for step in (1, 30):
        save(tmp_path / f"saved/step-{step}.safetensors", {"fc.weight": torch.randn(6, 4) + step})
    assert command("import", "saved", "--headless", "--json") == 0
    captured = capsys.readouterr()
    told = json.loads(captured.out)
    (folder,) = run_folders(tmp_path / "runs")
    assert told["run"] == folder.name
    assert told["layers"][0]["name"] == "fc"
    assert f"imported as {folder.name}" in captured.err
    assert command("export", folder.name, "--to", "csv", "--out", "-") == 0
    assert "fc.lines" in capsys.readouterr().out
    assert command("replay", folder.name, "--headless") == 0
    assert command("runs", "resume", folder.name) == 2
    assert "was imported: there is no training here to resume" in capsys.readouterr().err


def test_what_cannot_be_imported_is_one_line(command, tmp_path, capsys):
    (tmp_path / "notes.safetensors").write_text("nothing of the kind")
    assert command("import", "notes.safetensors") == 2
    error = capsys.readouterr().err
    assert error.startswith("condense-tui: cannot read ") and error.count("\n") == 1
    assert run_folders(tmp_path / "runs") == []


def test_a_run_without_a_loss_says_so_in_place_of_its_curve(command, tmp_path):
    need_module("safetensors")
    save(tmp_path / "saved/step-1.safetensors", {"fc.weight": torch.randn(6, 4)})
    assert command("import", "saved", "--headless") == 0
    (folder,) = run_folders(tmp_path / "runs")
    with RunReader(folder) as run:
        snapshot = Assembler(run).snapshot(Playhead(), ViewRequest())
    assert plots.loss(snapshot, plots.Axes()).empty == "no loss is known"
    seen, viewer = glance(folder), Viewer(look.of(look.themes()[0]), unicode=True)
    listed = text_of(run_lines(seen, viewer, 80, marked=False))
    assert "fc" in listed and "x" not in listed, "x is a loss that is no number"
    assert "loss" not in text_of(run_details(seen, viewer.look, 80, 5))


def text_of(lines: list[Line]) -> str:
    return "".join(text for line in lines for text, _ in line)
