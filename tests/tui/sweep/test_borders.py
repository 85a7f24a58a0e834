"""The theoretical border lies where the regime of a point changes."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from support import need_module

from condense_core.scenario.phase import PhasePoint
from condense_tui.export.raster import to_png
from condense_tui.sweep.axes import Axis
from condense_tui.sweep.borders import border
from condense_tui.sweep.grid import Grid, Square, scale_of
from condense_tui.sweep.svg import svg

GAMMA = Axis("init.gamma", ("0.5", "1", "1.5", "2", "2.5"))
PRIME = Axis("init.gamma_prime", ("-1", "-0.5", "0", "0.5", "1"))


def test_the_border_is_upright_up_to_zero_and_oblique_above():
    expected = [(1.5, 0.0), (1.5, 0.5), (1.5, 1.5), (1.5, 2.5), (2.5, 3.5), (3.5, 4.5), (4.0, 5.0)]
    assert border(GAMMA, PRIME) == expected
    assert border(PRIME, GAMMA) == [(y, x) for x, y in border(GAMMA, PRIME)]


@pytest.mark.parametrize("gammas", [("0.4", "0.9", "1.3", "2.2", "4"), ("1.2", "1.6", "2.5"), ("0.5", "1.25")])
def test_cells_on_its_two_sides_are_of_the_two_regimes(gammas):
    across = Axis("init.gamma", gammas)
    line = border(across, PRIME)
    for row, prime in enumerate(map(float, PRIME.values)):
        crossing = [column for column, height in line if height == pytest.approx(row + 0.5)]
        for index, gamma in enumerate(map(float, gammas)):
            regime = PhasePoint(gamma, prime).regime
            if crossing and regime != "critical":
                assert (index + 0.5 > crossing[0]) == (regime == "condensed")


@pytest.mark.parametrize(
    ("across", "down"),
    [
        (GAMMA, None),
        (GAMMA, Axis("layers.*.width", ("8", "16"))),
        (GAMMA, Axis("init.gamma_prime", ("0",))),
        (GAMMA, Axis("init.gamma_prime", ("1", "0"))),
        (Axis("init.gamma", ("3", "4")), PRIME),
        (Axis("init.gamma", ("0.1", "0.5")), PRIME),
    ],
)
def test_there_is_no_border_over_other_keys_or_out_of_the_picture(across, down):
    assert border(across, down) == []


@pytest.mark.parametrize(("down", "lines"), [(PRIME, 2), (Axis("layers.*.width", PRIME.values), 0)])
def test_the_svg_draws_it_over_these_keys_alone(down, lines):
    squares = tuple(tuple(Square(0.5, ("0.50",)) for _ in GAMMA.values) for _ in PRIME.values)
    text = svg([Grid("dense1", GAMMA, down, squares)], scale_of([], "coverage"), "coverage")
    assert len(list(ElementTree.fromstring(text).iter("{http://www.w3.org/2000/svg}polyline"))) == lines
    assert ("Luo et al. 2021" in text) == bool(lines)


def test_a_picture_in_png_has_its_words():
    need_module("resvg_py")
    squares = tuple(tuple(Square(0.5, ("",)) for _ in GAMMA.values) for _ in PRIME.values)
    grids = [Grid("dense1", GAMMA, PRIME, squares)], scale_of([], "coverage"), "coverage"
    with_words = svg(*grids, monospace=True)
    without = re.sub(r"<text.*?</text>", "", with_words)
    assert len(to_png(with_words)) > len(to_png(without)) + 5_000
