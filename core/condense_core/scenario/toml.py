"""Scenarios as text: TOML in and out without loss, and any field set by its dotted name.

Errors name the dotted path, what was expected and the nearest name that exists. The schema itself is `experiment.py`.
"""

from __future__ import annotations

import re
import tomllib
import types
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeVar

import msgspec
import tomli_w

from condense_core.errors import ScenarioError, nearest
from condense_core.scenario.experiment import Experiment

Table = dict[str, Any]
Struct = TypeVar("Struct", bound=msgspec.Struct)

# Levels of tables and lists in a scenario: claim.requires and data.terms have four.
DEEPEST = 16
# Characters of a refused value that are shown.
LONGEST_VALUE = 60
# Fields that say one thing in two ways: the one that is set takes the other's place.
_INSTEAD: dict[tuple[str, ...], tuple[str, str]] = {
    ("optimizer", "lr"): ("optimizer", "lr_lambda1"),
    ("optimizer", "lr_lambda1"): ("optimizer", "lr"),
}
# What msgspec calls kinds of values, as a person would.
_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
    "null": "none",
}


def loads(text: str, source: str = "scenario") -> Experiment:
    """The experiment in TOML `text`; ScenarioError in one line that begins with `source`."""
    experiment = build(parse(text, source), source)
    # quick settings that cannot be used are refused where they are written, not when somebody is in a hurry
    quickened(experiment, source)
    return experiment


def parse(text: str, source: str = "scenario") -> Table:
    """TOML text as plain tables, not yet checked against the schema."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{source}: not valid TOML: {error}") from None
    except RecursionError:
        raise ScenarioError(f"{source}: nested too deep for a scenario") from None
    if not table:
        raise ScenarioError(f"{source}: empty; expected a scenario in TOML (condense-tui presets show NAME prints one)")
    _check_depth(table, source)
    return table


def _check_depth(table: Table, source: str) -> None:
    """Refuse what is nested deeper than any scenario, before anything walks it by recursion."""
    level: list[Any] = [table]
    for _ in range(DEEPEST):
        level = [item for value in level for item in (value.values() if isinstance(value, dict) else value)]
        level = [item for item in level if isinstance(item, dict | list)]
    if level:
        raise ScenarioError(f"{source}: nested too deep for a scenario")


def dumps(experiment: Experiment) -> str:
    """TOML that `loads` turns back into an equal experiment; fields at their default are left out."""
    return tomli_w.dumps(_without_none(msgspec.to_builtins(experiment)), multiline_strings=True)


def build(table: Table, source: str = "scenario") -> Experiment:
    """The experiment that `table` describes, checked field by field."""
    return checked(table, Experiment, source)


def checked(table: Table, kind: type[Struct], source: str) -> Struct:
    """What `table` describes as a struct of that kind, checked field by field; ScenarioError names the dotted path."""
    try:
        _check_names(kind, table, ())
        return msgspec.convert(table, kind)
    except msgspec.ValidationError as error:
        raise ScenarioError(f"{source}: {_plain(str(error), table)}") from None
    except ScenarioError as error:
        raise ScenarioError(f"{source}: {error}") from None


def quickened(experiment: Experiment, source: str = "scenario") -> Experiment:
    """What `reproduce --quick` trains: the quick settings in force and no more named; itself where there are none."""
    quick = experiment.quick
    if quick is None:
        return experiment
    small = with_settings(msgspec.structs.replace(experiment, quick=None), quick.set, f"{source}: quick.set")
    about = small.about and msgspec.structs.replace(
        small.about, minutes_cpu=quick.minutes_cpu, finding=quick.finding, found=quick.found
    )
    return msgspec.structs.replace(small, about=about)


def with_settings(experiment: Experiment, values: Mapping[str, object], source: str) -> Experiment:
    """The experiment with fields changed by their dotted names, as by `override`; errors begin with `source`."""
    table = _without_none(msgspec.to_builtins(experiment))
    settings = [f"{key}={str(value).lower() if isinstance(value, bool) else value}" for key, value in values.items()]
    return build(override(table, settings, source), source)


def override(table: Table, settings: Iterable[str], source: str = "--set") -> Table:
    """A copy of `table` with each KEY=VALUE applied: `optimizer.lr=1e-4`, `layers.0.activation=tanh`,
    `layers.*.width=64` for all. A value `none` takes an optional field out; a part that changes its kind (`data.name`,
    `init.scheme`, …) drops the fields that the new kind does not have, and `optimizer.lr` and `lr_lambda1` take each
    other's place."""
    result: Table = _copy(table)
    chosen: set[tuple[str, ...]] = set()
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or not key.strip():
            raise ScenarioError(f"{source} {setting!r}: expected KEY=VALUE, such as optimizer.lr=1e-4")
        for path in _expand(result, key.strip().split(".")):
            _assign(result, path, value.strip(), source)
            chosen.add(path)
    _drop_leftovers(Experiment, result, (), chosen)
    for path in chosen & _INSTEAD.keys():
        part, other = _INSTEAD[path]
        if path[1] in result[part] and (part, other) not in chosen:
            result[part].pop(other, None)
    return result


