"""Make the README's pictures: real runs, recorded now, drawn by the program itself.

    python docs/make_screenshots.py [NAME …]

Needs the extra `engine`. Each is what `condense-tui export RUN --to svg --size … --at …` writes.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from condense_core.runs.place import find_run
from condense_tui.export.make import export
from condense_tui.export.wish import Wish

HERE = Path(__file__).parent
# name of the picture: preset, its settings, columns and rows, the step that is shown (none: the end)
PICTURES: dict[str, tuple[str, list[str], tuple[int, int], int | None]] = {
    "run-digits": ("digits-gd", ["optimizer.lr_lambda1=0.01", "steps=1000"], (120, 40), 426),
    "run-three-lines": ("fcn-fig03-x2tanh", [], (120, 40), None),
    "run-one-input": ("fcn-fig06-x2tanh", [], (120, 40), None),
    "run-small": ("digits-deep", [], (80, 24), None),
}


def main() -> None:
    for name in sys.argv[1:] or PICTURES:
        preset, settings, size, at = PICTURES[name]
        with tempfile.TemporaryDirectory() as runs:
            # every frame there is, however long measuring takes
            options = [part for setting in ("record.grace_seconds=1000", *settings) for part in ("--set", setting)]
            command = [sys.executable, "-m", "condense_tui", "run", preset, "--headless", "--runs-dir", runs, *options]
            subprocess.run(command, check=True)
            export(find_run(Path(runs), None), Wish("svg", size=size, at=at), HERE / f"{name}.svg", force=True)


if __name__ == "__main__":
    main()
