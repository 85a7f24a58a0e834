"""Where panels go: nothing is wider than the terminal, and the heatmap gets whole pixels a kernel first."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from condense_tui.screens.arrange import BORDER, HEAT_LEAST, arrange, fitting
from condense_tui.widgets.claim import lines_for


@pytest.mark.parametrize(
    ("size", "sides", "mode"),
    [
        ((30, 10), (32,), "tiny"),
        ((60, 20), (32,), "compact"),
        ((80, 24), (32, 32), "compact"),
        ((120, 40), (32,), "normal"),
        ((200, 60), (50,), "normal"),
        ((200, 60), (32, 32), "wide"),
    ],
)
def test_modes(size: tuple[int, int], sides: tuple[int, ...], mode: str) -> None:
    assert arrange(*size, sides).mode == mode


def test_32_kernels_get_two_pixels_each_at_120_by_40() -> None:
    plan = arrange(120, 40, (32,))
    assert 120 - plan.layers - plan.plots - BORDER == 64


def test_two_layers_side_by_side_with_plots_below_at_200_by_60() -> None:
    plan = arrange(200, 60, (32, 32))
    assert (plan.heat_columns, plan.heatmaps) == (2, 2)
    assert plan.heat_height == 32 + BORDER + 1


def test_matrix_is_scaled_by_whole_factors_until_it_must_be_pooled() -> None:
    assert fitting(32, 70, 40) == 64
    assert fitting(32, 70, 20) == 32
    assert fitting(100, 64, 40) == 64


@given(
    width=st.integers(1, 400),
    height=st.integers(1, 150),
    sides=st.lists(st.integers(1, 256), max_size=8).map(tuple),
    chosen=st.integers(0, 9),
)
def test_columns_never_exceed_the_terminal(width: int, height: int, sides: tuple[int, ...], chosen: int) -> None:
    plan = arrange(width, height, sides, chosen)
    if plan.mode == "tiny":
        return
    left = width - plan.layers - plan.plots
    assert plan.layers >= 0
    assert plan.plots >= 0
    assert left >= min(HEAT_LEAST, width)
    assert plan.heat_height <= height
    assert 1 <= plan.heat_columns <= max(1, plan.heatmaps)


@pytest.mark.parametrize("height", [40, 41])
def test_panels_stay_where_they_are_from_layer_to_layer_under_a_claim(height: int) -> None:
    claim = lines_for(SimpleNamespace(claim=object()), height)
    assert claim > 0
    assert len({arrange(120, height, (side,), claim=claim) for side in (16, 32, 64)}) == 1
