"""Hundreds of small runs in one folder, of two presets, with settings, seeds, statuses and ages of their own."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

from recording import Recording

from condense_core.runfile.schema import FILE_NAME, writer
from condense_core.runs.about_run import AboutRun, write_about
from condense_core.scenario import toml
from condense_presets import preset_text

STATUSES = ("done", "done", "done", "stopped", "failed", "diverged")
RATES = ("1e-2", "1e-3", "1e-4")


def make_many(runs: Path, count: int, *, sweep: int = 0) -> list[Path]:
    """`count` ended runs, the newest last; the first `sweep` of them are the cells of a sweep."""
    original = Recording(runs.parent / "original", frames=3, kernels=(8,), lines=(2,))
    original.write()
    original.finish()
    original.close()
    texts = {
        (preset, rate): toml.dumps(
            toml.build(toml.override(toml.parse(preset_text(preset)), [f"optimizer.lr={rate}"], "test"))
        )
        for preset in ("digits-gd", "digits-ce")
        for rate in RATES
    }
    runs.mkdir()
    folders = []
    for number in range(count):
        preset, rate = ("digits-gd", "digits-ce")[number % 2], RATES[number % 3]
        created = time.time() - 60 * (count - number) - 3_600
        name = f"{time.strftime('%y%m%d-%H%M%S', time.localtime(created))}-{preset}-{number:04x}"
        folder = runs / name
        folder.mkdir(mode=0o700)
        shutil.copy(original.folder / FILE_NAME, folder / FILE_NAME)
        values = {
            "id": name,
            "name": preset,
            "preset": preset,
            "experiment": f"seed = {number}\n{texts[preset, rate]}",
            "seed": number,
            "status": STATUSES[number % len(STATUSES)],
            "created": created,
            "heartbeat": created,
        }
        with writer(folder / FILE_NAME) as connection:
            names = ", ".join(f"{column} = ?" for column in values)
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute(f"UPDATE run SET {names}", tuple(values.values()))
        if number < sweep:
            write_about(folder, AboutRun(sweep="digits over lr"))
        for place in (folder / FILE_NAME, folder):
            os.utime(place, (created, created))
        folders.append(folder)
    return folders
