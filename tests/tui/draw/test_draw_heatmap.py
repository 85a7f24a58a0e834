"""The heatmap's drawing functions, on every kind of matrix that a run can hold."""

from __future__ import annotations

import itertools

import numpy as np
import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from condense_tui.draw import heatmap as draw
from condense_tui.draw import palette as colour
from condense_tui.draw.ability import Depth
from condense_tui.draw.palette import CODES, DROPPED, EMPTY, LEVELS, NAN, PALETTES, ZERO

EMBER = PALETTES[0]


def lay_out(cosine: np.ndarray, side: int, dropped: np.ndarray | None = None) -> draw.Layout:
    kernels = len(cosine)
    gone = np.zeros(kernels, bool) if dropped is None else dropped
    return draw.lay_out(cosine.astype(np.float32), np.arange(kernels), gone, side)


def shown(rows: list[str], width: int) -> list[list[tuple[str, str, str]]]:
    """What a terminal shows after the rows: character, foreground, background of each cell."""
    terminal = pyte.Screen(width, len(rows))
    stream = pyte.Stream(terminal)
    for y, row in enumerate(rows):
        stream.feed(f"\x1b[{y + 1};1H{row}")
    cells = [[terminal.buffer[y][x] for x in range(width)] for y in range(len(rows))]
    return [[(c.data, c.fg if c.data != " " else "", c.bg) for c in line] for line in cells]


def test_codes_are_symmetric_with_an_exact_zero() -> None:
    found = colour.codes(np.array([-1, -0.5, 0, 0.5, 1], np.float32))
    assert found[2] == ZERO
    assert found[0] == 0
    assert found[4] == LEVELS - 1
    assert found[1] + found[3] == LEVELS - 1


def test_codes_of_what_is_no_cosine() -> None:
    found = colour.codes(np.array([np.nan, np.inf, -np.inf, 3.0], np.float32))
    assert found.tolist() == [NAN, LEVELS - 1, 0, LEVELS - 1]


def test_small_matrix_is_scaled_by_a_whole_factor() -> None:
    layout = lay_out(np.eye(3), 10)
    assert layout.places.tolist() == [0, 3, 6, 9]
    assert layout.pixels.shape == (9, 9)
    assert not layout.pooled
    assert (layout.pixels[:3, :3] == LEVELS - 1).all()
    assert (layout.pixels[:3, 3:] == ZERO).all()


def test_room_for_nearly_the_next_factor_is_not_left_empty() -> None:
    layout = lay_out(np.eye(32), 62)
    assert layout.pixels.shape == (62, 62)
    assert not layout.pooled
    wide = np.diff(layout.places)
    assert sorted(np.unique(wide).tolist()) == [1, 2]
    assert (wide == 2).sum() == 30
    for kernel, (first, last) in enumerate(zip(layout.places[:-1], layout.places[1:], strict=True)):
        assert (layout.pixels[first:last, first:last] == LEVELS - 1).all()
        assert {layout.cell_of(pixel) for pixel in range(first, last)} == {kernel}
    # half of the kernels twice as wide as the others would read as a pattern
    even = lay_out(np.eye(32), 48)
    assert even.pixels.shape == (32, 32)


def test_large_matrix_is_pooled_by_the_mean_and_says_so() -> None:
    signs = np.where(np.arange(64) < 32, 1.0, -1.0)
    layout = lay_out(np.outer(signs, signs), 16)
    assert layout.pooled
    assert layout.pixels.shape == (16, 16)
    assert (layout.pixels[:8, :8] == LEVELS - 1).all()
    assert (layout.pixels[:8, 8:] == 0).all()


def test_no_block_reaches_over_two_sides_of_a_line() -> None:
    signs = np.where(np.arange(100) < 33, 1.0, -1.0)
    cosine = np.outer(signs, signs).astype(np.float32)
    for side in (7, 20, 54, 99):
        layout = draw.lay_out(cosine, np.arange(100), np.zeros(100, bool), side, starts=(0, 33))
        assert set(np.unique(layout.pixels).tolist()) == {0, LEVELS - 1}, side
        assert layout.side <= side
        assert 33 in layout.edges.tolist()


@given(starts=st.lists(st.integers(-3, 130), max_size=40), side=st.integers(1, 99))
def test_blocks_are_whole_kernels_in_their_order_wherever_groups_start(starts: list[int], side: int) -> None:
    layout = draw.lay_out(np.ones((100, 100), np.float32), np.arange(100), np.zeros(100, bool), side, sorted(starts))
    edges = layout.edges.tolist()
    assert edges[0] == 0 and edges[-1] == 100
    assert all(a < b for a, b in itertools.pairwise(edges))
    assert len(edges) <= side + 1
    assert (layout.pixels == LEVELS - 1).all()


def test_pooling_leaves_out_what_has_no_direction() -> None:
    cosine = np.full((8, 8), 0.5)
    cosine[0, :] = cosine[:, 0] = np.nan
    layout = lay_out(cosine, 4)
    assert (layout.pixels == colour.codes(np.array([0.5], np.float32))[0]).all()


def test_dropped_kernels_are_hatched_in_both_directions() -> None:
    dropped = np.array([False, False, True])
    pixels = lay_out(np.ones((3, 3)), 3, dropped).pixels
    assert (pixels[2, :] == DROPPED).all()
    assert (pixels[:, 2] == DROPPED).all()
    assert (pixels[:2, :2] == LEVELS - 1).all()


@pytest.mark.parametrize("side", [0, 1, 7])
def test_no_kernels_at_all(side: int) -> None:
    layout = lay_out(np.zeros((0, 0)), side)
    assert layout.side == 0
    assert draw.paint(draw.pairs(layout.pixels, 4, 2), EMBER, True, Depth.TRUE)


