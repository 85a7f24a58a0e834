"""Make the README's animated picture: the recording of a preset that ships, drawn by the program at some of its steps.

    python docs/make_animation.py

Needs the extra `png` and pillow. The same recording and versions give the same file.
"""

from __future__ import annotations

import io
import os
import tempfile
from pathlib import Path

from PIL import Image

from condense_core.runfile.reader import RunReader
from condense_presets import recordings
from condense_tui.app.screenshot import draw_screen
from condense_tui.export.make import export
from condense_tui.export.wish import Wish

OUT = Path(__file__).parent / "run.gif"
PRESET, SIZE, FRAMES = "digits-gd", (100, 30), 24
WIDTH, COLOURS = 1000, 128
FRAME_MS, LAST_MS = 250, 2500


def steps_shown(steps: list[int], most: int) -> list[int]:
    """`most` of the steps, evenly over those that were recorded, the first and the last among them."""
    if len(steps) <= most:
        return steps
    return [steps[round(at * (len(steps) - 1) / (most - 1))] for at in range(most)]


def picture(recording: Path, step: int, folder: Path) -> Image.Image:
    """The run's screen at a step."""
    file = folder / f"{step}.png"
    export(recording, Wish("png", size=SIZE, at=step), file, screen=draw_screen, force=True)
    image = Image.open(io.BytesIO(file.read_bytes())).convert("RGB")
    return image.resize((WIDTH, round(image.height * WIDTH / image.width)), Image.Resampling.LANCZOS)


def animated(images: list[Image.Image]) -> bytes:
    """A GIF without end whose last picture stays for a while; all have the same colours, so nothing flickers."""
    width, height = images[0].size
    together = Image.new("RGB", (width, height * len(images)))
    for at, image in enumerate(images):
        together.paste(image, (0, at * height))
    palette = together.quantize(COLOURS, dither=Image.Dither.NONE)
    first, *others = [image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images]
    data = io.BytesIO()
    times = [FRAME_MS] * len(others) + [LAST_MS]
    first.save(data, "GIF", save_all=True, append_images=others, duration=times, loop=0, optimize=True)
    return data.getvalue()


def main() -> None:
    os.environ |= {"COLORTERM": "truecolor", "TERM": "xterm-256color"}
    os.environ.pop("NO_COLOR", None)
    recording = recordings()[PRESET]
    with RunReader(recording) as run:
        steps = [int(step) for step in run.instants]
    with tempfile.TemporaryDirectory() as folder:
        images = [picture(recording, step, Path(folder)) for step in steps_shown(steps, FRAMES)]
    OUT.write_bytes(animated(images))


if __name__ == "__main__":
    main()
