"""Make the README's pictures: real runs, recorded now, drawn by the program itself.

    python docs/make_screenshots.py

Needs the extra `engine`. The app runs at the size of a real terminal and takes its own screenshot. Fonts are those of
the reader's machine, none is asked for from the net.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from condense_core.runs.place import find_run
from condense_tui.app import CondenseApp

HERE = Path(__file__).parent
# name of the picture: preset, its settings, columns and rows, keys pressed before it is taken
PICTURES = {
    "run-digits": (
        "digits-gd",
        ["optimizer.lr_lambda1=0.01", "steps=1000"],
        (120, 40),
        ["home", *["shift+right"] * 17],
    ),
    "run-three-lines": ("fcn-fig03-x2tanh", [], (120, 40), ["end"]),
    "run-small": ("digits-deep", [], (80, 24), ["end"]),
}


async def draw(folder: Path, size: tuple[int, int], keys: list[str]) -> str:
    """The app's own screenshot, SVG, after the keys."""
    app = CondenseApp(folder)
    async with app.run_test(size=size) as pilot:
        await pilot.pause(1.5)
        for key in keys:
            await pilot.press(key)
            await pilot.pause(0.15)
        await pilot.pause(1.0)
        return app.export_screenshot()


def main() -> None:
    os.environ |= {"COLORTERM": "truecolor", "TERM": "xterm-256color"}
    os.environ.pop("NO_COLOR", None)
    for name, (preset, settings, size, keys) in PICTURES.items():
        with tempfile.TemporaryDirectory() as runs:
            options = [part for setting in settings for part in ("--set", setting)]
            command = [sys.executable, "-m", "condense_tui", "run", preset, "--headless", "--runs-dir", runs, *options]
            subprocess.run(command, check=True)
            svg = asyncio.run(draw(find_run(Path(runs), None), size, keys))
        svg = re.sub(r"@font-face\s*{[^}]*}", "", svg)
        svg = re.sub(r"font-family:[^;]*;", "font-family: ui-monospace, Menlo, DejaVu Sans Mono, monospace;", svg)
        (HERE / f"{name}.svg").write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
