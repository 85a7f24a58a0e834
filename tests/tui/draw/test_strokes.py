"""What is drawn of a curve: gaps stay gaps, averages are averages, and a canvas of ours draws what plotext draws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from condense_tui.draw import canvas, printed
from condense_tui.draw.plot import SHADE, Plot, PlotTone, Rasterise, Spec, build, with_playhead
from condense_tui.draw.strokes import BAND, GAP, PlotCurve, after_gaps, cleaned, in_order, smoothed

RASTERISERS = pytest.mark.parametrize("rasterise", [canvas.rasterise, printed.rasterise], ids=["ours", "plotext"])


def drawn(plot: Plot) -> set[int]:
    """Columns of the canvas with something of a curve in them."""
    return {at - plot.left for row in plot.rows for at, (_, tone) in enumerate(row) if tone >= PlotTone.CURVE}


def characters(plot: Plot) -> str:
    return "".join(character for row in plot.rows for character, tone in row if tone >= PlotTone.CURVE)


def average(y: list[float], weight: float) -> list[float]:
    """The slow, obvious one, in float64."""
    found = []
    for end in range(len(y)):
        known = [(value, weight ** (end - at)) for at, value in enumerate(y[: end + 1]) if np.isfinite(value)]
        total = sum(share for _, share in known)
        found.append(sum(value * share for value, share in known) / total if np.isfinite(y[end]) else np.nan)
    return found


@given(
    y=st.lists(st.floats(-1e6, 1e6) | st.just(np.nan) | st.just(np.inf), max_size=60),
    weight=st.sampled_from([0.6, 0.9, 0.99]),
)
def test_the_moving_average_is_the_weighted_mean_of_what_was_measured(y: list[float], weight: float) -> None:
    np.testing.assert_allclose(smoothed(np.array(y), weight), average(y, weight), rtol=1e-9, atol=1e-6)


def test_a_long_moving_average_forgets_and_is_that_of_a_loop() -> None:
    y = np.random.default_rng(0).random(5000)
    found, total, weights = smoothed(y, 0.97), 0.0, 0.0
    for at, value in enumerate(y.tolist()):
        total, weights = 0.97 * total + value, 0.97 * weights + 1
        assert found[at] == pytest.approx(total / weights, rel=1e-12)


@RASTERISERS
def test_a_value_that_is_no_number_leaves_a_gap(rasterise: Rasterise) -> None:
    y = np.linspace(0, 1, 200)
    y[80:120] = np.nan
    columns = drawn(build(Spec((PlotCurve("a", np.arange(200), y),), 60, 10), rasterise))
    width = build(Spec((PlotCurve("a", np.arange(200), y),), 60, 10)).canvas_width
    middle = range(round(0.42 * width), round(0.58 * width))
    assert not columns & set(middle)
    assert {0, width - 1} <= columns


@RASTERISERS
def test_a_stretch_that_was_left_out_leaves_a_gap(rasterise: Rasterise) -> None:
    among = np.arange(200)
    x = np.r_[0:80, 120:200]
    curve = PlotCurve("a", x, x / 200, among=among)
    width = build(Spec((curve,), 60, 10)).canvas_width
    assert not drawn(build(Spec((curve,), 60, 10), rasterise)) & set(range(round(0.42 * width), round(0.58 * width)))
    joined = PlotCurve("a", x, x / 200, among=x)
    assert len(drawn(build(Spec((joined,), 60, 10), rasterise))) == width


def test_a_measure_taken_less_often_has_no_gaps() -> None:
    among = np.arange(400)
    for x in (among[::10], np.r_[0:100, 100:400:16], np.r_[0, 1, 2, 4, 8, 16, 32, 64, 128, 256]):
        assert not after_gaps(x, among).any()
    # read by the clock, at steps of its own
    assert not after_gaps(np.array([0.5, 1.5, 300.5, 301.5]), among).any()
    assert after_gaps(np.r_[0:10, 10 + GAP + 1 : 30], among).sum() == 1


def test_points_that_were_measured_are_marked_where_they_are_few() -> None:
    x = np.linspace(0, 1000, 6)
    for braille, sign in ((True, "•"), (False, "o")):
        few = build(Spec((PlotCurve("a", x, x),), 60, 10, braille=braille))
        assert characters(few).count(sign) == 6
        many = build(Spec((PlotCurve("a", np.arange(60), np.arange(60)),), 60, 10, braille=braille))
        assert sign not in characters(many)
        computed = build(Spec((PlotCurve("a", x, x, exact=True),), 60, 10, braille=braille))
        assert sign not in characters(computed)


@RASTERISERS
def test_points_are_marked_on_both_sides_of_a_long_line_and_nowhere_else(rasterise: Rasterise) -> None:
    x = np.r_[0:30, 273, 400]
    plot = build(Spec((PlotCurve("a", x, x),), 60, 10), rasterise)
    signs = [sum(row[plot.left + column][0] == "•" for row in plot.rows) for column in range(plot.canvas_width)]
    marked = {column for column, count in enumerate(signs) if count}
    wanted = {plot.x.column(step, plot.canvas_width) for step in (29, 273, 400)}
    # a rasteriser may round to the cell beside
    assert len(marked) == 3
    assert all(min(abs(column - each) for each in wanted) <= 1 for column in marked)


def shaded(plot: Plot) -> set[tuple[int, int]]:
    return {
        (row, column - plot.left)
        for row, cells in enumerate(plot.rows)
        for column, (_, tone) in enumerate(cells)
        if tone >= SHADE
    }


def band_of(x: np.ndarray, low: np.ndarray, high: np.ndarray, **more: object) -> Spec:
    curves = (
        PlotCurve("mean", x, (low + high) / 2, **more),
        PlotCurve("lowest", x, low, BAND, **more),
        PlotCurve("highest", x, high, BAND, fills=True, **more),
    )
    return Spec(curves, 60, 21, bounds=(0.0, 1.0))


def test_a_band_is_shaded_from_edge_to_edge() -> None:
    x = np.arange(50.0)
    plot = build(band_of(x, np.full(50, 0.25), np.full(50, 0.75)))
    cells = shaded(plot)
    # 20 rows from 1 at the top to 0 at the bottom
    assert {row for row, _ in cells} == set(range(5, 15))
    assert {column for _, column in cells} == set(range(plot.canvas_width))
    assert len(cells) == 10 * plot.canvas_width
    # the curve in it has its own tone still, and so has the playhead
    assert {tone % SHADE for row in plot.rows for _, tone in row} >= {PlotTone.CURVE, PlotTone.CURVE + BAND}
    marked = with_playhead(plot, 25)
    assert sum(text == "│" for row in marked for text, tone in row if tone % SHADE == PlotTone.PLAYHEAD) >= 10
    np.testing.assert_array_equal(plot.curves[0].y, np.full(50, 0.5))


def test_where_nothing_was_measured_or_all_is_alike_no_band_is_shaded() -> None:
    x = np.r_[0:80, 120:200].astype(float)
    gap = build(band_of(x, np.full(160, 0.2), np.full(160, 0.8), among=np.arange(200.0)))
    columns = {column for _, column in shaded(gap)}
    assert columns
    assert not columns & set(range(round(0.42 * gap.canvas_width), round(0.58 * gap.canvas_width)))
    narrow = build(band_of(np.arange(50.0), np.full(50, 0.49), np.full(50, 0.51)))
    assert not shaded(narrow)
    assert not shaded(build(band_of(np.array([3.0]), np.array([0.2]), np.array([0.8]))))


def test_a_single_point_is_drawn() -> None:
    plot = build(Spec((PlotCurve("a", np.array([5]), np.array([1.0])),), 40, 8))
    assert characters(plot) == "•"


def test_the_average_is_drawn_in_front_and_what_was_measured_behind() -> None:
    y = np.random.default_rng(0).random(300)
    plot = build(Spec((PlotCurve("a", np.arange(300), y),), 60, 12, smooth=0.97))
    tones = {tone for row in plot.rows for _, tone in row}
    assert {PlotTone.CURVE, PlotTone.CURVE + 13} <= tones
    np.testing.assert_allclose(plot.curves[0].y, smoothed(y, 0.97))
    exact = build(Spec((PlotCurve("a", np.arange(300), y, exact=True),), 60, 12, smooth=0.97))
    np.testing.assert_array_equal(exact.curves[0].y, y)


@pytest.mark.parametrize("log_x", [False, True])
def test_a_window_shows_that_part_and_fits_its_values(log_x: bool) -> None:
    x = np.arange(1, 1001)
    plot = build(Spec((PlotCurve("a", x, x**2.0),), 60, 12, log_x=log_x, window=(400, 500)))
    assert plot.x.back(plot.x.low) == pytest.approx(400)
    assert plot.x.back(plot.x.high) == pytest.approx(500)
    assert plot.y.low == pytest.approx(400**2, rel=0.1)
    assert plot.y.high == pytest.approx(500**2, rel=0.1)
    # it runs in at one edge and out at the other
    assert {0, plot.canvas_width - 1} <= drawn(plot)


def test_values_without_a_logarithm_are_counted() -> None:
    y = np.r_[0.0, -1.0, np.nan, np.geomspace(1, 10, 20)]
    assert build(Spec((PlotCurve("a", np.arange(23), y),), 40, 8, log_y=True)).unseen == 2
    assert build(Spec((PlotCurve("a", np.arange(23), y),), 40, 8)).unseen == 0


@settings(max_examples=60)
@given(
    y=arrays(np.float64, st.integers(1, 300), elements=st.floats(-10, 10) | st.just(np.nan)),
    width=st.integers(12, 70),
    low=st.floats(-5, 290),
    span=st.floats(0.5, 300),
)
def test_no_dot_lies_where_no_line_passes(y: np.ndarray, width: int, low: float, span: float) -> None:
    """Each column's dots lie between the least and the largest value that the curve has there, to a dot."""
    curve = PlotCurve("a", np.arange(len(y)), y)
    plot = build(Spec((curve,), width, 12, window=(low, low + span)))
    stroke = cleaned(in_order(curve), log_x=False, log_y=False)
    if plot.empty or len(stroke.x) < 2:
        return
    dot = (plot.x.high - plot.x.low) / max(1, 2 * plot.canvas_width - 1)
    for column in drawn(plot):
        left = plot.x.low + (2 * column - 1) * dot
        right = left + 3 * dot
        touched = ((stroke.x >= left - dot) & (stroke.x <= right + dot)).any()
        crossed = ((stroke.x[:-1] <= right) & (stroke.x[1:] >= left) & ~stroke.begins[1:]).any()
        assert touched or crossed


def test_ours_and_plotexts_curves_are_the_same_to_a_cell() -> None:
    x = np.arange(400)
    for y in (np.sin(x / 30), np.exp(-x / 90), np.linspace(0, 1, 400)):
        spec = Spec((PlotCurve("a", x, y),), 60, 14)
        ours, theirs = build(spec), build(spec, printed.rasterise)
        for column in range(ours.left, 60):
            rows = [
                [at for at, row in enumerate(plot.rows) if row[column][1] >= PlotTone.CURVE] for plot in (ours, theirs)
            ]
            assert rows[0] and rows[1]
            assert abs(rows[0][0] - rows[1][0]) <= 1
            assert abs(rows[0][-1] - rows[1][-1]) <= 1
