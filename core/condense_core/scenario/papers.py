"""What a paper says of each of its figures, as data: the settings that its text gives, and what it says is seen.

A record holds a figure, or the part of one that is one training; its words are ours and say nothing that the text does
not say, with the lines of the text that say it. The files are part of `condense_presets`; this is their schema, and
`load_paper` the one place where they are read. How a scenario differs from a record is computed by `deviations`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeVar

import msgspec

from condense_core.errors import ScenarioError, nearest
from condense_core.scenario.checked import Checked, require
from condense_core.scenario.experiment import ACTIVATIONS, Init
from condense_core.scenario.paper_settings import SETTINGS
from condense_core.scenario.toml import checked, parse

PaperName = Literal["fcn", "cnn"]
# Trained to be seen; computed from the data; other figures' runs seen in another way; a sketch; a theorem or remark.
FigureKind = Literal["training", "data", "shown", "drawing", "theory"]

# Of a figure that is trained, each of these is in its record, or named there as not given by the text.
_OF_EVERY_TRAINING = (
    "data", "samples", "layers", "hidden", "width", "activation", "outputs", "output_bias",
    "init", "bias", "loss", "optimizer", "batch", "lr", "epoch", "dropped_below",
)  # fmt: skip
_OF_A_TARGET = ("inputs", "interval", "terms")
_OF_CONVOLUTIONS = ("filter",)


class Statement(Checked, frozen=True, kw_only=True):
    """One thing that the text says, in our words, and the lines that say it."""

    text: str
    lines: tuple[int, ...]

    def __post_init__(self) -> None:
        require(bool(self.text), "text", "what is said", self.text)
        _check_lines(self.lines)
        require(len(self.lines) > 0, "lines", "at least one line of the text", self.lines)


class Settings(Checked, frozen=True, kw_only=True):
    """Values of a figure, each None where it is not given; in the units of the text, so epochs and not steps.

    `activation` is one for all hidden layers or one a layer. `init` is of the weights alone, `bias` how biases start:
    as the weights do (`same`) or at 0. `later_lr` are (first epoch, rate). `shown` are epochs at which a figure stands.
    `dropped_below` is the norm of an input weight below which a figure leaves the neuron out; 0 where it leaves out
    none. `terms` are of Σ a sin(w x + c) over the inputs, of which `used` are, or all.
    """

    data: Literal["sine", "mnist", "cifar10", "cifar100"] | None = None
    samples: int | None = None
    inputs: int | None = None
    used: int | None = None
    interval: tuple[float, float] | None = None
    terms: tuple[tuple[float, float, float], ...] | None = None
    layers: Literal["dense", "conv"] | None = None
    hidden: int | None = None
    width: int | None = None
    filter: int | None = None
    activation: tuple[str, ...] | None = None
    residual: bool | None = None
    trunk: Literal["resnet18"] | None = None
    outputs: int | None = None
    output_bias: bool | None = None
    init: Init | None = None
    bias: Literal["same", "zero"] | None = None
    loss: Literal["mse", "softmax-mse", "cross-entropy"] | None = None
    optimizer: Literal["gd", "adam"] | None = None
    batch: int | Literal["full"] | None = None
    lr: float | None = None
    later_lr: tuple[tuple[int, float], ...] | None = None
    epoch: int | None = None
    shown: tuple[int, ...] | None = None
    dropped_below: float | None = None
    trials: int | None = None

    def __post_init__(self) -> None:
        unknown = [name for name in self.activation or () if name not in ACTIVATIONS]
        require(not unknown, "activation", f"names of activations ({', '.join(ACTIVATIONS)})", unknown)

    @property
    def given(self) -> dict[str, object]:
        """The values that are given, by their names, in the order of the schema."""
        every = {name: getattr(self, name) for name in self.__struct_fields__}
        return {name: value for name, value in every.items() if value is not None}


class _Source(Checked, frozen=True, kw_only=True):
    id: str
    like: str = ""
    """The record or base whose settings hold where this one has none."""
    lines: tuple[int, ...] = ()
    """Where the text gives the settings."""
    settings: Settings = Settings()
    not_given: tuple[str, ...] = ()
    """Settings that the text does not give, or whose values are missing from it."""
    unclear: tuple[str, ...] = ()
    """What of the text can be read in two ways, or contradicts itself."""

    def __post_init__(self) -> None:
        require(bool(self.id), "id", "the figure's number", self.id)
        _check_lines(self.lines)
        for name in self.not_given:
            if name not in SETTINGS:
                raise ValueError(f"not_given: unknown {name!r}; {nearest(name, SETTINGS)}")
        both = [name for name in self.not_given if name in self.settings.given]
        require(not both, "not_given", "settings that are not given", both)


_Item = TypeVar("_Item", bound="_Source")


class Base(_Source, frozen=True, kw_only=True):
    """Settings that several figures share."""


class PaperRecord(_Source, frozen=True, kw_only=True):
    """A figure, or the part of one that is one training: its settings, what is said of it, what is not given."""

    kind: FigureKind
    says: tuple[Statement, ...]
    figure: str | None = None
    """What the figure is called where that is not its id; empty for a remark without one."""
    panels: tuple[str, ...] = ()
    """Where a figure shows a hidden layer each: the panel of each layer in turn, empty where the text names none."""
    numbers: Mapping[str, tuple[float, ...]] = {}
    """Measured values that the text gives, by what they are of."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require(len(self.says) > 0, "says", "at least one statement", self.says)

    @property
    def name(self) -> str:
        """What screens and reports call it: `3a`, `table 1`, or its id."""
        return self.id if self.figure is None else self.figure

    @property
    def words(self) -> str:
        """Everything that is said of it, in one line."""
        return "; ".join(statement.text for statement in self.says)


