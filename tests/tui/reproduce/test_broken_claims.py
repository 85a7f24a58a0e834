"""What a claim is about, taken away on purpose: `reproduce` says that it does not hold, and ends with status 1."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

import condense_presets
from condense_core.scenario import toml
from condense_presets import preset_text
from condense_tui.main import main

pytestmark = pytest.mark.usefixtures("forked")

DRAWS = 4
# Learns in a second to tell digits apart that it was not trained on, where their labels say what they are.
CLASSIFIER = """
name = "classifier"
steps = 60
loss = "cross-entropy"
layers = [{ kind = "dense", width = 30 }]
init = { scheme = "glorot-normal" }
optimizer = { name = "adam", lr = 0.01 }
data = { name = "digits", samples = 300, test_samples = 100 }
record = { frames = 3, probes = ["change"] }
[about]
summary = "a classifier of digits"
[claim]
text = "three of four digits that were held out are told apart"
share = 0.9
requires = [{ measure = "test_accuracy", at_least = 0.75 }]
"""
Reproduced = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def reproduced(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Reproduced:
    """The command on one preset, shipped in the place of all: its status and its report."""

    def run(text: str, *changes: str, options: tuple[str, ...] = ()) -> tuple[int, dict[str, Any]]:
        found = [f"about.found.holds_in={DRAWS}", f"about.found.of={DRAWS}"]
        table = toml.override(toml.override(toml.parse(text), changes), found)
        experiment = toml.build(table)
        file = tmp_path / "presets" / f"{experiment.name}.toml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(toml.dumps(experiment))
        monkeypatch.setattr(condense_presets, "preset_files", lambda: {experiment.name: file})
        out = tmp_path / f"out-{len(list(tmp_path.iterdir()))}"
        words = ["--seeds", str(DRAWS), "--jobs", "1", "--out", str(out), "--json"]
        monkeypatch.setattr(sys, "argv", ["condense-tui", "reproduce", experiment.name, *words, *options])
        status = main()
        report = json.loads(capsys.readouterr().out)
        assert "contradicts it" in (out / "report.md").read_text() or status == 0
        return status, report["presets"][0]

    return run


def test_a_learning_rate_of_nothing_is_caught(reproduced: Reproduced) -> None:
    text = preset_text("fcn-fig03-tanh-demo")
    status, whole = reproduced(text)
    assert (status, whole["demonstration"]["word"]) == (0, "holds")
    status, broken = reproduced(text, "optimizer.lr=1e-30")
    assert (status, broken["demonstration"]["word"], broken["demonstration"]["holds_in"]) == (1, "does not hold", 0)
    assert broken["broken"] == f"0 of {DRAWS} draws, where {DRAWS} of {DRAWS} were declared"


def test_a_wrong_activation_is_caught(reproduced: Reproduced) -> None:
    text = preset_text("fcn-fig03-x2tanh-demo")
    status, whole = reproduced(text)
    assert (status, whole["demonstration"]["word"]) == (0, "holds")
    status, broken = reproduced(text, "layers.0.activation=tanh")
    assert (status, broken["demonstration"]["word"]) == (1, "does not hold")
    assert broken["broken"]


def test_permuted_labels_are_caught(reproduced: Reproduced, tmp_path: Path) -> None:
    digits = load_digits()
    permuted = np.random.default_rng(0).permutation(digits.target)
    for name, labels in (("right", digits.target), ("permuted", permuted)):
        for index, (pixels, label) in enumerate(zip(digits.images[:600], labels, strict=False)):
            place = tmp_path / name / str(label)
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray((pixels * 15.9).astype(np.uint8)).save(place / f"{index}.png")
    for name, expected in (("right", (0, "holds")), ("permuted", (1, "does not hold"))):
        status, found = reproduced(CLASSIFIER, options=("--data", f"digits=folder:{tmp_path / name}"))
        assert (status, found["demonstration"]["word"]) == expected, found["distributions"]
