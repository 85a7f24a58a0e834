"""What happens while somebody looks elsewhere is told once, and only while it happens; the title is given back."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from piloting import run_screen, shown, until
from pseudo_terminal import PseudoTerminal
from recording import Recording

from condense_core.preferences import FoundPreferences, Preferences, PreferredNotices, write_preferences
from condense_core.runfile.reader import RunReader
from condense_tui.app.app import CondenseApp
from condense_tui.snapshots.assemble import Assembler, ViewRequest
from condense_tui.snapshots.news import News, Notice, title_of
from condense_tui.snapshots.playhead import Playhead
from condense_tui.snapshots.snapshot import Snapshot
from condense_tui.terminal.habits import Habits
from condense_tui.terminal.notices import (
    BELL,
    KEEP_TITLE,
    RESTORE_TITLE,
    TITLE_EVERY_S,
    Title,
    notification,
    passed_through,
)

XTERM = {"TERM": "xterm-256color"}


class Looked:
    """A run that is looked at again and again, and what is new each time."""

    def __init__(self, recording: Recording) -> None:
        self._assembler = Assembler(RunReader(recording.folder))
        self._news = News()
        self.snapshot: Snapshot | None = None

    def news(self, playhead: Playhead = Playhead()) -> list[Notice]:  # noqa: B008 - it never changes
        self._assembler.refresh()
        self.snapshot = self._assembler.snapshot(playhead, ViewRequest())
        return self._news.of(self.snapshot)


def test_what_happens_is_told_once_when_it_happens(tmp_path: Path) -> None:
    recording = Recording(tmp_path)
    recording.write(20)
    with recording.worker():
        run = Looked(recording)
        assert run.news() == []
        recording.write()
        condensed = run.news()
        assert [notice.of for notice in condensed] == ["condensed", "condensed"]
        assert condensed[0].text.startswith("digits-gd: conv")
        assert run.news() == []
        # looking back tells of nothing again, and hides nothing that happens meanwhile
        assert run.news(Playhead().go(3)) == []
        recording.finish()
        (end,) = run.news(Playhead().go(3))
        assert (end.of, end.text) == ("end", "digits-gd done at step 4,000 of 4,000")
        assert run.news() == []
        assert title_of(run.snapshot) == "digits-gd · done · step 4,000 of 4,000"


@pytest.mark.parametrize(
    ("status", "of", "words"),
    [
        ("diverged", "diverged", "digits-gd diverged at step 4,000 of 4,000: the loss is nan"),
        ("failed", "end", "digits-gd failed at step 4,000 of 4,000: the loss is nan"),
    ],
)
def test_a_run_that_ends_badly_says_why(tmp_path: Path, status: str, of: str, words: str) -> None:
    recording = Recording(tmp_path)
    recording.write()
    with recording.worker():
        run = Looked(recording)
        run.news()
        recording.finish(status, "the loss is nan")
        assert run.news() == [Notice(of, words)]


def test_a_recording_has_no_news_however_it_is_played(recorded: Recording) -> None:
    run = Looked(recorded)
    for index in (0, 59, 30, 58):
        assert run.news(Playhead().go(index)) == []


def test_a_run_that_is_resumed_has_news_again(tmp_path: Path) -> None:
    recording = Recording(tmp_path)
    recording.write(10)
    recording.finish("stopped")
    run = Looked(recording)
    assert run.news() == []
    with recording.worker():
        recording.writer.update(status="running")
        assert run.news() == []
        recording.finish()
        assert [notice.of for notice in run.news()] == ["end"]


@pytest.mark.parametrize(
    ("environment", "codes"),
    [
        (XTERM, "\x1b]9;condense: it ended; well\x07"),
        ({"TERM": "foot"}, "\x1b]777;notify;condense;it ended, well\x07"),
        ({**XTERM, "VTE_VERSION": "7600"}, "\x1b]777;notify;condense;it ended, well\x07"),
        ({"TERM": "tmux-256color", "TMUX": "x"}, "\x1bPtmux;\x1b\x1b]9;condense: it ended; well\x07\x1b\\"),
        ({"TERM": "screen-256color", "TMUX": "x"}, "\x1bPtmux;\x1b\x1b]9;condense: it ended; well\x07\x1b\\"),
        ({"TERM": "screen", "STY": "x"}, "\x1bP\x1b]9;condense: it ended; well\x07\x1b\\"),
        ({"TERM": "screen-256color"}, "\x1bP\x1b]9;condense: it ended; well\x07\x1b\\"),
        ({"TERM": "linux"}, ""),
        ({"TERM": "dumb"}, ""),
        ({}, ""),
    ],
)
def test_a_notification_reaches_the_terminal_outside_or_is_dropped(environment: dict[str, str], codes: str) -> None:
    assert notification("it ended; well", environment) == codes


def test_names_of_runs_steer_no_terminal_and_fill_none() -> None:
    codes = notification("\x1b]0;x\x07\x9b" + "ü" * 5_000, XTERM)
    assert codes[1:-1].isprintable()
    assert len(passed_through(codes, {"TERM": "screen"}).encode()) < 256, "what screen takes in one piece"
    shown_ = Title(XTERM).shown("\x1b]52;c;x\x07" + "ü" * 5_000, "")
    assert shown_.count("\x1b") == 2
    assert len(shown_) < 200


def test_a_title_is_kept_shown_once_a_second_and_given_back() -> None:
    now = [100.0]
    title = Title(XTERM, lambda: now[0])
    assert title.given_back() == ""
    assert title.shown("a · live · 1", "running") == f"{KEEP_TITLE}\x1b]2;a · live · 1\x07"
    assert title.shown("a · live · 2", "running") == "", "too soon"
    assert title.shown("a · done · 3", "done") == "\x1b]2;a · done · 3\x07", "a new state is said at once"
    now[0] += 2 * TITLE_EVERY_S
    assert title.shown("a · done · 3", "done") == "", "nothing new"
    assert title.given_back() == RESTORE_TITLE
    assert title.given_back() == ""
    assert title.again() == f"{KEEP_TITLE}\x1b]2;a · done · 3\x07"
    assert Title({"TERM": "linux"}).shown("x", "") == ""


async def told(recording: Recording, notices: PreferredNotices, monkeypatch: pytest.MonkeyPatch) -> str:
    """What a terminal is told while a run condenses and ends."""
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("TMUX", "STY", "VTE_VERSION"):
        monkeypatch.delenv(name, raising=False)
    codes: list[str] = []
    monkeypatch.setattr(CondenseApp, "_tell_terminal", lambda _, more: codes.append(more))
    app = CondenseApp(recording.folder, habits=Habits(FoundPreferences(Preferences(notices=notices))))
    async with shown(recording.folder, app=app) as pilot:
        recording.write()
        await until(lambda: run_screen(pilot).snapshot.header.step == 4000, "the last step")
        recording.finish()
        await until(lambda: run_screen(pilot).snapshot.header.status == "done", "the end")
        await pilot.pause()
    return "".join(codes)


@pytest.mark.parametrize(
    ("notices", "wanted"),
    [
        (PreferredNotices(), (3, 3, True)),
        (PreferredNotices(by=("bell",), of=("end",), title=False), (1, 0, False)),
        (PreferredNotices(by=("notification",), of=("condensed",)), (0, 2, True)),
        (PreferredNotices(by=(), title=False), (0, 0, False)),
    ],
)
async def test_the_screen_tells_what_was_chosen(
    live: Recording, notices: PreferredNotices, wanted: tuple[int, int, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    codes = await told(live, notices, monkeypatch)
    bells, notifications, titles = wanted
    assert codes.count("\x1b]9;condense: ") == notifications
    assert ("\x1b]2;condense: digits-gd · done · step 4,000 of 4,000\x07" in codes) is titles
    ends = codes.count("\x1b]2;") + codes.count("\x1b]9;")
    assert codes.count(BELL) - ends == bells


@pytest.fixture
def started(tmp_path: Path) -> Callable[..., PseudoTerminal]:
    def start(*words: str) -> PseudoTerminal:
        environment = {**os.environ, "CONDENSE_RUNS_DIR": str(tmp_path)}
        environment = {name: value for name, value in environment.items() if name not in {"TMUX", "STY", "VTE_VERSION"}}
        return PseudoTerminal([sys.executable, "-m", "condense_tui", *words], tmp_path, environment=environment)

    return start


@pytest.mark.parametrize("end", ["q", signal.SIGTERM])
def test_a_real_terminal_gets_its_title_back(
    live: Recording, started: Callable[..., PseudoTerminal], end: str | signal.Signals
) -> None:
    with started("attach") as terminal:
        terminal.wait_for("condense: digits-gd · live")
        assert KEEP_TITLE.encode() in terminal.written
        live.write()
        terminal.wait_for("\x1b]9;condense: digits-gd: conv")
        live.finish()
        terminal.wait_for("condense: digits-gd · done · step 4,000 of 4,000")
        terminal.wait_for("\x1b]9;condense: digits-gd done")
        if isinstance(end, str):
            terminal.press(end.encode())
        else:
            os.kill(terminal.pid, end)
        terminal.end()
        assert terminal.written.count(KEEP_TITLE.encode()) == terminal.written.count(RESTORE_TITLE.encode()) == 1
        assert terminal.written.rfind(RESTORE_TITLE.encode()) > terminal.written.rfind(b"condense: ")


def test_a_suspended_app_leaves_the_title_to_the_shell(
    recorded: Recording, started: Callable[..., PseudoTerminal]
) -> None:
    write_preferences({"theme": "dark"})
    with started("attach") as terminal:
        terminal.wait_for("condense: digits-gd · done")
        terminal.press(b"\x1a")
        deadline = time.monotonic() + 20
        while Path(f"/proc/{terminal.pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
            assert time.monotonic() < deadline
            terminal.read()
        terminal.read()
        assert terminal.written.count(RESTORE_TITLE.encode()) == 1
        terminal.written = b""
        os.kill(terminal.pid, signal.SIGCONT)
        terminal.wait_for("condense: digits-gd · done")
        terminal.press(b"q")
        assert terminal.end() == 0
        assert terminal.written.count(RESTORE_TITLE.encode()) == 1
