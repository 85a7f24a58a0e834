"""Scenarios as text: TOML in and out without loss, and any field set by its dotted name.

Errors name the dotted path, what was expected and the nearest name that exists. The schema itself is `experiment.py`.
Texts come from people, from files and from other machines: whatever is in them, the only error is a ScenarioError.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
import tomli_w

from condense_core import typed
from condense_core.errors import ScenarioError, nearest
from condense_core.foreign import LONGEST_SCENARIO, decoding, toml_table
from condense_core.scenario.claims import Claim
from condense_core.scenario.experiment import Ensemble, Experiment
from condense_core.scenario.field_types import (
    choices_of,
    default_items,
    fields_of,
    is_optional,
    is_text,
    item_type,
    members,
    required_fields,
    struct_of,
    structs,
)
from condense_core.scenario.pieces import in_pieces, is_too_deep
from condense_core.text import short
from condense_core.validation import in_words

Table = dict[str, Any]
Struct = TypeVar("Struct", bound=msgspec.Struct)


# The text that was looked at last, and its tables.
_last: tuple[str | None, Mapping[str, Any]] = (None, {})
# The claim that was read last, and its table: runs of one preset have the same, as pieces of their texts.
_last_claim: tuple[object, Claim | None] = (None, None)
# Fields that say one thing in several ways: the one that is set takes the place of the others.
_INSTEAD: dict[tuple[str, ...], tuple[str, ...]] = {
    ("optimizer", "lr"): ("lr_lambda1", "lr_curvature", "lr_most"),
    ("optimizer", "lr_lambda1"): ("lr", "lr_curvature", "lr_most"),
    ("optimizer", "lr_curvature"): ("lr", "lr_lambda1"),
}


def loads(text: str, source: str = "scenario") -> Experiment:
    """The experiment in TOML `text`; ScenarioError in one line that begins with `source`."""
    experiment = build(parse(text, source), source)
    # quick settings that cannot be used are refused where they are written, not when somebody is in a hurry
    quickened(experiment, source)
    return experiment


def parse(text: str, source: str = "scenario") -> Table:
    """TOML text as plain tables, not yet checked against the schema."""
    if len(text) > LONGEST_SCENARIO:
        raise ScenarioError(f"{source}: larger than a scenario may be ({LONGEST_SCENARIO:,} characters)")
    with decoding(ScenarioError, source):
        try:
            table = toml_table(text)
        except tomllib.TOMLDecodeError as error:
            raise ScenarioError(f"{source}: not valid TOML: {error}") from None
        _check_depth(table, source)
    if not table:
        raise ScenarioError(f"{source}: empty; expected a scenario in TOML (condense-tui presets show NAME prints one)")
    return table


def looked_at(text: str, source: str = "scenario") -> Mapping[str, Any]:
    """`parse`, for whoever changes nothing: of the text that was asked for last, the tables that there are. Of a run in
    a list three ask, one after the other, and reading TOML is most of what that costs."""
    global _last  # noqa: PLW0603 - replaced in one stroke, whatever threads there are
    before, table = _last
    if before != text:
        with decoding(ScenarioError, source):
            found = in_pieces(text) if len(text) <= LONGEST_SCENARIO else None
            table = found or parse(text, source)
        _last = text, table
    return table


def read_value(text: str, source: str) -> object:
    """A single value as TOML writes it; None if the text is none, such as a word without quotes."""
    with decoding(ScenarioError, source):
        try:
            table = toml_table(f"value = {text}")
        except tomllib.TOMLDecodeError:
            return None
        _check_depth(table, source)
        return table["value"]


def ensemble(text: str, source: str = "scenario") -> Ensemble:
    """Of a scenario in TOML only how many draws it trains as one: what the rest of it says is not looked at."""
    return _ensemble(looked_at(text, source), source)


def ensemble_and_claim(text: str, source: str = "scenario") -> tuple[Ensemble, Claim | None]:
    """The same, and its claim, None where it makes none."""
    global _last_claim  # noqa: PLW0603 - replaced in one stroke, whatever threads there are
    table = looked_at(text, source)
    found, claim = _ensemble(table, source), table.get("claim")
    if claim is None:
        return found, None
    before, known = _last_claim
    if before is not claim:
        with decoding(ScenarioError, source):
            known = typed.convert(claim, Claim)
        _last_claim = claim, known
    return found, known


def _ensemble(table: Mapping[str, Any], source: str) -> Ensemble:
    with decoding(ScenarioError, source):
        return typed.convert(table.get("ensemble", {}), Ensemble)


def _check_depth(table: Table, source: str) -> None:
    """Refuse what is nested deeper than any scenario, before anything walks it by recursion."""
    if is_too_deep(table):
        raise ScenarioError(f"{source}: nested too deeply for a scenario")


def dumps(experiment: Experiment) -> str:
    """TOML that `loads` turns back into an equal experiment; fields at their default are left out."""
    return tomli_w.dumps(_without_none(msgspec.to_builtins(experiment)), multiline_strings=True)


def build(table: Table, source: str = "scenario") -> Experiment:
    """The experiment that `table` describes, checked field by field."""
    return checked(table, Experiment, source)


def checked(table: Table, kind: type[Struct], source: str) -> Struct:
    """What `table` describes as a struct of that kind, checked field by field; ScenarioError names the dotted path."""
    with decoding(ScenarioError, source):
        try:
            _check_names(kind, table, ())
            return typed.convert(table, kind)
        except msgspec.ValidationError as error:
            raise ScenarioError(f"{source}: {in_words(str(error), table)}") from None
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
    with decoding(ScenarioError, source):
        table = _without_none(msgspec.to_builtins(experiment))
        settings = [f"{key}={str(v).lower() if isinstance(v, bool) else v}" for key, v in values.items()]
    return build(override(table, settings, source), source)


def override(table: Table, settings: Iterable[str], source: str = "--set") -> Table:
    """A copy of `table` with each KEY=VALUE applied: `optimizer.lr=1e-4`, `layers.0.activation=tanh`,
    `layers.*.width=64` for all. A value `none` takes an optional field out; a part that changes its kind (`data.name`,
    `init.scheme`, …) drops the fields that the new kind does not have, and `optimizer.lr`, `lr_lambda1` and
    `lr_curvature` take each other's place."""
    chosen: set[tuple[str, ...]] = set()
    with decoding(ScenarioError, source):
        result: Table = _copy(table)
    for setting in settings:
        with decoding(ScenarioError, f"{source} {short(setting)}"):
            chosen |= _set(result, setting, source)
    with decoding(ScenarioError, source):
        _drop_leftovers(Experiment, result, (), chosen)
        for path in chosen & _INSTEAD.keys():
            part = path[0]
            for other in _INSTEAD[path]:
                if path[1] in result[part] and (part, other) not in chosen:
                    result[part].pop(other, None)
    return result


