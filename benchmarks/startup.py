"""How soon the program is there: `--help` and the app's first frame, as ratios to the least that could be done.

    python benchmarks/startup.py [RUNS]

Prints medians in milliseconds, measured in turn so that a drifting machine drifts for all, and two ratios:
`--help` to a hello-world Typer app's, first frame of the app to a hello-world Textual app's.
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
import time
from pathlib import Path

PYTHON = sys.executable
HELLO_TYPER = """
import typer
app = typer.Typer()
@app.command()
def one(times: int = 1): "Say hello."
@app.command()
def two(times: int = 1): "Say it again."
app()
"""
HELLO_TEXTUAL = """
from textual.app import App
from textual.widgets import Static
class Hello(App):
    def compose(self):
        yield Static("painted")
Hello().run()
"""
APP = ["-c", "from condense_tui.main import main; main()"]
SIZE = struct.pack("HHHH", 40, 120, 0, 0)


def whole(arguments: list[str]) -> float:
    """Milliseconds that a command takes from start to end."""
    begun = time.perf_counter()
    subprocess.run([PYTHON, *arguments], check=True, stdout=subprocess.DEVNULL)
    return 1e3 * (time.perf_counter() - begun)


def until(arguments: list[str], text: bytes) -> float:
    """Milliseconds from a command's start until `text` is written to its terminal of 120×40."""
    begun = time.perf_counter()
    process, terminal = pty.fork()
    if process == 0:
        os.execvpe(PYTHON, [PYTHON, *arguments], {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"})
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, SIZE)
    seen = b""
    while text not in seen:
        ready, _, _ = select.select([terminal], [], [], 60)
        if not ready:
            raise SystemExit(f"nothing painted in 60 s; written so far: {seen[-500:]!r}")
        seen += os.read(terminal, 65_536)
    taken = 1e3 * (time.perf_counter() - begun)
    os.kill(process, 9)
    os.waitpid(process, 0)
    os.close(terminal)
    return taken


def record() -> None:
    """A small run to open."""
    command = [PYTHON, *APP, "run", "digits-gd", "--headless", "--set", "steps=30"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    with tempfile.TemporaryDirectory() as folder:
        typer, textual, runs = Path(folder, "typer_app.py"), Path(folder, "textual_app.py"), Path(folder, "runs")
        typer.write_text(HELLO_TYPER)
        textual.write_text(HELLO_TEXTUAL)
        os.environ["CONDENSE_RUNS_DIR"] = str(runs)
        record()
        measured = {
            "python -c pass": lambda: whole(["-c", "pass"]),
            "hello-world Typer --help": lambda: whole([str(typer), "--help"]),
            "condense-tui --help": lambda: whole([*APP, "--help"]),
            "hello-world Textual, first frame": lambda: until([str(textual)], b"painted"),
            "condense-tui, first frame": lambda: until(APP, b"opening"),
            "condense-tui, home screen": lambda: until(APP, b"filter"),
            "condense-tui, both lists read": lambda: until(APP, b"presets 8"),
            "condense-tui attach, first frame": lambda: until([*APP, "attach"], b"opening"),
            "condense-tui attach, first data": lambda: until([*APP, "attach"], b"conv1"),
        }
        times: dict[str, list[float]] = {name: [] for name in measured}
        for _ in range(count):
            for name, measure in measured.items():
                times[name].append(measure())
    medians = {name: statistics.median(values) for name, values in times.items()}
    bare = medians["python -c pass"]
    print(f"{'':36} median ms   to python -c pass")
    for name, median in medians.items():
        print(f"{name:36} {median:9.0f} {median / bare:12.1f}")
    help_ratio = medians["condense-tui --help"] / medians["hello-world Typer --help"]
    frame_ratio = medians["condense-tui, first frame"] / medians["hello-world Textual, first frame"]
    print(f"--help to hello-world Typer          {help_ratio:9.2f}   (budget 1.25)")
    print(f"first frame to hello-world Textual   {frame_ratio:9.2f}   (budget 1.30)")


if __name__ == "__main__":
    main()
