"""What the reference says, in Markdown, made of the code: commands, a scenario's fields, measures, names for Python."""

from __future__ import annotations

import inspect
import re
import sys
import types
import typing
from collections.abc import Callable, Iterator
from typing import Any, Literal

import msgspec
import typer.main

import condense_core
from condense_core.measure_table import MEASURES
from condense_core.scenario.experiment import Experiment
from condense_core.scenario.field_help import help_of
from condense_core.scenario.field_types import fields_of, structs
from condense_core.watching.run import WatchedRun
from condense_tui.cli import app


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", r"\|").replace("\n", " ") for cell in row) + " |" for row in lines
    )


def plain(text: str) -> str:
    """Words of a docstring or help as they stand: nothing in them is markup but what is between backticks."""
    parts = re.split(r"(`[^`]+`)", text)
    return "".join(part if part.startswith("`") else re.sub(r"([\\*_<>\[\]#$])", r"\\\1", part) for part in parts)


def paragraphs(text: str) -> str:
    return "\n\n".join(plain(" ".join(part.split())) for part in inspect.cleandoc(text).split("\n\n"))


# ---- commands


def commands() -> str:
    return "\n\n".join(_command(typer.main.get_command(app), "condense-tui"))


def _command(command: Any, path: str, outer: Any = None) -> Iterator[str]:
    context = command.make_context(path.rpartition(" ")[2], [], parent=outer, resilient_parsing=True)
    words = [word for word in command.collect_usage_pieces(context) if word]
    yield f"## {path}\n\n```text\n{path} {' '.join(words)}\n```\n\n{_help(command.help or '')}"
    parameters = [each for each in command.get_params(context) if not getattr(each, "hidden", False)]
    rows = [(*_parameter(each, context), plain(getattr(each, "help", None) or "")) for each in parameters]
    if rows:
        yield table(("", "takes", ""), rows)
    for name in command.list_commands(context) if hasattr(command, "list_commands") else ():
        inner = command.get_command(context, name)
        if inner is not None and not inner.hidden:
            yield from _command(inner, f"{path} {name}", context)


def _help(text: str) -> str:
    """Paragraphs; of one with several lines the lines stay, as they do in a terminal."""
    return "\n\n".join(
        f"```text\n{part}\n```" if "\n" in part or part.startswith("condense-tui ") else plain(part)
        for part in text.strip().split("\n\n")
    )


def _parameter(parameter: Any, context: Any) -> tuple[str, str]:
    if parameter.param_type_name == "argument":
        return f"`{parameter.metavar or parameter.name}`", ""
    names = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
    return names, "" if parameter.is_flag else f"`{parameter.metavar or parameter.display_type(context)}`"


# ---- fields of a scenario


def scenario() -> str:
    return "\n\n".join(_part(Experiment, set()))


def _part(struct: type[msgspec.Struct], seen: set[type]) -> Iterator[str]:
    seen.add(struct)
    config, kinds, words = struct.__struct_config__, fields_of(struct), help_of(struct)
    tag = f' (`{config.tag_field} = "{config.tag}"`)' if config.tag_field else ""
    yield f"## {struct.__name__}{tag}\n\n{paragraphs(_own_doc(struct))}"
    rows = [
        (f"`{field.encode_name}`", _kind(kinds[field.encode_name]), _default(field), plain(words.get(field.name, "")))
        for field in msgspec.structs.fields(struct)
    ]
    if rows:
        yield table(("field", "type", "by default", ""), rows)
    for kind in kinds.values():
        for inner in _inside(kind):
            if inner not in seen:
                yield from _part(inner, seen)


def _inside(kind: Any) -> Iterator[type[msgspec.Struct]]:
    yield from structs(kind)
    for argument in typing.get_args(kind):
        yield from _inside(argument)


def _own_doc(struct: type) -> str:
    return next((kind.__doc__ for kind in struct.__mro__ if kind.__module__ == struct.__module__ and kind.__doc__), "")


