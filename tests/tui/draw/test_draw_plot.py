"""Line plots, axes and ticks: whatever is measured can be drawn, and what is drawn is where it belongs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from condense_tui.draw.plot import Mark, Plot, PlotTone, Rule, Spec, build, with_playhead
from condense_tui.draw.scale import Scale, fit, ticks
from condense_tui.draw.strokes import MOST_POINTS, PlotCurve, decimate

STEPS = np.arange(0, 4000, 20)


def spec(*ys: np.ndarray, **settings: object) -> Spec:
    curves = tuple(PlotCurve(f"c{tone}", STEPS[: len(y)], y, tone) for tone, y in enumerate(ys))
    return replace(Spec(curves, 44, 11), **settings)


def lines(plot: Plot) -> list[str]:
    return ["".join(character for character, _ in row) for row in plot.rows]


def tones(plot: Plot) -> set[int]:
    return {tone for row in plot.rows for _, tone in row}


def test_every_row_is_as_wide_as_the_panel() -> None:
    plot = build(spec(np.linspace(1, 0.5, 200)))
    assert len(plot.rows) == 11
    assert all(len(row) == 44 for row in plot.rows)


def test_rising_curve_starts_low_and_ends_high() -> None:
    plot = build(spec(np.linspace(0, 1, 200), bounds=(0.0, 1.0)))
    drawn = [[x for x, (_, tone) in enumerate(row) if tone >= PlotTone.CURVE] for row in plot.rows]
    assert min(drawn[plot.canvas_height - 1]) == plot.left
    assert max(drawn[0]) == 43


def test_each_curve_has_its_tone() -> None:
    plot = build(spec(np.linspace(0, 1, 200), np.linspace(1, 0, 200)))
    assert {PlotTone.CURVE, PlotTone.CURVE + 1} <= tones(plot)


def test_log_axis_spaces_decades_evenly() -> None:
    plot = build(spec(np.geomspace(1, 1e-4, 200), log_y=True))
    heights = [row for row, cells in enumerate(plot.rows) if any(tone >= PlotTone.CURVE for _, tone in cells)]
    assert heights == list(range(heights[0], heights[-1] + 1))
    assert "1e-4" in lines(plot)[plot.canvas_height - 1]


def test_zero_and_negative_values_do_not_reach_a_logarithm() -> None:
    plot = build(spec(np.r_[0.0, -1.0, np.geomspace(1, 10, 100)], log_y=True))
    assert not plot.empty


@pytest.mark.parametrize("braille", [True, False])
@pytest.mark.parametrize(
    ("shape", "where"),
    [
        (lambda x: 1 - 0.5 * x, "beginning"),
        (lambda x: np.where(x < 0.15, 0.9 - 2 * x, 0.1), "end"),
        (lambda x: np.where((x < 0.2) | (x > 0.8), 0.7, 0.1), "between"),
        (lambda x: 0.7 + 0 * x, "on the curve"),
    ],
)
def test_the_label_of_a_rule_is_whole_wherever_curves_pass(shape, where, braille) -> None:
    y = shape(np.linspace(0, 1, 200))
    plot = build(spec(y, rule=Rule(0.7, "70 %"), bounds=(0.0, 1.0), braille=braille))
    (row,) = (line for line in lines(plot) if " 70 % " in line)
    at = row.index(" 70 % ") - plot.left
    last = plot.canvas_width - len(" 70 % ")
    found = {1: "beginning", last - 1: "end"}.get(at, "between")
    assert found == ("beginning" if where == "on the curve" else where)
    without = build(spec(y, rule=Rule(0.7, ""), bounds=(0.0, 1.0), braille=braille))
    hidden = sum(tone >= PlotTone.CURVE for each in without.rows for _, tone in each)
    hidden -= sum(tone >= PlotTone.CURVE for each in plot.rows for _, tone in each)
    assert (hidden > 0) == (where == "on the curve")


def test_rule_and_marks_carry_their_labels() -> None:
    plot = build(spec(np.linspace(1, 0.5, 200), rule=Rule(0.7, "70 %"), marks=(Mark(2000, "predicted"),)))
    text = "\n".join(lines(plot))
    assert "70 %" in text
    assert "predicted" in text
    assert {PlotTone.RULE, PlotTone.MARK} <= tones(plot)


def test_nothing_to_draw_is_an_empty_plot() -> None:
    for y in (np.empty(0), np.full(50, np.nan), np.full(50, np.inf)):
        assert build(spec(y)).empty
    assert build(spec()).empty
    assert build(spec(np.ones(10), width=3, height=2)).empty


@pytest.mark.parametrize("y", [[0.0, 5e-324], [1e-320, 3e-320], [0.0, 1e-300], [1e300, -1e308]])
def test_values_at_the_edge_of_arithmetic(y: list[float]) -> None:
    for log_y in (False, True):
        assert len(build(spec(np.array(y), log_y=log_y)).rows) == 11


def test_constant_curve_is_a_line_in_the_middle() -> None:
    plot = build(spec(np.full(100, 0.25)))
    rows = [y for y, cells in enumerate(plot.rows) if any(tone >= PlotTone.CURVE for _, tone in cells)]
    assert len(rows) == 1
    assert 2 <= rows[0] <= 7


def test_playhead_stands_at_its_step_and_leaves_curves_alone() -> None:
    plot = build(spec(np.linspace(0, 1, 200)))
    column = plot.left + (plot.x.column(2000, plot.canvas_width) or 0)
    for row, spans in zip(plot.rows, with_playhead(plot, 2000), strict=True):
        text = "".join(part for part, _ in spans)
        if plot.rows.index(row) < plot.canvas_height:
            assert text[column] == "│" or row[column][1] >= PlotTone.CURVE
    assert with_playhead(plot, None) == with_playhead(plot, 10**9)


def test_plain_plots_are_ascii() -> None:
    plot = build(spec(np.linspace(0, 1, 200), braille=False, rule=Rule(0.5, "half"), marks=(Mark(9, "x"),)))
    assert "".join(lines(plot)).isascii()


values = arrays(np.float64, st.integers(0, 60), elements=st.floats(allow_nan=True, allow_infinity=True))


@given(y=values, width=st.integers(1, 70), height=st.integers(1, 20), log_y=st.booleans(), log_x=st.booleans())
@settings(max_examples=100)
def test_any_series_can_be_drawn(y: np.ndarray, width: int, height: int, log_y: bool, log_x: bool) -> None:
    plot = build(spec(y, width=width, height=height, log_y=log_y, log_x=log_x))
    assert len(plot.rows) == height
    assert all(len(row) == width for row in plot.rows)


@given(y=arrays(np.float64, 5000, elements=st.floats(-1e6, 1e6)), columns=st.integers(1, 200))
@settings(max_examples=30)
def test_decimation_keeps_extremes_and_is_short(y: np.ndarray, columns: int) -> None:
    x = np.arange(5000.0)
    xs, ys = decimate(x, y, Scale(0, 4999), columns)
    assert len(xs) <= min(MOST_POINTS, 2 * columns)
    assert ys.max() == y.max()
    assert ys.min() == y.min()
    assert (np.diff(xs) >= 0).all()


def test_steps_recorded_twice_after_a_resume_are_sorted() -> None:
    curve = PlotCurve("loss", np.array([0, 10, 20, 10, 20, 30]), np.linspace(1, 0.5, 6))
    assert not build(Spec((curve,), 40, 10)).empty


@given(low=st.floats(-1e9, 1e9), span=st.floats(1e-5, 1e9), most=st.integers(1, 8))
def test_ticks_are_few_and_inside(low: float, span: float, most: int) -> None:
    # `fit` makes no axis whose span is lost in the rounding of its ends
    scale = Scale(low, low + span * max(1.0, abs(low)))
    found = ticks(scale, most)
    assert len(found) <= most
    assert all(-1e-6 <= float(scale.share(value)) <= 1 + 1e-6 for value in found)


def test_decades_are_ticks_of_a_logarithmic_axis() -> None:
    scale = fit(np.array([1e-5, 1.0]), log=True)
    assert ticks(scale, 6) == pytest.approx([1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0])
    assert len(ticks(scale, 3)) <= 3


def test_shifted_logarithm_holds_step_zero() -> None:
    scale = fit(np.array([0, 1000]), log=True, shift=1.0)
    assert scale.column(0, 50) == 0
    assert scale.column(1000, 50) == 49
    assert scale.back(float(scale.forward(100))) == pytest.approx(100)


@pytest.fixture
def hasty_threads() -> Iterator[None]:
    """No thread gets far before another one has its turn."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("hasty_threads")
