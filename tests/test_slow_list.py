"""The lists of slow tests name tests that are there, and leave quick ones in every part of the suite."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SLOW, SAMPLED = ((HERE / name).read_text(encoding="utf-8").split() for name in ("slow.txt", "sampled.txt"))


@cache
def names_in(file: Path) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return {function.name for function in functions if function.name.startswith("test_")}


@pytest.mark.parametrize("names", [SLOW, SAMPLED], ids=["slow", "sampled"])
def test_every_slow_test_is_there_and_named_once(names: list[str]) -> None:
    assert len(set(names)) == len(names)
    gone = [name for name in names if name.partition("::")[2] not in names_in(HERE.parent / name.partition("::")[0])]
    assert gone == []


def test_quick_tests_are_left_in_every_folder_but_those_that_drive_whole_programs() -> None:
    slow = {name.partition("::")[::2] for name in SLOW}
    for folder in {file.parent for file in HERE.rglob("test_*.py")} - {HERE / "e2e"}:
        files = folder.glob("test_*.py")
        assert any((str(file.relative_to(HERE.parent)), name) not in slow for file in files for name in names_in(file))
