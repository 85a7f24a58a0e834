"""Watching a run on another machine: set-up, delay and bytes of the mirror, against drawing the app over `ssh -t`.

How soon a key has its effect over `ssh -t` is in drawn.py.

Needs OpenSSH's server: one is started on loopback, with keys of its own. The run has three layers of 32 kernels and is
recorded ten times a second. The thin link (1 Mbit/s, 50 ms each way) is a relay in user space, see thin_link.py.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from leftovers import end_tidily

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "e2e")]

from sshd import FarSide
from terminal import Key, Terminal
from thin_link import ThinLink
from waiting import PATIENCE_S, run, wait_until

from condense_core.remote.client import ssh
from condense_core.remote.client.connection import Connection
from condense_core.remote.client.hosts import find_host
from condense_core.remote.client.link import Link, open_mirror
from condense_core.remote.wire.messages import Ping, Pong
from condense_core.runfile import control
from condense_core.runfile.frame_table import FrameTable
from condense_core.runfile.reader import RunReader
from condense_core.runfile.rows import ScalarRow, StoredFrame
from condense_core.runfile.scalars import scalars_of
from condense_core.runfile.schema import FILE_NAME, open_reader
from condense_core.runfile.writer import RunWriter, StepRecord
from condense_core.runs.create import create_run
from condense_core.runs.place import find_run

RATE = 10
PROGRAM = [sys.executable, "-c", "import sys; from condense_tui.main import main; sys.exit(main())"]
# One layer's heatmap, and all three: the mirror carries all of them.
SIZES = ((120, 40), (200, 60))
KEYS: tuple[Key, ...] = (
    ("press ← to see", b"\x1b[D", lambda page: "looking back" in page),
    ("end: live again", b"\x1b[F", lambda page: "looking back" not in page),
)


Row = tuple[object, ...]
SCENARIO = """
name = "three layers of 32"
steps = 600
layers = [
  { kind = "conv", width = 32, size = 3 }, { kind = "conv", width = 32, size = 3 }, { kind = "dense", width = 32 }
]
[data]
name = "digits"
samples = 200
labels = "onehot"
[init]
scheme = "mean-fan-power"
gamma = 2.0
[optimizer]
name = "adam"
lr = 1e-3
[record]
frames = 600
spacing = "linear"
budget = 1.0
grace_seconds = 1000
probes = ["similarity", "condensation", "spectrum", "alignment", "change"]
"""


def trained(folder: Path) -> Path:
    """A real run of three layers of 32 kernels, every step recorded."""
    run([*PROGRAM, "run", "-", "--headless", "--json", "--runs-dir", str(folder)], input=SCENARIO, text=True)
    return find_run(folder, None)


class Training(threading.Thread):
    """A run that grows by an instant of a real one ten times a second, over and over; and when each row was there."""

    def __init__(self, runs: Path, original: Path, *, spectra: bool) -> None:
        super().__init__(daemon=True)
        with RunReader(original) as reader:
            self.folder = create_run(reader.experiment, runs=runs, device="cpu")
        self._rows = list(_instants(original, spectra))
        self._writer = RunWriter(self.folder)
        self._written = 0
        self.written: dict[int, float] = {}
        self._end = threading.Event()
        for _ in range(60):
            self._write()

    def _write(self) -> None:
        at = self._written
        scalars, frames = self._rows[at % len(self._rows)]
        self._writer.append(StepRecord(at, scalars, [], []))
        connection = self._writer._connection
        connection.execute("BEGIN IMMEDIATE")
        self._writer._frames.put(StoredFrame(self._writer._next(), at, *row) for row in frames)
        connection.execute("UPDATE run SET status = 'running', step = ?, heartbeat = ?", (at, time.time()))
        connection.execute("COMMIT")
        self.written[self._writer._seq] = time.monotonic()
        self._written += 1

    def run(self) -> None:
        with control.hold(self.folder):
            due = time.monotonic()
            while not self._end.is_set():
                self._write()
                due += 1 / RATE
                time.sleep(max(0.0, due - time.monotonic()))

    def end(self) -> None:
        self._end.set()
        self.join(PATIENCE_S)


def _instants(folder: Path, spectra: bool) -> Iterator[tuple[list[Row], list[Row]]]:
    with contextlib.closing(open_reader(folder / FILE_NAME)) as connection:
        of_step: dict[int, list[ScalarRow]] = {}
        for row in scalars_of(connection).rows(0, 2**62):
            of_step.setdefault(row.step, []).append(row)
        frames: dict[int, list[StoredFrame]] = {}
        for row in FrameTable(connection).rows(0, 2**62):
            frames.setdefault(row.step, []).append(row)
        for step, found in sorted(frames.items()):
            if any(row.kind == "similarity" for row in found):
                scalars = [pair for row in of_step.get(step, ()) for pair in zip(row.names, row.values, strict=True)]
                yield scalars, [row[2:] for row in found if spectra or row.kind != "spectrum"]


class Counted:
    """Counts what comes out of ssh."""

    def __init__(self) -> None:
        self.bytes = 0
        read = ssh.Pipe.read

        def counting(pipe: ssh.Pipe, seconds: float) -> bytes | None:
            data = read(pipe, seconds)
            self.bytes += len(data or b"")
            return data

        ssh.Pipe.read = counting  # type: ignore[method-assign]


def set_up(host: str, count: int) -> list[float]:
    taken = []
    for _ in range(count):
        begun = time.perf_counter()
        Connection(find_host(host)).close()
        taken.append(time.perf_counter() - begun)
    return taken


def bare_ssh(host: str, count: int) -> list[float]:
    taken = []
    for _ in range(count):
        begun = time.perf_counter()
        run(["ssh", host, "true"])
        taken.append(time.perf_counter() - begun)
    return taken


def round_trips(host: str, count: int) -> list[float]:
    taken = []
    with Connection(find_host(host)) as connection:
        for token in range(count):
            begun = time.perf_counter()
            connection.send(Ping(token))
            wait_until(lambda: any(isinstance(message, Pong) for message in connection.receive(10)), "a pong")
            taken.append(time.perf_counter() - begun)
    return taken


def mirror(host: str, training: Training, near: Path, seconds: float) -> tuple[float, list[float]]:
    """Bytes a second of a mirror that is kept up to date, and how old a row is when it can be read here."""
    counted = Counted()
    with Connection(find_host(host)) as connection:
        folder = open_mirror(connection, training.folder.name, near)
    ages = []
    with Link(folder, find_host(host)) as link, RunReader(folder) as reader:
        wait_until(link.up_to_date.is_set, "the mirror to be up to date")
        time.sleep(1)
        begun, before, top = time.monotonic(), counted.bytes, reader.last_seq
        while time.monotonic() < begun + seconds:
            time.sleep(0.002)
            if reader.refresh() and (now := reader.last_seq) > top and now in training.written:
                top = now
                ages.append(time.monotonic() - training.written[now])
        return (counted.bytes - before) / (time.monotonic() - begun), ages


def drawn(host: str, far: FarSide, size: tuple[int, int]) -> Terminal:
    """The app drawn over `ssh -t`."""
    terminal = "TERM=xterm-256color COLORTERM=truecolor"
    command = f"env {terminal} CONDENSE_RUNS_DIR={far.runs} {find_host(host).command} attach"
    screen = Terminal(["ssh", "-t", host, command], size=size, answers=True)
    screen.wait_for("eigenval")
    time.sleep(3)
    return screen


def ms(values: list[float]) -> str:
    ordered = sorted(values)
    high = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return f"{1e3 * statistics.median(ordered):7.0f} ms   p95 {1e3 * high:7.0f} ms   ({len(ordered)})"


def through(far: FarSide, link: ThinLink) -> None:
    """Have the host `far` lie behind a link."""
    config = far.folder / "ssh_config"
    config.write_text(config.read_text().replace(f"Port {far.port}", f"Port {link.port}"))
    known = far.folder / "known_hosts"
    known.write_text(known.read_text() + known.read_text().replace(f":{far.port}", f":{link.port}"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seconds", nargs="?", type=float, default=10.0, help="how long bytes are counted (%(default)s)")
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "far").mkdir()
        original = trained(folder / "trained")
        far = FarSide(folder / "far")
        os.environ.update(far.environment)
        try:
            for name in ("loopback", "1 Mbit/s, 100 ms"):
                print(f"\n{name}")
                if name != "loopback":
                    through(far, ThinLink(far.port, 1e6, 0.05))
                measure_ssh(9 if name == "loopback" else 4)
                for spectra in (True, False):
                    training = Training(far.runs, original, spectra=spectra)
                    training.start()
                    print("  all that is recorded" if spectra else "  without the spectra of every step")
                    measure(far, training, folder / training.folder.name, seconds)
                    training.end()
        finally:
            far.close()


def measure_ssh(count: int) -> None:
    bare, ours = bare_ssh("far", count), set_up("far", count)
    ratio = statistics.median(ours) / statistics.median(bare)
    print(f"  ssh HOST true                      {ms(bare)}")
    print(f"  connected and greeted              {ms(ours)}   ratio {ratio:.2f}")
    print(f"  round trip to the program          {ms(round_trips('far', 50))}")


def measure(far: FarSide, training: Training, near: Path, seconds: float) -> None:
    """The same rows at the same time: mirrored, and drawn."""
    stream, ages = mirror("far", training, near, seconds)
    print(f"    mirror: {stream / 1e3:6.1f} kB/s; age of a row    {ms(ages)}")
    for size in SIZES:
        screen = drawn("far", far, size)
        pixels = screen.bytes_in(seconds) / seconds
        screen.close()
        ratio = stream / pixels
        print(f"    ssh -t, {size[0]:3}×{size[1]}: {pixels / 1e3:6.1f} kB/s; the mirror costs {ratio:.2f} of that")
    viewer = Terminal([*PROGRAM, "attach", training.folder.name, "--host", "far", "--runs-dir", str(near)])
    viewer.wait_for("eigenval")
    time.sleep(3)
    lags = [effect.lag for effect in viewer.effects(KEYS, 30, (0.35, 0.65))]
    viewer.close()
    print(f"    key lag, app here on the mirror    {ms(lags)}")


if __name__ == "__main__":
    end_tidily()
    main()