def _kind(kind: Any) -> str:
    arguments = typing.get_args(kind)
    if typing.get_origin(kind) is Literal:
        return ", ".join(f"`{word}`" for word in arguments)
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return " or ".join("none" if each is type(None) else _kind(each) for each in arguments)
    if typing.get_origin(kind) is tuple:
        several = arguments[-1] is Ellipsis
        return f"list of {_kind(arguments[0])}" if several else f"[{', '.join(map(_kind, arguments))}]"
    names = {int: "whole number", float: "number", str: "text", bool: "true or false"}
    if kind in names:
        return names[kind]
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind.__name__
    return f"`{kind}`"


def _default(field: Any) -> str:
    if field.required:
        return "required"
    value = field.default
    if value is msgspec.NODEFAULT:
        value = field.default_factory()
    if value is None:
        return "none"
    if isinstance(value, msgspec.Struct):
        return f"its own, {type(value).__name__}"
    return f"`{msgspec.json.encode(value).decode()}`"


# ---- measures


def measures() -> str:
    found = []
    for of, heading in (("layer", "Of a layer"), ("network", "Of the network, of the machine and of several seeds")):
        rows = [
            (f"`{name}`", plain(measure.label), measure.kind, "yes" if measure.claimed else "", plain(measure.help))
            for name, measure in MEASURES.items()
            if measure.of == of
        ]
        found.append(f"## {heading}\n\n" + table(("name", "is called", "kind", "in claims", ""), rows))
    return "\n\n".join(found)


# ---- Python


# Of a run that is being watched: its other methods are for the callbacks of frameworks.
FOR_A_LOOP = ("loss", "listen", "log", "step", "stop_asked", "close")


def python() -> str:
    functions = [name for name in condense_core.__all__ if inspect.isfunction(getattr(condense_core, name))]
    kinds = [name for name in condense_core.__all__ if name not in functions]
    named = [(name, getattr(condense_core, name)) for name in (*functions, *kinds)]
    # what `watch` gives: made by nobody else, and so not among the names
    named.append((WatchedRun.__name__, WatchedRun))
    return "\n\n".join(part for name, value in named for part in _name(name, value))


def _name(name: str, value: Any) -> Iterator[str]:
    if inspect.isfunction(value):
        yield f"## {name}\n\n{_signed(name, value)}"
        return
    yield f"## {name}\n\n{paragraphs(inspect.getdoc(value) or '')}"
    if fields := getattr(value, "__dataclass_fields__", {}):
        yield table(("field", "type"), [(f"`{each}`", f"`{field.type}`") for each, field in fields.items()])
    for inner, member in vars(value).items():
        if inner.startswith("_") or (value is WatchedRun and inner not in FOR_A_LOOP):
            continue
        if isinstance(member, property):
            returns = member.fget.__annotations__.get("return", "")
            yield f"### {name}.{inner}\n\n```python\n{inner}: {returns}\n```\n\n{paragraphs(member.__doc__ or '')}"
        elif inspect.isfunction(member):
            yield f"### {name}.{inner}\n\n{_signed(inner, member)}"


def _signed(name: str, function: Any) -> str:
    # annotations are not evaluated here, and would stand in quotes
    signature = re.sub(r"(: |-> )'([^']*)'", r"\1\2", str(inspect.signature(function)))
    return f"```text\n{name}{signature}\n```\n\n{paragraphs(inspect.getdoc(function) or '')}"


PAGES: dict[str, Callable[[], str]] = {
    "COMMANDS": commands,
    "SCENARIO": scenario,
    "MEASURES": measures,
    "API": python,
}
"""The pages that are continued, by what makes the rest of each."""


def main(arguments: list[str]) -> int:
    """Print the rest of a page."""
    if len(arguments) != 1 or arguments[0] not in PAGES:
        print(f"docs/from_code.py: expected one of {', '.join(PAGES)}", file=sys.stderr)  # noqa: T201
        return 2
    print(PAGES[arguments[0]]())  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
