"""`list_runs`: the runs of a folder, for Python."""

from __future__ import annotations

import datetime
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from condense_core.runfile.info import RunInfo, Trainer
from condense_core.runfile.status import Status
from condense_core.runs.as_html import paragraph, table
from condense_core.runs.claim_state import Standing
from condense_core.runs.listing import listed
from condense_core.runs.opened import Run
from condense_core.runs.place import mirror_folder, runs_folder

# Runs that a notebook shows of a list.
MOST_SHOWN = 50


@dataclass(frozen=True)
class FoundRun:
    """A run in a list; `open` reads it. `created` is in UTC, `claim` how its claim stands, None where it makes none."""

    id: str
    name: str
    preset: str
    trainer: Trainer
    status: Status
    step: int
    steps: int | None
    created: datetime.datetime
    claim: Standing | None = field(repr=False)
    folder: Path

    def open(self) -> Run:
        """The run, opened."""
        return Run(self.folder)


class RunList(list[FoundRun]):
    """Runs, the newest first; `damaged` has a line for each that cannot be read."""

    def __init__(self, runs: Iterable[FoundRun], damaged: Iterable[str] = ()) -> None:
        super().__init__(runs)
        self.damaged = tuple(damaged)

    def _repr_html_(self) -> str:
        head = ["run", "created", "status", "step", "claim"]
        left, damaged = len(self) - MOST_SHOWN, len(self.damaged)
        more = paragraph(f"… and {left} more runs") if left > 0 else ""
        more += paragraph(f"{damaged} cannot be read: {self.damaged[0]}") if damaged else ""
        return table(head, map(_shown, self[:MOST_SHOWN])) + more


def _shown(run: FoundRun) -> list[str]:
    of = "" if run.steps is None else f" of {run.steps:,}"
    claim = "" if run.claim is None else run.claim.state
    return [run.id, f"{run.created:%Y-%m-%d %H:%M}", run.status, f"{run.step:,}{of}", claim]


def list_runs(query: str = "", *, runs_dir: str | Path | None = None) -> RunList:
    """The runs of a folder, the newest first; with `query` those that have each of its words in their id, name, preset
    or status.

    One that cannot be read is a warning, and a line in the list's `damaged`; it hides no other. `runs_dir` as in
    `open_run`.
    """
    runs = runs_folder(None if runs_dir is None else Path(runs_dir))
    words, damaged = query.lower().split(), list[str]()
    found = [_found(info, claim, runs) for info, claim in listed(runs, damaged.append) if _has(info, words)]
    for line in damaged:
        warnings.warn(line, stacklevel=2)
    return RunList(found, damaged)


def _has(info: RunInfo, words: Iterable[str]) -> bool:
    text = f"{info.id} {info.name} {info.preset} {info.status}".lower()
    return all(word in text for word in words)


def _found(info: RunInfo, claim: Standing | None, runs: Path) -> FoundRun:
    return FoundRun(
        id=info.id,
        name=info.name,
        preset=info.preset,
        trainer=info.trainer,
        status=info.status,
        step=info.step,
        steps=info.steps,
        created=datetime.datetime.fromtimestamp(info.created, datetime.UTC),
        claim=claim,
        folder=runs / info.id if info.mirror is None else mirror_folder(runs, info.id, info.mirror.host),
    )
