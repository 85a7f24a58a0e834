"""The lowest versions that pyproject.toml declares, as a constraints file for pip, on standard output.

    python .ci/lowest.py [EXTRA …] > constraints.txt

Without a name those of a viewer, whatever extras are named besides. So what is declared is what is tested, and no
file repeats a version.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

# A package's name, its extras, and the bound that begins its versions.
LOWER = re.compile(r"(?P<name>[\w.-]+)(\[[\w,.-]+\])?\s*(>=|==)\s*(?P<version>[\w.]+)")


def lowest(requirements: list[str]) -> list[str]:
    """`name==version` for each requirement; ValueError for one that declares no lowest version."""
    found = []
    for requirement in requirements:
        match = LOWER.match(requirement)
        if match is None:
            raise ValueError(f"{requirement!r} declares no lowest version")
        found.append(f"{match['name']}=={match['version']}")
    return found


def main() -> int:
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = list(project["dependencies"])
    for extra in sys.argv[1:]:
        asked += project["optional-dependencies"][extra]
    print("\n".join(lowest(asked)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
