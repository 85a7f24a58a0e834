"""A folder of pictures, one folder a class: which folders are classes, and which files are pictures.

Listed here and not by torchvision, which takes for a class whatever folder there is: hidden ones, those that other
systems leave behind, the two halves of a set that was split for training. No picture is opened here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from condense_core.errors import LONGEST_LIST, DataError
from condense_core.foreign import reason
from condense_core.text import printable

# What a file's name ends with, in upper or lower case, where it is a picture.
SUFFIXES = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")
# Folders that archives and other systems leave beside one's own; hidden ones are passed over as well.
COMPANIONS = frozenset(
    {"__MACOSX", "@eaDir", "#recycle", "#snapshot", "$RECYCLE.BIN", "System Volume Information", "lost+found"}
)
# What the parts of a set are called that was split for training, in lower case.
SPLITS = frozenset({"train", "training", "val", "valid", "validation", "dev", "test", "testing", "eval"})


def class_folders(place: Path) -> list[Path]:
    """The folders of the classes in `place`, by name. DataError where there is none, or where they are the parts of a
    split set, of which one has to be chosen."""
    try:
        found = sorted(entry.name for entry in _visible(place) if entry.is_dir())
        if not found:
            raise FileNotFoundError("it has no subfolders")
        parts = [name for name in found if name.lower() in SPLITS and _holds_only_folders(place / name)]
    except OSError as error:
        raise _no_data_set(place, error.strerror or str(error)) from None
    if len(parts) > 1 or parts == found:
        names = ", ".join(parts)
        raise DataError(
            f"{place} holds the parts of a set ({names}), not its classes; choose one: --data folder:{place / parts[0]}"
        )
    return [place / name for name in found]


def pictures(folder: Path) -> list[Path]:
    """The pictures of a class in `folder` and the folders in it, in the order in which torchvision lists them.

    Regular files only, and links to such; no hidden names. DataError where there is none, or a folder cannot be read.
    """
    try:
        found = [file for _, files in sorted(_walk(folder)) for file in sorted(files)]
    except OSError as error:
        raise _no_data_set(folder.parent, f"{folder.name}: {error.strerror or error}") from None
    if not found:
        raise _no_data_set(folder.parent, f"no picture in {folder.name}")
    return [Path(file) for file in found]


def named(folders: list[Path]) -> str:
    """`2 classes: cats, dogs`, of many the first."""
    count = "1 class" if len(folders) == 1 else f"{len(folders)} classes"
    names = printable(", ".join(folder.name for folder in folders[:LONGEST_LIST]))
    if len(names) > LONGEST_LIST:
        names = f"{names[:LONGEST_LIST].rpartition(', ')[0] or names[:LONGEST_LIST]}, …"
    return f"{count}: {names}"


def _walk(top: Path) -> Iterator[tuple[str, list[str]]]:
    """Each folder with the paths of its pictures; links are followed, but none into a folder that was seen."""
    seen: set[tuple[int, int]] = set()
    left = [str(top)]
    while left:
        folder = Path(left.pop())
        state = folder.stat()
        if (state.st_dev, state.st_ino) in seen:
            continue
        seen.add((state.st_dev, state.st_ino))
        files = []
        for entry in _visible(folder):
            if entry.is_dir():
                left.append(entry.path)
            elif entry.name.lower().endswith(SUFFIXES) and entry.is_file():
                files.append(entry.path)
        yield str(folder), files


def _visible(folder: Path) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if not entry.name.startswith(".") and entry.name not in COMPANIONS:
                yield entry


def _holds_only_folders(folder: Path) -> bool:
    entries = list(_visible(folder))
    is_picture = any(entry.name.lower().endswith(SUFFIXES) and entry.is_file() for entry in entries)
    return not is_picture and any(entry.is_dir() for entry in entries)


def _no_data_set(place: Path, why: str) -> DataError:
    return DataError(
        f"{place} is not a folder with one subfolder of images per class ({reason(OSError(why))}); use folder:PATH"
    )
