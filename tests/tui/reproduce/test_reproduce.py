"""`reproduce`: what is trained once only, what a failure costs, and what the command writes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from support import wait_for
from tiny import about, preset

from condense_core.errors import RunFileError
from condense_core.runfile import control
from condense_core.runfile.reader import RunReader
from condense_core.runs.create import write_run
from condense_core.scenario import toml
from condense_presets import preset_text
from condense_tui.batch.drive import BatchProgress, drive, is_finished, with_finished
from condense_tui.cli.reproduce import _report, _stopped
from condense_tui.main import main
from condense_tui.reproduce.arms import read_across
from condense_tui.reproduce.plan import make_plan, read_presets
from condense_tui.reproduce.report.build import write
from condense_tui.reproduce.report.results import CellPlace, preset_result
from condense_tui.reproduce.table import progress_table
from condense_tui.reproduce.together import together

pytestmark = pytest.mark.usefixtures("forked")


def test_quick_is_about_both_papers_unless_something_else_is_asked_for(tmp_path, monkeypatch, capsys):
    def report(*words: str) -> dict[str, Any]:
        monkeypatch.setattr(sys, "argv", ["condense-tui", "reproduce", "--quick", "--finished", "--json", *words])
        assert main() == 0
        return json.loads(capsys.readouterr().out)

    said = report("--out", str(tmp_path / "all"))
    presets = {item["name"] for item in said["presets"]}
    assert {"fcn-fig03-tanh", "cnn-fig03"} <= presets and not {"momentum", "anchors-compose"} & presets
    assert any("of neither paper" in cut for cut in said["cuts"])
    said = report("--out", str(tmp_path / "one"), "momentum")
    assert [item["name"] for item in said["presets"]] == ["momentum"] and not said["cuts"]


def test_finished_cells_are_kept_and_changed_ones_trained_anew(tmp_path):
    seen: list[int] = []
    plan = make_plan({"tiny": preset()}, out=tmp_path, seeds=2)
    first = drive(plan, jobs=2, device="cpu", show=lambda progress: seen.append(len(progress.running)))
    assert max(seen) == 2
    assert all(is_finished(cell) for cell in plan.cells)
    assert len(first.ended) == 2
    before = (plan.cells[0].folder / "run.sqlite").stat().st_mtime_ns
    again = drive(plan, jobs=2, device="cpu", show=lambda _: None)
    assert len(again.kept) == 2
    assert (plan.cells[0].folder / "run.sqlite").stat().st_mtime_ns == before
    reworded = make_plan({"tiny": preset(about=about(finding="in other words"))}, out=tmp_path, seeds=1)
    assert is_finished(reworded.cells[0])
    changed = make_plan({"tiny": preset(steps=13)}, out=tmp_path, seeds=1)
    assert not drive(changed, jobs=1, device="cpu", show=lambda _: None).kept
    with RunReader(changed.cells[0].folder) as run:
        assert (run.info().status, run.info().step) == ("done", 13)


def test_a_cell_that_fails_does_not_stop_the_others(tmp_path):
    too_small = preset(data={"name": "digits", "samples": 5000}, layers=[{"kind": "dense", "width": 4}])
    plan = make_plan({"bad": too_small, "tiny": preset()}, out=tmp_path, seeds=1)
    progress = drive(plan, jobs=1, device="cpu", show=lambda _: None)
    assert len(progress.ended) == 2
    states = {cell.preset: is_finished(cell) for cell in plan.cells}
    assert states == {"bad": False, "tiny": True}


def test_ctrl_c_stops_every_worker_with_a_checkpoint_and_says_so(tmp_path):
    command = [sys.executable, "-m", "condense_tui", "reproduce", "fcn-fig12", "--seeds", "1", "--jobs", "2"]
    # in a session of its own, so that Ctrl-C reaches whatever a terminal's would
    process = subprocess.Popen(
        [*command, "--out", str(tmp_path)],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )

    def training() -> list[Path]:
        return [folder for folder in sorted(tmp_path.glob("cells/*/*")) if _step(folder) > 0]

    wait_for(lambda: len(training()) == 2)
    os.killpg(process.pid, signal.SIGINT)
    output, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said == ("condense-tui: stopped before any run finished; run the same command to continue\n")
    assert output == ""
    assert not list(tmp_path.glob("report*")), "there is nothing to report, and a report of before is left alone"
    assert len(training()) == 2, "nothing was started after it"
    for folder in training():
        with RunReader(folder) as run:
            assert run.info().status == "stopped"
        assert (folder / "checkpoint.safetensors").is_file()


class CtrlC:
    """An engine at which somebody presses Ctrl-C when the first cell has been begun."""

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def start(self, cell):
        cell.folder.mkdir(parents=True)
        write_run(cell.folder, cell.experiment)

    def ended(self, seconds):
        raise KeyboardInterrupt


def test_after_ctrl_c_the_report_has_what_is_finished_and_names_what_is_missing(tmp_path):
    presets = {"done": preset(), "open": preset()}
    drive(make_plan({"done": presets["done"]}, out=tmp_path, seeds=2), jobs=1, device="cpu", show=lambda _: None)
    plan = make_plan(presets, out=tmp_path, seeds=3)
    progress = drive(plan, jobs=1, device="cpu", show=lambda _: None, engine=CtrlC())
    assert progress.interrupted
    assert (len(progress.ended), len(progress.open)) == (2, 4)
    report = _report(plan, progress, _stopped(plan, progress), "the command", 1, 0.0)
    done, open_ = report.presets
    assert (done.words, done.missing) == ("holds (2 of 2 draws)", ["1 run (seed 2): not started"])
    assert open_.words == f"not tested here ({open_.not_run})" == "not tested here (not run yet, about 33 s)"
    assert open_.missing == ["3 runs (seed 0 to seed 2): not started"]
    _, markdown, page = write(report, tmp_path)
    for file in (markdown, page):
        assert file.stem == "report-so-far", "a whole report of before is left alone"
        text = file.read_text(encoding="utf-8")
        assert "claims that were tested hold so far" in text
        assert "after 2 of 6 runs" in text
        assert "3 runs (seed 0 to seed 2): not started" in text
    _, *whole = write(msgspec.structs.replace(report, stopped=""), tmp_path)
    assert [file.name for file in whole] == ["report.md", "report.html"]
    assert not markdown.exists()
    assert not page.exists()


def test_a_figure_across_presets_with_runs_missing_is_not_judged(tmp_path):
    presets = read_presets(["fcn-fig18a"], None)
    plan = make_plan(presets, out=tmp_path, seeds=1, across=read_across(["fcn-fig18a"], presets))
    progress = BatchProgress(waiting=plan.cells, interrupted=True)
    (figure,) = _report(plan, progress, "after 0 runs", "the command", 1, 0.0).figures
    assert figure.outcome == "not tested here"
    assert "stopped before it was complete" in figure.not_run


def test_what_is_finished_is_reported_without_training(tmp_path, monkeypatch, capsys):
    """A row that was not reached says how long it takes; the same command without --finished goes on from there."""
    texts = {"fcn-fig03-tanh-demo": preset_text("fcn-fig03-tanh-demo"), "cnn-fig06a": preset_text("cnn-fig06a")}
    presets = {name: toml.loads(text, name) for name, text in texts.items()}
    one = {"fcn-fig03-tanh-demo": presets["fcn-fig03-tanh-demo"]}
    trained = together(make_plan(one, out=tmp_path / "out", seeds=2), 1)
    drive(trained, jobs=1, device="cpu", show=lambda _: None)
    before = sorted(file.stat().st_mtime_ns for file in tmp_path.glob("out/cells/*/*/run.sqlite"))
    table = tmp_path / "table.md"
    words = ["--seeds", "2", "--jobs", "1", "--out", str(tmp_path / "out"), "--data", "cifar10=photos"]
    asked = ["reproduce", *texts, *words, "--finished", "--table", str(table)]
    monkeypatch.setattr(sys, "argv", ["condense-tui", *asked])
    assert main() == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "not run yet, about" in said
    assert sorted(file.stat().st_mtime_ns for file in tmp_path.glob("out/cells/*/*/run.sqlite")) == before
    assert (tmp_path / "out" / "report-so-far.html").is_file()
    rows = {line.split("|")[1].strip(): line for line in table.read_text().splitlines() if line.startswith("| ")}
    assert "not run yet, about" in rows["6a"]
    assert "not asked for" in rows["3"]


def test_what_is_finished_is_found_however_it_was_put_together(tmp_path):
    """More draws than before, or another number of runs at a time, train only what is not there."""
    presets = {"tiny": preset(about=about(record="fcn/3a", kind="paper"))}

    def plan(seeds):
        return together(with_finished(make_plan(presets, out=tmp_path, seeds=seeds)), 1)

    drive(plan(3), jobs=1, device="cpu", show=lambda _: None)
    (tmp_path / "cells" / "tiny" / "not-a-run").mkdir()
    more = plan(5)
    assert [(cell.seed, cell.data_seed) for cell in more.cells] == [(number, number) for number in range(5)]
    progress = drive(more, jobs=1, device="cpu", show=lambda _: None)
    assert [cell.seed for cell in progress.kept] == [0, 1, 2]
    assert len(plan(5).cells) == len(drive(plan(5), jobs=1, device="cpu", show=lambda _: None).kept) == 5
    fewer = drive(plan(2), jobs=1, device="cpu", show=lambda _: None)
    assert len(fewer.kept) == len(fewer.ended) == 2


def _step(folder: Path) -> int:
    try:
        with RunReader(folder) as run:
            return run.info().step
    except RunFileError:
        return 0


def test_an_interrupted_cell_goes_on_from_its_checkpoint(tmp_path, workers):
    plan = make_plan({"tiny": preset(steps=120_000)}, out=tmp_path, seeds=1)
    (cell,) = plan.cells
    cell.folder.mkdir(parents=True)
    write_run(cell.folder, cell.experiment)
    worker = workers.start(cell.folder)
    wait_for(lambda: _step(cell.folder) > 0)
    control.send(cell.folder, "stop")
    wait_for(workers.has_ended, worker)
    with RunReader(cell.folder) as run:
        stopped = run.info()
    assert stopped.status == "stopped"
    assert 0 < stopped.step < 120_000
    drive(plan, jobs=1, device="cpu", show=lambda _: None)
    with RunReader(cell.folder) as run:
        assert (run.info().status, run.info().step) == ("done", 120_000)
        assert [event.text for event in run.events if event.kind == "continued"] == [
            f"from the checkpoint at step {stopped.step}"
        ]


def test_the_table_says_what_is_open(tmp_path):
    plan = make_plan({"tiny": preset(), "other": preset()}, out=tmp_path, seeds=2)
    cells = plan.cells
    done = [cell for cell in cells if cell.preset == "other"]
    open_ = [cell for cell in cells if cell.preset == "tiny"]
    table = progress_table(plan, BatchProgress(waiting=open_[1:], running=open_[:1], ended=done))
    assert table.row_count == 1
    assert table.caption == "2 of 4 runs ended"


def test_the_command_writes_a_report_and_its_exit_code_is_the_verdict(tmp_path):
    command = [sys.executable, "-m", "condense_tui", "reproduce", "fcn-fig15-tanh", "--seeds", "1", "--json"]
    answer = subprocess.run([*command, "--out", str(tmp_path)], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    (found,) = json.loads(answer.stdout)["presets"]
    assert (found["outcome"], found["paper_verdict"]["of"], found["demonstration"]) == ("holds", 1, None)
    assert {path.name for path in tmp_path.iterdir()} == {"cells", "report.md", "report.html"}
    assert (Path(found["cells"][0]["folder"]) / "run.sqlite").is_file()


def test_the_command_trains_on_data_that_stand_in_and_the_report_says_so(tmp_path):
    command = [sys.executable, "-m", "condense_tui", "reproduce", "cnn-fig14", "--seeds", "1", "--json"]
    answer = subprocess.run(
        [*command, "--data", "mnist=digits", "--out", str(tmp_path)], capture_output=True, text=True, check=False
    )
    (found,) = json.loads(answer.stdout)["presets"]
    assert found["changes"] == ["data: digits in place of mnist"]
    assert found["paper_verdict"]["why"] == "other settings: data: digits, the paper mnist"
    assert found["demonstration"]["of"] == 1
    assert answer.returncode == 0
    for name in ("report.md", "report.html"):
        assert "data: digits in place of mnist" in (tmp_path / name).read_text(encoding="utf-8")


def test_draws_of_a_dense_network_train_as_one_run_and_count_as_they_would_apart(tmp_path):
    apart = make_plan({"tiny": preset()}, out=tmp_path, seeds=3, data_seeds=2)
    joined = together(apart, jobs=2)
    (tiny,) = joined.presets
    assert [(cell.seed, cell.data_seed, cell.member) for cell in tiny.cells] == [
        (0, 0, 0), (1, 0, 1), (2, 0, 2), (0, 1, 0), (1, 1, 1), (2, 1, 2),
    ]  # fmt: skip
    assert len({cell.folder for cell in tiny.cells}) == 2
    for cell, alone in zip(tiny.cells, apart.cells, strict=True):
        assert cell.experiment.members[cell.member] == alone.experiment
    progress = drive(joined, jobs=1, device="cpu", show=lambda _: None)
    assert len(progress.ended) == 6
    assert len(list(tmp_path.glob("cells/tiny/*"))) == 2
    places = [CellPlace(cell.folder, cell.seed, cell.data_seed, member=cell.member) for cell in tiny.cells]
    found = preset_result("tiny", tiny.experiment, places)
    assert (len(found.cells), found.demonstration.of) == (6, 6)
    values = [cell.measured[0]["loss_ratio"] for cell in found.cells]
    assert len(set(values)) == 6, "members are different draws"
    assert all(is_finished(cell) for cell in tiny.cells)


def test_a_claim_in_other_words_trains_nothing_anew_and_one_at_another_step_does(tmp_path):
    plan = make_plan({"tiny": preset()}, out=tmp_path, seeds=1)
    drive(plan, jobs=1, device="cpu", show=lambda _: None)
    claim = {"text": "other", "requires": [{"measure": "loss_ratio", "at_least": 0.6}]}
    (told,) = make_plan({"tiny": preset(claim=claim)}, out=tmp_path, seeds=1).cells
    claim["requires"][0]["at"] = 5
    (later,) = make_plan({"tiny": preset(claim=claim)}, out=tmp_path, seeds=1).cells
    assert is_finished(told)
    assert not is_finished(later)
