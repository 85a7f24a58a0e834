"""`list_runs`: the runs of a folder, for Python."""

from __future__ import annotations

import datetime
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from condense_core.runfile.info import Trainer
from condense_core.runfile.status import Status
from condense_core.runs.as_html import paragraph, table
from condense_core.runs.claim_state import Standing
from condense_core.runs.listing import rows
from condense_core.runs.named import shipped_here
from condense_core.runs.opened import Run
from condense_core.runs.place import runs_folder
from condense_core.runs.query import parse_query
from condense_core.runs.row import RunRow

# Runs that a notebook shows of a list.
MOST_SHOWN = 50


@dataclass(frozen=True)
class FoundRun:
    """A run in a list; `open` reads it. `created` is in UTC, `claim` how its claim stands, None where it makes none.

    `label`, `note` and `tags` are what a person said of it; without a name of that kind the label is its own, and the
    seeds that it draws.
    """

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
    label: str = ""
    note: str = ""
    tags: tuple[str, ...] = ()
    archived: bool = False

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
    """The runs of a folder, the newest first; with `query` those that fit: `status:done lines>1 NOT tag:x`, as
    `condense-tui runs list` takes it (docs/RUNS.md), archived ones where it says so. ScenarioError where it is none.

    One that cannot be read is a warning, and a line in the list's `damaged`; it hides no other. `runs_dir` as in
    `open_run`.
    """
    runs = runs_folder(None if runs_dir is None else Path(runs_dir))
    wanted, damaged = parse_query(query), list[str]()
    every = rows(runs, shipped_here().base, damaged.append, claims=True)
    found = [_found(row) for row in every if wanted.matches(row)]
    for line in damaged:
        warnings.warn(line, stacklevel=2)
    return RunList(found, damaged)


def _found(row: RunRow) -> FoundRun:
    info, about = row.glance.info, row.glance.about
    # those that cannot be read are no rows
    assert info is not None
    return FoundRun(
        id=info.id,
        name=row.glance.about.name or info.name,
        preset=info.preset,
        trainer=info.trainer,
        status=info.status,
        step=info.step,
        steps=info.steps,
        created=datetime.datetime.fromtimestamp(info.created, datetime.UTC),
        claim=row.claim,
        folder=row.glance.folder,
        label=row.glance.label,
        note=about.note,
        tags=about.tags,
        archived=about.archived,
    )
