"""How soon the program is there, and how large: `--help`, the app's first frame, and what follows it.

Prints medians, measured in turn so that a drifting machine drifts for all, and three ratios: `--help` to a hello-world
Typer app's, first frame of the app to a hello-world Textual app's, a run of one step to `import torch`. With
`--against TREE` another checkout of this repository is measured beside this one, and each ratio is that of the two in
the same round.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from leftovers import end_tidily
from terminal import Terminal
from waiting import run

HERE = Path(__file__).parents[1]
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
APP = [PYTHON, "-c", "from condense_tui.main import main; main()"]
ONE_STEP = [*APP, "run", "digits-gd", "--headless", "--set", "steps=1", "--runs-dir"]
# Since when each of them is in the app; the first that is on the screen counts, where the next comes in the same write.
FRAME, DATA = ("opening", "conv1"), ("conv1",)

Environment = Mapping[str, str]


class Measure(NamedTuple):
    """What is measured, and how, given the environment that says of which tree the program is."""

    name: str
    unit: str
    take: Callable[[Environment], float]
    ours: bool = True
    """Whether it is a measure of the program, which another tree has too."""


def whole(*command: str) -> Callable[[Environment], float]:
    """Milliseconds that a command takes from start to end."""

    def take(environment: Environment) -> float:
        begun = time.perf_counter()
        run(command, env=environment)
        return 1e3 * (time.perf_counter() - begun)

    return take


def until(command: list[str], *texts: str) -> Callable[[Environment], float]:
    """Milliseconds from a command's start until one of the texts is on its terminal of 120×40."""

    def take(environment: Environment) -> float:
        begun = time.perf_counter()
        terminal = Terminal(command, environment=environment)
        taken = terminal.wait_for(*texts) - begun
        terminal.close()
        return 1e3 * taken

    return take


def memory(command: list[str], *texts: str) -> Callable[[Environment], float]:
    """Megabytes that a command holds a second after one of the texts is on its terminal."""

    def take(environment: Environment) -> float:
        terminal = Terminal(command, environment=environment)
        terminal.wait_for(*texts)
        time.sleep(1)
        found = terminal.megabytes()
        terminal.close()
        return found

    return take


def presets_of(tree: Environment) -> str:
    """What the home screen of a tree says when it has read all of its presets."""
    count = [PYTHON, "-c", "import condense_presets as own; print(len(own.preset_files()))"]
    return f"presets {subprocess.check_output(count, env=tree, text=True).strip()}"


def measures(folder: Path, trees: Sequence[Environment]) -> list[Measure]:
    listed = [presets_of(tree) for tree in trees]
    typer, textual = folder / "typer_app.py", folder / "textual_app.py"
    typer.write_text(HELLO_TYPER)
    textual.write_text(HELLO_TEXTUAL)
    attach = [*APP, "attach"]
    return [
        Measure("python -c pass", "ms", whole(PYTHON, "-c", "pass"), ours=False),
        Measure("hello-world Typer --help", "ms", whole(PYTHON, str(typer), "--help"), ours=False),
        Measure("condense-tui --help", "ms", whole(*APP, "--help")),
        Measure("hello-world Textual, first frame", "ms", until([PYTHON, str(textual)], "painted"), ours=False),
        Measure("import torch", "ms", whole(PYTHON, "-c", "import torch"), ours=False),
        Measure("condense-tui run, one step", "ms", whole(*ONE_STEP, str(folder / "short"))),
        Measure("condense-tui, first frame", "ms", until(APP, "opening", "filter")),
        Measure("condense-tui, home screen", "ms", until(APP, "filter")),
        Measure("condense-tui, both lists read", "ms", until(APP, *listed)),
        Measure("condense-tui attach, first frame", "ms", until(attach, *FRAME)),
        Measure("condense-tui attach, first data", "ms", until(attach, *DATA)),
        Measure("condense-tui at home, resident", "MB", memory(APP, *listed)),
        Measure("condense-tui attach, resident", "MB", memory(attach, *DATA)),
    ]


def of_tree(tree: Path, folder: Path) -> Environment:
    """The environment in which the program is that of a checkout, compiled once for this benchmark and nowhere else."""
    parts = [str(tree / part) for part in ("core", "presets", "tui")]
    if missing := [part for part in parts if not Path(part).is_dir()]:
        raise SystemExit(f"{tree} is no checkout of this repository: no {missing[0]}")
    found = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(parts),
        "PYTHONPYCACHEPREFIX": str(folder / "compiled"),
        "CONDENSE_RUNS_DIR": str(folder / "runs"),
    }
    found.pop("PYTHONDONTWRITEBYTECODE", None)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="?", type=int, default=9, help="how often each is measured (%(default)s)")
    parser.add_argument("--against", metavar="TREE", type=Path, help="another checkout, measured beside this one")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        trees = [of_tree(tree.resolve(), Path(folder)) for tree in (HERE, asked.against) if tree is not None]
        # one that both can open
        run([*APP, "run", "digits-gd", "--headless", "--set", "steps=30"], env=trees[-1])
        wanted = measures(Path(folder), trees)
        times: dict[str, list[list[float]]] = {each.name: [] for each in wanted}
        # the first round compiles, and fills the machine's cache of files: it does not count
        for _ in range(1 + asked.runs):
            for each in wanted:
                times[each.name].append([each.take(tree) for tree in (trees if each.ours else trees[:1])])
    report(wanted, {name: rounds[1:] for name, rounds in times.items()}, asked.against)


def report(wanted: list[Measure], times: dict[str, list[list[float]]], against: Path | None) -> None:
    medians = {name: statistics.median(of_round[0] for of_round in rounds) for name, rounds in times.items()}
    bare = medians["python -c pass"]
    head = f"{'':34}    median   to python -c pass"
    print(head if against is None else f"{head}   to {against}, least to most")
    for each in wanted:
        median = medians[each.name]
        line = f"{each.name:34} {median:6.0f} {each.unit}"
        line += f" {median / bare:12.1f}" if each.unit == "ms" else 13 * " "
        if against is not None and each.ours:
            # a ratio a round: both of its sides saw the same machine
            ratios = sorted(here / there for here, there in times[each.name])
            line += f" {statistics.median(ratios):14.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
        print(line)
    help_ratio = medians["condense-tui --help"] / medians["hello-world Typer --help"]
    frame_ratio = medians["condense-tui, first frame"] / medians["hello-world Textual, first frame"]
    step_ratio = medians["condense-tui run, one step"] / medians["import torch"]
    print(f"--help to hello-world Typer          {help_ratio:9.2f}   (budget 1.25)")
    print(f"first frame to hello-world Textual   {frame_ratio:9.2f}   (budget 1.30)")
    print(f"a run of one step to import torch    {step_ratio:9.2f}   (budget 1.30)")


if __name__ == "__main__":
    end_tidily()
    main()
