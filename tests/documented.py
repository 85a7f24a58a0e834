"""Commands as documents give them."""

from __future__ import annotations

import itertools
import re
import shlex
from pathlib import Path

TOP = Path(__file__).parents[1]
DOCUMENTS = [TOP / "README.md", TOP / "CONTRIBUTING.md", TOP / "CHANGELOG.md", *sorted((TOP / "docs").glob("*.md"))]


def commands_in(document: Path) -> list[list[str]]:
    """The words of each command of ours that is given to be typed, as far as the shell hands it on."""
    text = document.read_text(encoding="utf-8")
    # a command may go on in the next line
    blocks = "".join(re.findall(r"^```.*?^```", text, re.MULTILINE | re.DOTALL)).replace("\\\n", " ")
    lines = re.findall(r"^(?:\$ )?condense-tui .+$", blocks, re.MULTILINE)
    split = [shlex.split(line.removeprefix("$ "), comments=True) for line in lines]
    return [list(itertools.takewhile(lambda word: word not in {"|", ">", "<"}, words))[1:] for words in split]
