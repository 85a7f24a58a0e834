"""What a list shows of a run: its row, some points of its loss, lines per layer. Without NumPy, in about a millisecond.

The whole of a long run is never read: every value is found by its index. Of all runs of a folder: glances.py.
"""

from __future__ import annotations

import contextlib
import functools
import math
import operator
import sqlite3
from collections.abc import Callable
from pathlib import Path

import msgspec

from condense_core.errors import CondenseError, RunFileError
from condense_core.rows_of_layers import only_kernels
from condense_core.runfile.damage import Damage
from condense_core.runfile.frame_table import LOST, FrameTable
from condense_core.runfile.info import RunInfo, read_info
from condense_core.runfile.open_file import OpenFile
from condense_core.runfile.rows import number
from condense_core.runfile.scalars import Scalars, scalars_of
from condense_core.runfile.schema import FILE_NAME, open_reader, reading
from condense_core.runs.about_run import NOTHING, AboutRun, read_about
from condense_core.runs.label import PresetBase, differences, label_of
from condense_core.runs.side_by_side import Steps, alone
from condense_core.text import printable
from condense_core.thresholds import COARSE, FINE, Cut

# As many points as the widest sparkline in a list has characters.
POINTS = 24
# Frames of seeds that are looked at: those that ended before the others are in none of the newest.
MOST_FRAMES = 200
_END = {FINE: "", COARSE: "_coarse"}
# Above this many layers a list shows no single one any more.
MOST_LAYERS = 16
# Names of scalars that are looked at for them; a bound on hostile files.
MOST_CURVES = 4_096
# As many names are kept for other files.
MOST_KEPT = 1_000


class LayerGlance(msgspec.Struct, frozen=True, gc=False):
    """A layer by the newest measurement: number of lines at `cut`, where the claim counts them, and whether it counts
    as condensed there. Of several seeds, leaving out those that diverged, `lines` is the most frequent number, `low` to
    `high` the range, and it is condensed in `yes` of `seeds`; `condensed` in all of them."""

    name: str
    lines: float
    condensed: bool
    cut: Cut = FINE
    low: float = math.nan
    high: float = math.nan
    yes: int = 0
    seeds: int = 1


