"""In what a scenario differs from a figure's record, setting by setting; computed, so that it is never out of date."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import msgspec

from condense_core.scenario.data_sizes import input_shape, output_count, sample_count
from condense_core.scenario.experiment import Cifar10, Cifar100, Conv, Experiment, Formula, Mnist, Sine
from condense_core.scenario.paper_settings import SETTINGS
from condense_core.scenario.papers import PaperRecord
from condense_core.scenario.schedule import required_steps
from condense_core.thresholds import LARGE_PERCENTILE, SMALL_NORM

# Where neither says so, no neuron is left out by an absolute norm (experiment.Record.smallest_norm).
RELATIVE_DROP = f"{SMALL_NORM:g} × the layer's {100 * LARGE_PERCENTILE:.0f}th percentile"


class Deviation(msgspec.Struct, frozen=True, kw_only=True):
    """A setting that the text gives otherwise, both values in words, and why the scenario has another."""

    setting: str
    paper: str
    here: str
    reason: str

    @property
    def words(self) -> str:
        """`learning rate: 5e-06, the paper 1e-06 (why)`."""
        why = f" ({self.reason})" if self.reason else ""
        return f"{SETTINGS[self.setting]}: {self.here}, the paper {self.paper}{why}"


class OwnChoice(msgspec.Struct, frozen=True, kw_only=True):
    """A setting that the text does not give, so that its value is ours."""

    setting: str
    here: str

    @property
    def words(self) -> str:
        """`learning rate 0.0001`."""
        return f"{SETTINGS[self.setting]} {self.here}"


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario beside a record: what differs, what is ours because the text gives nothing, and what agrees."""

    deviations: tuple[Deviation, ...]
    choices: tuple[OwnChoice, ...]
    agree: tuple[str, ...]

    @property
    def lines(self) -> list[tuple[str, str]]:
        """What to say of it: a head and a text each, none where there is nothing."""
        deviations = "; ".join(item.words for item in self.deviations)
        choices = "; ".join(item.words for item in self.choices)
        pairs = [("differs from the paper", deviations), ("not in the text, ours", choices)]
        return [(head, text) for head, text in pairs if text]


def compare(record: PaperRecord, experiment: Experiment) -> Compared:
    """Every setting of the record beside the scenario's."""
    given: dict[str, object] = dict(_UNLESS_SAID) if record.kind == "training" else {}
    given |= record.settings.given
    reasons = experiment.about.reasons if experiment.about else {}
    deviations, choices, agree = [], [], []
    for name, of in _OF.items():
        if name in given:
            paper, here = given[name], of(experiment)
            if _same(name, paper, here):
                agree.append(name)
            else:
                deviations.append(
                    Deviation(setting=name, paper=_words(paper), here=_words(here), reason=reasons.get(name, ""))
                )
        elif name in record.not_given:
            choices.append(OwnChoice(setting=name, here=_words(of(experiment))))
    if record.settings.epoch is not None:
        stands = record.settings.shown or (record.settings.epoch,)
        judged = _judged(experiment)
        # that a run ends elsewhere is said of its epochs
        if set(judged) <= {0, *stands, *_in_epochs(experiment, {experiment.steps})}:
            agree.append("judged")
        else:
            reason = reasons.get("judged", "")
            deviations.append(Deviation(setting="judged", paper=_words(stands), here=_words(judged), reason=reason))
    return Compared(deviations=tuple(deviations), choices=tuple(choices), agree=tuple(agree))


def _same(name: str, paper: object, here: object) -> bool:
    if name == "shown":
        # a figure's epochs are there where a run records them, among others
        return isinstance(paper, tuple) and isinstance(here, tuple) and set(paper) <= set(here)
    if name == "epoch" and isinstance(here, tuple):
        return False
    if isinstance(paper, float) and isinstance(here, int | float):
        return math.isclose(paper, here, rel_tol=1e-9)
    if isinstance(paper, tuple) and isinstance(here, tuple):
        return len(paper) == len(here) and all(_same("", one, other) for one, other in zip(paper, here, strict=True))
    return paper == here


