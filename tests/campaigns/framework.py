"""What all campaigns share: seeded attempts, counted, limited in time, and what failed kept with how to repeat it."""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

# More of one kind of failure says nothing new, and fills the disk.
MOST_FAILURES = 10
PROGRESS_S = 5.0

# One attempt in a folder of its own: AssertionError, or any other error, where it failed; else how many were tried.
Attempt = Callable[[Random, Path], int]


class SkippedError(Exception):
    """This machine lacks what the campaign needs; the text says what."""


@dataclass
class Scene:
    """What a campaign is given once."""

    folder: Path
    """For what all attempts share; gone at the end."""
    goal: int
    """How many are to be tried."""
    notes: list[str] = field(default_factory=list)
    """Figures for the last line, beside tried and failed."""


@dataclass(frozen=True)
class Campaign:
    """`open` is a context: it sets up, gives the function that is one attempt, and at its end checks the whole."""

    name: str
    about: str
    unit: str
    tried: int
    """How many a whole campaign tries."""
    short: int
    """How many its short form in CI tries."""
    open: Callable[[Scene], AbstractContextManager[Attempt]]


@dataclass
class Outcome:
    """What came of a campaign."""

    name: str
    seed: int
    unit: str
    tried: int = 0
    failed: int = 0
    seconds: float = 0.0
    kept: Path | None = None
    """The folder that has what failed."""
    skipped: str = ""
    notes: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        if self.skipped:
            return f"{self.name}: skipped: {self.skipped}"
        found = [f"{self.name}: tried {self.tried:,} {self.unit}, failed {self.failed}"]
        found += [*self.notes, f"seed {self.seed}", f"{self.seconds:.0f} s"]
        return "; ".join(found) + (f"\n  what failed is kept in {self.kept}" if self.kept else "")


def run(campaign: Campaign, *, seed: int, tried: int, minutes: float, keep: Path, only: int | None = None) -> Outcome:
    """Make attempts until so many were tried or the time is over. `only`: the attempt of that number alone."""
    outcome = Outcome(campaign.name, seed, campaign.unit)
    begun = time.monotonic()
    root = Path(tempfile.mkdtemp(prefix=f"campaign-{campaign.name}-"))
    scene = Scene(root / "shared", tried)
    scene.folder.mkdir()
    try:
        with _kept(outcome, keep, "whole", scene.folder), campaign.open(scene) as attempt:
            number, said = only or 0, begun
            while outcome.tried < tried and outcome.failed < MOST_FAILURES:
                now = time.monotonic()
                if now - begun > 60 * minutes:
                    break
                if now - said > PROGRESS_S:
                    said = now
                    _progress(f"{campaign.name}: {outcome.tried:,}/{tried:,} {campaign.unit}, failed {outcome.failed}")
                folder = root / str(number)
                folder.mkdir()
                with _kept(outcome, keep, str(number), folder):
                    count = 1
                    try:
                        count = attempt(Random(f"{seed}/{campaign.name}/{number}"), folder)
                    finally:
                        outcome.tried += count
                shutil.rmtree(folder, ignore_errors=True)
                number += 1
                if only is not None:
                    break
    except SkippedError as missing:
        outcome.skipped = str(missing)
    finally:
        shutil.rmtree(root, ignore_errors=True)
        _progress("")
    outcome.seconds = time.monotonic() - begun
    outcome.notes = scene.notes
    return outcome


@contextlib.contextmanager
def _kept(outcome: Outcome, keep: Path, number: str, folder: Path) -> Iterator[None]:
    try:
        yield
    except (SkippedError, KeyboardInterrupt):
        raise
    except Exception:  # noqa: BLE001 - whatever an attempt raises is what it found
        outcome.failed += 1
        outcome.kept = keep / f"{outcome.name}-{outcome.seed}"
        place = outcome.kept / number
        if folder.exists():
            shutil.copytree(folder, place, dirs_exist_ok=True, symlinks=True, ignore=_no_pipes)
        place.mkdir(parents=True, exist_ok=True)
        again = f"python -m tests.campaigns {outcome.name} --seed {outcome.seed} --only {number}"
        (place / "failure.txt").write_text(f"{traceback.format_exc()}\nto repeat it: {again}\n")


def _no_pipes(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if not (path := Path(folder, name)).is_dir() and not path.is_file()]


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{text}")
    elif text:
        sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
