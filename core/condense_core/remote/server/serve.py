"""`condense-tui serve`: one client's session on standard input and output. Plumbing for `--host`; opens no port.

Ends when its standard input closes, or when nothing was heard for so long that the other end must be gone. Workers
that it started live on.
"""

from __future__ import annotations

import os
import select
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from condense_core.errors import CondenseError
from condense_core.remote.server.session import Session
from condense_core.remote.wire.framing import GREETING, WireError, pack
from condense_core.remote.wire.messages import Refused
from condense_core.runs.glance import no_base
from condense_core.runs.label import PresetBase
from condense_core.runs.place import runs_folder

# How often a followed run file is checked: finding nothing costs some microseconds, and a delay would be visible.
POLL_S = 0.02
# A client pings every second; one that was silent for so long is gone, whatever the network has not noticed.
SILENCE_S = 120.0
READ_BYTES = 65_536


def main(arguments: Sequence[str], base: PresetBase = no_base) -> int:
    """Run the server with the command line's arguments; the process's exit code. `base` gives presets."""
    launcher: list[str] = []
    runs: Path | None = None
    words = list(arguments)
    while words:
        word = words.pop(0)
        if word == "--launcher" and words:
            launcher = shlex.split(words.pop(0))
        elif word == "--runs-dir" and words:
            runs = Path(words.pop(0))
        else:
            sys.stderr.write("condense-tui: serve takes --launcher COMMAND and --runs-dir DIR\n")
            return 2
    if sys.stdin.isatty():
        sys.stderr.write("condense-tui: serve is started by --host on the other machine; it is not for a terminal\n")
        return 2
    return serve(runs_folder(runs), launcher, base)


def serve(runs: Path, launcher: Sequence[str] = (), base: PresetBase = no_base) -> int:
    """Speak with the client on standard input and output until it goes."""
    # whatever prints by mistake must not end up between two messages
    pipe = os.dup(1)
    os.dup2(2, 1)
    os.set_blocking(pipe, False)
    session = Session(runs, lambda data: _write(pipe, data), launcher, base)
    try:
        _write(pipe, GREETING)
        _loop(session)
    except (BrokenPipeError, ConnectionResetError, TimeoutError):
        return 0
    except WireError as error:
        sys.stderr.write(f"condense-tui serve: {error}\n")
        _write(pipe, pack(Refused(0, str(error)[:2_000], 1)))
        return 1
    except CondenseError as error:
        sys.stderr.write(f"condense-tui serve: {error}\n")
        return error.exit_code
    finally:
        session.close()
    return 0


def _loop(session: Session) -> None:
    heard = time.monotonic()
    busy = False
    while True:
        ready, _, _ = select.select([0], [], [], 0 if busy else POLL_S if session.following else 1.0)
        if ready:
            data = os.read(0, READ_BYTES)
            if not data:
                return
            heard = time.monotonic()
            session.feed(data)
        elif time.monotonic() - heard > SILENCE_S:
            return
        busy = session.tick()


def _write(pipe: int, data: bytes) -> None:
    """Write all of it; TimeoutError if the reader takes nothing for so long that it must be gone."""
    view = memoryview(data)
    while view:
        _, ready, _ = select.select([], [pipe], [], SILENCE_S)
        if not ready:
            raise TimeoutError
        try:
            view = view[os.write(pipe, view) :]
        except BlockingIOError:
            continue
