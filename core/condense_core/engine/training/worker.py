"""The worker: one process that trains one run, from its run file to its end, whoever is or is not looking."""

from __future__ import annotations

import gc
import json
import math
import os
import signal
import time
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

from condense_core.engine import checkpoint
from condense_core.engine.data import datasets
from condense_core.engine.data.datasets import Dataset
from condense_core.engine.data.own_set import own_arrays
from condense_core.engine.network.work import multiplications
from condense_core.engine.probes import MemberViews, compile_where_it_repays, probes_for
from condense_core.engine.probes.ensemble_members import EnsembleMembers
from condense_core.engine.steppers import TrainingEnsemble, compiled_code, gradient_method, make_ensemble
from condense_core.engine.training import device, load
from condense_core.engine.training.early_stop import STOPPING, StoppedEarly, stop_now, stoppable
from condense_core.engine.training.fast import refuse_slower
from condense_core.engine.training.loop import Loop, Outcome, signal_handler
from condense_core.engine.training.memory import keep_pages
from condense_core.engine.training.plugged import plugged
from condense_core.engine.training.recorder import Recorder
from condense_core.engine.training.way import STARTED, another, repeated, started, way_so_far
from condense_core.errors import CondenseError
from condense_core.libraries import blame
from condense_core.machine import here
from condense_core.measures.in_compiled_code import compile_measures
from condense_core.plugins.wanted import wanted
from condense_core.runfile import control
from condense_core.runfile.damage import Damage
from condense_core.runfile.event_kinds import UNPREDICTED
from condense_core.runfile.reader import RunReader
from condense_core.runfile.writer import Command, RecordingThread
from condense_core.scenario.data import Anchors, Cifar10, Cifar100, Data, Formula, Mnist, OwnSet, Sine
from condense_core.scenario.experiment import Experiment
from condense_core.scenario.fitting import check_fits
from condense_core.scenario.paths import check_data_fits, data_is_there, data_root


def work(folder: Path) -> int:
    """Train the run in `folder`; the process's exit status. Whatever goes wrong is the run's reason and in its log."""
    with control.hold(folder):
        return train(folder)


def train(folder: Path) -> int:
    """`work`, for a process that holds the run already."""
    try:
        thread = RecordingThread(folder)
        try:
            with stoppable():
                outcome = _train(folder, thread)
        except StoppedEarly as stop:
            thread.call_at_stop(None)
            asked = any(command.verb == "stop" for command in thread.commands)
            outcome = Outcome("stopped", "stopped by command before training began" if asked else str(stop))
        except CondenseError as error:
            control.log(str(error))
            outcome = Outcome("failed", str(error))
        except Exception as error:  # noqa: BLE001 - the boundary of the process: recorded, logged, and reported
            control.log(traceback.format_exc())
            library = blame(error)
            words = f"training {library}" if library else f"unexpected {type(error).__name__}: {error}"
            outcome = Outcome("failed", f"{words} (the traceback is in worker.log)")
        thread.set_status(outcome.status, outcome.reason)
        thread.close()
    except CondenseError as error:
        control.record_failure(folder, str(error))
        return 1
    return 0 if outcome.status in {"done", "stopped"} else 1


def freeze() -> None:
    """Have no collection of garbage look through what is there now: through PyTorch's modules it would take a tenth of
    a second, once in each run."""
    gc.freeze()


def preload(folder: Path) -> bool:
    """Load what a run such as the one in `folder` loads late, so that those forked from this process need not; whether
    there was anything. To be called when that run has ended: what it compiled is then in the cache."""
    try:
        with RunReader(folder) as run:
            experiment = run.experiment
        load_code = compiled_code(gradient_method(experiment, torch.device("cpu")))
        if load_code is None:
            return False
        load_code(experiment.dtype)
        if "condensation" in experiment.record.probes:
            compile_measures()
        # for products with the Hessian
        import scipy.sparse.linalg  # noqa: F401
    except (CondenseError, ImportError):
        # a run loads it by itself, or does without and says so
        return False
    return True


def _loading(data: Data) -> str:
    if isinstance(data, Sine | Formula | Anchors):
        return "drawing the data"
    name = str(data.__struct_config__.tag)
    known = {"mnist": "MNIST", "cifar10": "CIFAR-10", "cifar100": "CIFAR-100", "folder": "images"}
    if isinstance(data, Mnist | Cifar10 | Cifar100) and data.download:
        there = data_is_there(type(data), data_root(data.root))
        return f"{'loading' if there else 'downloading'} {known[name]}"
    return f"loading {known.get(name, name)}"


def _check_data(experiment: Experiment) -> None:
    """DataError where data of one's own are not what the scenario's network needs."""
    check_data_fits(experiment)
    if isinstance(experiment.data, OwnSet):
        check_fits(experiment, own_arrays(experiment.data))


def samples_of(experiment: Experiment) -> tuple[list[Dataset], str]:
    """A sample for each member in the precision of training, one object where they share it, and the fingerprint of
    all."""
    dtype: torch.dtype = getattr(torch, experiment.dtype)
    fingerprints: list[str] = []

    def cast(data: Data) -> Dataset:
        # as it was read it takes twice as much memory, and is wanted for its fingerprint alone
        sample = datasets.load(data)
        fingerprints.append(sample.fingerprint)
        return sample.to("cpu", dtype)

    loaded = {data: cast(data) for data in dict.fromkeys(member.data for member in experiment.members)}
    return [loaded[member.data] for member in experiment.members], "-".join(fingerprints)


