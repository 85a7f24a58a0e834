"""The report: verdicts from counts, a page that is well-formed whatever the text, and pictures that show the data."""

from __future__ import annotations

import dataclasses
import math
import re
import time
from pathlib import Path
from xml.etree import ElementTree

import msgspec
import numpy as np
import pytest

from condense_core.runfile import frames
from condense_core.runfile.writer import RecordingThread, StepRecord
from condense_core.scenario import toml
from condense_core.scenario.about import About, Found
from condense_core.scenario.experiment import Claim, Requirement
from condense_presets import preset_text
from condense_presets.paper_records import papers
from condense_tui.documents.curves import Chart, ChartCurve, plot
from condense_tui.documents.heat import LARGEST_SIDE, heatmap
from condense_tui.documents.markup import el
from condense_tui.reproduce.report.build import Part, build, write
from condense_tui.reproduce.report.document import facts
from condense_tui.reproduce.report.every_figure import rows
from condense_tui.reproduce.report.markdown import plain, to_markdown
from condense_tui.reproduce.report.page import to_html
from condense_tui.reproduce.report.results import CellPlace, preset_result
from condense_tui.reproduce.report.words import in_words

EMPTY = frames.Array.of([], "i2")
CONDENSATION = frames.Condensation(
    kernels=0,
    kept=0,
    lines=0,
    lines_coarse=0,
    directions=0,
    coverage=0.0,
    mean_abs_cos=0.0,
    pair_abs_cos=0.0,
    null_coverage=0.0,
    null_abs_cos=0.0,
    condensed=False,
    sizes=(),
    label=EMPTY,
    sign=frames.Array.of([], "i1"),
    norm=frames.Array.of([], "f4"),
)
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
        ([0.9] * 10, 1.0, "holds", "holds (10 of 10 draws)"),
        ([0.9] * 9 + [0.5], 0.9, "holds", "holds (9 of 10 draws)"),
        ([0.9] * 8 + [0.5] * 2, 0.9, "holds in some draws", "holds in 8 of 10 draws"),
        ([0.5] * 3, 0.9, "does not hold", "does not hold (0 of 3 draws)"),
    ],
)
def test_a_verdict_counts_runs_against_the_share_that_is_claimed(make_run, ratios, share, verdict, words):
    result = preset_result("x", experiment_of(make_run, share), draws(make_run, ratios))
    assert (result.outcome, result.words) == (verdict, words)
    assert result.demonstration.of == len(ratios)
    assert result.paper_verdict is None, "whoever names no record says nothing of a paper"
    assert result.enough, "nothing was declared that it could contradict"


def draws(make_run, ratios, *, data=True) -> list[CellPlace]:
    """Runs of different draws of the weights, and of the data unless told otherwise."""
    places = [finished(make_run, ratio) for ratio in ratios]
    return [dataclasses.replace(place, seed=number, data_seed=number * data) for number, place in enumerate(places)]


def of_paper(make_run, **about):
    """A scenario that stands for figure 3a, whose settings are not that figure's."""
    given = {"summary": "s", "record": "fcn/3a", "kind": "paper", **about}
    return msgspec.structs.replace(experiment_of(make_run, 0.9), about=About(**given))


def test_a_papers_claim_is_not_tested_at_other_settings(make_run):
    result = preset_result("x", of_paper(make_run), draws(make_run, [0.9] * 10))
    assert (result.outcome, result.paper_verdict.word) == ("not tested here", "not tested here")
    assert result.paper_verdict.why.startswith("other settings: samples n: 40, the paper 80")
    assert (result.demonstration.holds_in, result.demonstration.of) == (10, 10)
    assert result.words == "not tested here; as trained here: holds (10 of 10 draws)"
    assert dict(facts(result))["differs from the paper"].startswith("samples n: 40, the paper 80")


def test_a_papers_claim_is_tested_at_its_setting_over_draws_of_weights_and_data(make_run):
    experiment = toml.loads(preset_text("fcn-fig03-tanh"))
    claim = Claim(text="t", requires=(Requirement(measure="loss_ratio", at_least=0.7),), share=0.9)
    experiment = msgspec.structs.replace(experiment, claim=claim)
    together = preset_result("x", experiment, draws(make_run, [0.9] * 10))
    assert (together.outcome, together.demonstration) == ("holds", None)
    assert together.paper_verdict.interval == pytest.approx((0.722, 1.0), abs=1e-3)
    assert (together.figure, together.says) == ("3a", "neurons condense at two opposite directions, one line")
    one_draw = preset_result("x", experiment, draws(make_run, [0.9] * 10, data=False))
    assert one_draw.paper_verdict.why == "weights and data were not drawn together"
    assert one_draw.demonstration.of == 10


def test_draws_that_share_what_the_claim_depends_on_are_counted_once(make_run):
    experiment = experiment_of(make_run, 0.9)
    claim = msgspec.structs.replace(experiment.claim, about="data")
    result = preset_result(
        "x", msgspec.structs.replace(experiment, claim=claim), draws(make_run, [0.9] * 3 + [0.5], data=False)
    )
    assert (result.demonstration.holds_in, result.demonstration.of) == (1, 1)


