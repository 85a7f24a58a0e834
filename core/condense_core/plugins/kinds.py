"""What a plugin offers: probes, activations and data sets of one's own, each a function with a name.

Nothing here imports PyTorch: plugins do that themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from condense_core.measure_table import MEASURES
from condense_core.scenario.checked import OWN_NAME

Of = Literal["layer", "network"]
MultiplicityRule = Literal["measured"]


@dataclass(frozen=True, eq=False)
class OwnProbe:
    """A number of each layer, or of the whole network, recorded under the probe's name."""

    name: str
    function: Callable[..., Any]
    help: str
    of: Of


@dataclass(frozen=True, eq=False)
class OwnActivation:
    """An elementwise function of a tensor; `multiplicity` is found by differentiation unless it is given, and None
    where there is none."""

    name: str
    function: Callable[[Any], Any]
    multiplicity: int | MultiplicityRule | None

    def __call__(self, x: Any) -> Any:
        return self.function(x)


@dataclass(frozen=True, eq=False)
class OwnDataSet:
    """A function (seed, samples) that gives inputs and targets of that many samples."""

    name: str
    function: Callable[[int, int], Any]
    help: str


Own = OwnProbe | OwnActivation | OwnDataSet
KIND_NAMES: dict[type[Any], str] = {OwnProbe: "probe", OwnActivation: "activation", OwnDataSet: "data set"}


def probe(name: str, *, help: str, of: Of = "layer") -> Callable[[Callable[..., Any]], OwnProbe]:
    """Make a function a probe of that name: `f(view, layer)` gives one number of a layer, and with `of="network"`
    `f(view)` one of the whole network.

    `view` is the network at one step (`condense_core.engine.probes.own.OwnView`): copies, which the function may
    change. `help` says in a sentence what the number is, with its unit. NaN stands for no value.
    """
    _check_name(name)
    if name in MEASURES:
        raise ValueError(f"the probe's name {name!r} is that of a measure of condense-tui; give it another")
    if of not in ("layer", "network"):
        raise ValueError(f"of: expected 'layer' or 'network', got {of!r}")
    _check_help(help)
    return lambda function: OwnProbe(name, function, " ".join(help.split()), of)


def activation(
    name: str, *, multiplicity: int | MultiplicityRule | None = "measured"
) -> Callable[[Callable[[Any], Any]], OwnActivation]:
    """Make an elementwise function of a tensor an activation, `own:NAME` in scenarios; autograd has to know it.

    `multiplicity` is the smallest s ≥ 1 with σ^(s)(0) ≠ 0, None for none; by default it is found by differentiation.
    """
    _check_name(name)
    whole = multiplicity is None or (isinstance(multiplicity, int) and multiplicity >= 1)
    if multiplicity != "measured" and not whole:
        raise ValueError(f"multiplicity: expected 1 or more, None or 'measured', got {multiplicity!r}")
    return lambda function: OwnActivation(name, function, multiplicity)


def data_set(name: str, *, help: str = "") -> Callable[[Callable[[int, int], Any]], OwnDataSet]:
    """Make a function a data set, `data.name = "own"` and `data.set = NAME` in scenarios.

    `f(seed, samples)` gives inputs, (samples, I) or images (samples, channels, rows, columns), and targets: (samples,)
    whole numbers for classes, else (samples,) or (samples, D) numbers. Equal arguments must give equal data. Samples
    that are held out are the last ones of a larger number.
    """
    _check_name(name)
    return lambda function: OwnDataSet(name, function, " ".join(help.split()))


def _check_name(name: object) -> None:
    if not isinstance(name, str) or not OWN_NAME.fullmatch(name):
        raise ValueError(f"name: expected up to 40 small letters, digits and _, a letter first, got {name!r}")


def _check_help(help: object) -> None:
    if not isinstance(help, str) or not help.strip():
        raise ValueError("help: expected a sentence that says what the number is")
