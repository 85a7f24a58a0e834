"""The report: verdicts from counts, a page that is well-formed whatever the text, and pictures that show the data."""

from __future__ import annotations

import math
import re
from pathlib import Path
from xml.etree import ElementTree

import msgspec
import numpy as np
import pytest

from condense_core.runfile.writer import RecordingThread, StepRecord
from condense_core.scenario import toml
from condense_core.scenario.experiment import Claim, Requirement
from condense_tui.documents.curves import Chart, ChartCurve, plot
from condense_tui.documents.heat import LARGEST_SIDE, heatmap
from condense_tui.documents.markup import el
from condense_tui.reproduce.report.build import Part, build, write
from condense_tui.reproduce.report.markdown import plain, to_markdown
from condense_tui.reproduce.report.page import to_html
from condense_tui.reproduce.report.results import CellPlace, in_words, preset_result

NASTY = "<script>alert('&')</script> | `x` \x1b[31m"


def experiment_of(make_run, share=1.0, text="the loss stays above 70 %"):
    from condense_core.runfile.reader import RunReader

    with RunReader(make_run()) as run:
        plain_one = run.experiment
    claim = Claim(text=text, requires=(Requirement(measure="loss_ratio", at_least=0.7),), share=share)
    return msgspec.structs.replace(plain_one, claim=claim)


def finished(make_run, ratio: float, status: str = "done") -> CellPlace:
    """A run file whose last loss ratio is `ratio`."""
    folder = make_run()
    thread = RecordingThread(folder)
    for step, value in ((0, 1.0), (10, ratio)):
        thread.put(StepRecord(step, [("loss", value), ("loss_ratio", value)], [], []))
    thread.set_status(status)
    thread.close()
    return CellPlace(folder, seed=0, data_seed=0)


@pytest.mark.parametrize(
    ("ratios", "share", "verdict", "words"),
    [
        ([0.9] * 10, 1.0, "holds", "holds (10 of 10)"),
        ([0.9] * 9 + [0.5], 0.9, "holds", "holds (9 of 10)"),
        ([0.9] * 8 + [0.5] * 2, 0.9, "holds in some", "holds in 8 of 10"),
        ([0.5] * 3, 0.9, "does not hold here", "does not hold here (0 of 3)"),
    ],
)
def test_a_verdict_counts_runs_against_the_share_that_is_claimed(make_run, ratios, share, verdict, words):
    places = [finished(make_run, ratio) for ratio in ratios]
    result = preset_result("x", experiment_of(make_run, share), places)
    assert (result.verdict, result.words) == (verdict, words)
    assert result.enough == (verdict == "holds")


def test_a_failed_run_decides_nothing_and_a_diverged_one_speaks_against(make_run):
    experiment = experiment_of(make_run)
    failed = preset_result("x", experiment, [finished(make_run, 0.9), finished(make_run, 0.9, "failed")])
    assert (failed.verdict, failed.decided) == ("holds", 1)
    diverged = preset_result("x", experiment, [finished(make_run, 0.9), finished(make_run, 0.9, "diverged")])
    assert diverged.verdict == "holds in some"
    assert "diverged" in diverged.cells[1].against[-1]
    refused = preset_result("x", experiment, [CellPlace(Path("/nowhere"), 0, 0, "the disk is full")])
    assert (refused.verdict, refused.cells[0].reason) == ("failed", "the disk is full")
    assert preset_result("x", experiment, [], "needs a GPU").verdict == "not run"


@pytest.mark.parametrize(
    ("measure", "values", "words"),
    [
        ("lines", [1, 1, 2, 1], "1 in 3, 2 in 1 of 4"),
        ("lines", [3, 3], "3 in all 2"),
        ("condensed", [1, 0, 1], "yes in 2 of 3"),
        ("alignment", [0.9, 0.95, 0.99], "median 0.9500, 0.9000 to 0.9900"),
        ("alignment", [0.5, math.nan], "0.5000, not measured in 1"),
        ("alignment", [math.nan], "not measured"),
    ],
)
def test_a_distribution_is_counted_or_spanned(measure, values, words):
    assert in_words(measure, values) == words


