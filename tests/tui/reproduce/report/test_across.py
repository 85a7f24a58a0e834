"""Verdicts across presets: what each comparison wants of the arms' means, and what a missing run does."""

from __future__ import annotations

from xml.etree import ElementTree

import msgspec
import pytest

from condense_core.errors import ScenarioError
from condense_core.runfile.reader import RunReader
from condense_core.runfile.writer import RecordingThread, StepRecord
from condense_core.scenario.experiment import Claim, Requirement
from condense_core.scenario.figures import Arm, Each, Equal, Falling, PaperFigure, Rising, load_figure
from condense_core.scenario.verdict import judge
from condense_presets import figures, preset_files
from condense_presets.paper_records import record
from condense_tui.documents.strip import strip
from condense_tui.reproduce.arms import lent
from condense_tui.reproduce.plan import read_presets
from condense_tui.reproduce.report.across import ArmResult, ComparisonResult, against, figure_result, outcome_of
from condense_tui.reproduce.report.build import Part, build
from condense_tui.reproduce.report.document import sums
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


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (([0.86, 0.88], [0.87]), []),
        (([0.86, 0.88], [0.91]), ["a and b: the means are 0.04000 apart"]),
        (([0.869, 0.871] * 4, [0.87, 0.872] * 4), []),
        (([0.80, 0.94], [0.80, 0.94]), ["a and b: the means are 0 apart, and may be 0.1980"]),
    ],
)
def test_equal_means_lie_within_the_width_that_is_claimed_their_errors_counted(values, said):
    assert against(Equal(measure="test_accuracy", within=0.02), arms(*values)) == said


def test_runs_of_the_same_draws_are_compared_in_pairs():
    """A draw that is high in both arms says nothing about their difference."""
    draws = [(number, number) for number in range(4)]
    low, high = [0.1, 0.5, 0.9, 1.3], [0.2, 0.6, 1.1, 1.4]
    apart = arms(low, high)
    together = [ArmResult(name=arm.name, values=arm.values, draws=draws) for arm in apart]
    shuffled = [together[0], ArmResult(name="b", values=high[::-1], draws=draws[::-1])]
    rising = Rising(measure="ratio", layer="conv1")
    assert against(rising, apart) != []
    assert against(rising, together) == against(rising, shuffled) == []


def test_means_fall_from_arm_to_arm():
    falling = Falling(measure="gap_ratio", layer="conv1")
    assert against(falling, arms([0.9], [0.5])) == []
    assert against(falling, arms([0.5], [0.9])) == ["a: 0.5000 is not above 0.9000 of b"]


@pytest.mark.parametrize(
    ("held", "outcome", "said"),
    [
        ((9, 10), "holds", []),
        ((8, 10), "holds in some draws", ["b: holds in 8 of 10 draws"]),
        ((0, 10), "holds in some draws", ["b: does not hold (0 of 10 draws)"]),
    ],
)
def test_a_range_holds_in_each_arm_or_in_some_draws(held, outcome, said):
    each = Each(measure="loss_ratio", at_least=0.7)
    found = [
        ArmResult(name="a", values=[1.0], verdict=judge(0.9, 10, 10)),
        ArmResult(name="b", values=[1.0], verdict=judge(0.9, *held)),
    ]
    assert against(each, found) == said
    result = ComparisonResult(name="x", wanted="", arms=found, against=against(each, found))
    assert outcome_of([result]) == outcome


def figure(**changes) -> PaperFigure:
    given = {
        "name": "x-fig1",
        "record": "fcn/18a",
        "claim": "less loss for b",
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


@pytest.mark.parametrize(("ratios", "verdict"), [((0.5, 0.9), "holds"), ((0.9, 0.5), "does not hold")])
def test_the_verdict_counts_in_the_report_and_contradicts_nothing_declared(ended, ratios, verdict):
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
    assert found.outcome == verdict
    assert report.holds
    assert dict(sums(report)) == {
        "the papers' claims": f"1: 1 {'hold' if verdict == 'holds' else 'do not hold'}",
        "demonstrations": "2: 2 hold",
    }
    page, markdown = to_html(report, lambda _: []), to_markdown(report)
    for text in (page, markdown):
        assert "less loss for b" in text
        assert "by 2 standard errors" in text
        assert verdict in text
    assert f"{max(ratios):.4f} (1 run)" in page


def test_runs_that_differ_from_the_text_do_not_test_the_papers_claim(ended):
    other = msgspec.structs.replace(ended("two", 0.9).result(), differs=["data: folder, the paper cifar10"])
    found = figure_result(figure(), [[ended("one", 0.5).result()], [other]])
    assert (found.outcome, found.trained, found.enough) == ("not tested here", "holds", True)
    assert found.words == "not tested here; as trained here: holds"
    failed = figure_result(figure(), [[ended("one", 0.5, "failed").result()], [other]])
    assert (failed.words, failed.enough) == ("failed", False)


def test_an_arm_that_is_not_run_leaves_it_open_and_one_that_failed_does_not(ended):
    there = ended("one", 0.5).result()
    gpu = preset_result("two", ended("two", 0.9).experiment, [], "needs a GPU")
    found = figure_result(figure(), [[there], [gpu]])
    assert (found.outcome, found.not_run, found.enough) == ("not tested here", "1 preset: needs a GPU", True)
    failed = figure_result(figure(), [[there], [ended("two", 0.9, "failed").result()]])
    assert (failed.outcome, failed.enough) == ("failed", False)
    assert "two, seed 0" in failed.missing[0]


def test_a_figure_that_cannot_be_is_one_line():
    with pytest.raises(ScenarioError, match=r"^x: .*at least two arms to compare"):
        load_figure(
            'name="x"\nrecord="fcn/1"\nclaim=""\narms=[{name="a",presets=["b"]}]\n'
            'compare=[{measure="ratio", order="rising"}]',
            "x",
        )


@pytest.mark.parametrize("shipped", figures(), ids=lambda item: item.name)
def test_a_shipped_figure_is_about_a_record_and_reads_presets_that_are_there(shipped):
    assert shipped.claim
    assert record(shipped.record).says
    for arm in shipped.arms:
        assert set(arm.presets) <= set(preset_files())
    # `reproduce NAME` then trains all that it reads
    assert set(read_presets([shipped.name], None)) >= set(lent(shipped))


def test_every_run_is_a_dot_at_its_value_and_equal_ones_stand_apart():
    picture = ElementTree.fromstring(strip([("a", [1.0, 1.0, 1.0, 3.0]), ("none", []), ("b", [2.0])], "lines"))
    dots = [(float(dot.get("cx")), float(dot.get("cy"))) for dot in picture.iter("circle")]
    assert len(set(dots)) == 5
    low, high = min(x for x, _ in dots), max(x for x, _ in dots)
    assert sorted(x for x, _ in dots) == [low] * 3 + [(low + high) / 2, high]
    means = [float(line.get("x1")) for line in picture.iter("line") if line.get("class") == "mean"]
    assert means == [pytest.approx(low + 0.25 * (high - low)), (low + high) / 2]
    assert strip([("a", [])], "lines") == ""