@pytest.mark.parametrize(("declared", "broken"), [((10, 10), True), ((3, 10), False), ((1, 10), False)])
def test_a_count_that_contradicts_what_is_declared_ends_badly(make_run, declared, broken):
    found = Found(holds_in=declared[0], of=declared[1])
    experiment = msgspec.structs.replace(experiment_of(make_run, 0.9), about=About(summary="s", found=found))
    result = preset_result("x", experiment, draws(make_run, [0.9] * 3 + [0.5] * 7))
    assert result.enough != broken
    assert (result.broken == "3 of 10 draws, where 10 of 10 were declared") == broken


def test_a_panel_of_a_figure_that_shows_a_layer_each_has_its_own_count(make_run):
    experiment = toml.loads(preset_text("fcn-fig11-tanh"))
    places = draws(make_run, [0.9] * 2)
    for place, condensed in zip(places, (1.0, 0.0), strict=True):
        thread = RecordingThread(place.folder)
        scalars = [("dense1.condensed_coarse", 1.0), ("dense2.condensed_coarse", condensed)]
        thread.put(StepRecord(20, scalars, [("dense1", CONDENSATION), ("dense2", CONDENSATION)], []))
        thread.close()
    result = preset_result("x", experiment, places)
    assert [(item.panel, item.layer, item.holds_in, item.of) for item in result.layers] == [
        ("11a", "dense1", 2, 2),
        ("11g", "dense2", 1, 2),
    ]
    assert result.outcome == "holds in some draws"


def test_every_figure_of_a_paper_has_a_row_with_what_came_of_it_or_why_nothing_did(make_run):
    experiment = toml.loads(preset_text("fcn-fig11-tanh"))
    places = draws(make_run, [0.9])
    thread = RecordingThread(places[0].folder)
    scalars = [("dense1.condensed_coarse", 1.0), ("dense2.condensed_coarse", 0.0)]
    thread.put(StepRecord(20, scalars, [("dense1", CONDENSATION), ("dense2", CONDENSATION)], []))
    thread.close()
    tanh = preset_result("fcn-fig11-tanh", experiment, places)
    other = preset_result("fcn-fig11-xtanh", toml.loads(preset_text("fcn-fig11-xtanh")), [], "needs time")
    found = {row.figure: row for row in rows(papers()["fcn"], [tanh, other], [])}
    assert found["11a+g"].verdict == "does not hold (0 of 1 draws)"
    assert (found["11a"].preset, found["11a"].verdict) == ("fcn-fig11-tanh, dense1", "holds (1 of 1 draws)")
    assert (found["11g"].settings, found["11g"].verdict) == ("equal", "does not hold (0 of 1 draws)")
    assert found["11b+h"].verdict == "not tested here (needs time)"
    assert found["5d"].verdict == "not tested here (nothing is said of the activation)"
    assert found["3a"].verdict == "not tested here (not asked for in this report)"
    assert "1" not in found, "a sketch claims nothing"


def test_a_failed_run_decides_nothing_and_a_diverged_one_speaks_against(make_run):
    experiment = experiment_of(make_run)
    first, second = draws(make_run, [0.9, 0.9])
    failed = preset_result("x", experiment, [first, finished(make_run, 0.9, "failed")])
    assert (failed.outcome, failed.demonstration.of) == ("holds", 1)
    diverged = preset_result(
        "x", experiment, [first, dataclasses.replace(second, folder=finished(make_run, 0.9, "diverged").folder)]
    )
    assert diverged.outcome == "holds in some draws"
    assert "diverged" in diverged.cells[1].against[-1]
    refused = preset_result("x", experiment, [CellPlace(Path("/nowhere"), 0, 0, "the disk is full")])
    assert (refused.outcome, refused.cells[0].reason) == ("failed", "the disk is full")
    assert not refused.enough
    assert preset_result("x", experiment, [], "needs a GPU").words == "not tested here (needs a GPU)"


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
    begun = time.time() - 3_600
    report, markdown, page = write(make_report(make_run), tmp_path / "new" / "folder", begun)
    assert 3_600 <= report.seconds <= time.time() - begun, "what the pictures took is counted"
    assert "this command took 1 h" in markdown.read_text(encoding="utf-8")
    text = page.read_text(encoding="utf-8")
    tree = parsed(text)
    assert {"svg", "table", "style"} <= {element.tag for element in tree.iter()}
    assert not {"script", "link", "img", "iframe"} & {element.tag for element in tree.iter()}
    assert not re.search(r"https?://|url\(|@import", text)
    links = [element.get("href") for element in tree.iter("a")]
    names = {element.get("id") for element in tree.iter("article")}
    assert {link.removeprefix("#") for link in links} == names
    assert "prefers-color-scheme:dark" in text
    assert "holds (1 of 1 draws)" in markdown.read_text(encoding="utf-8")


def test_text_from_elsewhere_stays_text(make_run):
    report = make_report(make_run, text=NASTY)
    page = to_html(report, lambda _: [])
    assert "<script" not in page
    assert "\x1b" not in page
    assert any("<script>alert('&')</script>" in "".join(cell.itertext()) for cell in parsed(page).iter("dd"))
    markdown = to_markdown(report)
    assert "\x1b" not in markdown
    rows = [line for line in markdown.split("\n") if line.startswith("| first ")]
    assert len(re.split(r"(?<!\\)\|", rows[0])) == 7, "the bar in the text is no edge of the table"
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
