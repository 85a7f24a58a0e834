"""Order of kernels, timeline, bars, numbers, the terminal's abilities."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from condense_tui.draw import bars, numbers, order, timeline
from condense_tui.draw.ability import Depth, ability

LABELS = st.lists(st.tuples(st.integers(-2, 5), st.sampled_from([-1, 1])), max_size=60)


def test_kernels_of_a_line_stand_together_plus_side_first() -> None:
    label = np.array([1, 0, -1, 0, 1, -2, 0], np.int16)
    sign = np.array([1, -1, 1, 1, -1, 1, 1], np.int8)
    assert order.by_line(label, sign).tolist() == [3, 6, 1, 0, 4, 2, 5]


def test_order_of_no_kernels_is_empty() -> None:
    assert order.by_line(np.empty(0, np.int16), np.empty(0, np.int8)).tolist() == []
    assert order.groups(np.empty(0, np.int16), np.empty(0, np.int8), np.empty(0, np.int64)) == ()


@given(LABELS)
def test_order_is_a_permutation_with_lines_first_and_dropped_last(kernels: list[tuple[int, int]]) -> None:
    label = np.array([one for one, _ in kernels], np.int16)
    sign = np.array([one for _, one in kernels], np.int8)
    found = order.by_line(label, sign)
    assert sorted(found.tolist()) == list(range(len(kernels)))
    kinds = [0 if value >= 0 else -int(value) for value in label[found]]
    assert kinds == sorted(kinds)
    groups = order.groups(label, sign, found)
    assert sum(group.stop - group.start for group in groups) == len(kernels)
    assert len({(group.label, group.sign) for group in groups}) == len(groups)


def test_order_does_not_jump_when_a_kernel_joins_a_line() -> None:
    before = order.by_line(np.array([0, 0, -1, 1, 1]), np.ones(5))
    after = order.by_line(np.array([0, 0, 1, 1, 1]), np.ones(5))
    without = [kernel for kernel in before if kernel != 2]
    assert [kernel for kernel in after if kernel != 2] == without


def test_timeline_shows_recorded_part_events_and_playhead() -> None:
    instants = np.arange(0, 51)
    scale = timeline.axis(instants, 100)
    spans = timeline.line(101, scale, recorded=50, playhead=20, events=[(30, "condensed"), (40, "checkpoint")])
    text = "".join(part for part, _ in spans)
    assert len(text) == 101
    assert text[20] == "█"
    assert text[30] == "◆"
    assert text[40] == "━"
    assert text[60] == "─"


def test_heavier_event_wins_a_shared_column() -> None:
    scale = timeline.axis(np.array([0, 100]), 100)
    assert timeline.marks([(50, "paused"), (50, "diverged"), (50, "condensed")], scale, 11)[0][0] == "✖"


def test_logarithmic_recordings_get_a_logarithmic_timeline() -> None:
    assert timeline.is_logarithmic(np.unique(np.geomspace(1, 10_000, 200).astype(int)))
    assert not timeline.is_logarithmic(np.arange(0, 10_000, 50))
    assert not timeline.is_logarithmic(np.empty(0, np.int64))


@given(
    width=st.integers(0, 120),
    instants=st.lists(st.integers(0, 10**9), max_size=30, unique=True).map(sorted),
    steps=st.integers(0, 10**9),
    event=st.integers(-5, 10**9),
    unicode=st.booleans(),
)
def test_timeline_is_always_as_wide_as_asked(
    width: int, instants: list[int], steps: int, event: int, unicode: bool
) -> None:
    recorded = instants[-1] if instants else None
    scale = timeline.axis(np.array(instants, np.int64), steps)
    spans = timeline.line(
        width, scale, recorded=recorded, playhead=recorded, events=[(event, "paused")], unicode=unicode
    )
    assert sum(len(text) for text, _ in spans) == width


@given(share=st.floats(allow_nan=True, allow_infinity=True), width=st.integers(-1, 60), unicode=st.booleans())
def test_bar_is_as_wide_as_asked(share: float, width: int, unicode: bool) -> None:
    filled, track = bars.bar(share, width, unicode)
    assert len(filled) + len(track) == max(0, width)
    if width > 0 and share >= 1:
        assert track == "" or math.isinf(share)


@pytest.mark.parametrize(
    ("got", "wanted"),
    [
        (numbers.step(12400), "12,400"),
        (numbers.short_step(950), "950"),
        (numbers.short_step(12_000), "12k"),
        (numbers.short_step(1_470), "1.47k"),
        (numbers.measure(0.24117), "0.2412"),
        (numbers.measure(1.2e-5), "1.20e-5"),
        (numbers.measure(0), "0"),
        (numbers.measure(float("nan")), "–"),
        (numbers.measure(float("inf")), "∞"),
        (numbers.tick(0.25), "0.25"),
        (numbers.tick(2e-5), "2e-5"),
        (numbers.power(1e-3), "1e-3"),
        (numbers.power(0.1), "0.1"),
        (numbers.percent(0.942), "94 %"),
        (numbers.percent(0.9999), "99 %"),
        (numbers.percent(1.0), "100 %"),
        (numbers.percent(None), "–"),
        (numbers.cosine(0.974), "+0.97"),
        (numbers.cosine(-1.0), "-1.00"),
        (numbers.rate(83.2), "83 steps/s"),
        (numbers.rate(0.4), "0.4 steps/s"),
        (numbers.rate(1234.0), "1.23k steps/s"),
        (numbers.rate(float("nan")), "– steps/s"),
        (numbers.duration(8), "8 s"),
        (numbers.duration(130), "2 min 10 s"),
        (numbers.duration(3900), "1 h 05 min"),
        (numbers.duration(300_000), "3 d 11 h"),
        (numbers.duration(float("inf")), "–"),
        (numbers.plural(1, "line"), "1 line"),
        (numbers.plural(3, "line"), "3 lines"),
    ],
)
def test_numbers_as_people_read_them(got: str, wanted: str) -> None:
    assert got == wanted


@pytest.mark.parametrize(
    ("environ", "encoding", "depth", "unicode"),
    [
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, "utf-8", Depth.TRUE, True),
        ({"TERM": "tmux-256color"}, "UTF-8", Depth.INDEXED, True),
        ({"TERM": "xterm"}, "utf-8", Depth.ANSI, True),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor", "NO_COLOR": "1"}, "utf-8", Depth.NONE, True),
        ({"TERM": "dumb"}, "utf-8", Depth.NONE, False),
        ({}, "utf-8", Depth.NONE, False),
        ({"TERM": "linux"}, "utf-8", Depth.ANSI, False),
        ({"TERM": "xterm-kitty"}, "ascii", Depth.TRUE, False),
        ({"TERM": "xterm-256color"}, None, Depth.INDEXED, False),
    ],
)
def test_terminal_abilities(environ: dict[str, str], encoding: str | None, depth: Depth, unicode: bool) -> None:
    found = ability(environ, encoding)
    assert (found.depth, found.unicode) == (depth, unicode)
