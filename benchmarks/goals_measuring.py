"""Goals of measuring: what it costs, what is left out, what a run says of it, and that it changes no weight."""

from __future__ import annotations

import contextlib
import re
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import measuring as benchmark
import torch
from goal_rows import Row

from condense_core.engine import checkpoint
from condense_core.engine.training import worker
from condense_core.runfile.reader import RunReader
from condense_core.runs.create import create_run
from condense_core.scenario.experiment import Experiment
from condense_core.scenario.schedule import scheduled_steps
from condense_core.scenario.toml import build, override, parse
from condense_presets import preset_text

# Cases of the benchmark by the beginning of their name, and the seconds that they may take.
MOST_S = {"64 seeds": 1.0, "10 seeds": 0.15}
# Runs whose steps take a millisecond or more, and which train long enough for their first and last measurement to be
# a small part of it.
SLOW_STEPS: dict[str, tuple[str, tuple[str, ...]]] = {
    "a convolution of 128 kernels": (
        "digits-gd",
        ('layers=[{kind="conv",width=128,size=5,activation="tanh"}]', "steps=4000"),
    ),
    "5-1000-1, 800 points": (
        "fcn-fig03-tanh",
        ('layers=[{kind="dense",width=1000,activation="tanh"}]', "data.samples=800", "steps=20000"),
    ),
    "1,024 seeds of 5-50-1": ("fcn-fig03-tanh", ("ensemble.members=1024", "steps=10000")),
}


def measuring(rounds: int) -> list[Row]:
    """Every scheduled step measured and written, in seconds of a core."""
    rows = []
    for name, (_, members, _) in benchmark.CASES.items():
        most = next((seconds for start, seconds in MOST_S.items() if name.startswith(start)), None)
        if most is None:
            continue
        found = [benchmark.once(name, benchmark.HERE.parent) for _ in range(rounds)]
        seconds, steps = statistics.median(each[1] for each in found), found[0][0]
        measured = f"{seconds:.2f} s ({min(each[1] for each in found):.2f}–{max(each[1] for each in found):.2f})"
        what = f"measure and write {steps:.0f} steps of {members} seeds: {name}"
        rows.append(Row(what, f"≤ {most:g} s of a core", measured, "", seconds <= most))
    return rows


def recorded(_: int) -> list[Row]:
    """Whole runs through the worker."""
    torch.set_num_threads(1)
    return [
        *(_without_a_hole(name) for name in benchmark.CASES if name.startswith(("64 seeds", "10 seeds", "digits"))),
        *(_share(what, *SLOW_STEPS[what]) for what in SLOW_STEPS),
        _left_out(),
        _same_weights(),
    ]


def _without_a_hole(name: str) -> Row:
    preset, members, settings = benchmark.CASES[name]
    experiment = _experiment(preset, (f"ensemble.members={members}", *settings))
    with _run(experiment) as (_, run):
        missing = set(scheduled_steps(experiment)) - set(run.instants.tolist())
        thinned = [event.text for event in run.events if event.kind == "slower"]
    what = f"a run as a person begins it: {name}"
    measured = f"{len(missing)} of {len(scheduled_steps(experiment))} steps left out"
    return Row(what, "measured at every scheduled step", measured, "", not missing and not thinned)


def _share(what: str, preset: str, settings: Sequence[str]) -> Row:
    """Without the seconds that measuring may take whatever the share is."""
    experiment = _experiment(preset, (*settings, "record.grace_seconds=0"))
    with _run(experiment) as (_, run):
        at = {event.kind: event for event in run.events}
        seconds = run.info().seconds
        (words,) = re.findall(r"measuring took ([\d.]+) s", at["recording"].text)
        kept = len(run.instants)
    share, step = float(words) / seconds, seconds / experiment.steps
    measured = f"{100 * share:.1f} %, {kept} of {len(scheduled_steps(experiment))} steps measured"
    goal = "share of measuring ≤ 3 % where a step takes ≥ 1 ms"
    return Row(f"{what}: {1e3 * step:.2g} ms a step", goal, measured, "", share <= 0.03 if step >= 1e-3 else None)


def _left_out() -> Row:
    preset, members, settings = benchmark.CASES["64 seeds"]
    experiment = _experiment(preset, (f"ensemble.members={members}", *settings, "record.grace_seconds=0"))
    with _run(experiment) as (_, run):
        said = next(event.text for event in run.events if event.kind == "recording")
        missing = len(set(scheduled_steps(experiment)) - set(run.instants.tolist()))
    found = re.search(r"left out of [\d,]+ steps: .*?vitals at ([\d,]+)", said)
    right = found is not None and int(found[1].replace(",", "")) == missing
    words = said.partition("; ")[2] or "nothing"
    return Row("64 seeds with no free seconds", "the event says how many steps", f"{missing}: “{words}”", "", right)


def _same_weights() -> Row:
    right = []
    for preset, settings in (("fcn-fig03-xtanh", ("steps=20000",)), ("digits-gd", ("steps=400",))):
        states = []
        for more in ((), ("record.probes=[]", "record.frames=2")):
            with _run(_experiment(preset, (*settings, *more))) as (folder, _):
                states.append(checkpoint.load(folder))
        one, other = states
        assert one and other
        right.append(one.keys() == other.keys() and all(torch.equal(value, other[name]) for name, value in one.items()))
    what = "weights with and without measuring, dense and convolution"
    return Row(what, "the same bits", f"{sum(right)} of {len(right)} the same", "", all(right))


def _experiment(preset: str, settings: Sequence[str]) -> Experiment:
    return build(override(parse(preset_text(preset)), settings))


@contextlib.contextmanager
def _run(experiment: Experiment) -> Iterator[tuple[Path, RunReader]]:
    """A finished run of it, trained in this process."""
    with tempfile.TemporaryDirectory() as runs:
        folder = create_run(experiment, runs=Path(runs), device="cpu")
        if worker.work(folder):
            raise SystemExit(f"the run failed: {(folder / 'worker.log').read_text(encoding='utf-8')}")
        with RunReader(folder) as run:
            yield folder, run
