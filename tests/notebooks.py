"""`python -m tests.notebooks FILE`: the code of a notebook, cell by cell as Jupyter runs it, with what each ends in."""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path
from typing import Any


def run(file: Path) -> None:
    """Run the cells in one namespace, each value at the end of one by the text that it has."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for number, cell in enumerate(json.loads(file.read_text(encoding="utf-8"))["cells"]):
        if cell["cell_type"] != "code":
            continue
        tree = ast.parse("".join(cell["source"]))
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, f"{file.name}[{number}]", "exec"), namespace)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), f"{file.name}[{number}]", "eval"), namespace)
            sys.stdout.write(f"[{number}] {value!r}\n")
            if hasattr(value, "_repr_html_"):
                sys.stdout.write(f"[{number}] {value._repr_html_()}\n")


if __name__ == "__main__":
    run(Path(sys.argv[1]))