def _told_first(experiment: Experiment, first: MemberViews, sample: Dataset) -> Iterator[tuple[str, str]]:
    """Events, a kind and its words, of what a person should know before the first step."""
    for layer in first.layers:
        geometry = first.geometry(layer)
        if geometry.sampled is not None:
            yield "sampled", f"{geometry.kernels:,} of the {geometry.sampled:,} kernels of {layer} are measured"
    if experiment.decodes:
        yield UNPREDICTED, "no prediction for a decoder"
    if sample.found:
        yield "data", f"{sample.note}; {sample.found}"


def _missing(recorded_to: int, step: int) -> str:
    since = f"the recording ends at step {recorded_to}" if recorded_to >= 0 else "nothing is recorded"
    return (
        f"{since}, before the checkpoint at step {step}: what was measured between them was lost, as in a loss of"
        f" power; to measure it again, remove {checkpoint.FILE_NAME} and resume: training then repeats itself from the"
        " start"
    )


def _ensemble(
    run: RunReader, samples: Sequence[Dataset], chosen: torch.device, way: str | None, thread: RecordingThread
) -> TrainingEnsemble:
    """The members at step 0, with as many threads as suit it; `way` as `make_ensemble` takes it."""
    experiment = run.experiment
    if way is None and experiment.fast and chosen.type == "cpu":
        thread.set_status("starting", "trying whether fast is faster")
        refuse_slower(experiment, samples)
        thread.set_status("starting", "preparing the first step")
    ensemble = make_ensemble(experiment, samples, chosen, way)
    if chosen.type == "cpu":
        work = len(samples) * multiplications(experiment, samples[0])
        if ensemble.shares_out_members:
            work = math.inf if len(samples) > 1 else 0
        device.set_threads(work, ensemble.warm_up, run.info().device)
    return ensemble


def _compile_measures(experiment: Experiment, first: EnsembleMembers, ensemble: TrainingEnsemble) -> float:
    """Seconds that it took, once for each machine and version: no cost of this run's measurements."""
    seconds = compile_where_it_repays(experiment, first)
    if seconds:
        ensemble.notes.append(f"measures were compiled for this machine, which took {seconds:.0f} s")
    return seconds


def _train(folder: Path, thread: RecordingThread) -> Outcome:
    # a damaged measurement of before the checkpoint stops no training
    with RunReader(folder, damage=Damage(left_out=True)) as run:
        info, experiment = run.info(), run.experiment
        thread.progress = (info.step, info.seconds)
        chosen = device.choose(info.device.partition(" ")[0])
        device.make_deterministic(chosen)
        thread.call_at_stop(stop_now)
        if wanted(experiment):
            thread.set_status("starting", "importing plugins")
        own = plugged(experiment, resumed=info.step > 0)
        _check_data(experiment)
        thread.set_status("starting", _loading(experiment.data))
        samples, fingerprint = samples_of(experiment)
        if chosen.type == "cpu":
            # not before: what reading them takes goes back to the system
            keep_pages()
        thread.set_status("starting", "preparing the first step")
        way = way_so_far(run)
        ensemble = _ensemble(run, samples, chosen, way, thread)
        # of the first step what that builds on
        ensemble.prepare()
        start = ensemble.observe()
        begun = time.monotonic()
        first = EnsembleMembers(start, ensemble.members, ensemble.stacked())
        compiling = _compile_measures(experiment, first, ensemble)
        recorder = Recorder(thread, probes_for(experiment, first, own.probes), run)
        # now: these observations are of the weights that the ensemble has, and a checkpoint takes their place below
        first_loss = first.loss().tolist()
        recorder.took(time.monotonic() - begun - compiling)
        loop = Loop(experiment, ensemble, recorder, thread, folder, fingerprint=fingerprint)
        # from here on the loop looks at commands itself
        thread.call_at_stop(None)
        for number in STOPPING:
            signal.signal(number, signal_handler(loop))
        # a scheduler's word that the end is near: what there is is kept, and training goes on
        signal.signal(signal.SIGUSR1, lambda *_: thread.commands.append(Command("checkpoint", "")))
        checkpoint.remove_partial(folder)
        state = checkpoint.load(folder)
        moved = another(info, way, ensemble.name, chosen)
        if state is None:
            recorder.event(0, STARTED, started(chosen, ensemble.name))
            if recorder.recorded_to >= 0:
                recorder.event(0, "continued", repeated(recorder.recorded_to) + moved)
            for kind, text in _told_first(experiment, first, samples[0]):
                recorder.event(0, kind, text)
        else:
            checkpoint.require_same_data(folder, fingerprint)
            ensemble.load_state_dict(state)
            recorder.event(ensemble.step, "continued", f"from the checkpoint at step {ensemble.step}{moved}")
            if recorder.recorded_to < checkpoint.recorded_to(folder):
                loop.measure_first()
                recorder.event(ensemble.step, "missing", _missing(recorder.recorded_to, ensemble.step))
        for text in own.events(info.versions):
            recorder.event(ensemble.step, "plugin", text)
        thread.sampler = load.sampler(chosen)
        versions = {"versions": json.dumps(info.versions | own.versions)} if own.versions else {}
        thread.set_status("running", device=device.describe(chosen), pid=os.getpid(), host=here(), **versions)
        freeze()
        return loop.run(first_loss)
