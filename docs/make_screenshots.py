"""Make the README's pictures: real runs, recorded now, drawn by the program itself.

    python docs/make_screenshots.py [NAME …]

Needs the extra `engine`. Those of runs are what `condense-tui export RUN --to svg --size … --at …` writes; those of the
home and the compare screen are taken by keys.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from condense_core.runs.place import find_run
from condense_tui.app.app import CondenseApp
from condense_tui.app.screenshot import draw_screen
from condense_tui.export.fonts import with_plain_fonts
from condense_tui.export.make import export
from condense_tui.export.wish import Wish

HERE = Path(__file__).parent
# name of the picture: preset, its settings, columns and rows, the step that is shown (none: the end)
PICTURES: dict[str, tuple[str, list[str], tuple[int, int], int | None]] = {
    "run-digits": ("digits-gd", ["optimizer.lr_lambda1=0.01", "steps=1000"], (120, 40), 426),
    "run-three-lines": ("fcn-fig03-x2tanh-demo", [], (120, 40), None),
    "run-one-input": ("fcn-fig06-x2tanh-demo", [], (120, 40), None),
    "run-small": ("digits-deep", [], (80, 24), None),
}
# name of the picture: presets that are trained for it, and the keys pressed at home before it is taken
AT_HOME: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "home": (("digits-gd", "digits-deep", "fcn-fig03-x2tanh-demo"), ()),
    "compare": ((), ("slash", *"fig03 tanh demo", "enter", *"mmm", "c", "1", "escape")),
}
SETTLE_S = 1.5


def train(preset: str, runs: str, settings: list[str]) -> None:
    """A run of a preset with every frame there is, however long measuring takes."""
    options = [part for setting in ("record.grace_seconds=1000", *settings) for part in ("--set", setting)]
    command = [sys.executable, "-m", "condense_tui", "run", preset, "--headless", "--runs-dir", runs, *options]
    subprocess.run(command, check=True)


async def at_home(runs: Path, keys: tuple[str, ...]) -> str:
    """The app's screenshot, SVG, after some keys pressed at home."""
    # what the picture shows as the place of the runs is not this machine's business
    os.environ["HOME"] = str(runs.parent)
    app = CondenseApp(runs=runs)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause(2 * SETTLE_S)
        for key in keys:
            await pilot.press(key)
            await pilot.pause(0.3)
        await pilot.pause(SETTLE_S)
        return with_plain_fonts(app.export_screenshot())


def main() -> None:
    os.environ |= {"COLORTERM": "truecolor", "TERM": "xterm-256color"}
    os.environ.pop("NO_COLOR", None)
    names = sys.argv[1:] or [*PICTURES, *AT_HOME]
    for name in (name for name in names if name in AT_HOME):
        presets, keys = AT_HOME[name]
        with tempfile.TemporaryDirectory() as folder:
            runs = Path(folder, "runs")
            for preset in presets:
                train(preset, str(runs), [])
            svg = asyncio.run(at_home(runs, keys))
        (HERE / f"{name}.svg").write_text(svg, encoding="utf-8")
    for name in (name for name in names if name in PICTURES):
        preset, settings, size, at = PICTURES[name]
        with tempfile.TemporaryDirectory() as runs:
            train(preset, runs, settings)
            export(
                find_run(Path(runs), None),
                Wish("svg", size=size, at=at),
                HERE / f"{name}.svg",
                screen=draw_screen,
                force=True,
            )


if __name__ == "__main__":
    main()
