"""The direction field: every arrow where the velocity points, every line through the middle, whatever the data."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from one_input import STABLE, field

from condense_tui.draw import field as draw
from condense_tui.draw.field import ARROWS, ASCII_ARROWS, FieldTone


def grid(reach: float = 1.0, side: int = 9) -> np.ndarray:
    axis = np.linspace(-reach, reach, side)
    return np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)


def texts(rows: list[list[tuple[str, int]]]) -> list[str]:
    return ["".join(text for text, _ in row) for row in rows]


NO_LINES = np.empty(0)


@pytest.mark.parametrize("eighth", range(8))
def test_arrows_point_where_the_velocity_does(eighth: int) -> None:
    omega = grid()
    angle = eighth * math.pi / 4
    velocity = np.broadcast_to([math.cos(angle), math.sin(angle)], omega.shape)
    page = texts(draw.draw(omega, velocity, NO_LINES, 17, 10))
    assert {character for row in page[:-1] for character in row} == {ARROWS[eighth], " "}
    assert sum(row.count(ARROWS[eighth]) for row in page) == 81


def test_bias_is_upwards_and_weight_to_the_right() -> None:
    omega = grid()
    outwards = texts(draw.draw(omega, omega, NO_LINES, 17, 10))
    assert (outwards[0][0], outwards[0][-1]) == ("↖", "↗")
    assert (outwards[8][0], outwards[8][-1]) == ("↙", "↘")
    assert outwards[4][8] == "·"


def test_ascii_has_four_arrows_that_cannot_be_mistaken() -> None:
    page = texts(draw.draw(grid(), grid(), NO_LINES, 17, 10, unicode=False))
    assert "".join(page).isascii()
    assert [page[4][-1], page[0][8], page[4][0], page[8][8]] == list(ASCII_ARROWS)


@pytest.mark.parametrize(("angle", "ends"), [(0.0, ((4, 0), (4, -1))), (math.pi / 2, ((0, 8), (8, 8)))])
def test_a_stable_line_goes_from_edge_to_edge(angle: float, ends: tuple[tuple[int, int], ...]) -> None:
    rows = draw.draw(grid(), grid(), np.array([angle]), 17, 10)
    page = texts(rows)
    for row, column in ends:
        assert 0x2800 < ord(page[row][column]) < 0x2900
    assert sum(len(text) for row in rows for text, tone in row if tone == FieldTone.STABLE) >= 9


def test_neurons_stand_at_their_weight_and_bias_over_everything() -> None:
    neurons = np.array([[-1.0, 1.0], [1.0, -1.0], [0.0, 0.0], [2.0, 0.0], [np.nan, 0.0]])
    rows = draw.draw(grid(), grid(), np.array([0.0]), 17, 10, neurons_M2=neurons)
    page = texts(rows)
    assert [(y, x) for y, row in enumerate(page) for x, sign in enumerate(row) if sign == "●"] == [
        (0, 0),
        (4, 8),
        (8, 16),
    ]
    assert "o" in texts(draw.draw(grid(), grid(), NO_LINES, 17, 10, neurons_M2=neurons, unicode=False))[0]


def test_slope_of_a_line_in_ascii() -> None:
    for angle, stroke in ((0.0, "-"), (math.pi / 4, "/"), (math.pi / 2, "|"), (3 * math.pi / 4, "\\")):
        assert stroke in "".join(texts(draw.draw(grid(), 0 * grid(), np.array([angle]), 17, 10, unicode=False)))


def test_speed_is_a_tone() -> None:
    frame = field()
    rows = draw.draw(frame.omega.numpy(), frame.velocity.numpy(), NO_LINES, 33, 18)
    tones = [{tone for text, tone in row if text.strip()} for row in rows[:-1]]
    assert tones[0] == {FieldTone.FAST}
    assert tones[-1] == {FieldTone.SLOW}


def test_scaling_the_weights_changes_nothing_but_the_axis() -> None:
    frame = field()
    omega, velocity = frame.omega.numpy(), frame.velocity.numpy()
    pages = [texts(draw.draw(omega * scale, velocity * scale, np.array(STABLE), 33, 18)) for scale in (1e-8, 1.0, 1e8)]
    assert pages[0][:-1] == pages[1][:-1] == pages[2][:-1]


NUMBERS = st.floats(allow_nan=True, allow_infinity=True)


@given(
    side=st.integers(0, 6),
    data=st.data(),
    stable=st.lists(NUMBERS, max_size=4),
    area=st.tuples(st.integers(0, 60), st.integers(0, 30)),
    unicode=st.booleans(),
)
def test_never_larger_than_its_area(
    side: int, data: st.DataObject, stable: list[float], area: tuple[int, int], unicode: bool
) -> None:
    width, height = area
    velocity = data.draw(npst.arrays(np.float64, (side * side, 2), elements=NUMBERS))
    omega = grid(1e-5, side) if side > 1 else np.zeros((side, 2))
    rows = draw.draw(omega, velocity, np.array(stable), width, height, unicode=unicode)
    assert len(rows) <= height
    page = texts(rows)
    assert all(len(row) <= width for row in page)
    assert len({len(row) for row in page}) <= 1
    assert unicode or "".join(page).isascii()


@pytest.mark.parametrize(
    "omega", [np.zeros((9, 2)), np.zeros((8, 2)), np.zeros(9), np.full((9, 2), np.nan), np.ones((9, 3)), grid()[::-1]]
)
def test_what_is_no_square_grid_is_not_drawn(omega: np.ndarray) -> None:
    assert draw.draw(omega, np.zeros_like(omega), NO_LINES, 40, 20) == []
