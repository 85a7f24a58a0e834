"""The page that export writes: layers, pictures, weights and machine, as far as they were recorded."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from exporting import written
from one_input import one_input_run
from recording import Recording

from condense_core.measure_table import OF_THE_MACHINE
from condense_core.runfile.frames import Array, Singular, Weights
from condense_core.runfile.writer import RunWriter, StepRecord
from condense_core.runs.about_run import AboutRun, write_about


def test_html_is_one_page_with_layers_pictures_events_and_scenario(recorded: Path, tmp_path: Path) -> None:
    page = written(recorded, tmp_path, "html").decode()
    ElementTree.fromstring(page.removeprefix("<!DOCTYPE html>\n"))
    for words in ("conv1 at step 4,000", "conv2 at step 0", "loss / first loss", "conv1 condensed: 2 lines", "[data]"):
        assert words in page
    assert "<script" not in page
    assert not re.findall(r"(?:href|src)=\"https?:", page)


def test_html_shows_what_was_said_of_the_run(recorded: Path, tmp_path: Path) -> None:
    write_about(recorded, AboutRun(name="wide start", note="a < b", tags=("paper", "keep")))
    page = written(recorded, tmp_path, "html").decode()
    assert "<h1>wide start</h1>" in page
    assert "<dt>tags</dt><dd>paper, keep</dd>" in page
    assert "<dt>note</dt><dd>a &lt; b</dd>" in page and "<dt>name</dt>" not in page


def test_html_of_a_network_with_one_input_has_output_and_field(tmp_path: Path) -> None:
    page = written(one_input_run(tmp_path / "runs"), tmp_path, "html").decode()
    ElementTree.fromstring(page.removeprefix("<!DOCTYPE html>\n"))
    assert "output and polynomial of degree 2" in page
    assert "direction field of dense1: 2 stable lines" in page
    assert page.count('class="stable"') == 2
    assert page.count('class="neuron"') == 24


def test_html_shows_weights_and_machine_where_they_were_recorded(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "runs")
    recording.write()
    for number, step in enumerate((100, 2_000)):
        scalars = [(name, 0.25 + number) for name in OF_THE_MACHINE[:4]]
        frames = [("conv1", Singular(values=Array.of([2.0 + number, 1.0, 0.0], "f4")))]
        recording.writer.append(StepRecord(step, scalars, frames, []))
    recording.close()
    page = written(recording.folder, tmp_path, "html").decode()
    ElementTree.fromstring(page.removeprefix("<!DOCTYPE html>\n"))
    for words in (
        "norms of conv1 at step 4,000",
        "norms of conv2 at step 4,000",
        "singular values of conv1, weights of step 2,000",
        "<h2>Machine</h2>",
        "processor and memory in use",
        "memory of training, MiB",
    ):
        assert words in page
    assert "singular values of conv2" not in page, "nothing that was not recorded"
    assert "GPU" not in page
    # two of the three have a place on a logarithmic axis
    (dots,) = re.findall(r'aria-label="singular values of conv1[^>]*>.*?class="dots tone0" d="([^"]*)"', page)
    assert dots.count("M") == 2


def test_html_of_a_file_of_before_shows_no_machine(recorded: Path, tmp_path: Path) -> None:
    page = written(recorded, tmp_path, "html").decode()
    assert "<h2>Machine</h2>" not in page
    assert "singular values" not in page


def test_html_of_a_network_with_one_input_shows_where_neurons_point(tmp_path: Path) -> None:
    folder = one_input_run(tmp_path / "runs")
    writer = RunWriter(folder)
    for step in (40, 50):
        kept = {
            "dense1.weight": np.full((24, 1), 0.5 + step),
            "dense1.bias": np.zeros(24),
            "output.weight": np.ones((2, 24)),
        }
        writer.append(StepRecord(step, [("loss", 1.0)], [("", Weights.of(kept))], []))
    writer.close()
    page = written(folder, tmp_path, "html").decode()
    assert "and amplitude A of dense1, weights of step 50; faint: at 1 step before" in page
