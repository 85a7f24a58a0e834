"""The app in a terminal that takes its time: no third frame before the first is answered, however long that takes."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

GROWING = Path(__file__).with_name("growing.py")
# What Textual asks once at its start, and the app after each frame; a terminal that knows the mode answers so.
QUESTION, ANSWER = b"\x1b[?2026$p", b"\x1b[?2026;2$y"


@pytest.fixture
def growing(tmp_path):
    """A run that changes twenty times a second; its folder."""
    command = [sys.executable, str(GROWING), str(tmp_path), "3000", "20"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    yield tmp_path / process.stdout.readline().strip()
    process.kill()
    process.wait()


def questions(folder: Path, seconds: float, *, answers: int) -> int:
    """How many frames the app asks about in so many seconds, in a terminal that answers the first `answers` times."""
    environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "SSH_CONNECTION": "1 2 3 4"}
    for name in ("TMUX", "STY"):
        environment.pop(name, None)
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvpe(sys.executable, [sys.executable, "-m", "condense_tui", "replay", str(folder)], environment)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    asked = answered = 0
    begun: float | None = None
    waited = time.monotonic() + 40
    try:
        while time.monotonic() < (waited if begun is None else begun + seconds):
            if not select.select([terminal], [], [], 0.1)[0]:
                continue
            data = os.read(terminal, 65_536)
            for _ in range(data.count(QUESTION)):
                asked += 1
                if answered < answers:
                    answered += 1
                    os.write(terminal, ANSWER)
            if begun is None and b"eigenvalues" in data:
                begun = time.monotonic()
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)
    assert begun is not None, "the run screen never came"
    # the first is Textual's own
    return asked - 1


def test_frames_come_as_fast_as_they_are_answered(growing):
    assert questions(growing, 4, answers=10_000) > 10


def test_frames_that_nobody_answers_do_not_pile_up(growing):
    # two under way, and one a second that the reader sends whether or not it was told of the last one
    assert 2 <= questions(growing, 4, answers=1) <= 8
