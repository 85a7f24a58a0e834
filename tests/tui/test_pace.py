"""A terminal far away gets as many frames as it draws, and no more."""

from __future__ import annotations

import pytest

from condense_tui.pace import BYTES_PER_SECOND, LOST_AFTER_S, QUESTION, Pace


class Terminal:
    """Collects what is written, and answers when it is told to."""

    def __init__(self, **environment: str) -> None:
        self.now = 0.0
        self.written: list[str] = []
        self.timers: list[tuple[float, object]] = []
        self.frames = 0
        self.pace = Pace(
            {"TERM": "xterm-256color", **environment},
            self.written.append,
            lambda seconds, done: self.timers.append((seconds, done)),
            lambda: self.now,
        )

    def draw(self, length: int = 5_000) -> bool:
        """Draw a frame; whether the next one may come at once."""
        before = self.frames
        self.pace.sent(length)
        self.pace.frame(self._done)
        return self.frames > before

    def _done(self) -> None:
        self.frames += 1


def test_two_frames_may_be_under_way_and_not_a_third():
    terminal = Terminal(SSH_CONNECTION="x")
    terminal.pace.answered()
    assert terminal.draw()
    assert not terminal.draw()
    assert terminal.written == [QUESTION, QUESTION]
    terminal.pace.answered()
    assert terminal.frames == 2
    assert not terminal.draw()
    terminal.pace.answered()
    terminal.pace.answered()
    assert terminal.draw()


def test_a_lost_answer_does_not_stop_the_screen_for_ever():
    terminal = Terminal()
    terminal.pace.answered()
    terminal.draw()
    assert not terminal.draw()
    terminal.now += LOST_AFTER_S + 1
    # the reader goes on after its own patience
    assert terminal.draw()


def test_what_draws_nothing_asks_nothing():
    terminal = Terminal()
    terminal.pace.answered()
    assert all(terminal.draw(0) for _ in range(5))
    assert terminal.written == []


@pytest.mark.parametrize("environment", [{"SSH_TTY": "/dev/pts/1"}, {"SSH_TTY": "x", "TMUX": "x"}])
def test_a_terminal_that_does_not_answer_itself_gets_a_budget_of_bytes_over_ssh(environment):
    terminal = Terminal(**environment)
    if "TMUX" in environment:
        terminal.pace.answered()
    assert not terminal.draw(20_000)
    ((seconds, done),) = terminal.timers
    assert seconds == 20_000 / BYTES_PER_SECOND
    done()
    assert terminal.frames == 1
    assert terminal.draw(500)
    assert terminal.written == []


def test_a_terminal_here_that_does_not_answer_is_not_held_back():
    terminal = Terminal()
    assert terminal.draw(200_000)
    assert terminal.timers == []
