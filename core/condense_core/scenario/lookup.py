"""The value that a scenario's text gives a field, or its default, without checking all the rest: for lists of runs."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from condense_core.scenario.experiment import Experiment
from condense_core.scenario.field_types import fields_of, item_type, struct_of, structs

# What a run is about and what it must show is no setting.
_NOT_SET = frozenset({"about", "claim", "name", "quick"})
# Parts whose fields may be named alone; in others a name would be taken for what was measured, as `accuracy`.
_PARTS = frozenset({"data", "layers", "init", "optimizer", "ensemble"})


@functools.cache
def setting_names() -> Mapping[str, str]:
    """Every field of one or two levels by its dotted name (`layers.*.width` for all layers), and by its last part alone
    where only one field has that."""
    found: dict[str, str] = {}
    alone: dict[str, list[str]] = {}
    for name, kind in fields_of(Experiment).items():
        if name in _NOT_SET:
            continue
        items = structs(item_type(kind))
        parts, lead = (items, f"{name}.*") if items else (structs(kind), name)
        inside = dict.fromkeys(field for part in parts for field in fields_of(part))
        found |= {f"{lead}.{field}": f"{lead}.{field}" for field in inside} or {name: name}
        for field in inside if name in _PARTS else ():
            alone.setdefault(field, []).append(f"{lead}.{field}")
    return {last: names[0] for last, names in alone.items() if len(names) == 1} | found


def values_of(table: Any, name: str) -> list[Any]:
    """The values of the field in a scenario as plain tables: several of `layers.*.width`, one of `layers.0.width`, none
    where it has none."""
    return [value for value in _values(Experiment, table, name.split(".")) if value is not None]


def _values(expected: Any, here: Any, parts: Sequence[str]) -> Iterator[Any]:
    if not parts:
        yield here
    elif isinstance(here, list):
        number = int(parts[0]) if parts[0].isdecimal() else -1
        for item in here if parts[0] == "*" else here[number : number + 1] if number >= 0 else ():
            yield from _values(item_type(expected), item, parts[1:])
    elif isinstance(here, dict) and (struct := struct_of(expected, here)) is not None:
        fields = _fields(struct)
        if parts[0] in fields:
            kind, default = fields[parts[0]]
            yield from _values(kind, here.get(parts[0], default), parts[1:])


@functools.cache
def _fields(struct: type[msgspec.Struct]) -> dict[str, tuple[Any, Any]]:
    """The types and the defaults of a part's fields."""
    kinds, config = fields_of(struct), struct.__struct_config__
    found: dict[str, tuple[Any, Any]] = {}
    for field in msgspec.structs.fields(struct):
        default = None if field.default is msgspec.NODEFAULT else field.default
        if field.default_factory is not msgspec.NODEFAULT:
            default = field.default_factory()
        found[field.encode_name] = kinds[field.encode_name], msgspec.to_builtins(default)
    if config.tag_field is not None:
        found[config.tag_field] = str, config.tag
    return found