def _assign(table: Table, path: tuple[str, ...], text: str, source: str) -> None:
    expected: Any = Experiment
    here: Any = table
    for depth, part in enumerate(path):
        last = depth == len(path) - 1
        if isinstance(here, list):
            if not part.isdecimal() or int(part) >= len(here):
                where = ".".join(path[:depth])
                raise ScenarioError(f"{source} {'.'.join(path)}: expected {_indices(where, here)}")
            expected = _item_type(expected)
            if last:
                here[int(part)] = _value(text, expected)
                return
            here = here[int(part)]
            continue
        struct = _struct_of(expected, here)
        fields = _fields(struct) if struct else {}
        if part not in fields:
            every = dict(fields)
            for option in _structs(expected):
                every |= _fields(option)
            if part not in every:
                raise ScenarioError(f"{source} {_unknown(path[: depth + 1], every)}")
            fields = every
        expected = fields[part]
        if last:
            if text == "none" and _optional(expected):
                here.pop(part, None)
            else:
                here[part] = _value(text, expected)
            return
        if part not in here:
            here[part] = _default(struct, part) if not _structs(expected) else {}
        here = here[part]
        if not isinstance(here, dict | list):
            raise ScenarioError(f"{source} {'.'.join(path)}: {'.'.join(path[: depth + 1])} is a single value")


def _indices(where: str, items: list[Any]) -> str:
    if not items:
        return f"items in {where}, which is empty"
    return f"{where}.0" if len(items) == 1 else f"{where}.0 to {where}.{len(items) - 1}"


def _value(text: str, expected: Any) -> Any:
    """`text` as the kind of value that the field takes; a wrong one is left for the schema to refuse."""
    if _accepts_text_only(expected):
        return text.strip("\"'")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        try:
            value = float(text)  # `.5`, which TOML does not know
        except ValueError:
            return text
    members = _members(expected)
    # `1e6` steps are meant as a whole number
    whole = isinstance(value, float) and int in members and float not in members and value.is_integer()
    return int(value) if whole else value


def _expand(table: Table, parts: Sequence[str]) -> list[tuple[str, ...]]:
    """The paths that a dotted key with `*` for every item of a list stands for."""
    paths: list[tuple[str, ...]] = [()]
    for part in parts:
        if part != "*":
            paths = [(*path, part) for path in paths]
            continue
        paths = [(*path, str(index)) for path in paths for index in range(len(_at(table, path) or ()))]
    if not paths:
        raise ScenarioError(f"--set {'.'.join(parts)}: there is no list for * to stand for")
    return paths