def make_report(make_run, text="a claim"):
    experiment = experiment_of(make_run, text=text)
    parts = [Part("first", experiment, [finished(make_run, 0.9)]), Part("second", experiment, [], f"no data {text}")]
    return build(parts, command="condense-tui reproduce", seeds="1 draw", seconds=1.0, cuts=[text], made=0.0)


def parsed(page: str) -> ElementTree.Element:
    return ElementTree.fromstring(page.removeprefix("<!DOCTYPE html>\n"))


def test_the_page_is_well_formed_and_needs_nothing_from_elsewhere(make_run, tmp_path):
    markdown, page = write(make_report(make_run), tmp_path / "new" / "folder")
    text = page.read_text(encoding="utf-8")
    tree = parsed(text)
    assert {"svg", "table", "style"} <= {element.tag for element in tree.iter()}
    assert not {"script", "link", "img", "iframe"} & {element.tag for element in tree.iter()}
    assert not re.search(r"https?://|url\(|@import", text)
    links = [element.get("href") for element in tree.iter("a")]
    names = {element.get("id") for element in tree.iter("article")}
    assert {link.removeprefix("#") for link in links} == names
    assert "prefers-color-scheme:dark" in text
    assert "holds (1 of 1)" in markdown.read_text(encoding="utf-8")


def test_text_from_elsewhere_stays_text(make_run):
    report = make_report(make_run, text=NASTY)
    page = to_html(report, lambda _: [])
    assert "<script" not in page
    assert "\x1b" not in page
    assert any("<script>alert('&')</script>" in "".join(cell.itertext()) for cell in parsed(page).iter("dd"))
    markdown = to_markdown(report)
    assert "\x1b" not in markdown
    rows = [line for line in markdown.split("\n") if line.startswith("| first ")]
    assert len(re.split(r"(?<!\\)\|", rows[0])) == 6, "the bar in the text is no edge of the table"
    assert plain("<a>") == r"\<a\>"
    assert el("p", "<&>", title='"') == '<p title="&quot;">&lt;&amp;&gt;</p>'


def test_the_heatmap_shows_every_kernel_in_its_place():
    cosine = np.array([[1.0, -1.0, 0.0], [-1.0, 1.0, np.nan], [0.0, np.nan, 1.0]])
    tree = ElementTree.fromstring(heatmap(cosine, np.array([2, 0, 1]), np.array([False, False, True]), "a"))
    cells = np.full((3, 3), tree.find("rect").get("class"))
    for path in tree.iter("path"):
        for column, row, length in re.findall(r"M(\d+) (\d+)\.5h(\d+)", path.get("d")):
            cells[int(row), int(column) : int(column) + int(length)] = path.get("class")
    assert cells[1, 1] == "k30"
    assert cells[1, 2] == cells[2, 1] == "k0"
    assert set(cells[0]) == set(cells[:, 0]) == {"k32"}, "a dropped kernel has no colour of the scale"


def test_a_large_layer_is_shown_in_blocks():
    side = 3 * LARGEST_SIDE + 1
    picture = heatmap(np.ones((side, side)), np.arange(side), np.zeros(side, bool), "a")
    assert f'viewBox="0 0 {LARGEST_SIDE} {LARGEST_SIDE}"' in picture
    assert len(picture) < 500, "one colour is one rectangle"


def test_curves_keep_their_ends_and_leave_out_what_is_no_number():
    steps = np.arange(1000)
    values = np.linspace(1, 0.5, 1000)
    values[10:20] = np.nan
    tree = ElementTree.fromstring(plot(Chart("loss", [ChartCurve(steps, values, name="a < b")], rule=(0.7, "70 %"))))
    points = tree.find("polyline").get("points").split(" ")
    assert len(points) <= 122
    assert not any("nan" in point for point in points)
    assert float(points[0].split(",")[0]) < float(points[-1].split(",")[0])
    assert any(text.text == "a < b" for text in tree.iter("text"))
    assert plot(Chart("nothing", [])).startswith("<svg")


def test_a_scenario_in_the_report_can_be_trained(make_run):
    report = make_report(make_run)
    assert toml.loads(report.presets[0].scenario).claim is not None