def _set(table: Table, setting: str, source: str) -> set[tuple[str, ...]]:
    """Apply one KEY=VALUE to `table`; the paths that it set."""
    key, equals, value = setting.partition("=")
    if not equals or not key.strip():
        raise ScenarioError(f"{source} {short(setting)}: expected KEY=VALUE, such as optimizer.lr=1e-4")
    paths = _expand(table, key.strip().split("."))
    for path in paths:
        _assign(table, path, value.strip(), source)
    return set(paths)


def _assign(table: Table, path: tuple[str, ...], text: str, source: str) -> None:
    expected: Any = Experiment
    here: Any = table
    for depth, part in enumerate(path):
        last = depth == len(path) - 1
        if isinstance(here, list):
            if not part.isdecimal() or int(part) >= len(here):
                where = ".".join(path[:depth])
                raise ScenarioError(f"{source} {'.'.join(path)}: expected {_indices(where, here)}")
            expected = item_type(expected)
            if last:
                here[int(part)] = _value(text, expected, f"{source} {'.'.join(path)}")
                return
            here = here[int(part)]
            continue
        struct = struct_of(expected, here)
        fields = fields_of(struct) if struct else {}
        if part not in fields:
            every = dict(fields)
            for option in structs(expected):
                every |= fields_of(option)
            if part not in every:
                # a near name of another kind helps, all names of all kinds do not
                named = every if struct is None or "'" in nearest(part, every) else fields
                raise ScenarioError(f"{source} {_unknown(path[: depth + 1], named)}")
            fields = every
        expected = fields[part]
        if last:
            if text == "none" and is_optional(expected):
                here.pop(part, None)
            else:
                here[part] = _value(text, expected, f"{source} {'.'.join(path)}")
            return
        if part not in here:
            here[part] = default_items(struct, part) if not structs(expected) else {}
        here = here[part]
        if not isinstance(here, dict | list):
            raise ScenarioError(
                f"{source} {'.'.join(path)}: {'.'.join(path[: depth + 1])} is a single value, without parts"
            )


