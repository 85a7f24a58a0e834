"""What reproduce plans: which presets, how many draws of weights and data, and what trains together."""

from __future__ import annotations

import pytest
from tiny import PRESET, about, preset

from condense_core.errors import ScenarioError
from condense_tui.reproduce.arms import read_across
from condense_tui.reproduce.plan import arms, choose, draws_of, make_plan, read_presets, within
from condense_tui.reproduce.together import together


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


def test_further_draws_of_a_dense_network_cost_little(tmp_path):
    presets = {name: preset(about=about(minutes_cpu=m)) for name, m in (("a", 1.0), ("b", 2.0))}
    plan = make_plan(presets, out=tmp_path, seeds=3)
    assert [len(item.cells) for item in within(plan, minutes=1.9, jobs=2).presets] == [3, 3]
    assert [len(item.cells) for item in within(plan, minutes=1.8, jobs=2).presets] == [3, 2]


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


def test_a_question_of_our_own_is_asked_of_other_data_in_every_draw():
    presets = read_presets(["anchors-condense"], None)
    assert draws_of(presets["anchors-condense"], 2, None) == [(0, 0), (1, 1)]
    assert draws_of(presets["anchors-condense"], 2, 1) == [(0, 0), (1, 0)]
