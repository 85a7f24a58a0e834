"""Whatever a run holds can be drawn: NaN, ±inf, nothing, one kernel, 4,096 kernels, all equal; on a screen, as text, in
pictures that stay well-formed and hold no number that is none."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from rich.cells import cell_len

from condense_core.runfile.frames import Array, Field
from condense_tui.documents import arrows, curves, heat
from condense_tui.documents.markup import el
from condense_tui.draw import numbers, timeline
from condense_tui.draw.ability import Ability, Depth
from condense_tui.draw.ascii import to_ascii
from condense_tui.draw.plot import Mark, Rule, Spec, build, with_playhead
from condense_tui.draw.strokes import PlotCurve
from condense_tui.snapshots.image import image_of
from condense_tui.snapshots.plots import Figure
from condense_tui.snapshots.snapshot import LayerImage
from condense_tui.text import blocks
from condense_tui.text.blocks import TextInk

ANY = st.floats(allow_nan=True, allow_infinity=True, width=64)
INKS = [TextInk(Ability(depth, unicode)) for depth in Depth for unicode in (True, False)]
SPECIAL = {
    "none": np.zeros((0, 0)),
    "one": np.ones((1, 1)),
    "one without direction": np.full((1, 1), np.nan),
    "all equal": np.ones((40, 40)),
    "all NaN": np.full((40, 40), np.nan),
    "infinite": np.full((40, 40), np.inf),
    "alternating": np.outer((-1.0) ** np.arange(40), (-1.0) ** np.arange(40)),
}


def image(cosine: np.ndarray, dropped: bool = False) -> LayerImage:
    kernels = len(cosine)
    return LayerImage("conv1", kernels, cosine.astype(np.float32), np.arange(kernels), np.full(kernels, dropped), ())


def well_formed(svg: str) -> None:
    ElementTree.fromstring(svg)
    for value in re.findall(r"\s(?:x|y|x1|x2|y1|y2|width|height|d|points|transform)=\"([^\"]*)\"", svg):
        assert "nan" not in value and "inf" not in value, value


@pytest.mark.parametrize("name", SPECIAL)
@pytest.mark.parametrize("dropped", [False, True])
@pytest.mark.parametrize("ink", INKS)
def test_any_matrix_as_text(name: str, dropped: bool, ink: TextInk) -> None:
    for width, rows in ((1, 1), (7, 3), (40, 20), (100, 50)):
        block = blocks.heatmap(image(SPECIAL[name], dropped), width, rows, ink)
        drawn = block.lines[1:]
        assert len(drawn) <= rows
        assert all(sum(cell_len(text) for text, _ in line) <= width for line in drawn)
        if ink.ability.ascii_heatmap:
            assert all(text.isascii() for line in drawn for text, _ in line)


@settings(max_examples=60)
@given(cosine=st.integers(0, 24).flatmap(lambda n: arrays(np.float32, (n, n), elements=st.floats(width=32))))
def test_any_matrix_as_a_picture(cosine: np.ndarray) -> None:
    for largest in (3, 256):
        side, drawn = heat.cells(cosine, np.arange(len(cosine)), np.zeros(len(cosine), bool), largest)
        assert side == min(len(cosine), largest)
        well_formed(el("svg", drawn))


def test_4096_kernels_as_text_and_as_a_picture() -> None:
    signs = np.where(np.arange(4096) < 1024, 1.0, -1.0).astype(np.float32)
    cosine = np.outer(signs, signs)
    block = blocks.heatmap(image(cosine), 80, 30, INKS[0])
    assert len(block.lines) <= 31
    assert "4,096 kernels pooled to" in block.lines[0][0][0]
    side, drawn = heat.cells(cosine, np.arange(4096), np.zeros(4096, bool), 256)
    assert side == 256
    # two colours: one is the ground, the other one stroke a row
    assert len(re.findall("<path", drawn)) == 1


def test_recorded_matrix_and_condensation_that_do_not_fit_each_other() -> None:
    found = image_of("conv1", np.ones((3, 3), np.float32), None, True)
    assert found.order.tolist() == [0, 1, 2]


SERIES = st.integers(0, 40).flatmap(lambda n: arrays(np.float64, n, elements=ANY))


@settings(max_examples=60)
@given(y=SERIES, log=st.booleans(), log_x=st.booleans(), rule=ANY, mark=ANY)
def test_any_curve_as_a_picture(y: np.ndarray, log: bool, log_x: bool, rule: float, mark: float) -> None:
    x = np.arange(len(y))
    spec = curves.Chart(
        "title", [curves.ChartCurve(x, y, name="a")], log=log, rule=(rule, "r"), mark=(mark, "m"), log_x=log_x
    )
    well_formed(curves.plot(spec))


@settings(max_examples=60)
@given(y=SERIES, log=st.booleans(), rule=ANY, mark=ANY, ink=st.sampled_from(INKS))
def test_any_curve_as_text(y: np.ndarray, log: bool, rule: float, mark: float, ink: TextInk) -> None:
    spec = Spec(
        (PlotCurve("a", np.arange(len(y)), y),), 0, 0, log_y=log, rule=Rule(rule, "r"), marks=(Mark(mark, "m"),)
    )
    for width, height in ((8, 2), (30, 5), (80, 12)):
        block = blocks.plot(Figure(spec, "loss"), width, height, 3, ink.ability.unicode)
        assert len(block.lines) <= height + 1
        assert all(sum(cell_len(text) for text, _ in line) <= width for line in block.lines[1:] if len(line) > 1)


@given(y=SERIES, step=st.integers(-5, 60))
def test_a_playhead_anywhere(y: np.ndarray, step: int) -> None:
    plot = build(Spec((PlotCurve("a", np.arange(len(y)), y),), 40, 8))
    assert all(sum(len(text) for text, _ in row) == 40 for row in with_playhead(plot, step))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 0.0, -1.0])
def test_a_curve_of_nothing_but_that(value: float) -> None:
    block = blocks.plot(
        Figure(Spec((PlotCurve("a", np.arange(5), np.full(5, value)),), 0, 0, log_y=True), "loss"), 40, 8, None, True
    )
    assert "no number to draw" in block.lines[1][0][0]


@settings(max_examples=60)
@given(
    velocity=st.sampled_from([0, 1, 4, 9, 25]).flatmap(lambda n: arrays(np.float64, (n, 2), elements=ANY)),
    stable=st.lists(ANY, max_size=4),
    reach=st.floats(1e-300, 1e300),
)
def test_any_field_as_a_picture(velocity: np.ndarray, stable: list[float], reach: float) -> None:
    side = math.isqrt(len(velocity))
    axis = np.linspace(-reach, reach, side) if side > 1 else np.zeros(side)
    omega = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    field = Field(omega=Array.of(omega, "f8"), velocity=Array.of(velocity, "f8"), stable=Array.of(stable, "f8"))
    well_formed(arrows.arrows(field, "label"))


@given(value=ANY)
def test_numbers_are_short_and_honest(value: float) -> None:
    for digits in (2, 3, 4, 6):
        text = numbers.measure(value, digits)
        assert len(text) <= digits + 8
        if math.isnan(value):
            assert text == numbers.UNKNOWN
        elif abs(value) < 1e307:
            # as many figures as are shown: half a unit of the last of them
            assert math.isclose(float(text), value, rel_tol=10.0 ** (1 - max(1, digits - 1)), abs_tol=5e-324)
        elif math.isinf(value):
            assert text == ("∞" if value > 0 else "-∞")
    assert len(numbers.percent(value)) <= 350
    assert len(numbers.cosine(value)) <= 350
    for text in (numbers.rate(value), numbers.duration(value)):
        assert text and "nan" not in text and "inf" not in text


@given(value=st.floats(-1e300, 1e300, allow_subnormal=False))
def test_ticks_and_steps_are_short(value: float) -> None:
    assert len(numbers.tick(value)) <= 12
    assert float(numbers.tick(value)) == pytest.approx(value, rel=1e-2)
    assert numbers.short_step(value)


@given(
    steps=st.lists(st.integers(0, 2**40), max_size=20).map(sorted),
    events=st.lists(st.tuples(st.integers(-9, 2**41), st.text(max_size=9))),
)
def test_timelines_of_any_events(steps: list[int], events: list[tuple[int, str]]) -> None:
    scale = timeline.axis(np.array(steps, np.int64), steps[-1] if steps else 0)
    found = timeline.marks(events, scale, 50)
    assert all(0 <= column < 50 for _, _, column in found)
    assert len({column for _, _, column in found}) == len(found)


@given(text=st.text())
def test_ascii_text_is_as_long_and_ascii(text: str) -> None:
    found = to_ascii(text)
    assert found.isascii()
    assert len(found) == len(text)
