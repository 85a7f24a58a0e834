"""Thousands of runs that were not read before, read by a process on each core: Python reads one at a time, whatever
threads there are.

`python -m condense_core.runs.ahead RUNS BASE WHAT SIZE` reads the runs that are named on standard input, and answers
with what can be kept of them, some hundred at a time. Whoever asked finds it in the caches, under the same rule as what
was read long ago; a run that is not there, as one that trains or is damaged, is read where it is asked for.

Standard input is one open file for all of these processes, with some names in every SIZE bytes: each takes the next
ones when it has read its own, and so they end together.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib
import os
import struct
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING

import msgspec

from condense_core import typed
from condense_core.machine import usable_cores
from condense_core.runs.fork import Fork, may_fork
from condense_core.runs.judged import ClaimOfRun
from condense_core.runs.kept import WORTH_PROCESSES, Signature
from condense_core.runs.label import PresetBase
from condense_core.runs.read_run import KeptGlance, Lasting, read_in_steps
from condense_core.runs.side_by_side import Steps, alone, side_by_side

if TYPE_CHECKING:
    import subprocess

# Runs lie on one disk.
MOST_PROCESSES = 8
# Files that a process has open: with more it has to fetch again what it had at hand.
AT_A_TIME = 16
# Runs in an answer, about half of what the pipe holds in bytes.
ANSWER, PIPE = 200, 1024 * 1024
_LENGTH = struct.Struct("<Q")
_CLAIMS = "claims"


class _Read(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What can be kept of the run of that name."""

    name: str
    before: Signature
    after: Signature
    glance: KeptGlance
    claim: ClaimOfRun | None


class _Answers:
    """What a process has written so far: lists of runs, each behind its length in bytes."""

    def __init__(self) -> None:
        self._data = bytearray()

    def behind(self, data: bytes) -> Iterator[_Read]:
        """The runs that are whole with these further bytes."""
        self._data += data
        while len(self._data) >= _LENGTH.size:
            end = _LENGTH.size + _LENGTH.unpack_from(self._data)[0]
            if len(self._data) < end:
                return
            yield from typed.from_msgpack(bytes(self._data[_LENGTH.size : end]), list[_Read])
            del self._data[:end]


class Ahead:
    """Processes that read runs, where there are enough of these and cores for it. Use it as a context: leaving it ends
    them."""

    def __init__(
        self, runs: Path, names: Sequence[str], base: PresetBase, *, claims: bool, forks: bool = False
    ) -> None:
        """`names` are those of folders in `runs`; with `claims`, how their claims stand is read as well. `forks` where
        this process may be forked, as fork.py says."""
        # the processes themselves import this file, and have no use for this
        import tempfile

        self._processes: list[Fork | subprocess.Popen[bytes]] = []
        count = min(usable_cores(), MOST_PROCESSES, 2 * len(names) // WORTH_PROCESSES)
        where = f"{base.__module__}:{base.__qualname__}"
        if count < 2 or not where.replace(":", ".").replace(".", "").isidentifier():
            return
        pieces = ["\n".join(names[begin : begin + AT_A_TIME]).encode() for begin in range(0, len(names), AT_A_TIME)]
        size = max(map(len, pieces))
        forked = forks and may_fork()
        if forked:
            # imports what all of them need
            alone(_reading(runs / names[0], base, claims=claims))
        with tempfile.TemporaryFile() as asked:
            asked.write(b"".join(piece.ljust(size, b"\n") for piece in pieces))
            asked.seek(0)
            work = functools.partial(_serve, runs, base, claims=claims, size=size)
            words = [str(runs), where, _CLAIMS if claims else "", str(size)]
            try:
                while len(self._processes) < count:
                    self._processes.append(Fork(work, asked, PIPE, self._pipes()) if forked else _started(words, asked))
            except OSError:
                # there can be no more processes: those that there are read all, or this one does
                pass
            except BaseException:
                self._end()
                raise

    def found(self) -> Iterator[tuple[str, Lasting]]:
        """What can be kept of the runs that they read, by their names, as they answer; waits until all are done. What a
        process that fails has not answered it has not read."""
        import selectors

        with selectors.DefaultSelector() as answering:
            for pipe in self._pipes():
                answering.register(pipe, selectors.EVENT_READ, _Answers())
            while answering.get_map():
                for key, _ in answering.select():
                    data = os.read(key.fd, PIPE)
                    if not data:
                        answering.unregister(key.fileobj)
                    with contextlib.suppress(msgspec.DecodeError):
                        for each in key.data.behind(data):
                            yield each.name, Lasting(each.before, each.after, each.glance, each.claim)

    def __enter__(self) -> Ahead:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end()

    def _pipes(self) -> list[int]:
        """Of all that there are, what they answer through."""
        return [process.stdout.fileno() for process in self._processes if process.stdout is not None]

    def _end(self) -> None:
        for process in self._processes:
            process.kill()
            assert process.stdout is not None
            process.stdout.close()
            process.wait()
        self._processes = []


def _started(words: list[str], asked: IO[bytes]) -> subprocess.Popen[bytes]:
    import subprocess

    return subprocess.Popen(
        [sys.executable, "-P", "-m", __name__, *words],
        stdin=asked,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        pipesize=PIPE,
    )


def main() -> int:
    runs, where, what, size = sys.argv[1:]
    module, _, name = where.partition(":")
    _serve(Path(runs), getattr(importlib.import_module(module), name), claims=what == _CLAIMS, size=int(size))
    return 0


def _serve(runs: Path, base: PresetBase, *, claims: bool, size: int) -> None:
    """Read the runs that are named on standard input, and write what can be kept of them to standard output."""
    # looking for cycles among thousands of things that are all kept finds none
    gc.disable()
    found: list[_Read] = []
    # not Python's own, which in a fork have what the other process has read and not written yet; and closed at once,
    # while the end of a process that was started takes Python hundredths of a second
    with contextlib.suppress(BrokenPipeError), open(1, "wb") as answers:
        while asked := os.read(0, size):
            names = asked.decode().rstrip("\n").split("\n")
            lasting = side_by_side(_reading(runs / name, base, claims=claims) for name in names)
            found += [_answer(name, each) for name, each in zip(names, lasting, strict=True) if each is not None]
            if len(found) >= ANSWER:
                # whoever asked takes it apart meanwhile
                _write(answers, found)
                found = []
        if found:
            _write(answers, found)


def _write(answers: IO[bytes], found: list[_Read]) -> None:
    data = msgspec.msgpack.encode(found)
    answers.write(_LENGTH.pack(len(data)) + data)
    answers.flush()


def _reading(folder: Path, base: PresetBase, *, claims: bool) -> Steps[Lasting | None]:
    try:
        return (yield from read_in_steps(folder, base, claims=claims))
    except OSError:
        # whoever asked for it says why
        return None


def _answer(name: str, found: Lasting) -> _Read:
    return _Read(name, *found)


if __name__ == "__main__":
    sys.exit(main())
