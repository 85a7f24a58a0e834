"""What a disk may hold after a loss of power: all that was synced, and any part of what was not.

Rebuilt from the changes that the shim wrote down. More is lost here than on a common file system: writes that were not
synced are kept or lost one by one, in any order, and some only in part, by sectors; changes of names that were not
synced are kept up to any one of them. A file's sync also keeps its name, as on ext4, XFS and Btrfs.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from shim import Change

SECTOR = 512


@dataclass
class _File:
    synced: bytearray = field(default_factory=bytearray)
    waiting: list[Change] = field(default_factory=list)


@dataclass
class _Naming:
    """A change of names: what they were is what the ones before left."""

    change: Change
    file: _File | None
    kept: bool = False


class Medium:
    """A folder's files, change by change."""

    def __init__(self, before: dict[str, bytes]) -> None:
        self._first = {path: _File(bytearray(content)) for path, content in before.items()}
        self._names: dict[str, _File] = dict(self._first)
        self._namings: list[_Naming] = []

    def play(self, change: Change) -> None:
        names, path = self._names, change.path
        if change.kind in "WT":
            self._file(path).waiting.append(change)
        elif change.kind == "S" and (path in names or change.at >= 0):
            self._sync(self._file(path), change)
        elif change.kind == "S":
            # a folder: its names are kept
            for naming in self._namings:
                naming.kept |= os.path.dirname(naming.change.other or naming.change.path) == path  # noqa: PTH120
        elif change.kind == "O":
            if path in names:
                names[path].waiting.append(change._replace(kind="T", at=0))
            else:
                self._file(path)
        elif change.kind == "R":
            file = names[change.other] = names.pop(path, _File())
            self._namings.append(_Naming(change, file))
        elif change.kind == "U":
            self._namings.append(_Naming(change, names.pop(path, None)))

    def _file(self, path: str) -> _File:
        if path not in self._names:
            self._names[path] = _File()
            self._namings.append(_Naming(Change("O", path, "", 0, b""), self._names[path]))
        return self._names[path]

    def _sync(self, file: _File, change: Change) -> None:
        if change.at >= 0:
            file.synced = bytearray(change.data)
        else:
            for waiting in file.waiting:
                _make(file.synced, waiting, None)
        file.waiting.clear()
        for naming in self._namings:
            naming.kept |= naming.file is file and naming.change.kind in "OR"

    def after_a_loss(self, draw: Random) -> dict[str, bytes]:
        """What is there when power comes back."""
        upto = draw.randrange(len(self._namings) + 1) if draw.random() < 0.7 else 0
        names = dict(self._first)
        for number, naming in enumerate(self._namings):
            if not naming.kept and number >= upto:
                continue
            change = naming.change
            if change.kind in "UR":
                names.pop(change.path, None)
            if change.kind in "OR" and naming.file is not None:
                names[change.other or change.path] = naming.file
        return {path: _left(file, draw) for path, file in names.items()}


def _left(file: _File, draw: Random) -> bytes:
    content = bytearray(file.synced)
    share = draw.choice((0.0, 0.0, 0.5, 0.9, 1.0))
    for change in file.waiting:
        if draw.random() < share:
            _make(content, change, draw if draw.random() < 0.1 else None)
    return bytes(content)


def _make(content: bytearray, change: Change, torn: Random | None) -> None:
    end = change.at + (len(change.data) if change.kind == "W" else 0)
    if len(content) < end:
        content.extend(bytes(end - len(content)))
    if change.kind == "T":
        del content[change.at :]
        return
    for at in range(0, len(change.data), SECTOR):
        if torn is None or torn.random() < 0.5:
            part = change.data[at : at + SECTOR]
            content[change.at + at : change.at + at + len(part)] = part


def lay_out(content: dict[str, bytes], before: Path, folder: Path) -> None:
    """Write the files of `before`, as `after_a_loss` gives them, into another folder."""
    for path, data in content.items():
        file = folder / os.path.relpath(path, before)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)


def crash_points(changes: Sequence[Change]) -> list[int]:
    """Numbers of changes just before and after which much is at stake: syncs and renames."""
    return [number for number, change in enumerate(changes) if change.kind in "SRU"]
