"""The list of runs on standard output: a row a run, in the columns that were asked for or that there is room for."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from condense_core.errors import ScenarioError, nearest
from condense_core.machine import names_a_job
from condense_core.runs.label import number_in_short
from condense_core.runs.row import RunField, RunRow, field_named, field_names, first_value
from condense_core.text import printable, short
from condense_tui.draw import numbers
from condense_tui.draw.status import sign_of
from condense_tui.draw.verdict import counted, decides, verdict
from condense_tui.draw.verdict import sign_of as verdict_sign

if TYPE_CHECKING:
    from condense_core.runfile.info import Mirror, RunInfo

PIPE_WIDTH, LEAST_WIDTH = 200, 80
# From here on there is room for the verdict in words, and for what decides.
ROOMY_WIDTH = 140
# Columns without `--columns`; `tag`, `claim` and `host` only where a run has one.
USUAL = ("id", "name", "status", "step", "steps", "age", "loss", "lines", "seed", "claim", "tag", "host")
# Those that give way in a narrow terminal, the first first.
GIVE_WAY = ("steps", "tag", "seed", "step", "age", "lines", "loss")
# Characters that a name keeps, and a verdict of which nothing but the sign and the count is there.
LEAST_NAME, LEAST_CLAIM = 20, 6
_Own = Callable[["RunRow", "RunInfo", int], str]
_RIGHT = frozenset({"step", "steps", "age", "loss", "seed"})


def print_runs(rows: Sequence[RunRow], columns: Sequence[str] = ()) -> None:
    """One row a run, in those columns, else in the usual ones that have something to say and fit."""
    console = Console()
    # a person who copies an id needs all of it, and in a pipe lines need not be wrapped
    console.width = max(console.width, LEAST_WIDTH if console.is_terminal else PIPE_WIDTH)
    width = console.width
    shown = list(columns) or [name for name in USUAL if name not in _LEFT_OUT or any(map(_LEFT_OUT[name], rows))]
    table = {name: _cells(name, rows, width) for name in shown}
    lengths = {name: _lengths((name, *cells)) for name, cells in table.items()}
    left_out = [] if columns else _give_way(lengths, width)
    head, *lines = _aligned({name: table[name] for name in lengths}, lengths, width)
    with console.capture() as printed:
        console.print(Text(head, "bold"), soft_wrap=True)
    # at once: a signal that ends the program between two writes may come too late for the first and too early for the
    # second, which then waits for a reader that takes nothing more
    console.file.write("".join((printed.get(), *(f"{line}\n" for line in lines))))
    if left_out and console.is_terminal:
        words = f"{', '.join(left_out)}: in a wider terminal, or with --columns {','.join([*lengths, *left_out])}"
        console.print(Text(words, "dim"), soft_wrap=True)


def checked_columns(text: str) -> list[str]:
    """The columns in `id,name,loss`; ScenarioError for one that there is not."""
    names = [part.strip().lower() for part in text.split(",") if part.strip()]
    for name in names or [""]:
        if field_named(name) is None:
            raise ScenarioError(f"--columns: unknown {short(name)}; {nearest(name, field_names())}")
    return list(dict.fromkeys(names))


def _away(row: RunRow) -> bool:
    info = row.glance.info
    return info is not None and (info.mirror is not None or names_a_job(info.host))


_LEFT_OUT: Mapping[str, Callable[[RunRow], object]] = {
    "tag": lambda row: row.glance.about.tags,
    "claim": lambda row: row.claim,
    "host": _away,
}


def _give_way(lengths: dict[str, list[int]], width: int) -> list[str]:
    """Take columns out until the rest fits; which ones."""
    gone = []
    for name in GIVE_WAY:
        if _least(lengths) <= width:
            break
        if name in lengths:
            del lengths[name]
            gone.append(name)
    return gone


def _least(lengths: Mapping[str, Sequence[int]]) -> int:
    """Columns of a terminal that the table needs, where its names and verdicts are cut."""
    least = {"name": LEAST_NAME, "claim": LEAST_CLAIM}
    each = [min(least.get(name, math.inf), max(of_cells)) for name, of_cells in lengths.items()]
    return int(sum(each)) + 2 * (len(each) - 1)


def _cells(name: str, rows: Sequence[RunRow], width: int) -> list[str]:
    """A column."""
    own = _OWN.get(name) or functools.partial(_plain, field_named(name))
    return [
        own(row, info, width)
        if (info := row.glance.info) is not None
        else (row.glance.folder.name if name == "id" else "")
        for row in rows
    ]


def _plain(found: RunField | None, row: RunRow, info: RunInfo, width: int) -> str:
    value = None if found is None else first_value(found, row)
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return numbers.UNKNOWN
    if isinstance(value, float):
        return number_in_short(value) if found is not None and found.kind == "setting" else numbers.measure(value)
    return printable(str(value)[:200])


def _lines(row: RunRow, info: RunInfo, width: int) -> str:
    """Lines of each layer, `2·1`."""
    counts = [numbers.UNKNOWN if math.isnan(layer.lines) else f"{layer.lines:.3g}" for layer in row.glance.layers]
    return "·".join(counts) or numbers.UNKNOWN


def _host(row: RunRow, info: RunInfo, width: int) -> str:
    own = info.host if names_a_job(info.host) else ""
    return own if info.mirror is None else _where(info, info.mirror)


def _where(info: RunInfo, mirror: Mirror) -> str:
    known = mirror.link == "connected" or not info.active
    seen = "" if known else f", seen {numbers.duration(max(0.0, time.time() - mirror.heard))} ago"
    return f"{mirror.host}{seen}"


def _claim(row: RunRow, info: RunInfo, width: int) -> str:
    """How a claim stands, in a cell: the sign and the count alone where a line is short, all of it where it is long."""
    claim = row.claim
    if claim is None:
        return ""
    sign = verdict_sign(claim).sign
    if width < ROOMY_WIDTH:
        return f"{sign} {counted(claim).partition(' ')[0]}".rstrip()
    what = "" if claim.holds else decides(claim)
    return f"{sign} {verdict(claim)}{f'; {what}' if what else ''}"


# Fields that a column shows otherwise than as they are.
_OWN: Mapping[str, _Own] = {
    "status": lambda row, info, width: f"{sign_of(info.status).sign} {info.status}",
    "steps": lambda row, info, width: numbers.UNKNOWN if info.steps is None else str(info.steps),
    "step": lambda row, info, width: str(info.step),
    "seed": lambda row, info, width: str(info.seed),
    "age": lambda row, info, width: numbers.age(row.now - info.created),
    "tag": lambda row, info, width: ",".join(row.glance.about.tags),
    "note": lambda row, info, width: row.glance.about.note,
    "lines": _lines,
    "host": _host,
    "claim": _claim,
}


def _lengths(cells: Sequence[str]) -> list[int]:
    """Columns of a terminal that each cell takes."""
    # of a column at once: most have nothing else than ASCII
    return list(map(len if "".join(cells).isascii() else cell_len, cells))


def _aligned(table: Mapping[str, list[str]], lengths: Mapping[str, Sequence[int]], width: int) -> list[str]:
    """Lines with their cells under each other, those of the names first, numbers to the right; claims and then names
    are cut to what there is room for. A table of rich's takes a second for some thousand rows."""
    widths = {name: max(of_cells) for name, of_cells in lengths.items()}
    for name, least in (("claim", LEAST_CLAIM), ("name", LEAST_NAME)):
        if name in table:
            over = max(0, sum(widths.values()) + 2 * (len(widths) - 1) - width)
            widths[name] = max(min(widths[name], least), widths[name] - over)
    fitted = [_fitted((name, *cells), lengths[name], widths[name], name in _RIGHT) for name, cells in table.items()]
    pattern = "  ".join(own for own, _ in fitted)
    return [(pattern % line).rstrip() for line in zip(*(cells for _, cells in fitted), strict=True)]


def _fitted(cells: Sequence[str], lengths: Sequence[int], room: int, right: bool) -> tuple[str, Sequence[str]]:
    """A pattern for cells, which have those lengths, in so many columns of a terminal, and the cells ready for it."""
    if max(lengths) <= room and lengths == list(map(len, cells)):
        return f"%{'' if right else '-'}{room}s", cells
    # Python pads by characters, of which a terminal may show one as two
    pad = str.rjust if right else str.ljust
    return "%s", [
        f"{set_cell_size(cell, room - 1).rstrip()}…" if length > room else pad(cell, room + len(cell) - length)
        for cell, length in zip(cells, lengths, strict=True)
    ]
