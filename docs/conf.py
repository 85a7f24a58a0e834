"""The documents as a site: `make docs`. Its source folder is the repository, so that links are those of its own pages.

Reference pages hold only their introduction; what follows is made of the code here, when they are read.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import from_code

project = "condense-tui"
extensions = ["myst_parser"]
html_theme = "furo"
html_title = project
html_extra_path = ["site"]
html_show_copyright = False
root_doc = "docs/index"
include_patterns = ["docs/*.md", "examples/README.md", "README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
# not looked into
exclude_patterns = [".*", "benchmarks", "build", "core", "dist", "presets", "report", "tests", "tui"]
myst_heading_anchors = 4
# terminals' output and notes on tables are no programs
highlight_language = "none"


def _follow(_app: Any, page: str, source: list[str]) -> None:
    if make := from_code.PAGES.get(page.removeprefix("docs/")):
        source[0] += f"\n{make()}"


def setup(app: Any) -> None:
    # no file says when the code has changed: `make docs` reads all anew (--fresh-env)
    app.connect("source-read", _follow)
