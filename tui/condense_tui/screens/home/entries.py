"""What stands in the two lists of the home screen: entries and headings, narrowed to those that have some words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from condense_tui.readers.machines import Elsewhere, Machine
from condense_tui.screens.list_lines import GROUPS
from condense_tui.widgets.listing import Entry

if TYPE_CHECKING:
    from condense_core.runfile.info import RunInfo
    from condense_core.runs.glance import Glance
    from condense_presets.catalogue import Preset

    RunRow = Glance | Machine | Elsewhere

NONE_HERE = "     none yet: press tab and choose a preset"


def run_entries(glances: Sequence[Glance], machines: Iterable[Machine], words: Sequence[str]) -> list[Entry[RunRow]]:
    """Runs here, then each machine that is known with its runs."""
    mirrors = {glance.folder: glance.info.mirror.host for glance in glances if glance.info and glance.info.mirror}
    here: list[Entry[RunRow]] = [
        Entry(str(glance.folder), glance) for glance in glances if glance.folder not in mirrors
    ]
    found = [entry for entry in here if _has(words, _words(entry.item))]
    there: list[Entry[RunRow]] = []
    for machine in machines:
        rows = _runs_of(machine, [glance for glance in glances if mirrors.get(glance.folder) == machine.name])
        fitting = [entry for entry in rows if _has(words, f"{_words(entry.item)} {machine.name.lower()}")]
        if fitting or _has(words, _words(machine)):
            there += [Entry(f"machine {machine.name}", machine), *fitting]
    if there:
        empty: list[Entry[RunRow]] = [Entry("nothing here", None, NONE_HERE)] if not (here or words) else []
        found = [Entry("here", None, " on this machine"), *found, *empty] if found or empty else found
        found += [Entry("machines", None, " on other hosts"), *there]
    return found


def _runs_of(machine: Machine, mirrored: Sequence[Glance]) -> list[Entry[RunRow]]:
    """Its runs, the newest first: those with a mirror here as the mirror has them, or as the host last listed them."""
    told = {info.id: info for info in machine.runs}
    rows: list[tuple[float, Entry[RunRow]]] = []
    for glance in mirrored:
        info = glance.info
        assert info is not None
        newer = _with(glance, told.pop(info.id, None))
        rows.append((info.created, Entry(str(glance.folder), newer)))
    rows += [
        (info.created, Entry(f"{machine.name} {info.id}", Elsewhere(machine.name, info))) for info in told.values()
    ]
    return [entry for _, entry in sorted(rows, key=lambda row: row[0], reverse=True)]


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


def _words(row: RunRow | None) -> str:
    if isinstance(row, Machine):
        return f"{row.name} {row.target}".lower()
    info = None if row is None else row.info
    if info is None:
        return "" if row is None or isinstance(row, Elsewhere) else f"{row.folder.name} unreadable".lower()
    return f"{info.id} {info.name} {info.preset} {info.status} {info.host}".lower()


def _preset_words(preset: Preset) -> str:
    figure = f"fig{preset.figure} figure {preset.figure}" if preset.figure else ""
    return f"{preset.name} {preset.group} {figure} {preset.summary} {preset.claim}".lower()
