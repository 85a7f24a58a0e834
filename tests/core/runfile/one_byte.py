"""One damaged byte among the frames or the scalars of a run file, and whether what is read is what was written."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, Literal

import numpy as np
from damage import PAGE, any_byte, bytes_changed

from condense_core.errors import RunFileError
from condense_core.runfile.damage import Damage
from condense_core.runfile.reader import RunReader
from condense_core.runfile.schema import FILE_NAME

Part = Literal["frames", "scalars"]
Outcome = Literal["same", "said", "missing", "wrong"]
"""`said`: refused, or left out with a word; `missing`: left out without; `wrong`: something that was never recorded."""

TABLES: dict[Part, tuple[str, ...]] = {
    "frames": ("frame", "frame_place", "place"),
    "scalars": ("scalar", "scalar_layout", "layout"),
}
KINDS = ("similarity", "condensation", "spectrum", "alignment")


class OneByte:
    """A run file, closed, of which one byte at a time is damaged."""

    def __init__(self, folder: Path, part: Part) -> None:
        self._folder, self._part = folder, part
        self._content = (folder / FILE_NAME).read_bytes()
        self._bytes = [at for table in TABLES[part] for at in self._used(table)]
        with RunReader(folder) as run:
            self._names, self._layers = run.curve_names, run.layers
            self._steps = run.instants.tolist()
        self._written = dict(self._read())
        assert self.outcome() == "same"

    def damaged(self, draw: Random) -> Outcome:
        """What becomes of any of the bytes that hold something."""
        at = draw.choice(self._bytes)
        with bytes_changed(self._folder / FILE_NAME, {at: any_byte(draw, self._content[at])}):
            return self.outcome()

    def outcome(self) -> Outcome:
        """What is read of the file as it is now."""
        damage = Damage(left_out=True)
        found: dict[tuple[str, ...], dict[int, Any]] = {}
        refused = False
        try:
            # as far as it comes
            found.update(self._read(damage))
        except RunFileError:
            refused = True
        for name, values in found.items():
            for step, value in values.items():
                if step not in self._written[name] or self._written[name][step] != value:
                    return "wrong"
        if refused or damage.text:
            return "said"
        return "same" if found == self._written else "missing"

    def _read(self, damage: Damage | None = None) -> Iterator[tuple[tuple[str, ...], dict[int, Any]]]:
        """What a viewer shows, by its name and the step that it says."""
        with RunReader(self._folder, damage=damage) as run:
            if self._part == "scalars":
                yield ("names",), dict.fromkeys(map(hash, run.curve_names))
                for name in self._names:
                    steps, values = run.curve(name)
                    yield (name,), {int(step): value.tobytes() for step, value in zip(steps, values, strict=True)}
                return
            for layer in self._layers:
                for kind in KINDS:
                    found = {}
                    for step in self._steps:
                        frame: Any = (
                            run.similarity(layer, step) if kind == "similarity" else run.frame(kind, layer, step)
                        )
                        at = run.step_of(kind, layer, step)
                        if frame is not None and at is not None:
                            found[at] = frame.tobytes() if isinstance(frame, np.ndarray) else frame
                    yield (kind, layer), found

    def _used(self, table: str) -> list[int]:
        """Bytes that are not zero of the pages of a table or an index."""
        with contextlib.closing(sqlite3.connect(self._folder / FILE_NAME)) as connection:
            (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
        pages = list(self._pages(root))
        return [at for page in pages for at in range((page - 1) * PAGE, page * PAGE) if self._content[at]]

    def _pages(self, page: int) -> Iterator[int]:
        """Pages of a B-tree without overflow; the format is SQLite's."""
        yield page
        at = (page - 1) * PAGE
        if self._content[at] not in (2, 5):
            return
        for cell in range(self._number(at + 3, 2)):
            yield from self._pages(self._number(at + self._number(at + 12 + 2 * cell, 2), 4))
        yield from self._pages(self._number(at + 8, 4))

    def _number(self, at: int, size: int) -> int:
        return int.from_bytes(self._content[at : at + size], "big")