def _at(table: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        if isinstance(table, dict):
            table = table.get(part)
        elif isinstance(table, list) and part.isdecimal() and int(part) < len(table):
            table = table[int(part)]
        else:
            return None
    return table if isinstance(table, list) else None


def _drop_leftovers(expected: Any, value: Any, path: tuple[str, ...], chosen: set[tuple[str, ...]]) -> None:
    """Take out fields of a former kind where `chosen` set the tag; a field chosen by name stays, to be refused."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            _drop_leftovers(_item_type(expected), item, (*path, str(index)), chosen)
        return
    struct = _struct_of(expected, value)
    if struct is None or not isinstance(value, dict):
        return
    fields = _fields(struct)
    tag = struct.__struct_config__.tag_field
    retagged = tag is not None and (*path, tag) in chosen
    for name in list(value):
        if name in fields:
            _drop_leftovers(fields[name], value[name], (*path, name), chosen)
        elif retagged and (*path, name) not in chosen:
            del value[name]


def _check_names(expected: Any, value: Any, path: tuple[str, ...]) -> None:
    """Refuse a field or a kind that does not exist, naming the nearest; types are left to msgspec."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            _check_names(_item_type(expected), item, (*path, str(index)))
        return
    choices = [choice for m in _members(expected) if typing.get_origin(m) is Literal for choice in typing.get_args(m)]
    if choices and isinstance(value, str) and value not in choices:
        raise _unknown_choice(path, value, choices)
    options = _structs(expected)
    if not options or not isinstance(value, dict):
        return
    struct = _struct_of(expected, value)
    if struct is None:
        tag_field = options[0].__struct_config__.tag_field or ""
        tags = {str(option.__struct_config__.tag): None for option in options}
        where = ".".join((*path, tag_field))
        if tag_field not in value:
            raise ScenarioError(f"{where}: missing; expected one of {', '.join(tags)}")
        raise _unknown_choice((*path, tag_field), str(value[tag_field]), tags)
    fields = _fields(struct)
    for name in value:
        if name not in fields:
            raise ScenarioError(_unknown((*path, name), fields))
        _check_names(fields[name], value[name], (*path, name))
    for field in msgspec.structs.fields(struct):
        if field.required and field.encode_name not in value:
            raise ScenarioError(f"{'.'.join((*path, field.encode_name))}: missing")


def _inside(fields: Table) -> Iterator[tuple[str, str]]:
    """Fields of the parts of a scenario that hold settings, with the part's name; of a list's items with a star."""
    for part in ("data", "record", "stop", "ensemble", "init", "optimizer", "layers"):
        if part in fields:
            item = _item_type(fields[part])
            lead, options = (f"{part}.*", _structs(item)) if _structs(item) else (part, _structs(fields[part]))
            yield from ((lead, name) for option in options for name in _fields(option))


def _unknown_choice(path: tuple[str, ...], value: str, choices: Iterable[str]) -> ScenarioError:
    return ScenarioError(f"{'.'.join(path)}: unknown {value!r}; {nearest(value, choices)}")


def _unknown(path: tuple[str, ...], fields: Table) -> str:
    if len(path) == 1:
        # `lr` for `optimizer.lr`, `widht` for `layers.*.width`
        whole = {name: f"{part}.{name}" for part, name in _inside(fields)}
        close = nearest(path[0], whole).split("'")
        if path[0] in whole or (len(close) > 1 and "'" not in nearest(path[0], fields)):
            return f"{path[0]}: unknown; did you mean {whole[close[1]]!r}?"
    return f"{'.'.join(path)}: unknown; {_nearest(path[-1], fields, '.'.join(path[:-1]))}"


def _nearest(name: str, names: Iterable[str], prefix: str = "") -> str:
    # without the part that they share, by which any two names would be near
    close, quote, rest = nearest(name, sorted(names)).partition("'")
    lead = f"{prefix}." if prefix else ""
    if quote:
        return f"{close}'{lead}{rest}"
    return f"{close} in {prefix}" if prefix else close


def _plain(message: str, table: Table) -> str:
    """msgspec's sentence with the path first and written as a person would: `steps: expected a whole number, got 1.5`.

    `table` is what was refused.
    """
    text, at, where = message.partition(" - at `$")
    path = where.rstrip("`").lstrip(".").replace("[", ".").replace("]", "").lstrip(".")
    text = text.replace("`", "").replace(" | null", " or none")
    head, separator, rest = text.partition(": ")
    if separator and at and head.replace("_", "").replace(", ", "").isalnum() and not head.startswith("Expected"):
        # our own checks begin with the field's name; msgspec gives the path of the struct around it
        return f"{path + '.' if path else ''}{head}: {rest}"
    if not at:
        return text
    kind = re.fullmatch(r"Expected ([a-z| ]+|none), got [a-z]+", text)
    if kind is None:
        return f"{path}: {text[:1].lower()}{text[1:]}"
    expected = " or ".join(_KINDS.get(name, name) for name in kind[1].replace(" | ", " or ").split(" or "))
    return f"{path}: expected {expected}, got {_as_written(table, path)}"


def _as_written(table: Any, path: str) -> str:
    """The value at a dotted path as it stands in TOML, of a long one its beginning."""
    for part in path.split("."):
        table = table[int(part) if isinstance(table, list) else part]
    if isinstance(table, bool):
        return str(table).lower()
    text = repr(table)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"


def _members(expected: Any) -> tuple[Any, ...]:
    if typing.get_origin(expected) in (typing.Union, types.UnionType):
        return typing.get_args(expected)
    return (expected,)


def _structs(expected: Any) -> tuple[type[msgspec.Struct], ...]:
    return tuple(m for m in _members(expected) if isinstance(m, type) and issubclass(m, msgspec.Struct))


def _struct_of(expected: Any, value: Any) -> type[msgspec.Struct] | None:
    options = _structs(expected)
    if len(options) == 1 and options[0].__struct_config__.tag_field is None:
        return options[0]
    for option in options:
        config = option.__struct_config__
        if isinstance(value, dict) and value.get(config.tag_field) == config.tag:
            return option
    return None


def _fields(struct: type[msgspec.Struct]) -> Table:
    hints = typing.get_type_hints(struct)
    fields: Table = {field.encode_name: hints[field.name] for field in msgspec.structs.fields(struct)}
    config = struct.__struct_config__
    if config.tag_field is not None:
        fields[config.tag_field] = str
    return fields


def _default(struct: type[msgspec.Struct] | None, name: str) -> list[Any]:
    """The default of a list that the table leaves out, so that one item of it can be set."""
    for field in msgspec.structs.fields(struct) if struct else ():
        if field.encode_name == name and isinstance(field.default, tuple):
            return list(field.default)
    return []


def _item_type(expected: Any) -> Any:
    for member in _members(expected):
        arguments = typing.get_args(member)
        if typing.get_origin(member) is tuple and arguments:
            return arguments[0]
    return object


def _optional(expected: Any) -> bool:
    return type(None) in _members(expected)


def _accepts_text_only(expected: Any) -> bool:
    members = [member for member in _members(expected) if member is not type(None)]
    return all(m is str or typing.get_origin(m) is Literal for m in members)


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list | tuple) else value


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    return [_without_none(item) for item in value] if isinstance(value, list | tuple) else value