def steps_an_epoch(experiment: Experiment) -> int:
    """Steps in which every sample has been seen once: 1 for the full batch, else as many whole batches as there are."""
    batch = experiment.optimizer.batch
    return 1 if batch is None else max(1, (sample_count(experiment.data) or batch) // batch)


def _epoch(experiment: Experiment) -> object:
    epochs = experiment.steps / steps_an_epoch(experiment)
    whole = int(epochs) if epochs.is_integer() else epochs
    stop = experiment.stop
    if stop is None:
        return whole
    goals = [
        f"accuracy {stop.accuracy:g}" if stop.accuracy is not None else "",
        f"{stop.loss_ratio:.0%} of the first loss" if stop.loss_ratio is not None else "",
    ]
    return (f"{_words(whole)} at most, stopped at {' or '.join(filter(None, goals))}",)


def _shown(experiment: Experiment) -> tuple[float, ...]:
    return _in_epochs(experiment, required_steps(experiment))


def _judged(experiment: Experiment) -> tuple[float, ...]:
    requires = experiment.claim.requires if experiment.claim else ()
    at = {experiment.steps if item.at is None else item.at for item in requires}
    return _in_epochs(experiment, at)


def _in_epochs(experiment: Experiment, steps: set[int]) -> tuple[float, ...]:
    epochs = [step / steps_an_epoch(experiment) for step in sorted(steps)]
    return tuple(int(epoch) if epoch.is_integer() else epoch for epoch in epochs)


def _later_lr(experiment: Experiment) -> tuple[tuple[float, float], ...]:
    # a rate from step 60 epochs on is that of epoch 61
    an_epoch = steps_an_epoch(experiment)
    return tuple((step / an_epoch + 1, lr) for step, lr in experiment.optimizer.later_lr)


def _one(values: list[object]) -> object:
    return values[0] if len(set(values)) == 1 else tuple(values)


def _beside_filters(experiment: Experiment) -> object:
    """What a layer's convolutions have besides filters, layer by layer where they differ."""
    every: list[object] = []
    for layer in experiment.convolutions.values():
        words = [f"stride {layer.stride}"] if layer.stride > 1 else []
        words += [f"padding {layer.padding}"] if layer.padding else []
        words += ["batch norm"] if layer.batch_norm else []
        words += [f"{layer.pool} pool of {layer.pool_size}"] if layer.pool else []
        every.append(" and ".join(words) or None)
    return _one(every or [None])


def _activation(experiment: Experiment) -> tuple[str, ...]:
    every = tuple(layer.activation for layer in experiment.layers)
    return every[:1] if len(set(every)) == 1 else every


def _init(experiment: Experiment) -> object:
    return msgspec.structs.replace(experiment.init, bias="zero")


def _bias(experiment: Experiment) -> str:
    return experiment.init.bias if any(layer.bias for layer in experiment.layers) else "none"


def _lr(experiment: Experiment) -> object:
    name, value = experiment.optimizer.rate
    return {"lr": value, "lr_lambda1": f"{value:g} / λ1", "lr_curvature": f"{value:g} / curvature"}[name]


def _dropped_below(experiment: Experiment) -> object:
    smallest = experiment.record.smallest_norm
    return RELATIVE_DROP if smallest is None else smallest


def _used(experiment: Experiment) -> int | None:
    data = experiment.data
    return data.used if isinstance(data, Sine) and data.used != data.inputs else None


def _inputs(experiment: Experiment) -> int | None:
    shape = input_shape(experiment.data)
    return shape and shape[0] * shape[1] ** 2


def _interval(experiment: Experiment) -> object:
    data = experiment.data
    return (data.low, data.high) if isinstance(data, Sine | Formula) else None


def _data(experiment: Experiment) -> str:
    data = experiment.data
    name = str(data.__struct_config__.tag)
    return f"{name} (test split)" if isinstance(data, Mnist | Cifar10 | Cifar100) and not data.train else name


# What a figure is trained with where its text says nothing of these.
_UNLESS_SAID = {"used": None, "residual": False, "trunk": None, "later_lr": (), "beside_filters": None}
# How a scenario says what a record may give.
_OF: Mapping[str, Callable[[Experiment], object]] = {
    "data": _data,
    "samples": lambda experiment: sample_count(experiment.data),
    "inputs": _inputs,
    "used": _used,
    "interval": _interval,
    "terms": lambda experiment: getattr(experiment.data, "terms", None),
    "layers": lambda experiment: _one([str(item.__struct_config__.tag) for item in experiment.layers]),
    "hidden": lambda experiment: len(experiment.layers),
    "width": lambda experiment: _one([layer.width for layer in experiment.layers]),
    "filter": lambda experiment: _one([item.size for item in experiment.layers if isinstance(item, Conv)] or [None]),
    "beside_filters": _beside_filters,
    "activation": _activation,
    "residual": lambda experiment: experiment.residual,
    "trunk": lambda experiment: experiment.trunk,
    "outputs": lambda experiment: output_count(experiment.data),
    "output_bias": lambda experiment: experiment.output_bias,
    "init": _init,
    "bias": _bias,
    "loss": lambda experiment: experiment.loss,
    "optimizer": lambda experiment: str(experiment.optimizer.__struct_config__.tag),
    "batch": lambda experiment: experiment.optimizer.batch or "full",
    "lr": _lr,
    "later_lr": _later_lr,
    "epoch": _epoch,
    "shown": _shown,
    "dropped_below": _dropped_below,
}


def _words(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, tuple):
        return ", ".join(f"({_words(item)})" if isinstance(item, tuple) else _words(item) for item in value)
    if isinstance(value, msgspec.Struct):
        fields = [f"{name} {_words(getattr(value, name))}" for name in value.__struct_fields__ if name != "bias"]
        return " ".join([str(value.__struct_config__.tag), *fields])
    return str(value)
