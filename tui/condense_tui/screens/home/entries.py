"""What stands in the two lists of the home screen: entries and headings, narrowed to those that have some words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from condense_tui.readers.machines import Elsewhere, Machine
from condense_tui.screens.list_lines import GROUPS
from condense_tui.widgets.listing import Entry

if TYPE_CHECKING:
    from condense_core.runfile.info import RunInfo
    from condense_core.runs.claim_state import Standing
    from condense_core.runs.glance import Glance
    from condense_core.runs.query import Query
    from condense_core.runs.row import RunRow as Row
    from condense_presets.catalogue import Preset

    HomeRow: TypeAlias = "Glance | Machine | Elsewhere | SweepRow"

NONE_HERE = "     none yet: press tab and choose a preset"


@dataclass(frozen=True)
class SweepRow:
    """The runs of one sweep, the newest first, as one row of the list; `unfolded`: they stand below it."""

    name: str
    runs: tuple[Glance, ...]
    unfolded: bool = False


@dataclass(frozen=True)
class Wanted:
    """What of the runs is listed, and how: what they must fit, by which field they are sorted, how claims stand where
    that was read, and the sweeps whose runs stand by themselves."""

    query: Query | None = None
    sort: str = ""
    claims: Mapping[str, Standing | None] = field(default_factory=dict)
    unfolded: frozenset[str] = frozenset()

    @property
    def words(self) -> tuple[str, ...]:
        """Plain words that are looked for."""
        return () if self.query is None else self.query.words

    def shows(self, glance: Glance, where: str = "") -> bool:
        """Whether the run is listed; `where` is the machine that it stands under."""
        if self.query is None:
            return not glance.about.archived
        return self.query.matches(self._row(glance, where))

    def in_order(self, glances: Sequence[Glance]) -> list[Glance]:
        """Runs as they are sorted; as they come where they are not."""
        if not self.sort:
            return list(glances)
        from condense_core.runs.row import sorted_rows

        return [row.glance for row in sorted_rows([self._row(glance) for glance in glances], self.sort)]

    def _row(self, glance: Glance, where: str = "") -> Row:
        from condense_core.runs.row import RunRow as Row

        return Row(glance, self.claims.get(glance.folder.name), where=where)


def run_entries(glances: Sequence[Glance], machines: Iterable[Machine], wanted: Wanted) -> list[Entry[HomeRow]]:
    """Runs here, then each machine that is known with its runs."""
    mirrors = {glance.folder: glance.info.mirror.host for glance in glances if glance.info and glance.info.mirror}
    here = [glance for glance in glances if glance.folder not in mirrors]
    found = _in_sweeps(wanted.in_order([glance for glance in here if wanted.shows(glance)]), wanted.unfolded)
    there: list[Entry[HomeRow]] = []
    for machine in machines:
        rows = _runs_of(machine, [glance for glance in glances if mirrors.get(glance.folder) == machine.name])
        fitting: list[Entry[HomeRow]] = [
            Entry(key, row) for key, row in rows if wanted.shows(_glance(row), machine.name)
        ]
        if fitting or _is_looked_for(machine, wanted):
            there += [Entry(f"machine {machine.name}", machine), *fitting]
    if there:
        empty: list[Entry[HomeRow]] = [Entry("nothing here", None, NONE_HERE)] if not (here or wanted.query) else []
        found = [Entry("here", None, " on this machine"), *found, *empty] if found or empty else found
        found += [Entry("machines", None, " on other hosts"), *there]
    return found


def _in_sweeps(glances: Sequence[Glance], unfolded: frozenset[str]) -> list[Entry[HomeRow]]:
    """A row for each run, and for each sweep of several, which stands where the first of its runs would."""
    of_sweep: dict[str, list[Glance]] = {}
    for glance in glances:
        if glance.about.sweep:
            of_sweep.setdefault(glance.about.sweep, []).append(glance)
    entries: list[Entry[HomeRow]] = []
    for glance in glances:
        runs = of_sweep.get(glance.about.sweep, [glance])
        if len(runs) == 1:
            entries.append(Entry(str(glance.folder), glance))
        elif glance is runs[0]:
            row = SweepRow(glance.about.sweep, tuple(runs), glance.about.sweep in unfolded)
            entries.append(Entry(f"sweep {row.name}", row))
            entries += [Entry(str(run.folder), run) for run in runs] if row.unfolded else []
    return entries


def _is_looked_for(machine: Machine, wanted: Wanted) -> bool:
    """Whether a machine without runs that fit is listed: by its own name and address."""
    query = wanted.query
    return query is None or (not query.fields and _has(query.words, f"{machine.name} {machine.target}".lower()))


def _glance(row: Glance | Elsewhere) -> Glance:
    return row.glance if isinstance(row, Elsewhere) else row


def _runs_of(machine: Machine, mirrored: Sequence[Glance]) -> list[tuple[str, Glance | Elsewhere]]:
    """Its runs with their keys, the newest first: those with a mirror here as the mirror has them, or as the host last
    listed them."""
    told = {glance.info.id: glance for glance in machine.runs if glance.info is not None}
    rows: list[tuple[float, str, Glance | Elsewhere]] = []
    for glance in mirrored:
        info = glance.info
        assert info is not None
        there = told.pop(info.id, None)
        newer = _with(glance, None if there is None else there.info)
        rows.append((info.created, str(glance.folder), newer))
    rows += [
        (glance.info.created, f"{machine.name} {glance.info.id}", Elsewhere(machine.name, glance))
        for glance in told.values()
        if glance.info is not None
    ]
    return [(key, row) for _, key, row in sorted(rows, key=lambda row: row[0], reverse=True)]


def _with(glance: Glance, news: RunInfo | None) -> Glance:
    """The glance at a mirror, with what the machine itself has said of the run since."""
    import msgspec

    if news is None or glance.info is None or news.heartbeat <= glance.info.heartbeat:
        return glance
    return msgspec.structs.replace(glance, info=msgspec.structs.replace(news, mirror=glance.info.mirror))


def preset_entries(presets: Iterable[Preset], words: Sequence[str]) -> list[Entry[Preset]]:
    """Presets under the headings of their groups."""
    entries: list[Entry[Preset]] = []
    for preset in presets:
        if not _has(words, _preset_words(preset)):
            continue
        if not entries or (entries[-1].item is not None and entries[-1].item.group != preset.group):
            entries.append(Entry(f"heading {preset.group}", None, f" {GROUPS.get(preset.group, preset.group)}"))
        entries.append(Entry(preset.name, preset))
    return entries


def _has(words: Sequence[str], text: str) -> bool:
    return all(word in text for word in words)


def _preset_words(preset: Preset) -> str:
    figure = f"fig{preset.figure} figure {preset.figure}" if preset.figure else ""
    return f"{preset.name} {preset.group} {figure} {preset.summary} {preset.claim}".lower()
