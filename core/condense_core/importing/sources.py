"""Which files are imported, and at which step of the training each checkpoint was saved."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from condense_core.errors import DataError
from condense_core.runfile.rows import LARGEST_STEP
from condense_core.text import place_of, short

# Files of weights that others save, and those that lie beside them and hold none.
SAFE = ".safetensors"
ENDINGS = (SAFE, ".pt", ".pth", ".ckpt", ".bin")
_NO_WEIGHTS = re.compile(r"(optimizer|scheduler|rng_state|training_args|scaler|random_states)[\w-]*", re.IGNORECASE)
_EVENTS = "tfevents"
# What a person does not mean; each file is opened.
MOST_FILES = 10_000
# `model-00002-of-00005`: one network in several files.
_SHARD = re.compile(r"-\d+-of-\d+$")
_OF_A_STEP = re.compile(r"step|iter|epoch|checkpoint|ckpt", re.IGNORECASE)
_NAMED_STEP = re.compile(r"(?:step|iter|iteration)s?[^0-9a-z]{0,2}(\d{1,12})(?!\d)", re.IGNORECASE)
_NUMBER = re.compile(r"\d{1,12}")

FROM_NAME, IN_ORDER = "from-name", "order"


class EventFile(NamedTuple):
    """An event file; `prefix` is the folder that it lies in, below the one that was given."""

    prefix: str
    file: Path


class Checkpoint(NamedTuple):
    """A checkpoint: all files of one step."""

    step: int
    files: tuple[Path, ...]


class Sources(NamedTuple):
    """What is imported; checkpoints by their steps, ascending."""

    events: tuple[EventFile, ...]
    checkpoints: tuple[Checkpoint, ...]


def find_sources(paths: Sequence[str], steps: str) -> Sources:
    """All event files and checkpoints that are given or lie in folders that are; DataError where there are none.

    `steps` says at which step each checkpoint was saved: `from-name`, `order` (0, 1, 2, …), or numbers with commas.
    """
    events: list[EventFile] = []
    weights: list[Path] = []
    for text in paths:
        path = place_of(text).absolute()
        if not path.exists():
            raise DataError(f"no file or folder {short(text)}; expected event files or checkpoints")
        found = _in_folder(path) if path.is_dir() else [path]
        before = len(events), len(weights)
        for file in found:
            if _EVENTS in file.name:
                prefix = str(file.parent.relative_to(path)) if path.is_dir() else ""
                events.append(EventFile("" if prefix == "." else prefix, file))
            elif file.suffix.lower() in ENDINGS:
                weights.append(file)
        if before == (len(events), len(weights)):
            raise DataError(
                f"{short(text)}: expected event files of TensorBoard, or checkpoints ({', '.join(ENDINGS)})"
            )
        if len(events) + len(weights) > MOST_FILES:
            raise DataError(f"{short(text)}: more than {MOST_FILES:,} files; name those that are meant")
    return Sources(tuple(events), tuple(_at_steps(list(dict.fromkeys(weights)), steps)))


def _in_folder(folder: Path) -> list[Path]:
    """Files of both kinds below a folder, by name; of weights that are there twice, those in safetensors."""
    found: list[Path] = []
    seen = 0
    for place, folders, names in os.walk(folder):
        # in an order that a person would give them, hidden ones left out
        folders[:] = sorted((name for name in folders if not name.startswith(".")), key=_natural)
        seen += len(names)
        if seen > 100 * MOST_FILES:
            raise DataError(f"{folder}: more than {100 * MOST_FILES:,} files; name a smaller folder")
        own = [Path(place, name) for name in sorted(names, key=_natural) if not name.startswith(".")]
        weights = [file for file in own if file.suffix.lower() in ENDINGS and not _NO_WEIGHTS.match(file.stem)]
        safe = [file for file in weights if file.suffix.lower() == SAFE]
        found += [file for file in own if _EVENTS in file.name] + (safe or weights)
        if len(found) > MOST_FILES:
            break
    return found


def _at_steps(files: list[Path], steps: str) -> list[Checkpoint]:
    """The checkpoints with their steps; files of one network that was saved in several are one."""
    together: dict[tuple[Path, str], list[Path]] = {}
    for file in files:
        together.setdefault((file.parent, _SHARD.sub("", file.stem)), []).append(file)
    groups = list(together.values())
    if not groups:
        return []
    if steps == FROM_NAME:
        numbers = _from_names(groups)
    elif steps == IN_ORDER:
        numbers = list(range(len(groups)))
    else:
        numbers = _given(steps, len(groups))
    found = sorted(
        (Checkpoint(step, tuple(own)) for step, own in zip(numbers, groups, strict=True)), key=lambda one: one[0]
    )
    for one, following in itertools.pairwise(found):
        if one.step == following.step:
            names = f"{one.files[0]} and {following.files[0]}"
            raise DataError(
                f"{names} are both of step {one.step:,}; give the steps: --steps 0,100,200, or --steps order"
            )
    return found


def _given(steps: str, count: int) -> list[int]:
    parts = steps.split(",")
    if not all(re.fullmatch(r"\s*\d{1,12}\s*", part) for part in parts):
        raise DataError(f"--steps {short(steps)}: expected {FROM_NAME}, {IN_ORDER}, or numbers such as 0,100,200")
    if len(parts) != count:
        raise DataError(f"--steps: expected {count} numbers, one for each checkpoint, got {len(parts)}")
    return [min(int(part), LARGEST_STEP) for part in parts]


def _from_names(groups: Sequence[Sequence[Path]]) -> list[int]:
    """The step in each file's name, or in the name of its folder where those tell them apart."""
    by_file = [_number(_SHARD.sub("", own[0].stem)) for own in groups]
    folders = [own[0].parent.name for own in groups]
    # a number in the name of one folder is anything, as a year
    by_folder = [_number(name) if len(groups) > 1 or _OF_A_STEP.search(name) else None for name in folders]
    for numbers in (by_file, by_folder):
        if None not in numbers and len(set(numbers)) == len(numbers):
            return [number for number in numbers if number is not None]
    if len(groups) == 1:
        return [0]
    some = ", ".join(own[0].name for own in groups[:3])
    raise DataError(f"no step in the names of {some}; give them: --steps 0,100,200, or --steps order")


def _number(name: str) -> int | None:
    """`epoch=2-step=300` is 300, `model_0300` is 300; None where there is no number."""
    named = _NAMED_STEP.findall(name) or _NUMBER.findall(name)
    return int(named[-1]) if named else None


def _natural(name: str) -> list[tuple[int, str]]:
    """A key that sorts `step-9` before `step-10`."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d{1,18})", name)]
