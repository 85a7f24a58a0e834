"""Verdicts across presets: what each comparison wants of the arms' means, and what a missing run does."""

from __future__ import annotations

from xml.etree import ElementTree

import msgspec
import pytest

from condense_core.errors import ScenarioError
from condense_core.runfile.reader import RunReader
from condense_core.runfile.writer import RecordingThread, StepRecord
from condense_core.scenario.experiment import Claim, Requirement
from condense_core.scenario.figures import Arm, Equal, PaperFigure, Rising, load_figure
from condense_presets import figures, preset_files
from condense_tui.documents.strip import strip
from condense_tui.reproduce.report.across import ArmResult, against, figure_result
from condense_tui.reproduce.report.build import Part, build
from condense_tui.reproduce.report.markdown import to_markdown
from condense_tui.reproduce.report.page import to_html
from condense_tui.reproduce.report.results import CellPlace, preset_result


def arms(*values: list[float]) -> list[ArmResult]:
    return [ArmResult(name=name, values=given) for name, given in zip("abc", values, strict=False)]


@pytest.mark.parametrize(
    ("values", "least", "said"),
    [
        (([1.0, 2.0], [1.9], [3.0]), None, []),
        (
            ([1.0, 2.0], [1.0, 2.1], [3.0]),
            None,
            ["b: 1.550 is above 1.500 of a by less than 2 standard errors of 0.74"],
        ),
        (([1.0, 1.1], [1.5, 1.6], [3.0]), None, []),
        (([1.0, 2.0], [1.5], [3.0]), None, ["b: 1.500 is not above 1.500 of a"]),
        (([3.0], [2.0], [1.0]), None, ["b: 2.000 is not above 3.000 of a", "c: 1.000 is not above 2.000 of b"]),
        (([0.9], [0.95], [0.99]), 0.998, ["c: 0.9900 is below 0.998"]),
        (([0.9], [0.95], [0.999]), 0.998, []),
    ],
)
def test_means_rise_from_arm_to_arm(values, least, said):
    assert against(Rising(measure="ratio", layer="conv1", last_at_least=least), arms(*values)) == said


@pytest.mark.parametrize(("last", "said"), [(0.87, []), (0.91, ["the means are 0.04000 apart"])])
def test_equal_means_lie_within_the_width_that_is_claimed(last, said):
    assert against(Equal(measure="test_accuracy", within=0.02), arms([0.86, 0.88], [last])) == said


def figure(**changes) -> PaperFigure:
    given = {
        "name": "x-fig1",
        "paper": "fcn",
        "figure": "1",
        "paper_shows": "the loss falls less",
        "claim": "less loss for b",
        "finding": "holds",
        "arms": (Arm(name="a", presets=("one",)), Arm(name="b", presets=("two",))),
        "compare": (Rising(measure="loss_ratio"),),
    }
    return PaperFigure(**(given | changes))


@pytest.fixture
def ended(make_run):
    """A preset's part of one run whose last loss ratio is given."""

    def make(name: str, ratio: float, status: str = "done") -> Part:
        folder = make_run()
        with RunReader(folder) as run:
            claim = Claim(text="any", requires=(Requirement(measure="loss_ratio", at_least=0.0),))
            experiment = msgspec.structs.replace(run.experiment, claim=claim)
        thread = RecordingThread(folder)
        thread.put(StepRecord(10, [("loss_ratio", ratio)], [], []))
        thread.set_status(status)
        thread.close()
        return Part(name, experiment, [CellPlace(folder, 0, 0)])

    return make


@pytest.mark.parametrize(("ratios", "verdict"), [((0.5, 0.9), "holds"), ((0.9, 0.5), "does not hold here")])
def test_the_verdict_counts_in_the_report_and_its_exit_status(ended, ratios, verdict):
    parts = [ended("one", ratios[0]), ended("two", ratios[1])]
    given = figure()
    report = build(
        parts,
        command="c",
        seeds="1",
        seconds=1.0,
        cuts=[],
        made=0.0,
        across=[(given, [[parts[0]], [parts[1]]])],
    )
    (found,) = report.figures
    assert found.verdict == verdict
    assert report.holds == (verdict == "holds")
    assert dict(report.counts())["holds"] == 2 + (verdict == "holds")
    page, markdown = to_html(report, lambda _: []), to_markdown(report)
    for text in (page, markdown):
        assert "less loss for b" in text
        assert "by 2 standard errors" in text
        assert verdict in text
    assert f"{max(ratios):.4f} (1 run)" in page


def test_an_arm_that_is_not_run_leaves_it_open_and_one_that_failed_does_not(ended):
    there = ended("one", 0.5).result()
    gpu = preset_result("two", ended("two", 0.9).experiment, [], "needs a GPU")
    found = figure_result(figure(), [[there], [gpu]])
    assert (found.verdict, found.not_run, found.enough) == ("not run", "1 preset not run: needs a GPU", True)
    failed = figure_result(figure(), [[there], [ended("two", 0.9, "failed").result()]])
    assert (failed.verdict, failed.enough) == ("failed", False)
    assert "two, seed 0" in failed.missing[0]


def test_a_figure_that_cannot_be_is_one_line():
    with pytest.raises(ScenarioError, match=r"^x: .*at least two arms"):
        load_figure(
            'name="x"\npaper="fcn"\nfigure="1"\npaper_shows=""\nclaim=""\nfinding=""\narms=[]\n'
            'compare=[{measure="ratio", order="rising"}]',
            "x",
        )


@pytest.mark.parametrize("shipped", figures(), ids=lambda item: item.name)
def test_a_shipped_figure_names_presets_that_are_there_and_come_with_it(shipped):
    assert shipped.claim and shipped.finding and shipped.paper_shows
    for arm in shipped.arms:
        assert set(arm.presets) <= set(preset_files())
        if arm.data_seeds is None:
            # `reproduce NAME` then asks for all of them
            assert all(name.startswith(f"{shipped.name}-") for name in arm.presets)


def test_every_run_is_a_dot_at_its_value_and_equal_ones_stand_apart():
    picture = ElementTree.fromstring(strip([("a", [1.0, 1.0, 1.0, 3.0]), ("none", []), ("b", [2.0])], "lines"))
    dots = [(float(dot.get("cx")), float(dot.get("cy"))) for dot in picture.iter("circle")]
    assert len(set(dots)) == 5
    low, high = min(x for x, _ in dots), max(x for x, _ in dots)
    assert sorted(x for x, _ in dots) == [low] * 3 + [(low + high) / 2, high]
    means = [float(line.get("x1")) for line in picture.iter("line") if line.get("class") == "mean"]
    assert means == [pytest.approx(low + 0.25 * (high - low)), (low + high) / 2]
    assert strip([("a", [])], "lines") == ""
