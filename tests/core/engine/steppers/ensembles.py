"""Small ensembles for the tests of steps: a scenario, and every way to find its gradients."""

from __future__ import annotations

import msgspec
import numba
import torch

from condense_core.engine.data.datasets import load
from condense_core.engine.steppers import TrainingEnsemble
from condense_core.engine.steppers.gradients.autograd import AutogradGradients
from condense_core.engine.steppers.gradients.cnn import CnnGradients
from condense_core.engine.steppers.gradients.compiled import CompiledGradients
from condense_core.engine.steppers.gradients.convolutions import CompiledConvolutions
from condense_core.engine.steppers.gradients.method import GradientMethod
from condense_core.engine.steppers.gradients.mlp import MlpGradients
from condense_core.engine.steppers.gradients.vmap import VmapGradients
from condense_core.scenario.experiment import (
    GD,
    Adam,
    AdamW,
    Anchors,
    Block,
    Conv,
    Dense,
    Digits,
    Ensemble,
    Experiment,
    NormalInit,
    Optimizer,
    Sine,
)

# tests/conftest.py has workers of other tests do without
numba.config.DISABLE_JIT = 0

CPU = torch.device("cpu")


def scenario(**changes) -> Experiment:
    base = Experiment(
        name="members",
        steps=50,
        data=Sine(samples=20, inputs=3, low=-1.0, high=1.0),
        layers=(Dense(width=7),),
        init=NormalInit(std=0.1, bias="same"),
        optimizer=GD(lr=0.05),
        dtype="float64",
        ensemble=Ensemble(members=3),
    )
    return msgspec.structs.replace(base, **changes)


def decoder(*, optimizer: Optimizer, **changes) -> Experiment:
    block = Block(width=8, heads=2, hidden=6, activation="gelu", **changes)
    data = Anchors(samples=20, test_samples=6, items=5, shifts=(1, 3, 4))
    return scenario(data=data, layers=(block, block), optimizer=optimizer, loss="cross-entropy")


def normalised(*, optimizer: Optimizer, dropout: float = 0.0) -> Experiment:
    """Two convolutions with all that one can have besides filters, and a dense layer."""
    first = Conv(width=3, padding=1, batch_norm=True, pool="max", dropout=dropout)
    second = Conv(width=2, stride=2, padding=2, batch_norm=True, activation="relu", pool="average")
    return scenario(data=Digits(samples=20), layers=(first, second, Dense(width=4)), optimizer=optimizer)


def make(method: type[GradientMethod], experiment: Experiment) -> TrainingEnsemble:
    loaded = {member.data: load(member.data) for member in experiment.members}
    return TrainingEnsemble(experiment, [loaded[member.data] for member in experiment.members], CPU, method)


METHODS = {
    "mlp": (MlpGradients, scenario(optimizer=Adam(lr=0.01))),
    "mlp in batches": (MlpGradients, scenario(optimizer=Adam(lr=0.01, batch=6))),
    "compiled": (CompiledGradients, scenario(optimizer=Adam(lr=0.01))),
    "compiled in batches": (CompiledGradients, scenario(optimizer=Adam(lr=0.01, batch=6))),
    "compiled with momentum": (
        CompiledGradients,
        scenario(optimizer=GD(lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.1, warmup=4, decay="cosine")),
    ),
    "compiled adamw": (CompiledGradients, scenario(optimizer=AdamW(lr=0.01, weight_decay=0.3, decay="linear"))),
    "cnn": (CnnGradients, scenario(data=Digits(samples=20), layers=(Conv(width=3),), optimizer=Adam(lr_lambda1=0.1))),
    "compiled convolutions": (
        CompiledConvolutions,
        scenario(
            data=Digits(samples=20), layers=(Conv(width=3), Conv(width=9), Dense(width=4)), optimizer=Adam(lr=0.01)
        ),
    ),
    "cnn with stride": (
        CnnGradients,
        scenario(data=Digits(samples=20), layers=(Conv(width=3, stride=2, padding=1),), optimizer=GD(lr_lambda1=0.1)),
    ),
    "eager": (AutogradGradients, scenario(optimizer=Adam(lr=0.01))),
    "mlp with noise": (
        MlpGradients,
        scenario(optimizer=GD(lr=0.05, momentum=0.9, noise=0.3, warmup=4, decay="cosine")),
    ),
    "mlp with dropout": (
        MlpGradients,
        scenario(layers=(Dense(width=7, dropout=0.3), Dense(width=5, dropout=0.5)), optimizer=AdamW(lr=0.01)),
    ),
    "eager with dropout": (
        AutogradGradients,
        scenario(data=Digits(samples=20), layers=(Conv(width=3, dropout=0.3), Dense(width=4)), optimizer=Adam(lr=0.01)),
    ),
    "eager with batch norm": (AutogradGradients, normalised(optimizer=GD(lr=0.05, momentum=0.9))),
    "eager with batch norm of batches": (AutogradGradients, normalised(optimizer=Adam(lr=0.01, batch=6))),
    "eager with batch norm and dropout": (AutogradGradients, normalised(dropout=0.3, optimizer=Adam(lr=0.01))),
    "stacked": (VmapGradients, scenario(optimizer=Adam(lr=0.01))),
    "stacked with batch norm": (VmapGradients, normalised(optimizer=Adam(lr=0.01, batch=6))),
    "decoder": (AutogradGradients, decoder(optimizer=AdamW(lr=0.01, batch=6))),
    "decoder with dropout": (AutogradGradients, decoder(dropout=0.3, optimizer=Adam(lr=0.01))),
    "stacked decoder": (VmapGradients, decoder(optimizer=AdamW(lr=0.01, warmup=4, decay="cosine"))),
}
