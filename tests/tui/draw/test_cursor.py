"""Reading a plot: the cursor stands at measured points only, and a view never leaves what was measured."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from condense_tui.draw import cursor
from condense_tui.draw.plot import Plot, Spec, build
from condense_tui.draw.strokes import PlotCurve

STEPS = np.unique(np.r_[0, np.geomspace(1, 4000, 120).astype(int)])


def plotted(window: cursor.Window | None = None, *, log_x: bool = False) -> Plot:
    loss = PlotCurve("loss", STEPS, 1 / (1.0 + STEPS))
    return build(Spec((loss, PlotCurve("other", STEPS[::2], STEPS[::2] / 9, 1)), 50, 12, log_x=log_x, window=window))


@pytest.mark.parametrize("log_x", [False, True])
def test_the_cursor_goes_from_one_end_to_the_other_over_measured_steps(log_x: bool) -> None:
    plot = plotted(log_x=log_x)
    at, passed = 0.0, [0.0]
    while at < STEPS[-1]:
        moved = cursor.moved(plot, at, 1)
        assert moved is not None and moved > at and moved in STEPS
        at = moved
        passed.append(at)
    assert len(passed) <= plot.canvas_width + 1
    while at > 0:
        moved = cursor.moved(plot, at, -1)
        assert moved is not None and moved < at and moved in STEPS
        at = moved
    assert cursor.moved(plot, 0.0, -10) == 0.0


def test_a_reading_is_what_was_recorded_and_nothing_where_it_was_not() -> None:
    plot = plotted()
    even, odd = float(STEPS[40]), float(STEPS[41])
    assert cursor.read(plot, even).values == (("loss", 1 / (1 + even)), ("other", even / 9))
    assert cursor.read(plot, odd).values == (("loss", 1 / (1 + odd)), ("other", None))
    assert "other –" in cursor.words(cursor.read(plot, odd), 80)
    assert f"step {int(odd):,}" in cursor.words(cursor.read(plot, odd), 20)


def test_of_a_step_recorded_twice_the_newer_value_counts() -> None:
    curve = PlotCurve("loss", np.array([0, 10, 20, 10, 20]), np.array([5.0, 4.0, 3.0, 2.0, 1.0]))
    plot = build(Spec((curve,), 40, 8))
    assert cursor.read(plot, 10.0).values == (("loss", 2.0),)


@given(
    moves=st.lists(
        st.tuples(st.sampled_from(["in", "out", "left", "right"]), st.none() | st.sampled_from(STEPS.tolist())),
        max_size=25,
    ),
    log_x=st.booleans(),
)
def test_no_way_leads_out_of_what_was_measured(moves: list[tuple[str, int | None]], log_x: bool) -> None:
    window: cursor.Window | None = None
    for move, around in moves:
        plot = plotted(window, log_x=log_x)
        if move in {"in", "out"}:
            window = cursor.zoomed(plot, move == "in", around)
        else:
            window = cursor.panned(plot, cursor.PAN if move == "right" else -cursor.PAN)
        if window is not None:
            low, high = window
            assert 0 <= low < high <= STEPS[-1] * (1 + 1e-9)


def test_zooming_keeps_what_is_pointed_at_in_its_place_and_comes_back() -> None:
    plot = plotted()
    window = cursor.zoomed(plot, True, 1000)
    assert window is not None
    closer = plotted(window)
    assert float(closer.x.share(1000)) == pytest.approx(float(plot.x.share(1000)), abs=0.02)
    for _ in range(3):
        window = cursor.zoomed(plotted(window), False, 1000)
    assert window is None


def test_panning_moves_by_a_part_of_the_view_and_stops_at_the_end() -> None:
    window: cursor.Window | None = (1000.0, 2000.0)
    window = cursor.panned(plotted(window), 0.25)
    assert window == pytest.approx((1250, 2250))
    for _ in range(9):
        window = cursor.panned(plotted(window), 0.25)
    assert window == pytest.approx((3000, 4000))
    assert cursor.panned(plotted(), 0.25) is None


def test_a_plot_of_nothing_reads_nothing() -> None:
    plot = build(Spec((PlotCurve("loss", np.empty(0), np.empty(0)),), 40, 8))
    assert cursor.moved(plot, None, 1) is None
    assert cursor.nearest(plot, 3) is None
    assert cursor.zoomed(plot, True, None) is None