class Glance(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A run in a list. `loss`: POINTS values or fewer over all that was recorded, NaN and ±inf as they were measured;
    `differs`: in what its scenario differs from its preset, in words.

    A file that cannot be read has no `info`, and `trouble` says why; it also says why `about` cannot be read, and what
    was left out because it is damaged.
    """

    folder: Path
    info: RunInfo | None
    loss: tuple[float, ...] = ()
    layers: tuple[LayerGlance, ...] = ()
    about: AboutRun = NOTHING
    differs: tuple[str, ...] = ()
    trouble: str = ""

    @property
    def label(self) -> str:
        """What the run is called."""
        return self.folder.name if self.info is None else label_of(self.info, self.about, self.differs)


def no_base(preset: str) -> None:
    """Where no preset is known."""


def glance(folder: Path, base: PresetBase = no_base, also: Callable[[OpenFile], None] | None = None) -> Glance:
    """The run in `folder` as it is now; `base` gives the presets' scenarios. `also` is called while its file is open:
    what else is asked of a run costs less then."""
    return alone(glance_in_steps(folder, base, also))


def glance_in_steps(
    folder: Path, base: PresetBase = no_base, also: Callable[[OpenFile], None] | None = None
) -> Steps[Glance]:
    """The same, as one of many that are read side by side."""
    about, trouble = NOTHING, ""
    try:
        about = read_about(folder)
    except RunFileError as error:
        # the run is shown without these words
        trouble = str(error)
    yield
    try:
        with contextlib.closing(open_reader(folder / FILE_NAME, still=True)) as connection, reading(folder):
            yield
            info = read_info(connection, folder)
            yield
            scalars = scalars_of(connection, still=True)
            loss = tuple([number(value) for _, _, value in scalars.sample("loss", POINTS)])
            yield
            damage = Damage(left_out=True)
            found = Glance(
                folder=folder,
                info=info,
                loss=loss,
                layers=_layers(connection, scalars, info, damage),
                about=about,
                differs=differences(info, base, about),
                trouble=trouble,
            )
            damage.of_scalars(scalars.wrong)
            if damage.text and not trouble:
                found = msgspec.structs.replace(
                    found, trouble=f"cannot read all of {folder / FILE_NAME}; {damage.text}"
                )
            if also is not None:
                yield
                also(OpenFile(connection, info, scalars))
            yield
        return found
    except RunFileError as error:
        return Glance(folder=folder, info=None, trouble=str(error))


def _gist(info: RunInfo) -> tuple[int, Cut]:
    """How many seeds a run trains, and the cut of its claim; one and the fine one where its scenario cannot be read."""
    from condense_core.scenario.gist import members_and_claim

    try:
        members, found = members_and_claim(info.experiment, "scenario")
        return members, FINE if found is None else found.cut
    except CondenseError:
        return 1, FINE


def _of_members(
    connection: sqlite3.Connection, members: int, layers: list[str], damage: Damage
) -> dict[str, list[float]]:
    """Of several seeds each one's newest lines and whether it is condensed, at both cuts, by the scalar's name, without
    those that diverged; from the newest frames, as many as are needed until all are known."""
    if members == 1:
        return {}
    from condense_core.runfile import frames

    scalars = [f"{layer}.{what}{end}" for layer in layers for what in ("lines", "condensed") for end in _END.values()]
    found: dict[str, dict[int, float]] = {scalar: {} for scalar in scalars}
    over: set[int] = set()
    for row in FrameTable(connection).back("members", "", 0, None, MOST_FRAMES):
        if len(over) >= members:
            break
        if row.blob == LOST:
            damage.of_checksum(f"members at step {row.step}")
            continue
        frame = frames.decode(row.blob)
        if not isinstance(frame, frames.Members):
            continue
        if "diverged" in frame.names:
            over |= set(frame.members)
            continue
        values = dict(zip(frame.names, frame.numpy().tolist(), strict=True))
        for scalar in scalars:
            for member, value in zip(frame.members, values.get(scalar, ()), strict=False):
                if member not in over:
                    found[scalar].setdefault(member, value)
        # a frame of a step at which lines were not counted says nothing of them, and those before it do
        over |= {member for member in frame.members if all(member in found[f"{layer}.lines"] for layer in layers)}
    return {scalar: list(of_members.values()) for scalar, of_members in found.items()}


def _layers(connection: sqlite3.Connection, scalars: Scalars, info: RunInfo, damage: Damage) -> tuple[LayerGlance, ...]:
    names = scalars.names(MOST_CURVES)
    layers = (_kept_layers if len(names) <= MOST_KEPT else _layers_of)(*names)
    if not layers:
        return ()
    from condense_core.runs.over_seeds import over_seeds

    members, claimed = _gist(info)
    of_members = _of_members(connection, members, [*layers], damage)

    def newest(scalar: str) -> list[float]:
        if members > 1:
            return of_members[scalar]
        point = scalars.newest(scalar)
        return [number(None if point is None else point.value)]

    found = []
    for layer in layers:
        cut, condensed = claimed, newest(f"{layer}.condensed{_END[claimed]}")
        if all(map(math.isnan, condensed)):
            # files of version 0.1 have one cut
            cut, condensed = FINE, newest(f"{layer}.condensed{_END[FINE]}")
        count = over_seeds("lines", newest(f"{layer}.lines{_END[cut]}"))
        flags = over_seeds("condensed", condensed)
        alike = flags.known > 0 and flags.yes == flags.known
        seeds = flags.known if members > 1 else 1
        seen = LayerGlance(printable(layer), count.middle, alike, cut, count.low, count.high, flags.yes, seeds)
        found.append((scalars.begins(f"{layer}.lines"), seen))
    return tuple(layer for _, layer in sorted(found, key=operator.itemgetter(0)))


def _layers_of(*scalars: str) -> tuple[str, ...]:
    """The layers whose lines are among scalars, without outputs of neurons: runs of one scenario have the same."""
    names = [name for name in scalars if name.endswith(".lines") and "@" not in name][:MOST_LAYERS]
    return only_kernels([name.removesuffix(".lines") for name in names])


_kept_layers = functools.lru_cache(maxsize=32)(_layers_of)