def test_plots_built_in_several_threads_at_once_are_those_built_alone() -> None:
    x = np.arange(300)
    specs = [Spec((PlotCurve("a", x, np.sin(x / (10 + turn))),), 30 + turn, 8 + turn) for turn in range(8)]
    alone = [build(spec) for spec in specs]
    with ThreadPoolExecutor(len(specs)) as threads:
        together = list(threads.map(build, specs))
    assert [plot.rows for plot in together] == [plot.rows for plot in alone]


@pytest.mark.parametrize("braille", [True, False])
def test_the_playhead_passes_behind_words(braille: bool) -> None:
    steps = np.arange(101)
    curve = PlotCurve("a", steps, steps / 200)
    spec = Spec((curve,), 60, 10, rule=Rule(0.4, "70 %"), marks=(Mark(50, "condensed"),), braille=braille)
    plot = build(spec)
    for step in steps.tolist():
        page = "\n".join("".join(text for text, _ in row) for row in with_playhead(plot, step, "│", step / 2))
        assert "condensed" in page
        assert "70 %" in page.replace("│", " ").replace("┆", " ")


def test_steps_that_read_alike_in_short_are_whole_and_in_full() -> None:
    def labels(low: int, high: int) -> list[str]:
        plot = build(Spec((PlotCurve("a", np.array([low, high]), np.array([1.0, 2.0])),), 60, 10))
        return "".join(character for character, _ in plot.rows[-1]).split()

    assert labels(748, 749) == ["748", "749"]
    found = labels(12_400, 12_404)
    assert len(found) >= 2 and set(found) <= {f"{step:,}" for step in range(12_400, 12_405)}
    assert labels(0, 40_000) == ["0", "10k", "20k", "30k", "40k"]
