"""Signals that end a program: it dies by them, after the terminal and its files are as they should be.

Without that a killed app leaves a terminal without echo, cursor and lines, and a killed command its half files. What
whoever started the program had it ignore, as `nohup` does, stays ignored.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
# Of a closed terminal the kernel tells, and the shell too: both mean the same end.
SAME_S = 1.0
# How long an app may take to leave. One that cannot write any more, or hangs, is ended without its own doing.
PATIENCE_S = 4.0
# Everything that Textual and rich may have switched on: wrapping, mouse, pasting, focus, sizes, keys, screen, cursor.
RESTORE = (
    b"\x1b[?7h\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?2004l\x1b[?1004l\x1b[?2048l\x1b[<u\x1b[?1049l\x1b[?25h"
)

# What else is to be undone by whoever ends in the app's place.
_also: Callable[[], str] = str

_came: list[tuple[float, int]] = []
_app: Callable[[int, object], None] | None = None


class Ended(KeyboardInterrupt):
    """Raised in the main thread, wherever it is, by a signal that ends the program: what is put in order at Ctrl-C is
    put in order then too."""


@contextlib.contextmanager
def heeded() -> Iterator[None]:
    """A signal that ends the program raises Ended in the block; those that are ignored stay so."""
    with _handled(_raise, ENDING):
        yield


def came() -> int:
    """The first signal that came to end the program; 0 if none did."""
    return _came[0][1] if _came else 0


def terminal_is_gone() -> bool:
    """Whether the terminal at standard input was closed."""
    terminal = select.poll()
    terminal.register(0, 0)
    # asked for or not, these are told
    return any(what & (select.POLLHUP | select.POLLERR) for _, what in terminal.poll(0))


def end_by(number: int) -> None:
    """End the app, from its own loop, as if the signal had come."""
    if _app is not None:
        _app(number, None)


def also_restore(codes: Callable[[], str]) -> None:
    """Have the last resort write what `codes` gives, too."""
    global _also  # noqa: PLW0603 - a process has one terminal
    _also = codes


def die_of_it() -> None:
    """End this process by the signal that came, for whoever waits for it to see; nothing where none came."""
    number = came()
    if number:
        for stream in (sys.stdout, sys.stderr):
            # a terminal that was closed takes nothing any more
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)


@contextlib.contextmanager
def leaving(leave: Callable[[], object]) -> Iterator[None]:
    """For an app in the block: a signal that ends the program, or Ctrl-C from elsewhere, has its loop call `leave`.

    Where that has not ended it in time the terminal is restored from here, and the process ends.
    """
    global _app  # noqa: PLW0603 - a process has one terminal, and one app on it
    left = threading.Event()
    attributes: list[Any] | None = None
    with contextlib.suppress(termios.error, OSError, ValueError):
        attributes = termios.tcgetattr(sys.stdin.fileno())

    def end(number: int, _: object) -> None:
        if not _note(number):
            return
        # an app has imported it; --help does not wait for it
        import asyncio

        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise Ended from None
        loop.call_soon_threadsafe(leave)
        threading.Thread(target=_end_anyway, args=(number, attributes, left), name="last resort", daemon=True).start()

    _app = end
    try:
        with _handled(end, (*ENDING, signal.SIGINT)):
            yield
    finally:
        _app = None
        left.set()


@contextlib.contextmanager
def _handled(handler: Callable[[int, object], None], numbers: tuple[signal.Signals, ...]) -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in numbers}
    taken = {number: how for number, how in before.items() if how is not signal.SIG_IGN}
    for number in taken:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number, how in taken.items():
            signal.signal(number, how)


def _note(number: int) -> bool:
    """Whether this signal says something new."""
    again = bool(_came) and time.monotonic() - _came[-1][0] < SAME_S
    _came.append((time.monotonic(), number))
    return not again


def _raise(number: int, _: object) -> None:
    if _note(number):
        raise Ended


def _end_anyway(number: int, attributes: list[Any] | None, left: threading.Event) -> None:
    if left.wait(PATIENCE_S):
        return
    # writing waits where the terminal takes nothing
    writing = threading.Thread(target=_restore, daemon=True)
    writing.start()
    if attributes is not None:
        with contextlib.suppress(termios.error, OSError, ValueError):
            termios.tcsetattr(sys.stdin.fileno(), termios.TCSANOW, attributes)
    writing.join(SAME_S)
    # what a shell says of a program that died of the signal; only the main thread could, and that does not answer
    os._exit(128 + number)


def _restore() -> None:
    with contextlib.suppress(OSError, ValueError):
        os.write(sys.stderr.fileno(), _also().encode() + RESTORE)
