"""One name, one thing: no class and no public alias of a type has its name from another one."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
# The same thing in two places that may not import each other: a function of a tensor, in measures and in the engine.
# `Watch` is the callback for two frameworks, each of which is imported alone.
SAME = {"Activation", "Watch"}


def statements(tree: ast.Module) -> Iterator[ast.stmt]:
    """Those of a module, and those that only type checkers read."""
    for statement in tree.body:
        yield statement
        if isinstance(statement, ast.If):
            yield from statement.body


def named(statement: ast.stmt) -> str | None:
    """The class or the alias of a type that a statement defines; type variables, which mean nothing elsewhere, not."""
    if isinstance(statement, ast.ClassDef):
        return statement.name
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        name, value = statement.targets[0].id, statement.value
        variable = isinstance(value, ast.Call) and ast.unparse(value.func) == "TypeVar"
        return None if name.isupper() or not name[0].isupper() or variable else name
    return None


def test_no_two_classes_have_one_name() -> None:
    places = defaultdict(list)
    for folder in ("core", "presets", "tui"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            for statement in statements(ast.parse(file.read_text(encoding="utf-8"))):
                name = named(statement)
                if name is not None and name not in SAME:
                    places[name].append(f"{file.relative_to(ROOT)}:{statement.lineno}")
    assert len(places) > 300, "the classes are found"
    assert {name: found for name, found in places.items() if len(found) > 1} == {}
