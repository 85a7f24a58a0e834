"""The app in a terminal that takes its time: no third frame before the first is answered, as long as it may come."""

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

import pyte
import pytest

from condense_tui.terminal.pace import FRAME_BYTES, LOST_AFTER_S, URGENT_BYTES

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


def drawn(folder: Path, seconds: float, *, answers: int) -> int:
    """Bytes that the app draws in so many seconds, in a terminal that answers the first `answers` questions."""
    environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "SSH_CONNECTION": "1 2 3 4"}
    for name in ("TMUX", "STY"):
        environment.pop(name, None)
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvpe(sys.executable, [sys.executable, "-m", "condense_tui", "replay", str(folder)], environment)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    asked = answered = count = 0
    said = b""
    # words are looked for on a screen: on their way they may come in parts, with colours between
    screen = pyte.Screen(120, 40)
    emulator = pyte.ByteStream(screen)
    begun: float | None = None
    waited = time.monotonic() + 40
    try:
        while time.monotonic() < (waited if begun is None else begun + seconds):
            if not select.select([terminal], [], [], 0.1)[0]:
                continue
            data = os.read(terminal, 65_536)
            said += data
            count += len(data) if begun is not None else 0
            if begun is None:
                emulator.feed(data)
                if any("eigenvalues" in line for line in screen.display):
                    begun = time.monotonic()
            asked += said.count(QUESTION)
            # a question may come in two parts
            said = said[-20:] if QUESTION not in said else said.rpartition(QUESTION)[2]
            while answered < min(asked, answers):
                answered += 1
                os.write(terminal, ANSWER)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)
    assert begun is not None, "the run screen never came:\n" + "\n".join(screen.display)
    return count


# What may be under way, and the marks around frames.
UNDER_WAY = 2 * FRAME_BYTES + URGENT_BYTES + 1_000


def test_frames_come_as_fast_as_they_are_answered(growing):
    assert drawn(growing, 4, answers=10_000) > 2 * UNDER_WAY


def test_frames_that_nobody_answers_do_not_pile_up(growing):
    # the first is Textual's own question
    assert drawn(growing, LOST_AFTER_S - 0.5, answers=1) < UNDER_WAY
