"""Files that are written whole or not at all, and that replace others only when asked to."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from condense_core.errors import CondenseError

# Nobody writes a file of some MB for so long.
STALE_S = 60.0


class ExportError(CondenseError):
    """A file that cannot be written, or would replace another."""

    exit_code = 2


class TakenError(ExportError):
    """A place where something is already."""


def write_file(path: Path, data: bytes, *, force: bool) -> None:
    """Put `data` at `path` atomically; ExportError if something is there without `force`, or no file can be."""
    partial = _beside(path)
    try:
        with partial.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        _put(partial, path, force)
    except OSError as error:
        raise ExportError(f"cannot write {path}: {error.strerror}; choose another place") from None
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


def write_folder(path: Path, fill: Callable[[Path], None], *, force: bool) -> None:
    """Have `fill` write into a folder that then stands at `path`, whole; with `force`, what is there goes first.

    Only a folder that `fill` could have made is replaced: one of event files and nothing else.
    """
    partial = _beside(path)
    try:
        if path.exists() or path.is_symlink():
            if not force:
                raise _taken(path)
            if not path.is_dir() or any("tfevents" not in child.name for child in path.iterdir()):
                raise ExportError(f"{path} holds more than event files and was not replaced; choose another place")
        partial.mkdir()
        fill(partial)
        if path.exists():
            shutil.rmtree(path)
        partial.rename(path)
    except OSError as error:
        raise ExportError(f"cannot write {path}: {error.strerror}; choose another place") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def clear_partial(path: Path) -> None:
    """Remove what a program that was killed has left beside the file that it wrote, some time ago."""
    for left in path.parent.glob(f".{path.name[:80]}.*.partial"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > STALE_S:
                left.unlink()


def check_free(path: Path, *, force: bool) -> None:
    """ExportError if something stands in the way, said before the work and not after it."""
    if not path.parent.is_dir():
        raise ExportError(f"cannot write {path}: no folder {path.parent}; choose another place")
    if path.is_dir() and force:
        raise ExportError(f"{path} is a folder; choose another place")
    if (path.exists() or path.is_symlink()) and not force:
        raise _taken(path)


def ready_folder(folder: Path) -> Path:
    """The folder, made where it is missing; ExportError if no file can be put there, said before hours of work."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        raise ExportError(f"cannot write to {folder}: {error.strerror}; choose a place with --out") from None


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name[:80]}.{secrets.token_hex(4)}.partial")


def _put(partial: Path, path: Path, force: bool) -> None:
    if force:
        os.replace(partial, path)  # noqa: PTH105 - replaces atomically
        return
    try:
        # a link fails where a name is taken, also one that was taken a moment ago
        os.link(partial, path)
    except FileExistsError:
        raise _taken(path) from None
    except OSError:
        # no hard links on this file system
        if path.exists():
            raise _taken(path) from None
        os.replace(partial, path)  # noqa: PTH105


def _taken(path: Path) -> TakenError:
    return TakenError(f"{path} already exists; --force replaces it, or choose another place")
