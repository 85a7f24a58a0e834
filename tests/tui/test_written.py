"""What is left out of an update must be on the terminal already: checked with a terminal emulator."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st
from piloting import head, settled, shown, text_has, until
from pyte.screens import Char
from recording import Recording
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from condense_tui.app import CondenseApp
from condense_tui.widgets.emit import Written

SIZE = (120, 40)


class Wired(CondenseApp):
    """The app with its updates going to an emulated terminal, as a driver would write them."""

    def __init__(self, place: Path) -> None:
        super().__init__(place)
        self.terminal = pyte.Screen(*SIZE)
        self.stream = pyte.Stream(self.terminal)
        self.written = 0

    def _display(self, screen, renderable) -> None:
        if isinstance(renderable, CompositorUpdate) and not self._batch_count:
            if self._written is not None:
                self._written.reduce(renderable, self.console)
            codes = renderable.render_segments(self.console)
            self.written += len(codes)
            self.stream.feed(codes)
        self.post_display_hook()


def cells(terminal: pyte.Screen) -> list[list[Char]]:
    return [[terminal.buffer[y][x] for x in range(SIZE[0])] for y in range(SIZE[1])]


def drawn_anew(app: CondenseApp) -> list[list[Char]]:
    fresh = pyte.Screen(*SIZE)
    codes = app.screen._compositor.render_update(full=True).render_segments(app.console)
    pyte.Stream(fresh).feed(codes)
    return cells(fresh)


def looks_the_same(a: Char, b: Char) -> bool:
    """A blank shows its background only."""
    return a.bg == b.bg and a.data == b.data and (a.data == " " or (a.fg, a.bold) == (b.fg, b.bold))


def assert_terminal_is_right(app: Wired) -> None:
    for y, (row, expected) in enumerate(zip(cells(app.terminal), drawn_anew(app), strict=True)):
        for x, (got, wanted) in enumerate(zip(row, expected, strict=True)):
            assert looks_the_same(got, wanted), f"line {y} column {x}: {got} on the terminal, {wanted} drawn anew"


@pytest.mark.parametrize("kernels", [(32, 16), (50,), (200,)])
async def test_terminal_shows_what_is_drawn_after_scrubbing(tmp_path: Path, kernels: tuple[int, ...]) -> None:
    recording = Recording(tmp_path, kernels=kernels, lines=(2,) * len(kernels))
    recording.write()
    recording.finish()
    app = Wired(recording.folder)
    async with shown(recording.folder, SIZE, app) as pilot:
        for key in ("left", "left", "shift+left", "right", "home", "right", "o", "end", "left", "t", "left"):
            await pilot.press(key)
            await pilot.pause()
        await until(lambda: not head(pilot).following, "the playhead to leave the end")
        await settled(pilot)
        assert_terminal_is_right(app)


async def test_terminal_is_right_under_a_closed_dialog(tmp_path: Path) -> None:
    recording = Recording(tmp_path)
    recording.write()
    with recording.worker():
        app = Wired(recording.folder)
        async with shown(recording.folder, SIZE, app) as pilot:
            await pilot.press("left", "left")
            await pilot.press("question_mark")
            await text_has(pilot, "All keys")
            await pilot.press("escape", "left", "s")
            await text_has(pilot, "Stop training")
            await pilot.press("n", "p")
            await until(lambda: len(app._notifications) > 0, "a notification over the plots")
            await pilot.press("left", "left")
            app.clear_notifications()
            await settled(pilot)
            await pilot.press("left", "left")
            await until(lambda: head(pilot).index <= head(pilot).count - 7, "seven frames back")
            await settled(pilot)
            assert_terminal_is_right(app)


async def test_a_frame_costs_a_fraction_of_a_full_redraw(tmp_path: Path) -> None:
    recording = Recording(tmp_path, frames=400)
    recording.write()
    recording.finish()
    app = Wired(recording.folder)
    async with shown(recording.folder, SIZE, app) as pilot:
        await pilot.press("left")
        await until(lambda: head(pilot).index == head(pilot).count - 2, "one frame back")
        await settled(pilot)
        app.written = 0
        app.refresh()
        await settled(pilot)
        whole, app.written = app.written, 0
        at = head(pilot).index
        await pilot.press("left")
        await until(lambda: head(pilot).index == at - 1, "another frame back")
        await settled(pilot)
        # LIMITS: at most 12 kB a typical frame
        assert 0 < app.written < 12_000
        assert app.written < whole / 2


CUTS = [0, 4, 9, 12]
LINES = 3
strips = {
    start: st.tuples(st.sampled_from("ab "), st.sampled_from(["red", "blue"])).map(
        lambda of, width=stop - start: Strip([Segment(of[0] * width, Style(bgcolor=of[1]))], width)
    )
    for start, stop in pairwise(CUTS)
}
lines = st.tuples(*strips.values()).map(lambda line: dict(zip(strips, line, strict=True)))
screens = st.lists(lines, min_size=LINES, max_size=LINES)
spans = st.lists(st.tuples(st.sampled_from(CUTS[:-1]), st.sampled_from(CUTS[1:])), min_size=LINES, max_size=LINES)


@given(screens, st.lists(st.tuples(screens, spans), max_size=4))
def test_only_what_an_update_covers_is_written(first, updates):
    """Textual fills a line beyond what is new on it with whatever lies behind the widgets that are not."""
    console = Console(color_system="truecolor", force_terminal=True)
    written = Written()
    plain, reduced = pyte.Screen(CUTS[-1], LINES), pyte.Screen(CUTS[-1], LINES)
    for terminal, reduce in ((plain, False), (reduced, True)):
        stream = pyte.Stream(terminal)
        whole = LayoutUpdate([list(line.values()) for line in first], Region(0, 0, CUTS[-1], LINES))
        if reduce:
            written.reduce(whole, console)
        stream.feed(whole.render_segments(console))
        for lines_now, spans_now in updates:
            covered = [(y, start, stop) for y, (start, stop) in enumerate(spans_now) if start < stop]
            if not covered:
                continue
            update = ChopsUpdate([dict(line) for line in lines_now], covered, [CUTS[1:]] * LINES)
            if reduce:
                written.reduce(update, console)
            stream.feed(update.render_segments(console))
    for y in range(LINES):
        for x in range(CUTS[-1]):
            assert looks_the_same(reduced.buffer[y][x], plain.buffer[y][x]), f"line {y} column {x}"
