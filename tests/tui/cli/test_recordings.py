"""Recordings that ship: small, replayed without PyTorch, rebuilt by one command."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
import zlib
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PIL import Image

from condense_core.errors import RunFileError
from condense_core.measure_table import MEASURES, OF_THE_MACHINE
from condense_core.runfile.measure_versions import versions_of
from condense_core.runfile.reader import RunReader
from condense_core.runs import recording
from condense_core.runs.create import MEASURES_NOTED
from condense_core.scalar_names import split
from condense_core.scenario.toml import loads
from condense_presets import preset_files, preset_text, recordings
from condense_tui.draw.layer_names import together
from condense_tui.reproduce.record import record_presets, trains_on_a_cpu
from condense_tui.snapshots.assemble import MOST_HEATMAPS


def preset_texts():
    return [(name, preset_text(name)) for name in preset_files()]


pytestmark = pytest.mark.usefixtures("forked")

SHIPPED = {name for name, text in preset_texts() if trains_on_a_cpu(loads(text, name))}
# What a wheel packs all recordings to, as zip does it; with the program beside them it stays below 12 MB.
MOST_IN_A_WHEEL = 11_000_000
LITTLE = """
name = "little"
steps = 6
layers = [{ kind = "conv", width = 4, size = 3 }]
data = { name = "photos", samples = 4, size = 8 }
init = { scheme = "normal", std = 0.01 }
optimizer = { name = "gd", lr = 0.01 }
loss = "cross-entropy"
"""


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "condense_tui", *arguments], capture_output=True, text=True, check=False
    )


def test_every_preset_that_a_cpu_can_train_has_a_recording_and_all_are_small():
    assert set(recordings()) == SHIPPED
    sizes = {name: file.stat().st_size for name, file in recordings().items()}
    assert max(sizes.values()) <= recording.LARGEST, sizes
    packed = sum(len(zlib.compress(file.read_bytes())) for file in recordings().values())
    assert packed < MOST_IN_A_WHEEL, f"{packed:,}"


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_a_recording_says_what_it_is_of_and_its_measures_are_those_of_today(name):
    """One that fails here is stale: `condense-tui presets record NAME` makes it anew."""
    experiment = loads(dict(preset_texts())[name], name)
    with RunReader(recordings()[name]) as run:
        info, trained = run.info(), run.experiment
        text = next(event.text for event in run.events if event.kind == "recorded")
        versions = versions_of(info.versions.get(MEASURES_NOTED, ""))
        recorded = {split(scalar)[1] for scalar in run.curve_names}
    assert versions is not None, "it does not say which versions its measures have"
    stale = {measure for measure in recorded if versions.get(measure) != MEASURES[measure].version}
    assert not stale
    assert info.revision and "+" not in info.revision, "made from a checkout with changes that are in no commit"
    assert f" at {info.revision} of " in text
    assert f"data seed {experiment.data.seed}, seed {experiment.seed}" in text
    assert re.search(r"of [\d,]+ (images of|points of a function|sequences with anchors)", text)
    # what was trained is the preset as it ships: a change of its setting wants another recording, one of its words not
    assert as_trained(trained) == as_trained(experiment)


def as_trained(experiment):
    return msgspec.structs.replace(experiment, about=None, claim=None, quick=None)


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_a_recording_shows_its_preset_and_nothing_of_the_machine(name):
    file = recordings()[name]
    with RunReader(file) as run:
        info = run.info()
        assert (info.preset, info.name, info.status) == (name, name, "done")
        assert (info.host, info.pid) == ("recording", None)
        assert len(run.instants) >= min(6, info.step + 1)
        for layer in run.layers:
            for step in (int(run.instants[0]), int(run.instants[-1])):
                assert run.similarity(layer, step) is not None
                assert run.condensation(layer, step) is not None
        assert (run.weights() is None) == (run.field(run.layers[0]) is None)
        assert any(event.kind == "recorded" for event in run.events)
    for place in (b"/home", b"/root", b"/work", b"/tmp", os.fsencode(Path.home())):
        assert place == b"/" or place not in file.read_bytes()
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert connection.execute("PRAGMA freelist_count").fetchone() == (0,)


def test_the_list_marks_what_has_a_recording():
    rows = json.loads(command("presets", "list", "--json").stdout)
    assert {row["name"] for row in rows if row["recording"]} == set(recordings())


def test_a_recording_is_rebuilt_by_the_command(tmp_path):
    answer = command("presets", "record", "fcn-fig03-tanh-demo", "--out", str(tmp_path), "--frames", "20")
    assert answer.returncode == 0, answer.stderr
    file = tmp_path / "fcn-fig03-tanh-demo.sqlite"
    assert [path.name for path in tmp_path.iterdir()] == [file.name]
    with RunReader(file) as new, RunReader(recordings()["fcn-fig03-tanh-demo"]) as shipped:
        assert new.last("loss") == pytest.approx(shipped.last("loss"), rel=1e-3)


def test_a_run_that_is_not_done_makes_no_recording(make_run, tmp_path):
    with pytest.raises(RunFileError, match="only finished runs"):
        recording.save_recording(make_run(), tmp_path / "x.sqlite")
    assert not (tmp_path / "x.sqlite").exists()


def test_a_recording_that_is_too_large_leaves_nothing_behind(make_run, workers, tmp_path, monkeypatch):
    folder: Path = make_run("steps=20")
    workers.finish(folder)
    monkeypatch.setattr(recording, "LARGEST", 10_000)
    place = tmp_path / "place"
    with pytest.raises(recording.TooLargeError, match="more than 10,000"):
        recording.save_recording(folder, place / "x.sqlite")
    assert list(place.iterdir()) == []


def test_a_recording_keeps_some_steps_and_of_those_everything(make_run, workers, tmp_path):
    """Similarity is kept as differences to the step before: what is thinned must still be what was measured."""
    folder: Path = make_run("steps=60", "record.frames=60", "record.steps=[7]", "record.grace_seconds=1000")
    workers.finish(folder)
    file = tmp_path / "x.sqlite"
    recording.save_recording(folder, file, most_steps=12, source="500 images of digits")
    with RunReader(folder) as whole, RunReader(file) as kept:
        steps = kept.instants.tolist()
        assert len(steps) < len(whole.instants)
        assert {0, 7, 60} <= set(steps) <= set(whole.instants.tolist())
        assert set(whole.curve_names) - set(kept.curve_names) <= set(OF_THE_MACHINE)
        assert not set(kept.curve_names) & set(OF_THE_MACHINE)
        for name in kept.curve_names:
            at, values = whole.curve(name)
            there = np.isin(at, steps)
            np.testing.assert_array_equal(kept.curve(name)[1], values[there], err_msg=name)
        for layer in whole.layers:
            for step in steps:
                np.testing.assert_array_equal(kept.similarity(layer, step), whole.similarity(layer, step))
                for kind in ("condensation", "spectrum", "alignment"):
                    assert kept.frame(kind, layer, step) == whole.frame(kind, layer, step)
        assert "of 500 images of digits" in kept.events[-1].text


def test_other_images_are_named_without_their_place(tmp_path):
    """The scenario in a recording is the preset's: a path of the machine that made it helps nobody."""
    images = tmp_path / "secret-place" / "some-photos"
    for index in range(4):
        of_class = images / f"class{index % 2}"
        of_class.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(index).integers(0, 255, (12, 12, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(of_class / f"{index}.png")
    out = tmp_path / "out"
    files = list(
        record_presets(
            {"little": loads(LITTLE, "little")},
            out,
            8,
            stand_ins={"photos": ["data.name=folder", f"data.path={images}", "data.size=8", "data.grey=false"]},
            jobs=1,
        )
    )
    assert [file.name for file in files] == ["little.sqlite"]
    content = files[0].read_bytes()
    assert b"secret-place" not in content
    with RunReader(files[0]) as run:
        assert run.experiment.data.__struct_config__.tag == "photos"
        text = run.events[-1].text
    assert "4 images of the 4 in the folder some-photos, in place of photos, data seed 0, seed 0" in text


# No PyTorch and nothing else that only training needs: importing it is an error, as where it is not installed.
WITHOUT_PYTORCH = """
import sys

class Refused:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "torchvision", "scipy", "sklearn", "safetensors"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Refused())
from condense_tui.main import main

for name in sys.argv[1:]:
    sys.argv = ["condense-tui", "replay", name]
    print(f"replayed: {name}", flush=True)
    if main():
        sys.exit(f"{name} cannot be replayed")
"""


def test_every_recording_is_replayed_without_pytorch():
    answer = subprocess.run(
        [sys.executable, "-c", WITHOUT_PYTORCH, *sorted(SHIPPED)], capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
    pages = dict(page.split("\n", 1) for page in answer.stdout.split("replayed: ")[1:])
    assert pages.keys() == SHIPPED
    for name, page in pages.items():
        assert f"{name}-recording: done" in page
        layers = run_layers(name)
        # of a network of many layers those of one block are drawn
        for layer in together(layers, layers[0], MOST_HEATMAPS):
            assert re.search(rf"^{layer} · [\d,]+ kernels", page, re.MULTILINE), f"{name} has no heatmap of {layer}"


def run_layers(name):
    with RunReader(recordings()[name]) as run:
        return run.layers
