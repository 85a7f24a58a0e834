"""A terminal far away is sent as much as it draws, and no more."""

from __future__ import annotations

import pytest

from condense_tui.terminal.pace import (
    BYTES_PER_SECOND,
    FRAME_BYTES,
    LOST_AFTER_S,
    QUESTION,
    UNLIMITED,
    URGENT_BYTES,
    Pace,
)

FAR = {"SSH_CONNECTION": "1 2 3 4"}


class Terminal:
    """Collects what is written, and answers when it is told to; its clock stands still until it is moved."""

    def __init__(self, **environment: str) -> None:
        self.now = 0.0
        self.questions = 0
        self.timers: list[tuple[float, object]] = []
        self.pace = Pace(
            {"TERM": "xterm-256color", **environment},
            self._written,
            lambda seconds, call: self.timers.append((self.now + seconds, call)),
            lambda: self.now,
        )

    def _written(self, text: str) -> None:
        assert text == QUESTION
        self.questions += 1

    def pass_time(self, seconds: float) -> None:
        """What is due by then is called."""
        self.now += seconds
        due = [call for when, call in self.timers if when <= self.now]
        self.timers = [(when, call) for when, call in self.timers if when > self.now]
        for call in due:
            call()


def test_two_frames_may_be_under_way_and_then_only_what_is_urgent():
    terminal = Terminal(**FAR)
    pace = terminal.pace
    pace.answered()
    assert pace.room() == FRAME_BYTES
    pace.sent(FRAME_BYTES)
    assert pace.room() == FRAME_BYTES
    pace.sent(FRAME_BYTES)
    assert terminal.questions == 2
    assert pace.room() == 0
    assert pace.room(urgent=True) == URGENT_BYTES
    pace.sent(URGENT_BYTES)
    assert pace.room(urgent=True) == 0
    terminal.now += 0.1
    pace.answered()
    assert pace.room() == 0
    terminal.now += 0.1
    pace.answered()
    pace.answered()
    assert pace.room() == FRAME_BYTES


@pytest.mark.parametrize(("bits_per_second", "trip", "large"), [(1e6, 0.1, 1), (1e8, 0.1, 8), (1e9, 0.001, 8)])
def test_frames_are_as_large_as_the_link_takes_without_delay(bits_per_second, trip, large):
    terminal = Terminal(**FAR)
    pace = terminal.pace
    pace.answered()
    under_way: list[float] = []
    free = latest = 0.0
    largest = 0
    while terminal.now < 10:
        # a key's answer now and then, and otherwise all that there is room for
        room = 200 if round(terminal.now * 1000) % 500 == 0 else pace.room()
        if room:
            largest = max(largest, room)
            free = max(free, terminal.now) + 8 * room / bits_per_second
            latest = max(latest, free - terminal.now)
            under_way.append(free + trip)
            pace.sent(room)
        terminal.pass_time(0.001)
        while under_way and under_way[0] <= terminal.now:
            under_way.pop(0)
            pace.answered()
    assert largest >= large * FRAME_BYTES
    # what a key waits behind, and its own
    assert latest < 0.12


def test_small_frames_are_under_way_by_their_bytes_and_not_by_their_number():
    terminal = Terminal(**FAR)
    terminal.pace.answered()
    for _ in range(5):
        assert terminal.pace.room() == FRAME_BYTES
        terminal.pace.sent(FRAME_BYTES // 5)
    assert terminal.pace.room() == FRAME_BYTES
    terminal.pace.sent(1)
    assert terminal.pace.room() == 0


def test_a_lost_answer_does_not_stop_the_screen_for_ever():
    terminal = Terminal(**FAR)
    called = []
    terminal.pace.more = lambda: called.append(terminal.now)
    terminal.pace.answered()
    called.clear()
    terminal.pace.sent(FRAME_BYTES)
    terminal.pace.sent(FRAME_BYTES)
    terminal.pass_time(LOST_AFTER_S / 2)
    terminal.pace.answered()
    terminal.pace.sent(FRAME_BYTES)
    terminal.pass_time(LOST_AFTER_S / 2)
    # something was heard since
    assert terminal.pace.room() == 0
    terminal.pass_time(LOST_AFTER_S / 2)
    assert terminal.pace.room() == FRAME_BYTES
    assert called == [LOST_AFTER_S / 2, 1.5 * LOST_AFTER_S]


def test_there_is_word_of_room_as_soon_as_the_terminal_has_answered():
    terminal = Terminal(**FAR)
    called = []
    terminal.pace.answered()
    terminal.pace.sent(FRAME_BYTES)
    terminal.pace.more = lambda: called.append(terminal.pace.room())
    terminal.pace.wait()
    assert called == []
    terminal.pace.answered()
    assert called == [FRAME_BYTES]


@pytest.mark.parametrize("environment", [{"SSH_TTY": "/dev/pts/1"}, {**FAR, "TMUX": "x"}, {**FAR, "TERM": "screen"}])
def test_a_terminal_that_does_not_answer_itself_gets_a_budget_of_bytes_over_ssh(environment):
    terminal = Terminal(**environment)
    pace = terminal.pace
    if "SSH_TTY" not in environment:
        # a multiplexer has answered, which has drawn nothing
        pace.answered()
    sent = 0
    pace.more = lambda: None
    while terminal.now < 10:
        while room := pace.room():
            pace.sent(room)
            sent += room
        pace.wait()
        terminal.pass_time(0.01)
    assert terminal.questions == 0
    assert 0.9 * BYTES_PER_SECOND < sent / 10 < 1.1 * BYTES_PER_SECOND


def test_without_answers_there_is_word_of_room_when_the_budget_has_grown():
    terminal = Terminal(**FAR)
    called = []
    terminal.pace.more = lambda: called.append(terminal.pace.room())
    terminal.pace.sent(FRAME_BYTES)
    assert terminal.pace.room() == 0
    # a key is answered all the same
    assert terminal.pace.room(urgent=True) == URGENT_BYTES
    terminal.pace.wait()
    terminal.pace.wait()
    terminal.pass_time(0.02)
    assert len(called) == 1
    assert called[0] > 0


def test_a_terminal_here_that_does_not_answer_is_not_held_back():
    terminal = Terminal()
    terminal.pace.sent(200_000)
    assert terminal.pace.room() == UNLIMITED
    assert terminal.timers == []


def test_a_slow_terminal_here_is_two_frames_behind_at_most_whatever_their_size():
    terminal = Terminal()
    terminal.pace.answered()
    terminal.pace.sent(200_000)
    assert terminal.pace.room() == UNLIMITED
    terminal.pace.sent(200_000)
    assert terminal.pace.room() == 0
    terminal.pace.answered()
    assert terminal.pace.room() == UNLIMITED
