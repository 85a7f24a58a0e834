"""Names that Textual, rich and plotext keep for themselves stand in one module of ours and one of tests."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import textwrap
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import condense_tui

ROOT = Path(__file__).parents[2]
INTERNALS = {ROOT / "tui/condense_tui/terminal/textual_internals.py", ROOT / "tests/tui/pilot_internals.py"}
OF_INTERNALS = "condense_tui.terminal.textual_internals"
FOLDERS = ("core", "presets", "tui", "tests/tui", "tests/e2e", "benchmarks", "docs")
THEIRS = {"textual", "rich", "plotext"}
# Promised for all their underscore: what a NamedTuple has, and the one way out of a forked child. The store of the
# processes of PyTorch has no other name; without it a watched network that is spread over them says so, and trains on.
PROMISED = {"_asdict", "_exit", "_fields", "_make", "_replace", "_get_default_store"}


@cache
def sources() -> dict[Path, ast.Module]:
    """Every file of ours but those two."""
    files = (file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py") if file not in INTERNALS)
    return {file: ast.parse(file.read_text(encoding="utf-8")) for file in files}


def private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__")


def bound(node: ast.AST) -> Iterator[str]:
    """The name that a piece of source gives to a function, a class, a variable or an attribute."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
        yield node.attr
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id


def private_imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            paths = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            paths = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for path in paths:
            library, *rest = path.split(".")
            if library in THEIRS and any(map(private, rest)):
                yield path


def foreign_attributes(tree: ast.Module, ours: set[str]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and private(node.attr) and node.attr not in ours | PROMISED:
            yield f"{ast.unparse(node)}, line {node.lineno}"


@cache
def kept_by(base: type) -> frozenset[str]:
    """Private names that a class of theirs has, its instances' included."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(base)))
    except (OSError, TypeError):
        return frozenset()
    return frozenset(filter(private, members(tree)))


def members(tree: ast.Module) -> Iterator[str]:
    """What a class gives a name to, itself or on its instances; not the variables of its methods."""
    (kind,) = tree.body
    assert isinstance(kind, ast.ClassDef)
    within = [node for statement in kind.body for node in ast.walk(statement) if isinstance(node, ast.Attribute)]
    own = [node for statement in kind.body for node in (statement, *getattr(statement, "targets", ()))]
    own += [statement.target for statement in kind.body if isinstance(statement, ast.AnnAssign)]
    yield from (name for node in (*own, *within) for name in bound(node))


def taken(kind: type) -> frozenset[str]:
    """Private names of the libraries' classes that a class of ours which extends them uses, or gives a new meaning."""
    bases = [base for base in kind.__mro__ if base.__module__.partition(".")[0] in THEIRS]
    kept = frozenset[str]().union(*map(kept_by, bases))
    tree = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    named = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return kept & (named | set(members(tree)))


def classes() -> Iterator[type]:
    for module in pkgutil.walk_packages(condense_tui.__path__, "condense_tui."):
        if module.name.endswith("__main__") or module.name == OF_INTERNALS:
            continue
        for kind in vars(importlib.import_module(module.name)).values():
            if inspect.isclass(kind) and kind.__module__ == module.name:
                yield kind


def test_nothing_else_imports_a_private_name_of_the_libraries() -> None:
    found = {str(file.relative_to(ROOT)): list(private_imports(tree)) for file, tree in sources().items()}
    assert {file: names for file, names in found.items() if names} == {}


def test_nothing_else_reads_a_private_attribute_of_an_object_of_theirs() -> None:
    """What no line of ours has given a name is somebody else's."""
    ours = {name for tree in sources().values() for node in ast.walk(tree) for name in bound(node)}
    found = {str(file.relative_to(ROOT)): list(foreign_attributes(tree, ours)) for file, tree in sources().items()}
    assert {file: names for file, names in found.items() if names} == {}


def test_no_class_of_ours_takes_a_private_name_of_a_class_that_it_extends() -> None:
    """Neither to use it, nor by chance for something of its own."""
    found = {f"{kind.__module__}.{kind.__name__}": taken(kind) for kind in classes()}
    assert len(found) > 100, "the classes of the viewer are looked at"
    assert {name: names for name, names in found.items() if names} == {}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("from textual._context import visible_screen_stack", ["textual._context.visible_screen_stack"]),
        ("def f():\n    import plotext._figure", ["plotext._figure"]),
        ("from rich.console import _is_jupyter", ["rich.console._is_jupyter"]),
        ("from textual import __version__\nfrom .rich import _mine\nimport _thread", []),
    ],
)
def test_an_import_of_a_private_name_is_seen(text: str, found: list[str]) -> None:
    assert list(private_imports(ast.parse(text))) == found


def test_a_foreign_attribute_is_seen() -> None:
    tree = ast.parse("screen._compositor.render_strips(self._ours, row._replace(), module.__name__)")
    assert list(foreign_attributes(tree, {"_ours"})) == ["screen._compositor, line 1"]


def test_a_taken_name_is_seen() -> None:
    from condense_tui.terminal.textual_internals import LazyStrip, TappedApp

    assert taken(TappedApp) >= {"_display", "_driver", "_batch_count"}
    assert taken(LazyStrip) == {"_segments"}
