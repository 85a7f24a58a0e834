"""What can be asked of a run in a list, and shown in a column of it: the one table for queries, sorting and columns."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import msgspec

from condense_core.errors import CondenseError, ScenarioError, nearest
from condense_core.runfile.status import Status
from condense_core.runs.claim_state import ClaimState, Standing
from condense_core.runs.glance import Glance
from condense_core.text import short

FieldKind = Literal["number", "words", "choice", "age", "setting"]


class RunRow(msgspec.Struct, frozen=True, gc=False):
    """A run in a list, at the time `now`; `claim` where that was asked for, `where` the machine it is under."""

    glance: Glance
    claim: Standing | None = None
    now: float = msgspec.field(default_factory=time.time)
    where: str = ""


@dataclass(frozen=True)
class RunField:
    """Something of a run: its values, of which a query wants one, in plain words what it is, and how it is compared."""

    name: str
    kind: FieldKind
    values: Callable[[RunRow], Sequence[Any]]
    help: str
    choices: tuple[str, ...] = ()


def dashed(state: ClaimState) -> str:
    """How a claim stands, as one word of a query: `does-not-hold`."""
    return state.replace(" ", "-")


STATUSES: tuple[str, ...] = get_args(Status)
CLAIMS: tuple[str, ...] = (*map(dashed, get_args(ClaimState)), "none")


def _info(name: str) -> Callable[[RunRow], Sequence[Any]]:
    def values(row: RunRow) -> Sequence[Any]:
        value = getattr(row.glance.info, name, None)
        return () if value is None else (value,)

    return values


def _hosts(row: RunRow) -> Sequence[str]:
    info = row.glance.info
    if info is None:
        return ()
    names = [info.host, *([info.mirror.host] if info.mirror is not None else []), *([row.where] if row.where else [])]
    # `gpu` also for `gpu.example.org`, and for a node of a job
    return [*names, *(name.partition(".")[0] for name in names), *(name.partition(" ")[0] for name in names)]


def _lines(row: RunRow) -> Sequence[float]:
    return [layer.lines for layer in row.glance.layers]


def _age(row: RunRow) -> Sequence[float]:
    info = row.glance.info
    return () if info is None else (row.now - info.created,)


def _claim(row: RunRow) -> Sequence[str]:
    return ("none",) if row.claim is None else (dashed(row.claim.state),)


FIELDS: Mapping[str, RunField] = {
    found.name: found
    for found in (
        RunField("name", "words", lambda row: (row.glance.label,), "what the run is called"),
        RunField("id", "words", _info("id"), "the run's id"),
        RunField("preset", "words", _info("preset"), "the preset that it was made from"),
        RunField("status", "choice", _info("status"), "how it is", STATUSES),
        RunField("claim", "choice", _claim, "how its claim stands", CLAIMS),
        RunField("tag", "words", lambda row: row.glance.about.tags, "one of its tags"),
        RunField("note", "words", lambda row: (row.glance.about.note,), "its note"),
        RunField("archived", "choice", lambda row: ("yes" if row.glance.about.archived else "no",), "", ("yes", "no")),
        RunField("sweep", "words", lambda row: (row.glance.about.sweep,), "the sweep that it is a cell of"),
        RunField("host", "words", _hosts, "the machine that trains it"),
        RunField("device", "words", _info("device"), "the device"),
        RunField("seed", "number", _info("seed"), "its first seed"),
        RunField("step", "number", _info("step"), "the step that it is at"),
        RunField("steps", "number", _info("steps"), "how far it goes"),
        RunField("seconds", "number", _info("seconds"), "seconds that it trained"),
        RunField(
            "age",
            "age",
            _age,
            "how long ago it was made: 30m, 5h, 2d, 3w",
        ),
        RunField("loss", "number", lambda row: row.glance.loss[-1:], "its newest loss"),
        RunField("lines", "number", _lines, "lines of a layer, at the cut that its claim counts"),
    )
}


def is_nan(value: object) -> bool:
    """Whether a value is no number though it is a float."""
    return isinstance(value, float) and math.isnan(value)


def field_named(name: str) -> RunField | None:
    """The field of a run of that name, or of its scenario; None where there is none."""
    if name in FIELDS:
        return FIELDS[name]
    from condense_core.scenario.lookup import setting_names

    dotted = setting_names().get(name)
    return None if dotted is None else RunField(name, "setting", functools.partial(_setting, dotted), dotted)


def field_names() -> list[str]:
    """All names, those of runs first."""
    from condense_core.scenario.lookup import setting_names

    return [*FIELDS, *(name for name in setting_names() if name not in FIELDS)]


def first_value(found: RunField, row: RunRow) -> Any:
    """The value that a column shows and that a list is sorted by: of lines the most; None where there is none."""
    values = [value for value in found.values(row) if value not in ("", None)]
    if not values:
        return None
    if found.name == "tag":
        return ",".join(values)
    return max(values) if found.name == "lines" and not any(map(math.isnan, values)) else values[0]


def sorted_rows(rows: Sequence[RunRow], by: str) -> list[RunRow]:
    """The rows by a field, `-loss` from the largest down; those without a value come last. Equals stay as they
    were. ScenarioError where there is no such field."""
    name = by.removeprefix("-")
    found = field_named(name)
    if found is None:
        raise ScenarioError(f"sort: unknown field {short(name)}; {nearest(name, field_names())}")
    valued = [(first_value(found, row), row) for row in rows]
    unknown = [row for value, row in valued if value is None or is_nan(value)]
    numbers = [(value, row) for value, row in valued if isinstance(value, int | float) and not is_nan(value)]
    words = [(str(value).lower(), row) for value, row in valued if not isinstance(value, int | float | None)]
    down = by.startswith("-")
    of_both = [sorted(pairs, key=lambda pair: pair[0], reverse=down) for pairs in (numbers, words)]
    return [*(row for pairs in of_both for _, row in pairs), *unknown]


def _setting(dotted: str, row: RunRow) -> Sequence[Any]:
    from condense_core.scenario.lookup import values_of

    info = row.glance.info
    return values_of(_table(info.experiment), dotted) if info is not None and info.experiment else ()


@functools.lru_cache(maxsize=8_192)
def _table(text: str) -> dict[str, Any]:
    from condense_core.scenario.toml import parse

    try:
        return parse(text)
    except CondenseError:
        # whoever opens the run says why; of a list it has no settings
        return {}