def test_one_kernel_fills_the_square() -> None:
    assert (lay_out(np.ones((1, 1)), 6).pixels == LEVELS - 1).all()


def test_4096_kernels() -> None:
    layout = lay_out(np.full((4096, 4096), -0.2), 80)
    assert layout.pixels.shape == (80, 80)
    assert len(np.unique(layout.pixels)) == 1


def test_cell_of_pixel_is_the_kernel_drawn_there() -> None:
    layout = lay_out(np.eye(5), 12)
    assert [layout.cell_of(pixel) for pixel in range(12)] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, None, None]
    assert layout.cell_of(-1) is None


matrices = st.integers(1, 24).flatmap(
    lambda m: arrays(np.float32, (m, m), elements=st.floats(allow_nan=True, allow_infinity=True, width=32))
)


@given(cosine=matrices, side=st.integers(1, 40), seed=st.integers(0, 2**16))
@settings(max_examples=150)
def test_any_matrix_can_be_laid_out_and_painted(cosine: np.ndarray, side: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    kernels = len(cosine)
    layout = draw.lay_out(cosine, random.permutation(kernels), random.random(kernels) < 0.3, side)
    assert layout.pixels.shape == (layout.side, layout.side)
    assert layout.side <= side
    assert layout.pixels.max(initial=0) < EMPTY
    rows = draw.paint(draw.pairs(layout.pixels, 20, 8), EMBER, True, Depth.TRUE)
    assert len(rows) == 8


def random_pairs(seed: int, height: int, width: int, few: bool) -> np.ndarray:
    random = np.random.default_rng(seed)
    codes = np.array([0, ZERO, NAN, DROPPED]) if few else np.arange(CODES)
    return random.choice(codes, (height, width)) * CODES + random.choice(codes, (height, width))


@given(seed=st.integers(0, 2**16), width=st.integers(1, 30), few=st.booleans())
@settings(max_examples=100)
def test_shortened_escape_codes_draw_the_same_as_each_cell_by_itself(seed: int, width: int, few: bool) -> None:
    pairs = random_pairs(seed, 3, width, few)
    at_once = draw.paint(pairs, EMBER, True, Depth.TRUE)
    cell_by_cell = [
        "".join(draw.paint(np.array([[pair]]), EMBER, True, Depth.TRUE)[0] for pair in row) for row in pairs
    ]
    assert shown(at_once, width) == shown(cell_by_cell, width)


@given(seed=st.integers(0, 2**16), width=st.integers(1, 30), share=st.floats(0, 1))
@settings(max_examples=100)
def test_painting_only_differences_gives_the_new_picture(seed: int, width: int, share: float) -> None:
    before = random_pairs(seed, 3, width, few=True)
    now = np.where(
        np.random.default_rng(seed).random(before.shape) < share, random_pairs(seed + 1, 3, width, True), before
    )
    whole = draw.paint(now, EMBER, True, Depth.TRUE)
    onto = [
        old + f"\r{new}"
        for old, new in zip(
            draw.paint(before, EMBER, True, Depth.TRUE), draw.paint(now, EMBER, True, Depth.TRUE, before), strict=True
        )
    ]
    assert shown(onto, width) == shown(whole, width)


def test_nothing_is_written_where_nothing_changed() -> None:
    pairs = random_pairs(1, 4, 12, few=False)
    assert draw.paint(pairs, EMBER, True, Depth.TRUE, pairs) == [""] * 4


def test_equal_neighbours_are_one_run() -> None:
    assert draw.runs(np.array([5, 5, 5, 7, 5])) == [(5, 3), (7, 1), (5, 1)]
    assert draw.runs(np.array([], np.int32)) == []


def test_no_number_and_dropped_look_unlike_every_cosine() -> None:
    for palette in PALETTES:
        for dark in (True, False):
            table = colour.colours(palette, dark)
            assert len(set(table[:LEVELS])) == LEVELS
            assert table[NAN] not in table[:LEVELS]
            assert table[DROPPED] not in table[:LEVELS]


@pytest.mark.parametrize("palette", PALETTES, ids=lambda palette: palette.name)
@pytest.mark.parametrize("dark", [True, False])
def test_lightness_grows_from_zero_to_both_ends(palette: colour.Palette, dark: bool) -> None:
    """So that strength can be read in grey as well, whatever the eye makes of the hues."""
    luma = [0.299 * r + 0.587 * g + 0.114 * b for r, g, b in colour.colours(palette, dark)[:LEVELS]]
    outward = [luma[ZERO:], luma[ZERO::-1]]
    for side in outward:
        steps = np.diff(side) if dark else -np.diff(side)
        assert (steps > -1.5).all()
        assert abs(side[-1] - side[0]) > 90


@pytest.mark.parametrize("depth", [Depth.TRUE, Depth.INDEXED, Depth.ANSI])
def test_ends_and_middle_differ_at_every_colour_depth(depth: Depth) -> None:
    for palette in PALETTES:
        for dark in (True, False):
            table = colour.sgr(palette, dark, depth, 48)
            assert len({table[0], table[ZERO], table[LEVELS - 1], table[NAN]}) == 4


def test_ascii_ramp_has_strength_and_sign() -> None:
    wide = colour.ramp(True)
    assert wide[LEVELS - 1] == "@@"
    assert wide[0] == "-@"
    assert wide[ZERO].strip() == ""
    narrow = colour.ramp(False)
    assert all(len(text) == 1 for text in narrow)
    assert not set(narrow[: ZERO - 1]) & set(narrow[ZERO + 2 : LEVELS])
    rows = draw.ascii_rows(lay_out(np.eye(2), 2).pixels, 6, 3, wide=True)
    assert rows == ["@@    ", "  @@  ", "      "]
