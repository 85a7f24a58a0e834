"""The terminal's own background decides between dark and light, and asking for it costs no key that is typed."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyte
import pytest
from piloting import at_home, until
from pseudo_terminal import PseudoTerminal

from condense_core.preferences import write_preferences
from condense_tui.app.app import CondenseApp
from condense_tui.draw.ability import Ability, Depth
from condense_tui.terminal import look
from condense_tui.terminal.background import DEADLINE_S, ESCAPE_S, EXPECTED_S, QUESTION, Answers, is_light
from condense_tui.terminal.textual_internals import BackgroundTold

WHITE, BLACK = "rgb:ffff/ffff/ffff", "rgb:0000/0000/0000"
ANSWER = f"\x1b]11;{WHITE}\x1b\\"
APP = [sys.executable, "-m", "condense_tui"]
# What the light theme paints the screen with.
LIGHT = "48;2;251;250;247"


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def asked(clock: Clock) -> Answers:
    answers = Answers(clock)
    answers.asked()
    return answers


@pytest.mark.parametrize(
    ("colour", "light"),
    [
        (WHITE, True),
        (BLACK, False),
        ("rgb:fb/fa/f7", True),
        ("rgb:1e1e/1e1e/2e2e", False),
        ("rgba:ffff/ffff/ffff/8000", True),
        ("rgb:f/f/f", True),
        ("RGB:FFFF/FFFF/FFFF", True),
        ("rgb:0000/0000/ffff", False),
        ("white", None),
        ("rgb:12345/0/0", None),
        ("", None),
    ],
)
def test_a_colour_is_dark_or_light_or_none(colour: str, light: bool | None) -> None:
    assert is_light(colour) is light


@pytest.mark.parametrize("end", ["\x1b\\", "\x07"])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_an_answer_is_found_among_keys_in_whatever_pieces_it_comes(asked: Answers, size: int, end: str) -> None:
    written = f"a\x1b[A?\x1b]11;{WHITE}{end}b\x1b[<0;3;4Mü"
    typed, colours = "", []
    for at in range(0, len(written), size):
        more, told = asked.read(written[at : at + size])
        typed, colours = typed + more, colours + told
    assert (typed, colours) == ("a\x1b[A?b\x1b[<0;3;4Mü", [WHITE])


def test_what_was_no_answer_is_typed_a_moment_later(asked: Answers, clock: Clock) -> None:
    assert asked.read("x\x1b") == ("x", [])
    assert asked.overdue() == ""
    clock.now += 2 * ESCAPE_S
    assert asked.overdue() == "\x1b"
    assert asked.overdue() == ""
    # an escape is a key at once where no answer is to be expected; a late answer is one nevertheless
    clock.now += EXPECTED_S
    assert asked.read("\x1b") == ("\x1b", [])
    assert asked.read("\x1b]1") == ("", [])
    assert asked.read(f"1;{BLACK}\x07") == ("", [BLACK])


def test_without_the_question_nothing_is_an_answer(clock: Clock) -> None:
    assert Answers(clock).read(ANSWER) == (ANSWER, [])


def test_an_answer_without_end_is_held_only_so_far(asked: Answers) -> None:
    endless = "\x1b]11;" + "x" * 100
    assert asked.read(endless) == (endless, [])


async def told(app: CondenseApp, colour: str, seconds: float = 0.0) -> str:
    """The theme of an app whose terminal has answered."""
    async with app.run_test() as pilot:
        await at_home(app)
        app.post_message(BackgroundTold(colour, seconds))
        await pilot.pause()
        return app.theme


async def test_a_terminal_with_a_light_background_gets_the_light_theme(tmp_path: Path) -> None:
    assert await told(CondenseApp(runs=tmp_path), WHITE) == look.LIGHT
    assert await told(CondenseApp(runs=tmp_path), BLACK) == look.DARK
    assert await told(CondenseApp(runs=tmp_path), "nonsense") == look.DARK


async def test_a_late_answer_changes_nothing_any_more(tmp_path: Path) -> None:
    assert await told(CondenseApp(runs=tmp_path), WHITE, seconds=DEADLINE_S) == look.DARK


async def test_whoever_chose_a_theme_keeps_it(tmp_path: Path) -> None:
    app = CondenseApp(runs=tmp_path)
    async with app.run_test() as pilot:
        await at_home(app)
        await pilot.press("T", "T")
        app.post_message(BackgroundTold(WHITE, 0.0))
        await pilot.pause()
        assert app.theme == look.DARK


@pytest.fixture
def started(tmp_path: Path) -> Callable[..., PseudoTerminal]:
    def start(**environment: str) -> PseudoTerminal:
        given = {**os.environ, "CONDENSE_RUNS_DIR": str(tmp_path / "runs"), "COLORTERM": "truecolor", **environment}
        return PseudoTerminal(APP, tmp_path, environment=given)

    return start


def wait_to_see(terminal: PseudoTerminal, words: str) -> None:
    """Until all that was written to the screen leaves the words on it."""
    deadline = time.monotonic() + 20
    while True:
        screen = pyte.Screen(120, 40)
        pyte.ByteStream(screen).feed(terminal.written)
        if any(words in line for line in screen.display):
            return
        assert time.monotonic() < deadline, screen.display
        terminal.read(0.2)


def test_a_real_app_takes_the_answer_and_leaves_every_key_around_it(started: Callable[..., PseudoTerminal]) -> None:
    with started() as terminal:
        terminal.wait_for(QUESTION)
        terminal.press(ANSWER.encode())
        terminal.wait_for(LIGHT)
        terminal.wait_for("digits-gd")
        # of whatever answers later nothing is typed, either
        terminal.press(b"/")
        wait_to_see(terminal, "words to look for")
        terminal.press(f"zz{ANSWER}top".encode())
        wait_to_see(terminal, "zztop")
        assert b"rgb" not in terminal.written
        os.kill(terminal.pid, signal.SIGTERM)
        assert terminal.end() == -signal.SIGTERM
        assert terminal.left_on() == []


def test_who_has_chosen_a_theme_is_not_asked_for_a_background(started: Callable[..., PseudoTerminal]) -> None:
    write_preferences({"theme": "light"})
    with started() as terminal:
        terminal.wait_for(LIGHT)
        terminal.wait_for("presets")
        assert QUESTION.encode() not in terminal.written
        terminal.press(b"q")
        assert terminal.end() == 0


async def test_where_colours_are_the_terminals_own_nothing_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []
    monkeypatch.setattr(CondenseApp, "ask_for_background", lambda _: asked.append(True))
    monkeypatch.setattr(CondenseApp, "is_headless", False)
    for depth in (Depth.NONE, Depth.ANSI, Depth.INDEXED, Depth.TRUE):
        app = CondenseApp(runs=tmp_path)
        app.ability = Ability(depth, True)
        async with app.run_test():
            await until(lambda app=app: len(app.screen_stack) > 1, "the app")
    assert len(asked) == 2
