"""What measuring costs, in seconds of a core: every scheduled step of a run measured and written, in this process.

--old FOLDER is a checkout of another version (git worktree add --detach FOLDER COMMIT), whose figures are taken in
alternation with these, each in a process of its own. CPU time is counted, so a busy machine disturbs less; cores that
are shared still slow each other's memory.
"""

from __future__ import annotations

import argparse
import inspect
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from leftovers import end_tidily

if TYPE_CHECKING:
    from condense_core.engine.steppers import TrainingEnsemble
    from condense_core.scenario.experiment import Experiment

HERE = Path(__file__).resolve().parent
# A preset, its members, and settings: many seeds of 50 kernels with 6 entries at about 220 steps, ten of each figure-3
# network, one small layer over many steps, two convolutions, and a wide layer.
CASES = {
    "64 seeds": ("fcn-fig03-xtanh", 64, ("steps=3000", "record.frames=220")),
    "10 seeds, fig. 3 tanh": ("fcn-fig03-tanh", 10, ()),
    "10 seeds, fig. 3 xtanh": ("fcn-fig03-xtanh", 10, ()),
    "10 seeds, fig. 3 x2tanh": ("fcn-fig03-x2tanh", 10, ()),
    "digits, 4,000 steps": ("digits-gd", 1, ("steps=4000",)),
    "1,024 of 4,096 kernels": (
        "fcn-fig03-xtanh",
        1,
        ('layers=[{kind="dense",width=4096,activation="xtanh"}]', "steps=5"),
    ),
}


class Clock:
    """Seconds of a core that calls have taken."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def of(self, call: Callable[..., None]) -> Callable[..., None]:
        def timed(*arguments: int) -> None:
            begun = time.thread_time()
            call(*arguments)
            self.seconds += time.thread_time() - begun

        return timed


def measured(name: str) -> str:
    """One case, here: steps, seconds of a core for measuring and writing, and for all, and bytes written."""
    import torch

    import condense_core.engine.probes
    from condense_core.engine.probes import probes_for
    from condense_core.engine.training import worker
    from condense_core.engine.training.loop import Loop
    from condense_core.engine.training.recorder import Recorder
    from condense_core.runfile.reader import RunReader
    from condense_core.runfile.writer import RecordingThread
    from condense_core.runs.create import create_run
    from condense_core.scenario.toml import build, override, parse
    from condense_presets import preset_text

    preset, members, settings = CASES[name]
    torch.set_num_threads(1)
    asked = [f"ensemble.members={members}", "record.grace_seconds=100000", *settings]
    experiment = build(override(parse(preset_text(preset)), asked))
    ensemble = _ensemble(experiment)
    with tempfile.TemporaryDirectory() as runs:
        folder = create_run(experiment, runs=Path(runs), device="cpu")
        with RunReader(folder) as run:
            thread = RecordingThread(folder)
            # which a worker has read before
            assert run.experiment == experiment
            start = ensemble.observe()
            begun = time.process_time()
            try:
                from condense_core.engine.probes.ensemble_members import EnsembleMembers
            except ImportError:
                # a version that measures members one by one
                probes = [probes_for(experiment, observation) for observation in start]
            else:
                members = EnsembleMembers(start, ensemble.members, ensemble.stacked())
                # versions before compile them in `probes_for`
                getattr(condense_core.engine.probes, "compile_where_it_repays", lambda *_: 0.0)(experiment, members)
                probes = probes_for(experiment, members)
            recorder = Recorder(thread, probes, run)
            made = time.process_time() - begun
            loop = Loop(experiment, ensemble, recorder, thread, folder)
            trained = Clock()
            ensemble.advance = trained.of(ensemble.advance)  # type: ignore[method-assign]
            if _goes_on(ensemble):
                ensemble.prepare = trained.of(ensemble.prepare)  # type: ignore[method-assign]
            # as a worker does before it trains, where this version has it
            getattr(worker, "freeze", lambda: None)()
            getattr(worker, "keep_pages", lambda: None)()
            begun = time.process_time()
            loop.run([observation.loss for observation in start])
            thread.set_status("done")
            thread.close()
            whole = time.process_time() - begun + made
            instants = len(run.instants)
        size = sum(file.stat().st_size for file in folder.iterdir())
    return f"{instants} {whole - trained.seconds:.4f} {whole:.4f} {size}"


def _ensemble(experiment: Experiment) -> TrainingEnsemble:
    """As a worker has it when it begins to measure: what the first step builds on is there."""
    import torch

    from condense_core.engine.data import datasets
    from condense_core.engine.steppers import make_ensemble

    loaded = {member.data: datasets.load(member.data) for member in experiment.members}
    ensemble = make_ensemble(experiment, [loaded[member.data] for member in experiment.members], torch.device("cpu"))
    if _goes_on(ensemble):
        ensemble.prepare()
    return ensemble


def _goes_on(ensemble: object) -> bool:
    """Whether a step builds on what `prepare` finds, which is training's then: compiled ones do since 0caa2795."""
    stepping = getattr(ensemble, "_stepping", None)
    return hasattr(ensemble, "prepare") and (
        stepping is None or "goes_on" in inspect.signature(stepping.train).parameters
    )


def once(name: str, tree: Path) -> list[float]:
    paths = os.pathsep.join(str(tree / part) for part in ("core", "presets"))
    command = [sys.executable, str(HERE / "measuring.py"), "--case", name]
    environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{name} in {tree}: {done.stderr.strip().splitlines()[-1]}")
    return [float(value) for value in done.stdout.split()]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", choices=CASES, help="one case in this process, as numbers")
    parser.add_argument("--old", type=Path, help="a checkout of another version")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=CASES, action="append", help="some of the cases")
    asked = parser.parse_args()
    if asked.case:
        print(measured(asked.case))
        return 0
    print("| | steps measured | s of a core | µs a seed and step | MB | old, s | old / new |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name in asked.only or CASES:
        here, there = [], []
        for _ in range(asked.rounds):
            here.append(once(name, HERE.parent))
            if asked.old:
                there.append(once(name, asked.old.resolve()))
        steps, seconds, size = here[0][0], statistics.median(each[1] for each in here), here[0][3]
        each = 1e6 * seconds / steps / CASES[name][1]
        row = f"| {name} | {steps:.0f} | {seconds:.2f} | {each:.0f} | {size / 1e6:.1f} |"
        if there:
            ratio = statistics.median(old[1] / new[1] for old, new in zip(there, here, strict=True))
            row += f" {statistics.median(each[1] for each in there):.2f} | {ratio:.1f} |"
        print(row, flush=True)
    return 0


if __name__ == "__main__":
    end_tidily()
    sys.exit(main())
