"""Files that lie beside a remote run: its worker's log, its checkpoint. Their names are ours, never the far side's."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from pathlib import Path

from condense_core.errors import HostError, RunFileError
from condense_core.remote.client.connection import Connection
from condense_core.remote.wire import messages as say

# Pieces that are asked for before the first has come: enough for 100 MB/s at 10 ms, or 10 MB/s at 100 ms.
UNDER_WAY = 4
# No checkpoint of ours is larger; a host that claims one is not believed.
LARGEST_FILE = 16 * 1024**3


def pull_file(connection: Connection, run: str, file: str, folder: Path) -> int:
    """Copy one of a remote run's files into its mirror's folder, replacing it atomically; its size in bytes.

    RefusedError if the run has no such file.
    """
    partial = folder / f".{file}.partial"
    first = connection.ask(lambda ask: say.Pull(ask, run, file, 0), say.FilePiece)
    size = first.size
    if size > LARGEST_FILE:
        raise HostError(
            f"{file} of {run} on {connection.host.name} has {size:,} bytes, more than {LARGEST_FILE:,}; not copied"
        )
    try:
        partial.touch(mode=0o600)
        with partial.open("wb") as out:
            _write(out.write, first, 0, size, connection)
            at = len(first.data)
            waiting: deque[tuple[int, int]] = deque()
            asked = at
            while at < size:
                while asked < size and len(waiting) < UNDER_WAY:
                    number = connection.next_ask()
                    connection.send(say.Pull(number, run, file, asked))
                    waiting.append((number, asked))
                    asked += say.PIECE
                number, _ = waiting.popleft()
                piece = connection.answer(number, say.FilePiece)
                _write(out.write, piece, at, size, connection)
                at += len(piece.data)
        os.replace(partial, folder / file)  # noqa: PTH105 - replaces atomically
    except OSError as error:
        raise RunFileError(f"cannot write {file} into {folder}: {error.strerror}") from None
    finally:
        partial.unlink(missing_ok=True)
    return size


def _write(
    write: Callable[[bytes], object], piece: say.FilePiece, offset: int, size: int, connection: Connection
) -> None:
    expected = min(say.PIECE, size - offset)
    if piece.offset != offset or piece.size != size or len(piece.data) != expected:
        sent = f"{len(piece.data)} bytes at {piece.offset}"
        raise HostError(f"{connection.host.name} sent {sent}, expected {expected} at {offset}")
    write(piece.data)
