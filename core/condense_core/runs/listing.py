"""All runs of a folder with how their claims stand, of ended ones as they were read before."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from condense_core.errors import RunFileError
from condense_core.runs.claim_state import Standing
from condense_core.runs.glance import no_base
from condense_core.runs.glances import Glances
from condense_core.runs.judged import ClaimOfRun, judged
from condense_core.runs.kept import WORTH_PROCESSES, Kept, Signature, lasts, signature
from condense_core.runs.label import PresetBase
from condense_core.runs.place import run_names
from condense_core.runs.row import RunRow

# So many new ones are worth writing: somebody who lists runs often trains some of them in between.
WORTH_WRITING = 20


_NONE: Mapping[str, Signature] = {}


def rows(
    runs: Path, base: PresetBase, trouble: Callable[[str], None], *, claims: bool, forks: bool = False
) -> list[RunRow]:
    """Every run as a list shows it, the newest first, with how its claim stands where `claims` are asked for; `trouble`
    is told a line for each that cannot be read. `forks` where this process may be forked for it, as fork.py says."""
    kept = _kept(runs)
    glances = Glances(runs, base, kept if claims else None, forks=forks)
    now, found = time.time(), list(glances.look())
    # of each run once: what a file cannot be read for may have been said where its claim was looked for
    told: dict[str, str] = {}
    stand = _each(runs, told.setdefault, kept, glances.signatures) if claims else {}
    for glance in found:
        if glance.trouble:
            told.setdefault(glance.folder.name, glance.trouble)
    for text in told.values():
        trouble(text)
    shown = [glance for glance in found if glance.info is not None]
    return [RunRow(glance, stand.get(glance.folder.name), now) for glance in shown]


def claims(runs: Path, trouble: Callable[[str], None]) -> dict[str, Standing | None]:
    """How the claims of all runs stand, by the names of their folders; `trouble` is told a line for each that cannot be
    read."""
    return _each(runs, lambda _, text: trouble(text), _kept(runs))


def _kept(runs: Path) -> Kept[ClaimOfRun]:
    return Kept(runs, "claims", ClaimOfRun)


def _each(
    runs: Path, trouble: Callable[[str, str], object], kept: Kept[ClaimOfRun], looked: Mapping[str, Signature] = _NONE
) -> dict[str, Standing | None]:
    """How the claim of every run stands; `trouble` is told the folder's name and a line, `looked` has those whose files
    were looked at a moment ago."""
    names = run_names(runs)
    _read_ahead(runs, names, kept)
    found: dict[str, Standing | None] = {}
    for name in names:
        try:
            seen: Signature | None = looked.get(name) or kept.signature(name)
        except OSError:
            # whoever reads it says why
            seen = None
        if seen is not None and not any(seen[:2]):
            continue
        known = None if seen is None else kept.get(name, seen)
        if known is None or not (kept.was_put(name) or known.is_clean):
            folder = runs / name
            try:
                known, stays = _read(folder, trouble)
            except RunFileError as error:
                trouble(name, str(error))
                continue
            if seen is not None and stays:
                kept.put(name, seen, signature(str(folder)), known)
        found[name] = known.claim
    kept.write(set(names), least=WORTH_WRITING)
    return found


def _read_ahead(runs: Path, names: Sequence[str], kept: Kept[ClaimOfRun]) -> None:
    """Where thousands were never read, have processes read them."""
    unread = [name for name in names if name not in kept]
    if len(unread) < WORTH_PROCESSES:
        return
    from condense_core.runs.ahead import Ahead

    with Ahead(runs, unread, no_base, claims=True) as ahead:
        for name, lasting in ahead.found():
            if lasting.claim is not None:
                kept.put(name, lasting.before, lasting.after, lasting.claim)


def _read(folder: Path, trouble: Callable[[str, str], object]) -> tuple[ClaimOfRun, bool]:
    """How the claim of a run stands, and whether that stays so while its files do."""
    # imports NumPy
    from condense_core.runfile.reader import RunReader

    with RunReader(folder) as run, run.one_moment():
        info = run.info()
        try:
            return judged(run, info), lasts(info)
        except RunFileError as error:
            # its row can be read, and so it is listed
            trouble(folder.name, str(error))
            return ClaimOfRun(None), False
