"""Runs of a folder here, or of another machine, as a collection: those that are meant, and what is done to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from condense_core.errors import HostError, RunFileError
from condense_core.runs.query import Query, is_query, parse_query
from condense_core.runs.row import FIELDS, RunRow, sorted_rows

if TYPE_CHECKING:
    from condense_core.remote.client.connection import Connection
    from condense_core.runs.about_run import AboutChange


class Collection(Protocol):
    """Runs by their names: ids, and of copies of runs elsewhere their folders' names."""

    def rows(self, query: Query, *, sort: str = "", columns: Sequence[str] = ()) -> list[RunRow]:
        """Runs that fit, the newest first or by a field, with what the query, the sort and the columns ask for."""

    def find(self, name: str, *, whole: bool) -> str:
        """The one run that a person means by its id or name, or a part of one; `whole`: by its id only."""

    def called(self, runs: Sequence[str]) -> Mapping[str, str]:
        """The names that were given to those of these runs that have one."""

    def change(self, run: str, change: AboutChange) -> None:
        """Change what is said of a run."""

    def remove(self, run: str) -> str:
        """Delete a run; where it still is afterwards, else nothing."""


def meant(runs: Collection, words: Sequence[str], *, whole: bool = False) -> list[str]:
    """The names of the runs that somebody means: one for each id or name, or all that a query finds."""
    if is_query(words):
        return [row.glance.folder.name for row in runs.rows(parse_query(" ".join(words)))]
    return list(dict.fromkeys(runs.find(word, whole=whole) for word in words))


def _asks_for(query: Query, sort: str, columns: Sequence[str]) -> frozenset[str]:
    """Fields that have to be known."""
    return query.fields | {sort.removeprefix("-")} | set(columns)


def _chosen(rows: Sequence[RunRow], query: Query, sort: str) -> list[RunRow]:
    found = [row for row in rows if query.matches(row)]
    return sorted_rows(found, sort) if sort else found


@dataclass(frozen=True)
class Here:
    """The runs of a folder; `trouble` is told a line for each that cannot be read."""

    runs: Path
    trouble: Callable[[str], None]

    def rows(self, query: Query, *, sort: str = "", columns: Sequence[str] = ()) -> list[RunRow]:
        """Runs that fit; how claims stand is read where it is asked for."""
        from condense_core.runs.listing import rows
        from condense_tui.draw.label import preset_base

        claims = "claim" in _asks_for(query, sort, columns)
        # a command, which has no run open
        return _chosen(rows(self.runs, preset_base, self.trouble, claims=claims, forks=True), query, sort)

    def find(self, name: str, *, whole: bool) -> str:
        """The one run that is meant."""
        from condense_core.runs.place import find_run

        return find_run(self.runs, name, whole=whole).name

    def called(self, runs: Sequence[str]) -> Mapping[str, str]:
        """Names from the runs' folders."""
        from condense_core.runs.about_file import given_names

        return given_names(self.runs, runs)

    def change(self, run: str, change: AboutChange) -> None:
        """Write it into the run's folder."""
        from condense_core.runs.about_run import change_about

        change_about(self.runs / run, change)

    def remove(self, run: str) -> str:
        """Delete a run; of a copy of one elsewhere, where that still is."""
        from condense_core.runs.removal import remove_ended

        return remove_ended(self.runs / run)


@dataclass(frozen=True)
class There:
    """The runs of another machine."""

    connection: Connection
    trouble: Callable[[str], None]

    def rows(self, query: Query, *, sort: str = "", columns: Sequence[str] = ()) -> list[RunRow]:
        """Runs that fit; their scenarios are sent only where a setting is asked for."""
        from condense_core.remote.wire.messages import ListRuns, Runs

        wanted = _asks_for(query, sort, columns)
        claims, scenarios = "claim" in wanted, bool(wanted - FIELDS.keys() - {""})
        found, troubles = self.connection.ask(
            lambda ask: ListRuns(ask, claims=claims, rows=True, scenarios=scenarios), Runs
        ).with_rows()
        for trouble in troubles:
            self.trouble(f"{self.connection.host.name}: {trouble}")
        return _chosen(found, query, sort)

    def find(self, name: str, *, whole: bool) -> str:
        """The one run that is meant."""
        from condense_tui.resolve.host import choose_run

        return choose_run(self.connection, name, whole=whole)

    def called(self, runs: Sequence[str]) -> Mapping[str, str]:
        """Names as they are there."""
        from condense_tui.resolve.host import given_names

        every = given_names(self.connection)
        return {run: every[run] for run in runs if run in every}

    def change(self, run: str, change: AboutChange) -> None:
        """Have it written there."""
        from condense_core.remote.wire.messages import ChangeAbout, Done
        from condense_core.runs.about_run import checked_change

        self._require("about", "names, notes and tags of runs")
        checked_change(change)
        self.connection.ask(lambda ask: ChangeAbout(ask, run, change), Done)

    def remove(self, run: str) -> str:
        """Delete a run there."""
        from condense_core.remote.wire.messages import Done, RemoveRun

        self._require("remove", "deleting of runs")
        self.connection.ask(lambda ask: RemoveRun(ask, run), Done)
        return ""

    def _require(self, what: str, words: str) -> None:
        """HostError where the program there is too old to be asked: it would end the connection."""
        if what not in self.connection.hello.knows:
            name = self.connection.host.name
            raise HostError(
                f"the condense-tui on {name} is too old for {words} over --host; update it:"
                f" condense-tui doctor {name} --install"
            )


def require_one(names: Sequence[str], words: Sequence[str]) -> str:
    """The only run; RunFileError where a query finds none or several."""
    if len(names) != 1:
        raise RunFileError(f"{' '.join(words)} finds {len(names) or 'no'} runs; expected one")
    return names[0]
