"""Presets: every figure that a paper trains is there at its setting, and demonstrations show what they claim."""

from __future__ import annotations

import math
import re

import pytest

from condense_core.runfile.reader import RunReader
from condense_core.runs.create import create_run
from condense_core.runs.summary import summarise
from condense_core.scenario import toml
from condense_core.scenario.experiment import Cifar10, Cifar100, Experiment, Mnist
from condense_presets import figures, preset_files, preset_text
from condense_presets.paper_records import papers, record_of
from condense_tui.reproduce.plan import QUICK_MINUTES, QUICK_SEEDS, make_plan, read_presets, within

PRESETS = sorted(preset_files())
OF_PAPERS = [name for name in PRESETS if name.startswith(("fcn", "cnn"))]
# Less than a second of training each.
QUICK = sorted(name for name in PRESETS if re.match(r"fcn-fig(03|05|06|11|13).*-demo$", name))


def preset(name: str) -> Experiment:
    return toml.loads(preset_text(name), name)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_says_what_it_is_what_it_claims_and_how_long_it_takes(name):
    experiment = preset(name)
    about, claim = experiment.about, experiment.claim
    assert about.summary
    assert claim.text
    # what differs from the paper is computed, what the paper says is in its record, and counts are no words
    assert not (about.ours or about.paper_shows or about.finding)
    if about.minutes_cpu is None:
        assert "needs a GPU" in about.summary
        assert about.minutes_gpu is not None


@pytest.mark.parametrize("name", OF_PAPERS)
def test_a_papers_preset_names_a_record_and_is_named_by_its_paper_and_figure(name):
    about = preset(name).about
    said = record_of(preset(name))
    assert said is not None
    assert (about.kind == "demonstration") == name.endswith("-demo")
    found = re.fullmatch(r"(fcn|cnn)-(?:fig(\d\d)([abc]?)|(thm\d|case1|gap|linear))(-[a-z0-9]+)*", name)
    assert found, name
    assert about.record.startswith(f"{found[1]}/")
    number = f"{found[2].lstrip('0')}{found[3]}" if found[2] else found[4]
    of_table = about.record.startswith("fcn/table1-") and number == "9"
    assert of_table or re.fullmatch(rf"{number}([a-z+-].*)?", said.id), (number, said.id)


def test_every_record_is_tested_by_a_preset_or_a_figure_across_presets_or_says_why_not():
    tested = {preset(name).about.record for name in PRESETS if preset(name).about.kind == "paper"}
    tested |= {figure.record for figure in figures()}
    every = {f"{paper.name}/{item.id}": item for paper in papers().values() for item in paper.record}
    told = {name for name, item in every.items() if item.not_tested or item.kind == "drawing"}
    assert set(every) - tested == told


@pytest.mark.parametrize("name", PRESETS)
def test_no_preset_holds_a_path_or_downloads_by_itself(name):
    data = preset(name).data
    if isinstance(data, Mnist | Cifar10 | Cifar100):
        assert data.root is None
        assert not data.download


@pytest.mark.parametrize("name", [name for name in PRESETS if preset(name).quick])
def test_quick_settings_are_cheaper_and_keep_the_claim(name):
    whole = preset(name)
    small = toml.quickened(whole, name)
    assert small.about.minutes_cpu < whole.about.minutes_cpu
    assert small.claim == whole.claim
    assert [type(layer) for layer in small.layers] == [type(layer) for layer in whole.layers]


def test_quick_gives_every_cpu_preset_a_few_runs_in_its_time(tmp_path):
    plan = make_plan(read_presets([], "both"), out=tmp_path, seeds=QUICK_SEEDS, quick=True)
    kept = within(plan, QUICK_MINUTES, jobs=2)
    assert not any("min of --quick" in item.not_run for item in kept.presets)
    # all draws, but of the dearest networks
    counts = {
        item.name: (len(item.cells), len(whole.cells)) for item, whole in zip(kept.presets, plan.presets, strict=True)
    }
    assert all(count >= min(3, whole) for count, whole in counts.values())
    assert sum(count == whole for count, whole in counts.values()) >= 0.9 * len(counts)


@pytest.mark.parametrize("name", QUICK)
def test_a_quick_demonstration_shows_what_it_claims(name, tmp_path, workers):
    experiment = toml.build(toml.override(toml.parse(preset_text(name)), ["record.frames=8"]), name)
    folder = create_run(experiment, runs=tmp_path, device="cpu")
    workers.finish(folder)
    with RunReader(folder) as run:
        summary = summarise(run)
    assert summary.status == "done", summary.reason
    assert summary.claim.against == []


ON_A_GPU = ["fcn-fig09-condensed-out4", "fcn-fig14-tanh", "fcn-fig18c"]


@pytest.mark.parametrize(
    "name", ["fcn-fig02-xtanh", *(pytest.param(name, marks=pytest.mark.thorough) for name in ON_A_GPU)]
)
def test_a_preset_for_a_gpu_trains_at_a_small_size_which_does_not_show_its_claim(name, tmp_path, workers):
    data = ["data.name=photos", "data.size=32", "data.samples=8", "data.test_samples=4"]
    settings = [*data, "layers.*.width=8", "optimizer.batch=4", "steps=3", "record.steps=[]"]
    small = toml.override(toml.parse(preset_text(name)), [*settings, "record.frames=2"])
    folder = create_run(toml.build(small, name), runs=tmp_path, device="cpu")
    workers.finish(folder)
    with RunReader(folder) as run:
        summary = summarise(run)
        assert summary.status == "done", summary.reason
        assert summary.claim.holds is False
        assert run.layers == ("dense1", "dense2")
        assert math.isfinite(run.last("loss"))
