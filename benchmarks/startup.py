"""How soon the program is there, and how large: `--help`, the app's first frame, and what follows it.

Prints medians of the time and of the processor time, and three ratios of each: `--help` to a hello-world Typer app's,
first frame of the app to a hello-world Textual app's, a run of one step to `import torch`. The two sides of a ratio are
measured one just after the other, and every second round begins at the end: what ran just before counts. On a machine
that others use only the processor time says something. With `--against TREE` another checkout of this repository is
measured beside this one, and each ratio is that of the two in the same round, of processor time where that is known.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
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
# as fish asks what may come next
TAB = {
    "_CONDENSE_TUI_COMPLETE": "complete_fish",
    "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    "_TYPER_COMPLETE_ARGS": "condense-tui run digits-gd --set o",
}
ONE_STEP = [*APP, "run", "digits-gd", "--headless", "--set", "steps=1", "--runs-dir"]
# Since when each of them is in the app; the first that is on the screen counts, where the next comes in the same write.
FRAME, DATA = ("opening", "conv1"), ("conv1",)
# What is held to what, and how many times as long it may take.
RATIOS = (
    ("condense-tui --help", "hello-world Typer --help", 1.2),
    ("condense-tui, first frame", "hello-world Textual, first frame", 1.3),
    ("condense-tui run, one step", "import torch", 1.3),
)

Environment = Mapping[str, str]


class Taken(NamedTuple):
    """What one measurement found: milliseconds, and how many of them of a processor; or megabytes."""

    whole: float
    processor: float | None = None


class Measure(NamedTuple):
    """What is measured, and how, given the environment that says of which tree the program is."""

    name: str
    unit: str
    take: Callable[[Environment], Taken]
    ours: bool = True
    """Whether it is a measure of the program, which another tree has too."""


def whole(*command: str, **more: str) -> Callable[[Environment], Taken]:
    """What a command takes from start to end, processes that it waited for included; `more` is in its environment."""

    def take(environment: Environment) -> Taken:
        before, begun = of_children(), time.perf_counter()
        run(command, env={**environment, **more})
        return Taken(1e3 * (time.perf_counter() - begun), 1e3 * (of_children() - before))

    return take


def elapsed(*command: str) -> Callable[[Environment], Taken]:
    """What a command takes from start to end whose processes are not all its own."""
    take = whole(*command)
    return lambda environment: Taken(take(environment).whole)


def of_children() -> float:
    """Seconds of processor time of all programs that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def until(command: list[str], *texts: str) -> Callable[[Environment], Taken]:
    """What a command takes from its start until one of the texts is on its terminal of 120×40."""

    def take(environment: Environment) -> Taken:
        begun = time.perf_counter()
        terminal = Terminal(command, environment=environment)
        shown = terminal.wait_for(*texts)
        terminal.close()
        return Taken(1e3 * (shown - begun), 1e3 * terminal.seconds_of_cpu_at(shown))

    return take


def memory(command: list[str], *texts: str) -> Callable[[Environment], Taken]:
    """Megabytes that a command holds a second after one of the texts is on its terminal."""

    def take(environment: Environment) -> Taken:
        terminal = Terminal(command, environment=environment)
        terminal.wait_for(*texts)
        time.sleep(1)
        found = terminal.megabytes()
        terminal.close()
        return Taken(found)

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
        Measure(
            "condense-tui runs list, none there", "ms", whole(*APP, "runs", "list", "--runs-dir", str(folder / "0"))
        ),
        Measure("condense-tui presets list", "ms", whole(*APP, "presets", "list")),
        Measure("a tab key behind run --set", "ms", whole(*APP, **TAB)),
        Measure("hello-world Textual, first frame", "ms", until([PYTHON, str(textual)], "painted"), ours=False),
        Measure("condense-tui, first frame", "ms", until(APP, "opening", "filter")),
        Measure("condense-tui, home screen", "ms", until(APP, "filter")),
        Measure("condense-tui, both lists read", "ms", until(APP, *listed)),
        Measure("condense-tui attach, first frame", "ms", until(attach, *FRAME)),
        Measure("condense-tui attach, first data", "ms", until(attach, *DATA)),
        Measure("condense-tui at home, resident", "MB", memory(APP, *listed)),
        Measure("condense-tui attach, resident", "MB", memory(attach, *DATA)),
        Measure("import torch", "ms", elapsed(PYTHON, "-c", "import torch"), ours=False),
        Measure("condense-tui run, one step", "ms", elapsed(*ONE_STEP, str(folder / "short"))),
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
        times: dict[str, list[list[Taken]]] = {each.name: [] for each in wanted}
        # the first round compiles, and fills the machine's cache of files: it does not count
        for number in range(1 + asked.runs):
            for each in wanted if number % 2 else reversed(wanted):
                times[each.name].append([each.take(tree) for tree in (trees if each.ours else trees[:1])])
    report(wanted, {name: rounds[1:] for name, rounds in times.items()}, asked.against)


def report(wanted: list[Measure], times: dict[str, list[list[Taken]]], against: Path | None) -> None:
    medians = {name: median(of_round[0] for of_round in rounds) for name, rounds in times.items()}
    bare = medians["python -c pass"].whole
    head = f"{'':34}    median   processor   to python -c pass"
    print(head if against is None else f"{head}   to {against}, least to most")
    for each in wanted:
        found = medians[each.name]
        processor = f"{found.processor:8.0f} ms" if found.processor is not None else ""
        beside = f"{found.whole / bare:18.1f}" if each.unit == "ms" else ""
        line = f"{each.name:34} {found.whole:6.0f} {each.unit} {processor:11} {beside}".rstrip()
        if against is not None and each.ours:
            # a ratio a round: both of its sides saw the same machine
            ratios = sorted(ratio(here, there) for here, there in times[each.name])
            line = f"{line:79} {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
        print(line)
    print(f"\n{'ratios of medians':63} time   processor")
    for ours, theirs, budget in RATIOS:
        here, there = medians[ours], medians[theirs]
        of_processor = f"{ratio(here, there):11.2f}" if here.processor is not None else f"{'':11}"
        print(f"{f'{ours} to {theirs}':62} {here.whole / there.whole:5.2f} {of_processor}   (budget {budget:.2f})")


def median(found: Iterable[Taken]) -> Taken:
    known = list(found)
    of_processor = [each.processor for each in known if each.processor is not None]
    return Taken(
        statistics.median(each.whole for each in known), statistics.median(of_processor) if of_processor else None
    )


def ratio(here: Taken, there: Taken) -> float:
    """Of processor time where it is known: that of two programs which share a machine."""
    if here.processor is not None and there.processor is not None:
        return here.processor / there.processor
    return here.whole / there.whole


if __name__ == "__main__":
    end_tidily()
    main()
