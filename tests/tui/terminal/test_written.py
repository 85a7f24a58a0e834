"""What is left out of an update must be on the terminal already: checked with a terminal emulator."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st
from piloting import head, run_screen, settled, shown, text_has, until
from pyte.screens import Char
from recording import Recording
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip

from condense_tui.app.app import CondenseApp
from condense_tui.terminal.outgoing import Outgoing
from condense_tui.terminal.outlet import CodesUpdate
from condense_tui.terminal.pace import FRAME_BYTES, URGENT_BYTES, Pace
from condense_tui.terminal.textual_internals import ChopsUpdate, LayoutUpdate, strips_of

SIZE = (120, 40)


class Wired(CondenseApp):
    """The app with its frames going to an emulated terminal, as a driver would write them."""

    def __init__(self, place: Path, **environment: str) -> None:
        super().__init__(place)
        self.terminal = pyte.Screen(*SIZE)
        self.stream = pyte.Stream(self.terminal)
        self.frames: list[int] = []
        self.environment = environment
        self.unanswered: list[int] = []
        self.most_under_way = 0
        self.silent = False

    def _write_frame(self, frame: CodesUpdate) -> None:
        codes = frame.render_segments(self.console)
        self.frames.append(len(codes.encode()))
        self.stream.feed(codes)
        # what is under way, with this frame
        self.most_under_way = max(self.most_under_way, sum(self.unanswered) + self.frames[-1])

    def _make_pace(self) -> Pace:
        return Pace(self.environment, self.asked, self.set_timer)

    @property
    def far(self) -> bool:
        return bool(self.environment)

    def asked(self, question: str) -> None:
        """The terminal answers when all that was written before is on it, after a while."""
        self.unanswered.append(self.frames[-1])
        if not self.silent:
            # as long as a link of 1 Mbit/s takes
            self.set_timer(0.02 + sum(self.unanswered) / 125_000, self.answer)

    def answer(self) -> None:
        self.unanswered = self.unanswered[1:]
        self._terminal_answered()

    @property
    def written(self) -> int:
        return sum(self.frames)


def cells(terminal: pyte.Screen) -> list[list[Char]]:
    return [[terminal.buffer[y][x] for x in range(terminal.columns)] for y in range(terminal.lines)]


def drawn_anew(app: CondenseApp) -> list[list[Char]]:
    fresh = pyte.Screen(*app.size)
    codes = "\r\n".join(strip.render(app.console) for strip in strips_of(app.screen))
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
            await text_has(pilot, "Show all keys")
            await pilot.press("escape", "left", "s")
            await text_has(pilot, "Stop training")
            await pilot.press("n", "p")
            await until(lambda: app.screen.query("Toast"), "a notification over the plots")
            await pilot.press("left", "left")
            app.clear_notifications()
            await settled(pilot)
            await pilot.press("left", "left")
            await until(lambda: head(pilot).index <= head(pilot).count - 7, "seven frames back")
            await settled(pilot)
            assert_terminal_is_right(app)


@pytest.mark.parametrize("answers", [True, False], ids=["answers", "never answers"])
async def test_on_a_thin_link_the_terminal_is_right_in_the_end(tmp_path: Path, answers: bool) -> None:
    recording = Recording(tmp_path, kernels=(50, 32), lines=(2, 1), frames=200)
    recording.write()
    app = Wired(recording.folder, SSH_CONNECTION="1 2 3 4")
    app._answers = answers
    with recording.worker():
        async with shown(recording.folder, SIZE, app) as pilot:
            for keys in (
                ("left", "shift+left", "home", "right", "question_mark"),
                ("q", "right", "right", "right"),
                ("s", "n", "t", "o"),
                ("bracketright", "2", "z", "left", "z"),
                ("p", "end", "home"),
            ):
                await pilot.press(*keys)
            app.clear_notifications()
            for columns, lines in ((84, 26), SIZE, (132, 43)):
                # what is on a terminal that changes its size is anybody's guess
                app.terminal.resize(lines, columns)
                app.stream.feed("\x1b[Hnot what was drawn here\x1b[44m\x1b[J\x1b[m")
                await pilot.resize_terminal(columns, lines)
                await pilot.press("left", "question_mark", "q")
            await until(lambda: app.screen is run_screen(pilot), "the help to close")
            await settled(pilot)
            assert app._outlet is not None
            await until(lambda: app._outlet.settled, "everything to be written")
            await settled(pilot)
            assert_terminal_is_right(app)
            assert app._outlet.settled
    assert max(app.frames) <= FRAME_BYTES
    if answers:
        assert FRAME_BYTES < app.most_under_way <= 2 * FRAME_BYTES + URGENT_BYTES


async def test_a_key_is_answered_while_a_picture_is_still_on_its_way(tmp_path: Path) -> None:
    recording = Recording(tmp_path, kernels=(60,), lines=(2,))
    recording.write()
    recording.finish()
    app = Wired(recording.folder, SSH_CONNECTION="1 2 3 4")
    app._answers = True
    async with shown(recording.folder, SIZE, app) as pilot:
        await pilot.press("home")
        await until(lambda: "frame 1 of" in app.terminal.display[0], "the first frame")
        await settled(pilot)
        await until(lambda: app._outlet is not None and app._outlet.settled, "the first picture")
        app.silent = True
        # another palette: every cell of the heatmap
        await pilot.press("t")
        await until(lambda: sum(app.unanswered) > FRAME_BYTES, "the picture to begin")
        await pilot.press("right")
        await until(lambda: "frame 2 of" in app.terminal.display[0], "the header to say where the playhead is")
        assert not app._outlet.settled
        app.silent = False
        app.answer()
        await until(lambda: app._outlet.settled, "the rest of the picture")
        await settled(pilot)
        assert_terminal_is_right(app)


async def test_a_terminal_that_something_else_wrote_on_is_drawn_anew(tmp_path: Path) -> None:
    recording = Recording(tmp_path)
    recording.write()
    recording.finish()
    app = Wired(recording.folder)
    async with shown(recording.folder, SIZE, app) as pilot:
        await settled(pilot)
        app.stream.feed("\x1b[5;3HBroadcast message from root: the system is going down")
        await pilot.press("left")
        await settled(pilot)
        with pytest.raises(AssertionError):
            assert_terminal_is_right(app)
        await pilot.press("ctrl+l")
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
        app.frames.clear()
        app._outlet.forget()
        app.refresh()
        await settled(pilot)
        whole = app.written
        app.frames.clear()
        at = head(pilot).index
        await pilot.press("left")
        await until(lambda: head(pilot).index == at - 1, "another frame back")
        await settled(pilot)
        # docs/PERFORMANCE.md, "Bounds": what a link of 1 Mbit/s carries in a tenth of a second
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


rooms = st.sampled_from([0, 1, 40, 90, 10_000])


@given(screens, st.lists(st.tuples(screens, spans, rooms, rooms), max_size=4), st.booleans())
def test_only_what_an_update_covers_is_written_whatever_room_there_is(first, updates, far):
    """Textual fills a line beyond what is new on it with whatever lies behind the widgets that are not."""
    console = Console(color_system="truecolor", force_terminal=True)
    outgoing = Outgoing(far=far)
    plain, ours = pyte.Screen(CUTS[-1], LINES), pyte.Screen(CUTS[-1], LINES)
    plain_stream, our_stream = pyte.Stream(plain), pyte.ByteStream(ours)

    def pass_on(update, room, urgent):
        plain_stream.feed(update.render_segments(console))
        outgoing.take(update, console)
        our_stream.feed(b"".join([piece.written for piece in outgoing.give(room, urgent)]))

    pass_on(LayoutUpdate([list(line.values()) for line in first], Region(0, 0, CUTS[-1], LINES)), 0, 0)
    for lines_now, spans_now, room, urgent in updates:
        covered = [(y, start, stop) for y, (start, stop) in enumerate(spans_now) if start < stop]
        if covered:
            pass_on(ChopsUpdate([dict(line) for line in lines_now], covered, [CUTS[1:]] * LINES), room, urgent)
    our_stream.feed(b"".join([piece.written for piece in outgoing.give(10_000, 10_000)]))
    assert outgoing.settled
    for y in range(LINES):
        for x in range(CUTS[-1]):
            assert looks_the_same(ours.buffer[y][x], plain.buffer[y][x]), f"line {y} column {x}"


@given(st.lists(st.tuples(st.integers(0, 11), st.integers(1, 12), st.sampled_from("ab"), rooms), max_size=8))
def test_stretches_that_overlap_leave_what_came_last(stretches):
    """Where the layout changes, a stretch may cover part of one that waits, and part of one that is shown."""
    console = Console(color_system="truecolor", force_terminal=True)
    outgoing = Outgoing(far=True)
    ours = pyte.Screen(CUTS[-1], 1)
    stream = pyte.ByteStream(ours)
    expected = [" "] * CUTS[-1]
    for at, (start, width, letter, room) in enumerate(stretches):
        stop = min(start + width, CUTS[-1])
        text = (letter.upper() if at % 2 else letter) * (stop - start)
        expected[start:stop] = text
        chops = [{start: Strip([Segment(text, Style(bgcolor="red"))], stop - start)}]
        outgoing.take(ChopsUpdate(chops, [(0, start, stop)], [[stop]]), console)
        stream.feed(b"".join([piece.written for piece in outgoing.give(room, room)]))
    stream.feed(b"".join([piece.written for piece in outgoing.give(10_000, 10_000)]))
    assert ours.display == ["".join(expected)]
