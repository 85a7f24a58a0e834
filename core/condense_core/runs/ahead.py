"""Thousands of runs that were not read before, read by a process on each core: Python reads one at a time, whatever
threads there are.

`python -m condense_core.runs.ahead RUNS BASE WHAT` reads the runs that are named on standard input, and answers with
what can be kept of them, some hundred at a time. Whoever asked finds it in the caches, under the same rule as what was
read long ago; a run that is not there, as one that trains or is damaged, is read where it is asked for.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import struct
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import msgspec

from condense_core import typed
from condense_core.machine import usable_cores
from condense_core.runs.judged import ClaimOfRun
from condense_core.runs.kept import WORTH_PROCESSES, Signature
from condense_core.runs.label import PresetBase
from condense_core.runs.read_run import KeptGlance, Lasting, read_in_steps
from condense_core.runs.side_by_side import Steps, side_by_side

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

    def __init__(self, runs: Path, names: Sequence[str], base: PresetBase, *, claims: bool) -> None:
        """`names` are those of folders in `runs`; with `claims`, how their claims stand is read as well."""
        # the processes themselves import this file, and have no use for these
        import subprocess
        import tempfile

        self._processes: list[subprocess.Popen[bytes]] = []
        count = min(usable_cores(), MOST_PROCESSES, 2 * len(names) // WORTH_PROCESSES)
        where = f"{base.__module__}:{base.__qualname__}"
        if count < 2 or not where.replace(":", ".").replace(".", "").isidentifier():
            return
        command = [sys.executable, "-P", "-m", __name__, str(runs), where, _CLAIMS if claims else ""]
        for number in range(count):
            with tempfile.TemporaryFile() as asked:
                asked.write("\n".join(names[number::count]).encode())
                asked.seek(0)
                self._processes.append(
                    subprocess.Popen(
                        command, stdin=asked, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, pipesize=PIPE
                    )
                )

    def found(self) -> Iterator[tuple[str, Lasting]]:
        """What can be kept of the runs that they read, by their names, as they answer; waits until all are done. What a
        process that fails has not answered it has not read."""
        import selectors

        with selectors.DefaultSelector() as answering:
            for process in self._processes:
                assert process.stdout is not None
                answering.register(process.stdout, selectors.EVENT_READ, _Answers())
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
        for process in self._processes:
            process.kill()
            assert process.stdout is not None
            process.stdout.close()
            process.wait()
        self._processes = []


def main() -> int:
    runs, where, what = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    module, _, name = where.partition(":")
    base: PresetBase = getattr(importlib.import_module(module), name)
    # looking for cycles among thousands of things that are all kept finds none
    gc.disable()
    names = sys.stdin.buffer.read().decode().split("\n")
    found = []
    with contextlib.suppress(BrokenPipeError):
        for begin in range(0, len(names), AT_A_TIME):
            some = names[begin : begin + AT_A_TIME]
            lasting = side_by_side(_reading(runs / name, base, claims=what == _CLAIMS) for name in some)
            found += [_answer(name, each) for name, each in zip(some, lasting, strict=True) if each is not None]
            if found and (len(found) >= ANSWER or begin + AT_A_TIME >= len(names)):
                # whoever asked takes it apart meanwhile
                data = msgspec.msgpack.encode(found)
                sys.stdout.buffer.write(_LENGTH.pack(len(data)) + data)
                sys.stdout.buffer.flush()
                found = []
    return 0


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
