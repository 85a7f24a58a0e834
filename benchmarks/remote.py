"""Watching a run on another machine: set-up, delay and bytes of the mirror, against drawing the app over `ssh -t`.

    python benchmarks/remote.py [SECONDS]

Needs OpenSSH's server: one is started on loopback, with keys of its own. The run has three layers of 32 kernels and is
recorded ten times a second. The thin link (1 Mbit/s, 50 ms each way) is a relay in user space, see thin_link.py.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "e2e")]

from recording import Recording
from sshd import FarSide
from thin_link import ThinLink

from condense_core.remote import ssh
from condense_core.remote.client import Connection
from condense_core.remote.hosts import find_host
from condense_core.remote.link import Link, open_mirror
from condense_core.remote.messages import Ping, Pong
from condense_core.runs.reader import RunReader

RATE = 10
SIZE = struct.pack("HHHH", 40, 120, 0, 0)
PROGRAM = [sys.executable, "-c", "import sys; from condense_tui.main import main; sys.exit(main())"]
# What a terminal that knows synchronised output answers to the question whether it does.
QUESTION, ANSWER = b"\x1b[?2026$p", b"\x1b[?2026;2$y"
KEYS = 40


class Training(threading.Thread):
    """A run of three layers of 32 kernels that is recorded ten times a second, and when each row was there."""

    def __init__(self, runs: Path, instants: int = 20_000, before: int = 60) -> None:
        super().__init__(daemon=True)
        self.recording = Recording(
            runs, kernels=(32, 32, 32), lines=(2, 1, 1), steps=instants * 10, frames=instants, spacing="linear"
        )
        self.recording.write(before)
        self.written: dict[int, float] = {}
        self._end = threading.Event()

    def run(self) -> None:
        with self.recording.worker(), RunReader(self.recording.folder) as reader:
            due = time.monotonic()
            while not self._end.is_set():
                self.recording.write(1)
                self.written[reader.last_seq] = time.monotonic()
                due += 1 / RATE
                time.sleep(max(0.0, due - time.monotonic()))

    def end(self) -> None:
        self._end.set()
        self.join()


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


class Screen:
    """A program in a terminal of 120×40 that answers what terminals are asked, and counts what is drawn."""

    def __init__(self, command: list[str], *, answers: bool = True) -> None:
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], command, {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"})
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, SIZE)
        self._answers = answers
        self.bytes = 0
        self.last = b""

    def watch(self, seconds: float, text: bytes = b"\0") -> float | None:
        """Draw for so long, or until `text` is written; the time that took, None where it was not."""
        begun = time.monotonic()
        seen = b""
        while (left := begun + seconds - time.monotonic()) > 0:
            ready, _, _ = select.select([self._terminal], [], [], left)
            if not ready:
                break
            data = os.read(self._terminal, 65_536)
            self.bytes += len(data)
            if self._answers:
                os.write(self._terminal, ANSWER * data.count(QUESTION))
            seen = (seen + data)[-100_000:]
            if text in seen:
                return time.monotonic() - begun
        self.last = seen
        return None

    def key_lags(self) -> list[float]:
        """From pressing `?` until the help is there, and Escape until it is gone, while frames keep coming."""
        lags = []
        for _ in range(KEYS):
            os.write(self._terminal, b"?")
            lag = self.watch(30, b"leave")
            if lag is None:
                raise SystemExit(f"the help never came; on the screen: {self.last[-500:]!r}")
            lags.append(lag)
            os.write(self._terminal, b"\x1b")
            self.watch(0.4)
        return lags

    def close(self) -> None:
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)
        os.close(self._terminal)


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
        subprocess.run(["ssh", host, "true"], check=True)
        taken.append(time.perf_counter() - begun)
    return taken


def round_trips(host: str, count: int) -> list[float]:
    taken = []
    with Connection(find_host(host)) as connection:
        for token in range(count):
            begun = time.perf_counter()
            connection.send(Ping(token))
            while not any(isinstance(message, Pong) for message in connection.receive(10)):
                pass
            taken.append(time.perf_counter() - begun)
    return taken


def mirror(host: str, training: Training, near: Path, seconds: float) -> tuple[float, list[float]]:
    """Bytes a second of a mirror that is kept up to date, and how old a row is when it can be read here."""
    counted = Counted()
    with Connection(find_host(host)) as connection:
        folder = open_mirror(connection, training.recording.folder.name, near)
    ages = []
    with Link(folder, find_host(host)) as link, RunReader(folder) as reader:
        link.up_to_date.wait(60)
        time.sleep(1)
        begun, before, top = time.monotonic(), counted.bytes, reader.last_seq
        while time.monotonic() < begun + seconds:
            time.sleep(0.002)
            if reader.refresh() and (now := reader.last_seq) > top and now in training.written:
                top = now
                ages.append(time.monotonic() - training.written[now])
        return (counted.bytes - before) / (time.monotonic() - begun), ages


def drawn(host: str, far: FarSide, seconds: float, *, answers: bool = True) -> tuple[float, list[float]]:
    """Bytes a second of the app drawn over `ssh -t`, and its key lags."""
    command = (
        f"env TERM=xterm-256color COLORTERM=truecolor CONDENSE_RUNS_DIR={far.runs} {find_host('far').command} attach"
    )
    screen = Screen(["ssh", "-t", host, command], answers=answers)
    if screen.watch(90, b"eigenvalues") is None:
        raise SystemExit(f"the app never came: {screen.last[-500:]!r}")
    screen.watch(3)
    before, begun = screen.bytes, time.monotonic()
    screen.watch(seconds)
    rate = (screen.bytes - before) / (time.monotonic() - begun)
    lags = screen.key_lags()
    screen.close()
    return rate, lags


def local_key_lags(host: str, near: Path, run: str) -> list[float]:
    """Key lags of the app here, that watches the mirror of a run there."""
    screen = Screen([*PROGRAM, "attach", run, "--host", host, "--runs-dir", str(near)])
    if screen.watch(90, b"eigenvalues") is None:
        raise SystemExit(f"the app never came: {screen.last[-500:]!r}")
    screen.watch(3)
    lags = screen.key_lags()
    screen.close()
    return lags


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
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "far").mkdir()
        far = FarSide(folder / "far")
        os.environ.update(far.environment)
        training = Training(far.runs)
        training.start()
        try:
            for name in ("loopback", "1 Mbit/s, 100 ms"):
                print(f"\n{name}")
                if name != "loopback":
                    through(far, ThinLink(far.port, 1e6, 0.05))
                measure(far, training, folder / name.replace("/", "-"), seconds, 9 if name == "loopback" else 4)
        finally:
            training.end()
            far.close()


def measure(far: FarSide, training: Training, near: Path, seconds: float, count: int) -> None:
    bare, ours = bare_ssh("far", count), set_up("far", count)
    print(f"  ssh HOST true                      {ms(bare)}")
    ratio = statistics.median(ours) / statistics.median(bare)
    print(f"  connected and greeted              {ms(ours)}   ratio {ratio:.2f}")
    print(f"  round trip to the program          {ms(round_trips('far', 50))}")
    stream, ages = mirror("far", training, near, seconds)
    print(f"  mirror: {stream / 1e3:6.1f} kB/s; age of a row    {ms(ages)}")
    print(f"  key lag, app here on the mirror    {ms(local_key_lags('far', near, training.recording.folder.name))}")
    pixels, lags = drawn("far", far, seconds)
    print(f"  ssh -t: {pixels / 1e3:6.1f} kB/s; key lag         {ms(lags)}")
    print(f"  the mirror costs {stream / pixels:.2f} of what drawing costs")


if __name__ == "__main__":
    main()
