"""The commands of a program by their names and helps, which is what `--help` shows and a shell completes.

Typer makes every command of its function's signature before it looks at the line, which takes as long as all that
`--help` writes. Here it makes the one that the line names.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command_name, get_group

if TYPE_CHECKING:
    from typer.models import CommandInfo, TyperInfo


def outline(app: typer.Typer) -> typer.Typer:
    """The same program: its commands have no parameters until a line names one, which is then made whole."""
    commands = [_without_parameters(info) for info in app.registered_commands]
    groups = [_with_inner(info, _with_only(_inner(info), [], [])) for info in app.registered_groups]
    found = _with_only(app, commands, groups)
    found.info = copy.copy(app.info)
    found.info.cls = _made_late(app)
    return found


def _made_late(app: typer.Typer) -> type[TyperGroup]:
    class Outline(TyperGroup):
        """The commands of an app, each of which is made when a line names it."""

        def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
            name, found, rest = super().resolve_command(ctx, args)
            return name, None if found is None else _whole(app, str(found.name)), rest

    return Outline


def _whole(app: typer.Typer, name: str) -> Any:
    """A command with its parameters, or an outline of a group."""
    commands = [info for info in app.registered_commands if _name(info) == name]
    groups = [_with_inner(info, outline(_inner(info))) for info in app.registered_groups if info.name == name]
    return get_group(_with_only(app, commands, groups)).commands[name]


def _with_only(app: typer.Typer, commands: list[CommandInfo], groups: list[TyperInfo]) -> typer.Typer:
    found = copy.copy(app)
    found.registered_commands, found.registered_groups = commands, groups
    return found


def _without_parameters(info: CommandInfo) -> CommandInfo:
    def command() -> None: ...

    found = copy.copy(info)
    found.name, found.callback = _name(info), command
    command.__doc__ = info.callback.__doc__
    return found


def _with_inner(info: TyperInfo, app: typer.Typer) -> TyperInfo:
    found = copy.copy(info)
    found.typer_instance = app
    return found


def _inner(info: TyperInfo) -> typer.Typer:
    assert info.typer_instance is not None
    return info.typer_instance


def _name(info: CommandInfo) -> str:
    assert info.callback is not None
    return info.name or get_command_name(info.callback.__name__)
