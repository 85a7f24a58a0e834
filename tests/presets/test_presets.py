"""Presets: every figure of both papers is there with a claim, and the quick ones show what they claim."""

from __future__ import annotations

import math
import re

import pytest

from condense_core.runfile.reader import RunReader
from condense_core.runs.create import create_run
from condense_core.runs.summary import summarise
from condense_core.scenario import toml
from condense_core.scenario.experiment import Cifar10, Cifar100, Experiment, Mnist
from condense_presets import preset_files, preset_text
from condense_tui.reproduce.plan import QUICK_MINUTES, QUICK_SHARE

PRESETS = sorted(preset_files())
FIGURES = {
    "fcn": {"2", "3", "4", "5", "6", "9", "10", "11", "12", "13", "14", "15", "16", "17", "18a", "18b", "18c"},
    "cnn": {*map(str, range(2, 16)), "thm1"},
}
# Less than a second of training each.
QUICK = sorted(name for name in PRESETS if re.match(r"fcn-fig(03|05|06|11|13|15|17|18a)(-|$)", name))


def preset(name: str) -> Experiment:
    return toml.loads(preset_text(name), name)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_says_where_it_comes_from_what_is_shown_and_how_long_it_takes(name):
    experiment = preset(name)
    about, claim = experiment.about, experiment.claim
    assert about.summary
    assert claim.text
    assert about.ours
    if about.minutes_cpu is None:
        assert "needs a GPU" in about.summary
        assert about.minutes_gpu is not None
    if name.startswith(("fcn", "cnn")):
        assert about.figure
        assert about.paper_shows
        assert about.finding


@pytest.mark.parametrize("name", [name for name in PRESETS if name.startswith(("fcn", "cnn"))])
def test_a_figures_preset_is_named_by_its_paper_and_number(name):
    found = re.fullmatch(r"(fcn|cnn)-(?:fig(\d\d[abc]?)|(thm\d))(-[a-z0-9]+)*", name)
    assert found, name
    about = preset(name).about
    assert about.paper == found[1]
    number = found[3] or found[2].lstrip("0")
    assert re.fullmatch(rf"{number}[a-f]?", about.figure), about.figure


@pytest.mark.parametrize("paper", FIGURES)
def test_every_figure_of_a_paper_has_a_preset(paper):
    names = [name for name in PRESETS if name.startswith(paper)]
    there = {match[1].lstrip("0") for name in names if (match := re.match(r"...-fig(\d\d[abc]?)", name))}
    there |= {match[0] for name in names if (match := re.search(r"thm\d", name))}
    assert there == FIGURES[paper]


@pytest.mark.parametrize("name", PRESETS)
def test_no_preset_holds_a_path_or_downloads_by_itself(name):
    data = preset(name).data
    if isinstance(data, Mnist | Cifar10 | Cifar100):
        assert data.root is None
        assert not data.download


@pytest.mark.parametrize("name", [name for name in PRESETS if preset(name).quick])
def test_quick_settings_are_cheaper_keep_the_claim_and_say_what_was_found(name):
    whole = preset(name)
    small = toml.quickened(whole, name)
    assert small.about.minutes_cpu < whole.about.minutes_cpu
    assert small.about.finding != whole.about.finding
    assert small.claim == whole.claim
    assert [type(layer) for layer in small.layers] == [type(layer) for layer in whole.layers]


def test_quick_gives_every_cpu_preset_two_runs_in_its_time():
    minutes = [about.minutes_cpu for name in PRESETS if (about := toml.quickened(preset(name)).about).minutes_cpu]
    assert 2 * sum(minutes) <= QUICK_MINUTES * QUICK_SHARE * 2, "on two cores"


@pytest.mark.parametrize("name", QUICK)
def test_a_quick_presets_claim_holds_for_its_own_seed(name, tmp_path, workers):
    experiment = toml.build(toml.override(toml.parse(preset_text(name)), ["record.frames=8"]), name)
    folder = create_run(experiment, runs=tmp_path, device="cpu")
    workers.finish(folder)
    with RunReader(folder) as run:
        summary = summarise(run)
    assert summary.status == "done", summary.reason
    assert summary.claim.against == []


@pytest.mark.parametrize("name", ["fcn-fig02-xtanh", "fcn-fig09-condensed-out4", "fcn-fig14-tanh", "fcn-fig18c"])
def test_a_preset_for_a_gpu_trains_at_a_small_size(name, tmp_path, workers):
    data = ["data.name=photos", "data.size=32", "data.samples=8", "data.test_samples=4"]
    settings = [*data, "layers.*.width=8", "optimizer.batch=4", "steps=3"]
    small = toml.override(toml.parse(preset_text(name)), [*settings, "record.frames=2"])
    folder = create_run(toml.build(small, name), runs=tmp_path, device="cpu")
    workers.finish(folder)
    with RunReader(folder) as run:
        summary = summarise(run)
        assert summary.status == "done", summary.reason
        assert summary.claim.holds is not None
        assert run.layers == ("dense1", "dense2")
        assert math.isfinite(run.last("loss"))
