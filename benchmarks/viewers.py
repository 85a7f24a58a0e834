"""The app beside other programs that show curves in a terminal, W&B's LEET and terminalboard, in one run.

Each has a terminal of 120×40 of its own, and a training that logs six curves ten times a second. Bytes, processor time
and memory are of all processes that the program has in the terminal. With sshd installed it then runs on another
machine, behind a link of 1 Mbit/s and 100 ms: drawn over `ssh -t`, and ours also as a copy that is drawn here.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import shlex
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from leftovers import scratch
from terminal import Terminal
from thin_link import ThinLink
from viewer_peers import Fed, Make, ways
from waiting import PATIENCE_S

CURVES = ("loss", "accuracy", "gradient_norm", "test_loss", "test_accuracy", "lr")
PER_SECOND = 10
# What was logged before anybody looks: half a minute.
BEFORE = 30 * PER_SECOND
# Time in which a program finds its pace, and for which it is then looked at.
SETTLING_S, LOOKED_AT_S = 3.0, 10.0
BRAILLE = range(0x2801, 0x2900)


def values(step: int) -> dict[str, float]:
    """One value of each curve: they fall, and are never the same twice."""
    return {name: math.exp(-step / (400 + 50 * at)) + 0.1 * math.sin(step / 7 + at) for at, name in enumerate(CURVES)}


@contextlib.contextmanager
def growing(fed: Fed) -> Iterator[None]:
    """Curves that have begun, and grow meanwhile."""
    for step in range(BEFORE):
        fed.append(step, values(step))
    ended = threading.Event()

    def grow() -> None:
        begun, step = time.monotonic(), BEFORE
        while not ended.wait(max(0.0, begun + (step - BEFORE) / PER_SECOND - time.monotonic())):
            fed.append(step, values(step))
            step += 1

    thread = threading.Thread(target=grow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(PATIENCE_S)


def has_curve(page: str) -> bool:
    """Whether a curve is drawn: all of them draw in Braille's dots."""
    return any(ord(letter) in BRAILLE for letter in page)


def looked_at(make: Make) -> tuple[float, ...]:
    """Seconds to the first frame, seconds to a curve, bytes a second, the share of a core and MB."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        fed = stack.enter_context(make(Path(folder)))
        stack.enter_context(growing(fed))
        viewer = Terminal(fed.command, answers=True, environment={**os.environ, **fed.environment})
        stack.callback(viewer.close)
        first = viewer.wait_until_shown(lambda page: bool(page.strip()), "anything")
        curve = viewer.wait_until_shown(has_curve, "a curve")
        time.sleep(SETTLING_S)
        busy = viewer.seconds_of_cpu_in_all()
        came = viewer.bytes_in(LOOKED_AT_S)
        busy = viewer.seconds_of_cpu_in_all() - busy
        return (first - viewer.begun, curve - viewer.begun, came / LOOKED_AT_S, busy / LOOKED_AT_S,
                viewer.megabytes_in_all())  # fmt: skip


def here(found: dict[str, Make], rounds: int) -> None:
    taken: dict[str, list[tuple[float, ...]]] = {name: [] for name in found}
    for _ in range(rounds):
        for name, make in found.items():
            taken[name].append(looked_at(make))
    print("\n| | first frame, s | a curve, s | kB/s while it grows | of a core | MB |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, times in taken.items():
        first, curve, came, busy, memory = map(statistics.median, zip(*times, strict=True))
        print(f"| {name} | {first:.2f} | {curve:.2f} | {came / 1e3:.1f} | {busy:.1%} | {memory:.0f} |")


def far_away(found: dict[str, Make]) -> None:
    """Bytes that come through a thin link."""
    from remote import PROGRAM, FarSide, through

    print("\n| over 1 Mbit/s, 100 ms | a curve, s | kB/s while it grows |\n| --- | --- | --- |")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        far = FarSide(folder)
        os.environ.update(far.environment)
        try:
            link = ThinLink(far.port, 1e6, 0.05)
            through(far, link)

            for name, make in found.items():
                ours = name.startswith("ours")
                for how in ("ssh -t", "--host") if ours else ("ssh -t",):
                    place = far.runs if ours else Path(tempfile.mkdtemp(dir=folder))
                    place.mkdir(exist_ok=True)
                    with make(place) as fed, growing(fed):
                        copied = [
                            *PROGRAM,
                            "attach",
                            fed.run,
                            "--host",
                            "far",
                            "--runs-dir",
                            tempfile.mkdtemp(dir=folder),
                        ]
                        curve, came = _through(link, _drawn_there(fed) if how == "ssh -t" else copied)
                    print(f"| {name}, `{how}` | {curve:.2f} | {came / 1e3:.1f} |", flush=True)
        finally:
            far.close()


def _through(link: ThinLink, command: Sequence[str]) -> tuple[float, float]:
    """Seconds to a curve, and bytes a second that come through the link."""
    viewer = Terminal(command, answers=True)
    try:
        curve = viewer.wait_until_shown(has_curve, "a curve") - viewer.begun
        time.sleep(SETTLING_S)
        before = link.bytes[1]
        time.sleep(LOOKED_AT_S)
        return curve, (link.bytes[1] - before) / LOOKED_AT_S
    finally:
        viewer.close()


def _drawn_there(fed: Fed) -> list[str]:
    given = {"PYTHONPATH": os.environ.get("PYTHONPATH", ""), "OMP_NUM_THREADS": "1", **fed.environment}
    variables = [f"{name}={value}" for name, value in given.items()]
    words = ["env", "TERM=xterm-256color", "COLORTERM=truecolor", "LC_ALL=C.UTF-8", *variables, *fed.command]
    return ["ssh", "-t", "far", shlex.join(words)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="of which medians are taken (%(default)s)")
    parser.add_argument(
        "--packages", type=Path, action="append", default=[], metavar="FOLDER",
        help="where pip has installed the others with --target; may be given again",
    )  # fmt: skip
    asked = parser.parse_args()
    found, left_out = ways([folder.resolve() for folder in asked.packages])
    for reason in left_out:
        print(f"left out: {reason}")
    here(found, asked.rounds)
    if shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin"):
        far_away(found)
    else:
        print("left out: other machines, which need sshd")


if __name__ == "__main__":
    with scratch():
        main()
