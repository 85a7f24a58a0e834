"""The app drawn over `ssh -t` through a thin link while a run goes on there: how long until a key shows its effect.

Needs OpenSSH's server, which is started on loopback. The run has three layers of 32 kernels and is recorded ten times a
second. Lags are printed beside that of a bare `ssh -t HOST cat`, which only echoes: what is above it is ours. Bytes are
those that came between a key and its effect. What arrives is kept with its time, and drawn by an emulator afterwards.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

from leftovers import end_tidily
from remote import Training, through, trained
from sshd import FarSide
from terminal import QUESTION, Key, Terminal, report, report_keys
from thin_link import ThinLink

from condense_core.remote.client.hosts import find_host

KEYS: tuple[Key, ...] = (
    ("press ← to see", b"\x1b[D", lambda page: "looking back" in page),
    ("home: first frame", b"\x1b[H", lambda page: "step 0 of" in page),
    ("end: live again", b"\x1b[F", lambda page: "looking back" not in page),
    ("] next layer", b"]", lambda page: "conv2 · 32" in page),
    ("[ layer before", b"[", lambda page: "conv1 · 32" in page),
    ("? help", b"?", lambda page: "keys and terms" in page),
    ("q closes help", b"q", lambda page: "keys and terms" not in page),
)


def echo(host: str) -> None:
    """Lags of a program that does nothing but echo."""
    terminal = Terminal(["ssh", "-t", host, "stty raw -echo; echo ready; cat"])
    terminal.wait_for("ready")
    keys = [(letter, letter.encode(), lambda page, letter=letter: letter in page) for letter in "bfghijklmnopq"]
    report("  bare ssh -t, echo", [effect.lag for effect in terminal.effects(keys, len(keys), (0.5, 0.6))])
    terminal.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("keys", nargs="?", type=int, default=140, help="how many are pressed (%(default)s)")
    parser.add_argument("rate", nargs="?", type=float, default=1.0, help="of the link, in Mbit/s (%(default)s)")
    parser.add_argument("trip", nargs="?", type=float, default=100.0, help="there and back, in ms (%(default)s)")
    asked = parser.parse_args()
    count, rate, trip = asked.keys, 1e6 * asked.rate, asked.trip / 1e3
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        original = trained(folder / "trained")
        (folder / "far").mkdir()
        far = FarSide(folder / "far")
        os.environ.update(far.environment)
        try:
            through(far, ThinLink(far.port, rate, trip / 2))
            print(f"{rate / 1e6:g} Mbit/s, {1e3 * trip:g} ms round trip")
            echo("far")
            for answers, name in ((True, "answers"), (False, "never answers")):
                training = Training(far.runs, original, spectra=True)
                training.start()
                print(f"  a terminal that {name}")
                draw(far, count, answers)
                training.end()
        finally:
            far.close()


def draw(far: FarSide, count: int, answers: bool) -> None:
    environment = f"TERM=xterm-256color COLORTERM=truecolor CONDENSE_RUNS_DIR={far.runs}"
    command = f"env {environment} {find_host('far').command} attach"
    terminal = Terminal(["ssh", "-t", "far", command], answers=answers)
    terminal.wait_for("eigenval")
    time.sleep(3)
    begun, before = time.perf_counter(), len(terminal.written)
    found = terminal.effects(KEYS, count, (0.9, 1.5))
    seconds = time.perf_counter() - begun
    terminal.close()
    came = b"".join(data for _, data in terminal.written[before:])
    frames = max(came.count(b"\x1b[?2026l"), came.count(QUESTION))
    print(f"  {len(came) / seconds / 1e3:.1f} kB/s, {frames / seconds:.1f} frames/s")
    report_keys(found, KEYS)


if __name__ == "__main__":
    end_tidily()
    main()
