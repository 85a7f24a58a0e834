"""What a run is called where it is shown: by the name that a person gave it, else by what differs from its preset, or
from the file of a person's own that it was made from.

`digits-gd · lr 1e-4 · seed 3`. Read from the text of its scenario, in half a millisecond.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from condense_core.errors import CondenseError
from condense_core.runfile.info import RunInfo
from condense_core.runs.about_run import MOST_CHANGED, NOTHING, AboutRun
from condense_core.text import printable

PresetBase = Callable[[str], str | None]
"""The scenario of a preset by its name, in TOML; None where there is none of that name."""

BETWEEN = " · "
# So many differences are told: a label stands on one line.
MOST, LAST, LONGEST_VALUE = 6, 2, 24
# What a run is about, what it must show, how it is recorded, and where its data lie on a machine, is no setting of the
# training.
_NOT_SET = frozenset({"about", "claim", "name", "quick", "record"})
_PLACES = frozenset({"data.root", "data.path", "data.download"})
# Told last, in this order.
_DRAWS = {"ensemble.members": "{} seeds", "seed": "seed {}", "data.seed": "data seed {}"}
_LAYERS = "layers"
# Kinds of a part, which are told by the part's name: `optimizer adam`.
_KINDS = frozenset({"name", "scheme", "kind"})


def label_of(info: RunInfo, about: AboutRun, differs: tuple[str, ...]) -> str:
    """What the run is called: the one rule for lists, headers, titles and files. `differs` is from `differences`."""
    if about.name:
        return about.name
    # the runs of a sweep are named by their folders
    given = info.name if info.name != f"{info.preset} {info.id}" else ""
    if given and info.preset and given != info.preset:
        return printable(given)
    if len(differs) > MOST:
        # the draws, by which runs of one sweep are told apart, come last
        differs = (*differs[: MOST - LAST], f"{len(differs) - MOST} more", *differs[-LAST:])
    return BETWEEN.join(filter(None, (printable(info.preset or info.name), *differs))) or info.id


def differences(info: RunInfo, base: PresetBase, about: AboutRun = NOTHING) -> tuple[str, ...]:
    """In what the run's scenario differs from its preset, a word or two each, its draws last; of one that is of no
    preset here what was changed as it was made, and its draws; of one whose scenario cannot be read nothing."""
    from condense_core.scenario.toml import looked_at
    from condense_core.scenario.watched import is_watched

    if not info.experiment or is_watched(info.experiment):
        return ()
    try:
        table = looked_at(info.experiment, info.id)
        text = base(info.preset) if info.preset else None
        if text is None:
            # a name that is not the scenario's own was given by somebody, and says enough
            if info.name not in {info.preset, table.get("name")}:
                return ()
            own = _flat(table)
            return (*_settings(*_noted(about.changed, table, own)), *_draws(own))
        found, layers, of_preset = _other(table, text)
    except CondenseError:
        return ()
    return (*_settings(found, layers, of_preset), *_draws(found))


def changed_fields(experiment: str, base: str) -> tuple[str, ...]:
    """The settings, by their dotted names, that a scenario in TOML has otherwise than another, for a run to note;
    `layers` where it has another number of them. Its draws are told without being noted. ScenarioError where one of
    the two cannot be read."""
    from condense_core.scenario.toml import parse

    found, layers, before = _other(parse(experiment), base)
    names = [key for key in found if key not in _DRAWS and not (layers != before and key.startswith(f"{_LAYERS}."))]
    return tuple(([_LAYERS] if layers != before else []) + names)[:MOST_CHANGED]


def _noted(changed: tuple[str, ...], table: Mapping[str, Any], own: dict[str, Any]) -> tuple[dict[str, Any], int, int]:
    """The same of what a run noted, with the values and in the order of its scenario: names come from a file."""
    from condense_core.scenario.lookup import values_of

    keys = [key for key in changed if key.partition(".")[0] not in _NOT_SET]
    found = _flat({key: value for key in keys for value in values_of(table, key)})
    layers = _layers(own)
    return {key: found[key] for key in (*own, *found) if key in found}, layers, 0 if _LAYERS in changed else layers


def _other(table: Mapping[str, Any], text: str) -> tuple[dict[str, Any], int, int]:
    """The fields of a scenario that are not as in another one, in TOML, and how many layers the two have."""
    from condense_core.scenario.lookup import values_of

    own = _flat(table)
    every, stated = _preset(text)
    # what the other one sets and this one does not has its default here
    own |= {key: _plain(value) for key in stated if key not in own for value in values_of(table, key)}
    found = {key: value for key, value in own.items() if key not in every or every[key] != value}
    return found, _layers(own), _layers(every)


@functools.lru_cache(maxsize=64)
def _preset(text: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """All fields of a preset with their values, and the names of those that are not at their default."""
    from condense_core.scenario.toml import dumps, loads, parse

    return _every(text), tuple(_flat(parse(dumps(loads(text)))))


def _every(text: str) -> dict[str, Any]:
    from condense_core.scenario.toml import loads

    return _flat(_whole(loads(text)))


def _whole(value: Any) -> Any:
    """A scenario as plain tables, fields at their default as well."""
    if isinstance(value, msgspec.Struct):
        config = value.__struct_config__
        tag = {config.tag_field: config.tag} if config.tag_field is not None else {}
        fields = msgspec.structs.fields(value)
        return tag | {field.encode_name: _whole(getattr(value, field.name)) for field in fields}
    return [_whole(item) for item in value] if isinstance(value, list | tuple) else value


def _flat(table: Any) -> dict[str, Any]:
    """Fields of a scenario by their dotted names."""
    found: dict[str, Any] = {}
    _put_fields(found, {name: value for name, value in table.items() if name not in _NOT_SET}.items(), "")
    return found


def _put_fields(found: dict[str, Any], items: Iterable[tuple[Any, Any]], lead: str) -> None:
    for name, value in items:
        path = f"{lead}{name}"
        if isinstance(value, dict):
            _put_fields(found, value.items(), f"{path}.")
        elif isinstance(value, list | tuple):
            if value and isinstance(value[0], dict):
                _put_fields(found, enumerate(value), f"{path}.")
            elif path not in _PLACES:
                found[path] = _plain(value)
        elif path not in _PLACES and value is not None:
            found[path] = value


def _plain(value: Any) -> Any:
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _layers(fields: dict[str, Any]) -> int:
    """How many layers those are the fields of."""
    return len({key.split(".")[1] for key in fields if key.startswith("layers.")})


def _settings(found: dict[str, Any], layers: int, of_preset: int) -> Iterator[str]:
    if layers != of_preset:
        yield f"{layers} layer{'s' if layers != 1 else ''}"
    told: set[str] = set()
    for key, value in found.items():
        part, _, name = key.rpartition(".")
        if part.startswith("layers."):
            if int(part.split(".")[1]) >= of_preset or name in told:
                continue
            alike = [found.get(f"layers.{index}.{name}") == value for index in range(layers)]
            if all(alike):
                told.add(name)
                yield f"{name} {_written(value)}"
            else:
                yield f"layer {int(part.split('.')[1]) + 1} {name} {_written(value)}"
        elif key not in _DRAWS:
            yield f"{printable(part if name in _KINDS and part else name)} {_written(value)}"


def _draws(found: dict[str, Any]) -> Iterator[str]:
    for key, words in _DRAWS.items():
        if key in found:
            yield words.format(_written(found[key]))


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and math.isfinite(value):
        return number_in_short(value)
    text = printable(str(value)[: 2 * LONGEST_VALUE])
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"


def number_in_short(value: float) -> str:
    """The shorter of `0.05` and `1e-4`, with up to nine digits."""
    plain = f"{value:.9g}"
    digits, _, exponent = f"{value:.8e}".partition("e")
    power = f"{digits.rstrip('0').rstrip('.')}e{int(exponent)}"
    return power if len(power) < len(plain) else plain
