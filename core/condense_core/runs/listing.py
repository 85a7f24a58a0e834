"""All runs of a folder with how their claims stand, of ended ones as they were read before."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from condense_core.errors import RunFileError
from condense_core.measure_table import MEASURES
from condense_core.runfile.info import RunInfo
from condense_core.runs.claim_state import Standing
from condense_core.runs.glances import Glances
from condense_core.runs.kept import Kept, Signature, clean, lasts, signature
from condense_core.runs.label import PresetBase
from condense_core.runs.place import run_names
from condense_core.runs.row import RunRow

# So many new ones are worth writing: somebody who lists runs often trains some of them in between.
WORTH_WRITING = 20


class Listed(msgspec.Struct, frozen=True, array_like=True):
    """A run, and how its claim stands; None where it makes none, or that cannot be read."""

    info: RunInfo
    claim: Standing | None


def listed(runs: Path, trouble: Callable[[str], None]) -> list[tuple[RunInfo, Standing | None]]:
    """Every run without its scenario, the newest first; `trouble` is told a line for each that cannot be read."""
    return [(known.info, known.claim) for known in _each(runs, trouble).values()]


def rows(runs: Path, base: PresetBase, trouble: Callable[[str], None], *, claims: bool) -> list[RunRow]:
    """Every run as a list shows it, the newest first, with how its claim stands where `claims` are asked for; `trouble`
    is told a line for each that cannot be read."""
    now, found = time.time(), list(Glances(runs, base).look())
    stand = _each(runs, trouble) if claims else {}
    for glance in found:
        # what the file cannot be read for is said where its claim is looked for
        if glance.trouble and (glance.info is not None or not claims):
            trouble(glance.trouble)
    shown = [glance for glance in found if glance.info is not None]
    return [
        RunRow(glance, known.claim if (known := stand.get(glance.folder.name)) is not None else None, now)
        for glance in shown
    ]


def claims(runs: Path, trouble: Callable[[str], None]) -> dict[str, Standing | None]:
    """How the claims of all runs stand, by the names of their folders; `trouble` as of `listed`."""
    return {name: known.claim for name, known in _each(runs, trouble).items()}


def _each(runs: Path, trouble: Callable[[str], None]) -> dict[str, Listed]:
    kept: Kept[Listed] = Kept(runs, "claims", Listed)
    names = run_names(runs)
    found: dict[str, Listed] = {}
    for name in names:
        folder = runs / name
        try:
            seen: Signature | None = signature(str(folder))
        except OSError:
            # whoever reads it says why
            seen = None
        if seen is not None and not any(seen[:2]):
            continue
        known = None if seen is None else kept.get(name, seen)
        if known is None or not _is_clean(known):
            try:
                known, whole = _read(folder, trouble)
            except RunFileError as error:
                trouble(str(error))
                continue
            if seen is not None and whole and lasts(known.info):
                kept.put(name, seen, signature(str(folder)), known)
        found[name] = known
    kept.write(set(names), least=WORTH_WRITING)
    return found


def _read(folder: Path, trouble: Callable[[str], None]) -> tuple[Listed, bool]:
    """A run, and whether all of it could be read."""
    # import NumPy, which a list of runs that were read before does without
    from condense_core.runfile.reader import RunReader
    from condense_core.runs.standing import standing

    with RunReader(folder) as run, run.one_moment():
        info = run.info()
        # most of what a list would hold
        shown = msgspec.structs.replace(info, experiment="")
        try:
            return Listed(shown, standing(run, info)), True
        except RunFileError as error:
            # its row can be read, and so it is listed
            trouble(str(error))
            return Listed(shown, None), False


def _is_clean(found: Listed) -> bool:
    claim = found.claim
    if claim is None:
        return clean(found.info)
    texts = (claim.text, claim.why, *(text for one in claim.findings for text in (one.layer, one.wanted)))
    return clean(found.info, *texts) and all(one.measure in MEASURES for one in claim.findings)
