"""What was read of ended runs, kept on disk from one program to the next: a cache beside thousands of runs.

An entry is believed while the run's folder, file and log have the sizes and times that they had when it was read. A
run that is trained, or whose worker may have died, is never kept, nor is one that was written within the last seconds,
whose times may not change with the next write. The cache is replaced whole: it is there or it is not, however a
program ends; of two that write it the later one wins, and what is not in it is read once more. It can be removed at any
time.
"""

from __future__ import annotations

import contextlib
import functools
import operator
import os
import stat
import time
from collections.abc import Container
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec
import zstandard

from condense_core import typed
from condense_core.foreign import PASSING
from condense_core.runfile.info import RunInfo
from condense_core.runfile.schema import FILE_NAME

FOLDER = ".index"
# Fewer runs are read as fast as the cache.
WORTH_KEEPING = 200
# Fewer that were never read are read in the time that more processes for it take to start.
WORTH_PROCESSES = 500
# So many entries that are not on the disk are worth writing all of them, which takes some hundredths of a second.
WORTH_WRITING = 50
# Before that, what was written may be written again without that its time shows it: on some file systems a second.
SETTLED_S = 3.0
# Of a hundred thousand runs.
LARGEST = 256 * 1024 * 1024

# of a run's row, as fast as thousands of them want it
_TEXTS = operator.attrgetter("id", "name", "preset", "revision", "device", "host", "reason")

Signature = tuple[int, int, int, int, int]
T = TypeVar("T")


def signature(folder: str, before: Signature | None = None) -> Signature:
    """Times and sizes of a run's file and log, zeros where there is none, and the time of its folder, in ns and bytes.

    Where there was no log `before`, long ago, none is looked for while the folder has the time that it had: a file that
    comes changes it. OSError other than that there is none, where they cannot be looked at.
    """
    file = f"{folder}/{FILE_NAME}"
    of_file = _stamp(file)
    if before is not None and not any(before[2:4]) and _stamp(folder)[0] == before[4]:
        return *of_file, 0, 0, before[4]
    return *of_file, *_stamp(f"{file}-wal"), _stamp(folder)[0]


def _stamp(place: str) -> tuple[int, int]:
    try:
        found = os.stat(place)  # noqa: PTH116 - called for thousands of runs
    except (FileNotFoundError, NotADirectoryError):
        return 0, 0
    return found.st_mtime_ns, found.st_size


def lasts(info: RunInfo) -> bool:
    """Whether what a run says stays as it is while its files do."""
    link = "offline" if info.mirror is None else info.mirror.link
    return not info.active and info.status != "lost" and link == "offline"


def clean(info: RunInfo, *texts: str) -> bool:
    """Whether texts can be shown as they are, those of a run and others: a cache is a file like any other."""
    mirror = () if info.mirror is None else (info.mirror.host, info.mirror.trouble)
    return "".join((*_TEXTS(info), *mirror, *info.versions, *info.versions.values(), *texts)).isprintable()


def _settled(found: Signature) -> bool:
    """Whether what is written next will have another time."""
    return time.time() - max(found[0], found[2], found[4]) / 1e9 > SETTLED_S


@functools.cache
def _program() -> str:
    """What changes with the program that reads runs: sizes and times of its files. What another read is not ours."""
    found = []
    for folder in ("runs", "runfile", "scenario", "measures", "."):
        for file in sorted((Path(__file__).parents[1] / folder).glob("*.py")):
            state = file.stat()
            found.append(f"{file.name} {state.st_size} {state.st_mtime_ns}")
    return "\n".join(found)


class Kept(Generic[T]):
    """What was read of runs in one folder, by their names. Use it from one thread."""

    def __init__(self, runs: Path, what: str, kind: Any) -> None:
        """`what` names the cache, `kind` is the type of what is kept, one of msgspec's."""
        self._runs, self._file = runs, runs / FOLDER / what
        self._kind = kind
        self._found: dict[str, tuple[Signature, T]] | None = None
        self._put: set[str] = set()
        self._new = 0

    def __contains__(self, name: str) -> bool:
        """Whether anything is known of the run of that name, if it is still so."""
        self._found = self._read() if self._found is None else self._found
        return name in self._found

    def get(self, name: str, now: Signature) -> T | None:
        """What is known of the run of that name, if nothing has been written since."""
        self._found = self._read() if self._found is None else self._found
        known = self._found.get(name)
        return known[1] if known is not None and known[0] == now else None

    def signature(self, name: str) -> Signature:
        """The signature of the run of that name, as it is now."""
        self._found = self._read() if self._found is None else self._found
        known = self._found.get(name)
        return signature(f"{self._runs}/{name}", None if known is None else known[0])

    def was_put(self, name: str) -> bool:
        """Whether what is known of that run was not taken from the disk, where anything may stand."""
        return name in self._put

    def put(self, name: str, before: Signature, after: Signature, value: T) -> None:
        """Keep what was read of a run between two looks at it, where nothing was written meanwhile or just before."""
        # a reader may make files of its own in the folder, and take them away
        if before[:4] == after[:4] and _settled(after):
            self._found = self._read() if self._found is None else self._found
            self._found[name] = after, value
            self._put.add(name)
            self._new += 1

    def write(self, names: Container[str], *, least: int = WORTH_WRITING) -> None:
        """Have what is known of the runs of those names on the disk, where at least so much of it is new."""
        if self._found is None or self._new < least:
            return
        import secrets

        found = {name: known for name, known in self._found.items() if name in names}
        if len(found) < WORTH_KEEPING:
            return
        data = zstandard.ZstdCompressor(level=1, write_checksum=True).compress(
            msgspec.msgpack.encode((_program(), found))
        )
        partial = self._file.with_name(f".{self._file.name}.{secrets.token_hex(4)}")
        # a folder that cannot be written, or a full disk: then it is read once more
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(mode=0o700, exist_ok=True)
            try:
                descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
                with os.fdopen(descriptor, "wb") as file:
                    file.write(data)
                os.replace(partial, self._file)  # noqa: PTH105 - replaces atomically
                self._new = 0
            finally:
                partial.unlink(missing_ok=True)
            self._clear()

    def _read(self) -> dict[str, tuple[Signature, T]]:
        """What is on the disk; nothing where that is not ours, or makes no sense."""
        try:
            descriptor = os.open(self._file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with os.fdopen(descriptor, "rb") as file:
                state = os.fstat(descriptor)
                mine = state.st_uid == os.geteuid() and not state.st_mode & 0o022
                if not (stat.S_ISREG(state.st_mode) and mine and state.st_size <= LARGEST):
                    return {}
                data = file.read(LARGEST)
            if zstandard.get_frame_parameters(data).content_size > LARGEST:
                return {}
            raw = zstandard.ZstdDecompressor().decompress(data, max_output_size=LARGEST)
            program, found = typed.from_msgpack(raw, tuple[str, msgspec.Raw])
            if program != _program():
                return {}
            kept: dict[str, tuple[Signature, T]] = typed.from_msgpack(found, dict[str, tuple[Signature, self._kind]])  # type: ignore[name-defined]
        except PASSING:
            raise
        except Exception:  # noqa: BLE001 - whatever it is, it is no cache of ours, and all is read once more
            return {}
        return kept

    def _clear(self) -> None:
        """Remove what a program that was killed left half written."""
        old = time.time() - 600
        for left in self._file.parent.glob(".*"):
            if left.stat().st_mtime < old:
                left.unlink(missing_ok=True)
