"""The effective network of a run, what it costs, and its files. `python -m condense_core.engine.answers.reduce` answers
an `AskReduce`."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Literal

import msgspec
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from condense_core.engine import checkpoint
from condense_core.engine.answers.effective import Effective, effective_network
from condense_core.engine.answers.embedding import embedded, point_of
from condense_core.engine.answers.main import answer
from condense_core.engine.data import datasets
from condense_core.engine.data.datasets import Dataset
from condense_core.engine.network.network import Network
from condense_core.engine.network.observation import Observation
from condense_core.engine.steppers import make_ensemble
from condense_core.errors import RunFileError, ScenarioError
from condense_core.jobs.messages import AskReduce, ReduceAnswer
from condense_core.runfile.reader import RunReader
from condense_core.runfile.schema import FILE_NAME
from condense_core.scenario import toml
from condense_core.scenario.experiment import Experiment, Optimizer
from condense_core.text import steps_in_words

WEIGHTS_NAME = "effective.safetensors"
SCENARIO_NAME = "effective.toml"

WeightsSource = Literal["checkpoint", "recording"]


def reduce_run(asked: AskReduce) -> ReduceAnswer:
    """Reduce the run at `asked.at`, compare the two networks on the run's own sample, and write the small one.

    Of an ensemble that is its first member. Both are evaluated in float64, so that the change is the reduction's and
    not rounding's. RunFileError where the run holds no weights at or before that step, or the files cannot be written.
    """
    place = Path(asked.run)
    with RunReader(place) as run:
        name, experiment = run.info().id, run.member(0).experiment
        step, source, parameters = _weights(run, asked.at)
        own_folder = run.folder if run.file.name == FILE_NAME else None
    if experiment.decodes:
        raise ScenarioError("reduce: a decoder cannot be reduced: its heads and embeddings are no layers of one input")
    dataset = datasets.load(experiment.data)
    if own_folder is not None:
        checkpoint.require_same_data(own_folder, dataset.fingerprint)
    network = network_of(experiment, dataset, parameters)
    found = effective_network(experiment, network, keep_small=asked.keep_small)
    small = network_of(found.experiment, dataset, found.parameters)
    before, after = (
        _observe(scenario_, net, dataset, step) for scenario_, net in ((experiment, network), (found.experiment, small))
    )
    wide = network_of(experiment, dataset, embedded(found.parameters, experiment.layer_names, found.places))
    back = _observe(experiment, wide, dataset, step)
    weights, scenario = _write(Path(asked.out), experiment, found, dataset)
    return ReduceAnswer(
        run=name,
        step=step,
        source=source,
        layers=found.layers,
        parameters_before=_count(network),
        parameters_after=_count(small),
        output_change=float((after.output_ND - before.output_ND).norm() / before.output_ND.norm()),
        loss_before=before.loss,
        loss_after=after.loss,
        loss_change=(after.loss - before.loss) / before.loss if before.loss else math.nan,
        accuracy_before=_number(before.accuracy),
        accuracy_after=_number(after.accuracy),
        weights=str(weights),
        scenario=str(scenario),
        trained=point_of(before),
        reduced=point_of(after),
        embedded=point_of(back),
    )


def network_of(experiment: Experiment, dataset: Dataset, parameters: dict[str, Tensor]) -> Network:
    """The scenario's network in float64 with these parameters and, of a trunk, these running statistics.

    RunFileError where the parameters are not its own.
    """
    network = Network(_in_float64(experiment), dataset.input_shape, dataset.outputs)
    with torch.no_grad():
        for name, buffer in network.named_buffers():
            buffer.copy_(parameters.get(name, buffer))
        for name, parameter in network.named_parameters():
            value = parameters.get(name)
            if value is None or value.shape != parameter.shape:
                raise RunFileError(
                    f"the recorded weights do not fit the run's network: {name} is missing or has another shape"
                )
            parameter.copy_(value)
    return network


def _weights(run: RunReader, at: int | None) -> tuple[int, WeightsSource, dict[str, Tensor]]:
    """The newest weights at or before a step, from the checkpoint or the recording."""
    state = checkpoint.load(run.folder) if run.file.name == FILE_NAME else None
    recorded = run.weights(at)
    if state is not None:
        step = int(state["step"])
        if (at is None or step <= at) and (recorded is None or step >= recorded[0]):
            return step, "checkpoint", checkpoint.parameters(state)
    if recorded is None:
        kept = sorted({*run.weight_steps.tolist(), *([] if state is None else [int(state["step"])])})
        if kept:
            raise RunFileError(
                f"{run.info().id} has no weights at or before step {at}; they are kept at {steps_in_words(kept)}"
            )
        until = "" if at is None else f" at or before step {at}"
        raise RunFileError(
            f"{run.info().id} has no weights{until}; those of large networks and of shipped recordings are not recorded"
        )
    step, values = recorded
    return step, "recording", {name: torch.from_numpy(value.copy()) for name, value in values.items()}


def _observe(experiment: Experiment, network: Network, dataset: Dataset, step: int) -> Observation:
    return Observation(_in_float64(experiment), network, dataset.to("cpu", torch.float64), step)


def _in_float64(experiment: Experiment) -> Experiment:
    return msgspec.structs.replace(experiment, dtype="float64", initial=None)


def _write(folder: Path, experiment: Experiment, found: Effective, dataset: Dataset) -> tuple[Path, Path]:
    dtype: torch.dtype = getattr(torch, experiment.dtype)
    small = msgspec.structs.replace(
        found.experiment,
        name=f"{experiment.name[:70]}-effective",
        initial=WEIGHTS_NAME,
        optimizer=_with_its_rate(experiment, dataset),
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        save_file({name: _as(value, dtype) for name, value in found.parameters.items()}, folder / WEIGHTS_NAME)
        (folder / SCENARIO_NAME).write_text(toml.dumps(small), encoding="utf-8")
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or error
        raise RunFileError(f"cannot write to {folder}: {reason}; choose a place with --out") from None
    return folder / WEIGHTS_NAME, folder / SCENARIO_NAME


def _as(value: Tensor, dtype: torch.dtype) -> Tensor:
    """In that precision, unless it counts something."""
    return value.to(dtype) if value.is_floating_point() else value


def _with_its_rate(experiment: Experiment, dataset: Dataset) -> Optimizer:
    """The optimiser with the learning rate that the run had: in units of the small network it would be another."""
    optimizer = experiment.optimizer
    if optimizer.lr is not None:
        return optimizer
    # no step is taken: any way will do, also one that nobody would begin with
    (start,) = make_ensemble(experiment, [dataset], torch.device("cpu"), way="").observe()
    lr = start.lr
    return msgspec.structs.replace(optimizer, lr=lr, lr_lambda1=None, lr_curvature=None, lr_most=None)


def _count(network: Network) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


if __name__ == "__main__":
    sys.exit(answer(AskReduce, reduce_run))