def _indices(where: str, items: list[Any]) -> str:
    if not items:
        return f"items in {where}, which is empty"
    return f"{where}.0" if len(items) == 1 else f"{where}.0 to {where}.{len(items) - 1}"


def _value(text: str, expected: Any, source: str) -> Any:
    """`text` as the kind of value that the field takes; a wrong one is left for the schema to refuse."""
    if is_text(expected):
        return text.strip("\"'")
    value = read_value(text, source)
    if value is None:
        try:
            value = float(text)  # `.5`, which TOML does not know
        except ValueError:
            # `record.own=weight_norm`: words need no brackets
            of_words = is_text(item_type(expected)) and item_type(expected) is not object
            return [word.strip() for word in text.split(",")] if of_words else text
    kinds = members(expected)
    # `1e6` steps are meant as a whole number
    whole = isinstance(value, float) and int in kinds and float not in kinds and value.is_integer()
    return int(value) if isinstance(value, float) and whole else value


def _expand(table: Table, parts: Sequence[str]) -> list[tuple[str, ...]]:
    """The paths that a dotted key with `*` for every item of a list stands for."""
    paths: list[tuple[str, ...]] = [()]
    for part in parts:
        if part != "*":
            paths = [(*path, part) for path in paths]
            continue
        paths = [(*path, str(index)) for path in paths for index in range(len(_at(table, path) or ()))]
    if not paths:
        raise ScenarioError(f"--set {'.'.join(parts)}: there is no list that * could stand for")
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
            _drop_leftovers(item_type(expected), item, (*path, str(index)), chosen)
        return
    struct = struct_of(expected, value)
    if struct is None or not isinstance(value, dict):
        return
    fields = fields_of(struct)
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
            _check_names(item_type(expected), item, (*path, str(index)))
        return
    choices = choices_of(expected)
    if choices and isinstance(value, str) and value not in choices:
        raise _unknown_choice(path, value, choices)
    options = structs(expected)
    if not options or not isinstance(value, dict):
        return
    struct = struct_of(expected, value)
    if struct is None:
        tag_field = options[0].__struct_config__.tag_field or ""
        tags = {str(option.__struct_config__.tag): None for option in options}
        where = ".".join((*path, tag_field))
        if tag_field not in value:
            raise ScenarioError(f"{where}: missing; expected one of {', '.join(tags)}")
        raise _unknown_choice((*path, tag_field), value[tag_field], tags)
    fields = fields_of(struct)
    for name in value:
        if name not in fields:
            raise ScenarioError(_unknown((*path, name), fields))
        _check_names(fields[name], value[name], (*path, name))
    for name in required_fields(struct):
        if name not in value:
            raise ScenarioError(f"{'.'.join((*path, name))}: missing")


def _inside(fields: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Fields of the parts of a scenario that hold settings, with the part's name; of a list's items with a star."""
    for part in ("data", "record", "stop", "ensemble", "init", "optimizer", "layers"):
        if part in fields:
            item = item_type(fields[part])
            lead, options = (f"{part}.*", structs(item)) if structs(item) else (part, structs(fields[part]))
            yield from ((lead, name) for option in options for name in fields_of(option))


def _unknown_choice(path: tuple[str, ...], value: object, choices: Iterable[str]) -> ScenarioError:
    name = value if isinstance(value, str) else ""
    return ScenarioError(f"{'.'.join(path)}: unknown {short(value)}; {nearest(name, choices)}")


def _unknown(path: tuple[str, ...], fields: Mapping[str, Any]) -> str:
    if len(path) == 1:
        # `lr` for `optimizer.lr`, `widht` for `layers.*.width`
        whole = {name: f"{part}.{name}" for part, name in _inside(fields)}
        close = nearest(path[0], whole).split("'")
        meant = path[0] if path[0] in whole else close[1] if len(close) > 1 else ""
        if meant and (meant == path[0] or "'" not in nearest(path[0], fields)):
            return f"{path[0]}: unknown; did you mean {whole[meant]!r}?"
    return f"{'.'.join(path)}: unknown; {_nearest(path[-1], fields, '.'.join(path[:-1]))}"


def _nearest(name: str, names: Iterable[str], prefix: str = "") -> str:
    # without the part that they share, by which any two names would be near
    close, quote, rest = nearest(name, sorted(names)).partition("'")
    lead = f"{prefix}." if prefix else ""
    if quote:
        return f"{close}'{lead}{rest}"
    return f"{close} in {prefix}" if prefix else close


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list | tuple) else value


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    return [_without_none(item) for item in value] if isinstance(value, list | tuple) else value
