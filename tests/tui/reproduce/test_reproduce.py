"""`reproduce`: what is planned, what is trained once only, and what a failure costs."""

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

from condense_core.errors import RunFileError, ScenarioError
from condense_core.runfile import control
from condense_core.runfile.reader import RunReader
from condense_core.runs.create import write_run
from condense_core.scenario import toml
from condense_presets import preset_text
from condense_tui.batch.drive import BatchProgress, drive, is_finished, with_finished
from condense_tui.cli.reproduce import _report, _stopped
from condense_tui.main import main
from condense_tui.reproduce.arms import read_across
from condense_tui.reproduce.plan import arms, choose, draws_of, make_plan, read_presets, within
from condense_tui.reproduce.report.build import write
from condense_tui.reproduce.report.results import CellPlace, preset_result
from condense_tui.reproduce.table import progress_table
from condense_tui.reproduce.together import together

pytestmark = pytest.mark.usefixtures("forked")

PRESET = """
name = "tiny"
steps = 12
layers = [{ kind = "dense", width = 6 }]
about = { summary = "tiny", paper = "fcn", minutes_cpu = 0.5 }
claim = { text = "hardly moves", requires = [{ measure = "loss_ratio", at_least = 0.7 }] }
record = { frames = 4 }
init = { scheme = "normal", std = 0.005 }
optimizer = { name = "adam", lr = 1e-4 }
[data]
name = "sine"
samples = 10
inputs = 2
"""


def preset(**changes):
    return toml.build({**toml.parse(PRESET), **changes})


def about(**changes):
    return {"summary": "s", "paper": "fcn", **changes}


def test_words_choose_presets_by_the_beginning_of_their_names():
    texts = {"fcn-fig03-tanh": PRESET, "fcn-fig03-xtanh": PRESET, "fcn-fig04": PRESET}
    assert list(choose(["fcn-fig03"], texts, None)) == ["fcn-fig03-tanh", "fcn-fig03-xtanh"]
    assert list(choose(["fcn-fig04"], texts, "fcn")) == ["fcn-fig04"]
    assert list(choose([], texts, None)) == list(texts)
    with pytest.raises(ScenarioError, match="did you mean 'fcn-fig04'"):
        choose(["fcn-fig05"], texts, None)
    with pytest.raises(ScenarioError, match="did you mean 'fcn-fig03'"):
        choose(["fcn-fig3"], texts, None)
    with pytest.raises(ScenarioError, match="--paper cnn"):
        choose([], texts, "cnn")


def test_every_draw_of_the_weights_meets_every_draw_of_the_data(tmp_path):
    plan = make_plan({"tiny": preset()}, out=tmp_path, seeds=3, data_seeds=2)
    cells = plan.presets[0].cells
    assert {(cell.experiment.seed, cell.experiment.data.seed) for cell in cells} == {
        (a, b) for a in range(3) for b in (0, 1)
    }
    assert len({cell.folder for cell in cells}) == 6
    assert cells[0].folder == tmp_path / "cells" / "tiny" / "0"


def test_what_cannot_be_run_here_says_why(tmp_path):
    conv = {"layers": [{"kind": "conv", "width": 4}], "loss": "cross-entropy"}
    presets = {
        "gpu": preset(about=about(minutes_gpu=30.0)),
        "data": preset(data={"name": "cifar10"}, **conv),
        "here": preset(),
    }
    plan = make_plan(presets, out=tmp_path, seeds=2, data_root=tmp_path)
    gpu, data, here = plan.presets
    assert "needs a GPU" in gpu.not_run
    assert not gpu.cells
    assert "no cifar-10-batches-py" in data.not_run
    assert here.cells
    assert not here.not_run
    assert make_plan(presets, out=tmp_path, seeds=2, has_gpu=True).presets[0].cells


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


def test_a_budget_gives_every_preset_a_run_before_any_a_second(tmp_path):
    images = {"data": {"name": "digits", "samples": 20}, "layers": [{"kind": "conv", "width": 3}]}
    minutes = {"a": 1.0, "b": 2.0, "c": 50.0}
    presets = {name: preset(about=about(minutes_cpu=m), **images) for name, m in minutes.items()}
    plan = within(make_plan(presets, out=tmp_path, seeds=3), minutes=4.0, jobs=2)
    assert [len(item.cells) for item in plan.presets] == [3, 2, 0]
    assert sum(item.minutes * len(item.cells) for item in plan.presets) <= 8
    assert "more than the 4 min" in plan.presets[2].not_run
    assert len(plan.cuts) == 2
    assert [cell.preset for cell in plan.cells][:2] == ["b", "b"], "long ones first"


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


def test_words_bring_the_figures_across_presets_that_they_name():
    def names(*words: str, paper: str | None = None) -> list[str]:
        return [item.figure.name for item in read_across(words, read_presets(words, paper))]

    assert set(names("cnn-thm1")) == {"cnn-thm1", "cnn-thm1-slow"}
    assert names("cnn-thm1-m64") == []
    assert names("fcn-fig18a") == ["fcn-fig18a"]
    assert names("fcn-fig03") == []
    assert {"cnn-thm1", "fcn-fig09", "fcn-fig18a"} <= set(names())
    assert set(names(paper="cnn")) == {"cnn-fig08", "cnn-gap", "cnn-thm1", "cnn-thm1-slow", "cnn-thm4"}
    # a figure that only reads what others train brings them
    assert names("fcn-remark1") == ["fcn-remark1"]
    assert "fcn-fig03-tanh" in read_presets(["fcn-remark1"], None)


