"""Every field of a scenario by its dotted name, as `--set` takes it, with the value that it has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from condense_core.scenario.experiment import ACTIVATIONS, Experiment
from condense_core.scenario.field_types import choices_of, fields_of, is_optional, item_type, structs

# What a run is about and what it must show is no setting of the training.
_NOT_SET = frozenset({"about", "claim", "name", "quick"})


class SettableField(NamedTuple):
    """A dotted name and its value as one would write it; `none` for an optional one that is not there."""

    name: str
    value: str
    words: tuple[str, ...] = ()
    """The words that it takes, where there are few."""
    part: type[msgspec.Struct] | None = None
    """The part of the scenario that has the field."""

    @property
    def help(self) -> str:
        """What it is, in a sentence; empty for the name of a kind, such as `data.name`."""
        from condense_core.scenario.field_help import help_of

        return "" if self.part is None else help_of(self.part).get(self.name.rpartition(".")[2], "")


def fields(experiment: Experiment) -> list[SettableField]:
    """All fields that can be set, in the order of the schema, those at their default included."""
    found = _fields(experiment, "", Experiment)
    return [field for field in found if field.name.partition(".")[0] not in _NOT_SET]


def _fields(
    value: object, path: str, expected: Any, part: type[msgspec.Struct] | None = None
) -> Iterator[SettableField]:
    lead = f"{path}." if path else ""
    if isinstance(value, msgspec.Struct):
        config, kinds = value.__struct_config__, fields_of(type(value))
        if config.tag_field is not None:
            tags = tuple(str(option.__struct_config__.tag) for option in structs(expected))
            yield SettableField(f"{lead}{config.tag_field}", str(config.tag), tags)
        for field in msgspec.structs.fields(value):
            name, kind = f"{lead}{field.encode_name}", kinds[field.encode_name]
            yield from _fields(getattr(value, field.name), name, kind, type(value))
    elif isinstance(value, tuple) and value and isinstance(value[0], msgspec.Struct):
        for index, item in enumerate(value):
            yield from _fields(item, f"{lead}{index}", item_type(expected))
    else:
        yield SettableField(path, _written(value), _words(path, expected), part)


def _words(path: str, expected: Any) -> tuple[str, ...]:
    if path.rpartition(".")[2] == "activation":
        return tuple(ACTIVATIONS)
    if expected is bool:
        return ("true", "false")
    choices = [str(choice) for choice in choices_of(expected)]
    return (*choices, *(("none",) if choices and is_optional(expected) else ()))


def _written(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}" if float(f"{value:g}") == value else repr(value)
    if isinstance(value, tuple):
        # a single word needs no quotes, as on a command line; in a list it does
        return "[" + ", ".join(f'"{item}"' if isinstance(item, str) else _written(item) for item in value) + "]"
    return str(value)
