"""What the types in a scenario's schema say of a field: its kinds, its choices, the fields inside."""

from __future__ import annotations

import functools
import types
import typing
from collections.abc import Mapping
from typing import Any, Literal

import msgspec


def members(expected: Any) -> tuple[Any, ...]:
    """The types that a field takes."""
    if typing.get_origin(expected) in (typing.Union, types.UnionType):
        return typing.get_args(expected)
    return (expected,)


def structs(expected: Any) -> tuple[type[msgspec.Struct], ...]:
    """The parts of a scenario that a field takes."""
    return tuple(m for m in members(expected) if isinstance(m, type) and issubclass(m, msgspec.Struct))


def struct_of(expected: Any, value: Any) -> type[msgspec.Struct] | None:
    """The one of them that a table is, by its tag; None if that names none."""
    options = structs(expected)
    if len(options) == 1 and options[0].__struct_config__.tag_field is None:
        return options[0]
    for option in options:
        config = option.__struct_config__
        if isinstance(value, dict) and value.get(config.tag_field) == config.tag:
            return option
    return None


@functools.cache
def fields_of(struct: type[msgspec.Struct]) -> Mapping[str, Any]:
    """The types of its fields by their names, its tag among them."""
    hints = typing.get_type_hints(struct)
    fields = {field.encode_name: hints[field.name] for field in msgspec.structs.fields(struct)}
    config = struct.__struct_config__
    if config.tag_field is not None:
        fields[config.tag_field] = str
    return types.MappingProxyType(fields)


@functools.cache
def required_fields(struct: type[msgspec.Struct]) -> tuple[str, ...]:
    """The names of those that have no default."""
    return tuple(field.encode_name for field in msgspec.structs.fields(struct) if field.required)


def default_items(struct: type[msgspec.Struct] | None, name: str) -> list[Any]:
    """The default of a list that the table leaves out, so that one item of it can be set."""
    for field in msgspec.structs.fields(struct) if struct else ():
        if field.encode_name == name and isinstance(field.default, tuple):
            return list(field.default)
    return []


def choices_of(expected: Any) -> list[Any]:
    """The words that a field takes, where it takes no others."""
    return [choice for m in members(expected) if typing.get_origin(m) is Literal for choice in typing.get_args(m)]


def item_type(expected: Any) -> Any:
    """The type of a list's items."""
    for member in members(expected):
        arguments = typing.get_args(member)
        if typing.get_origin(member) is tuple and arguments:
            return arguments[0]
    return object


def is_optional(expected: Any) -> bool:
    """Whether the field can be left out by `none`."""
    return type(None) in members(expected)


def is_text(expected: Any) -> bool:
    """Whether the field takes nothing but text."""
    of_values = [member for member in members(expected) if member is not type(None)]
    return all(member is str or typing.get_origin(member) is Literal for member in of_values)