def test_an_arm_with_draws_of_its_own_has_cells_that_no_preset_counts(tmp_path):
    presets = read_presets(["fcn-fig18a"], None)
    across = read_across(["fcn-fig18a"], presets)
    plan = make_plan(presets, out=tmp_path, seeds=1, across=across)
    (figure,) = plan.figures
    low, high = arms(plan, figure)
    assert [len(item.cells) for item in (*low, *high)] == [arm.draws for arm in figure.arms]
    draws = [[(cell.seed, cell.data_seed) for cell in arm[0].cells] for arm in (low, high)]
    assert draws[0] == draws[1] == [(number, number) for number in range(30)]
    assert low[0].experiment.data.terms != high[0].experiment.data.terms
    assert len(plan.cells) == 1 + sum(arm.draws for arm in figure.arms)
    assert len({cell.folder for cell in plan.cells}) == len(plan.cells)
    kept = within(plan, minutes=0.001, jobs=1)
    assert kept.own == plan.own
    assert not kept.presets[0].cells


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


def test_further_draws_of_a_dense_network_cost_little(tmp_path):
    presets = {name: preset(about=about(minutes_cpu=m)) for name, m in (("a", 1.0), ("b", 2.0))}
    plan = make_plan(presets, out=tmp_path, seeds=3)
    assert [len(item.cells) for item in within(plan, minutes=1.9, jobs=2).presets] == [3, 3]
    assert [len(item.cells) for item in within(plan, minutes=1.8, jobs=2).presets] == [3, 2]


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


def test_convolutions_are_dealt_out_to_all_cores(tmp_path):
    images = preset(data={"name": "digits", "samples": 20}, layers=[{"kind": "conv", "width": 3}])
    plan = together(make_plan({"images": images}, out=tmp_path, seeds=5), jobs=2)
    runs = {cell.folder: cell.experiment for cell in plan.cells}
    assert [(run.seed, run.ensemble.members) for run in runs.values()] == [(0, 3), (3, 2)]
    assert [cell.experiment.members[cell.member].seed for cell in plan.cells] == [0, 1, 2, 3, 4]
    (alone,) = together(make_plan({"images": images}, out=tmp_path, seeds=1), jobs=2).cells
    assert alone.experiment.ensemble.members == 1


def test_a_papers_preset_is_drawn_with_its_data_and_a_demonstration_on_its_own(tmp_path):
    names = ["fcn-fig03-tanh", "fcn-fig03-tanh-demo", "fcn-fig18b"]
    presets = {name: item for name, item in read_presets(names, None).items() if name in names}
    plan = make_plan(presets, out=tmp_path, seeds=3, data_root=tmp_path)
    drawn = {item.name: [(cell.seed, cell.data_seed) for cell in item.cells] for item in plan.presets}
    assert drawn["fcn-fig03-tanh"] == [(0, 0), (1, 1), (2, 2)]
    assert drawn["fcn-fig03-tanh-demo"] == [(0, 178), (1, 178), (2, 178)]
    # all of MNIST is the same in every draw
    assert draws_of(presets["fcn-fig18b"], 2, None) == [(0, 0), (1, 0)]
    assert draws_of(presets["fcn-fig03-tanh"], 2, 2) == [(0, 0), (1, 0), (0, 1), (1, 1)]
    (paper,) = [item for item in together(plan, jobs=2).presets if item.name == "fcn-fig03-tanh"]
    assert len({cell.folder for cell in paper.cells}) == 1
    for cell in paper.cells:
        member = cell.experiment.members[cell.member]
        assert (member.seed, member.data.seed) == (cell.seed, cell.data_seed)


def test_a_claim_in_other_words_trains_nothing_anew_and_one_at_another_step_does(tmp_path):
    plan = make_plan({"tiny": preset()}, out=tmp_path, seeds=1)
    drive(plan, jobs=1, device="cpu", show=lambda _: None)
    claim = {"text": "other", "requires": [{"measure": "loss_ratio", "at_least": 0.6}]}
    (told,) = make_plan({"tiny": preset(claim=claim)}, out=tmp_path, seeds=1).cells
    claim["requires"][0]["at"] = 5
    (later,) = make_plan({"tiny": preset(claim=claim)}, out=tmp_path, seeds=1).cells
    assert is_finished(told)
    assert not is_finished(later)


def test_a_question_of_our_own_is_asked_of_other_data_in_every_draw():
    presets = read_presets(["anchors-condense"], None)
    assert draws_of(presets["anchors-condense"], 2, None) == [(0, 0), (1, 1)]
    assert draws_of(presets["anchors-condense"], 2, 1) == [(0, 0), (1, 0)]