class Paper(Checked, frozen=True, kw_only=True):
    """A paper and its records; `ours` are choices that hold for all of them, `text` is what `lines` count in."""

    name: PaperName
    title: str
    authors: str
    where: str
    text: str
    ours: tuple[str, ...]
    record: tuple[PaperRecord, ...]
    base: tuple[Base, ...] = ()

    def find(self, id_: str) -> PaperRecord:
        """The record of that id with all its settings; ScenarioError that names the nearest where there is none."""
        for record in self.record:
            if record.id == id_:
                return record
        raise ScenarioError(f"{self.name}/{id_}: no such record; {nearest(id_, [item.id for item in self.record])}")


def load_paper(text: str, source: str = "paper") -> Paper:
    """The paper in TOML `text`, every record with the settings of what it is `like` filled in.

    ScenarioError in one line that begins with `source` where a field, a name or a record is wrong, and where a trained
    figure neither gives a setting nor says that the text gives none.
    """
    paper = checked(parse(text, source), Paper, source)
    known: dict[str, _Source] = {}
    bases = tuple(_with_its_model(item, known, source) for item in paper.base)
    records = tuple(_with_its_model(item, known, source) for item in paper.record)
    for record in records:
        _check_complete(record, source)
    return msgspec.structs.replace(paper, base=bases, record=records)


def _with_its_model(item: _Item, known: dict[str, _Source], source: str) -> _Item:
    if item.id in known:
        raise ScenarioError(f"{source}: {item.id}: there are two of that id")
    if item.like and item.like not in known:
        raise ScenarioError(
            f"{source}: {item.id}.like: unknown {item.like!r}; expected a base or a record before it;"
            f" {nearest(item.like, known)}"
        )
    filled = _filled(item, known[item.like]) if item.like else item
    known[item.id] = filled
    return filled


def _filled(item: _Item, model: _Source) -> _Item:
    settings = msgspec.structs.replace(model.settings, **item.settings.given)
    # what is named here is not given, whatever the model gives
    settings = msgspec.structs.replace(settings, **{name: None for name in item.not_given if name in settings.given})
    not_given = [name for name in dict.fromkeys((*model.not_given, *item.not_given)) if name not in settings.given]
    return msgspec.structs.replace(
        item,
        settings=settings,
        not_given=tuple(not_given),
        unclear=tuple(dict.fromkeys((*model.unclear, *item.unclear))),
        lines=tuple(sorted({*model.lines, *item.lines})),
    )


def _check_complete(record: PaperRecord, source: str) -> None:
    if record.kind != "training":
        return
    given = record.settings.given
    wanted = [*_OF_EVERY_TRAINING]
    wanted += _OF_A_TARGET if record.settings.data == "sine" else ()
    wanted += _OF_CONVOLUTIONS if record.settings.layers == "conv" else ()
    missing = [name for name in wanted if name not in given and name not in record.not_given]
    if missing:
        raise ScenarioError(f"{source}: {record.id}: {', '.join(missing)}: neither given nor named in not_given")


def _check_lines(lines: tuple[int, ...]) -> None:
    require(all(line >= 1 for line in lines), "lines", "lines of the text, from 1 on", lines)
