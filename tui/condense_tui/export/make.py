"""From a run and a wish to the file: the only entry point, used by the command and by the app's dialog."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from condense_core.errors import RunFileError
from condense_core.runfile.damage import Damage
from condense_core.runfile.reader import RunReader
from condense_core.runs.data_frames import require_pyarrow
from condense_tui.documents.files import ExportError, check_free, write_file, write_folder
from condense_tui.draw.label import label
from condense_tui.draw.numbers import step
from condense_tui.export.wish import OF_ONE_MEMBER, PICTURES, SCREEN, DrawnScreen, Wish, checked, file_name, panel_names
from condense_tui.snapshots.seeds import mean_label, seed_label

DrawScreen = Callable[[Path, Wish], DrawnScreen]
"""Draws a run's screen; nothing here knows how."""


class Exported(NamedTuple):
    """Where an export is, None for standard output, and in words what was left out because it is damaged."""

    path: Path | None
    left_out: tuple[str, ...]


def export(place: Path, wish: Wish, out: Path | None, *, screen: DrawScreen, force: bool = False) -> Exported:
    """Write what is wished of the run at `place` (a folder or a run file).

    `out` None is a name in the current folder, `-` standard output. `screen` draws the run's screen where that is
    wished. CondenseError for what the run does not have or is damaged, unless that is skipped, for a missing extra, or
    a place that cannot be written.
    """
    left_out: list[str] = []
    with _open(place, wish) as run, _advised(run), run.in_one_pass():
        wish = checked(wish, run.layers, run.curve_names, run.members)
        name = file_name(run.info().id, wish)
        path = Path(name) if out is None else out.expanduser()
        to_stdout = str(path) == "-"
        if path.is_dir() and wish.format != "tensorboard":
            path /= name
        if to_stdout and wish.format == "tensorboard":
            raise ExportError("--out -: event files are a folder and cannot go to standard output; expected a folder")
        if wish.format == "tensorboard":
            return Exported(_events(run, wish, path, force), run.damage.named)
        if not to_stdout:
            check_free(path, force=force)
        if wish.format == "parquet":
            require_pyarrow("--to parquet")
        data = content(run, place, wish, screen, left_out)
        left_out = list(dict.fromkeys((*run.damage.named, *left_out)))
    if to_stdout:
        sys.stdout.buffer.write(data)
        return Exported(None, tuple(left_out))
    write_file(path, data, force=force)
    return Exported(path, tuple(left_out))


def _open(place: Path, wish: Wish) -> RunReader:
    return RunReader(place, damage=Damage(left_out=wish.skip_damage))


@contextlib.contextmanager
def _advised(run: RunReader) -> Iterator[None]:
    """Around an export: what is refused because it is damaged says what to do, and what is missing that it may be."""
    try:
        yield
    except RunFileError as error:
        if not run.damage.refused:
            raise
        raise RunFileError(f"{error}; what is whole is exported with --skip-damage") from None
    except ExportError as error:
        if not run.damage.named:
            raise
        # the last one is what was looked for
        raise ExportError(f"{error} (damaged, and so left out: {run.damage.named[-1]})") from None


def whose_of(place: Path, wish: Wish) -> str:
    """`whose`, of the run at `place`."""
    with _open(place, wish) as run:
        return whose(run, wish)


def whose(run: RunReader, wish: Wish) -> str:
    """Which seeds an export of a run of several is of; empty for a run of one."""
    if run.members == 1:
        return ""
    if wish.member is not None:
        return seed_label(run, wish.member)
    if wish.format in {"csv", "parquet", "npz"}:
        return f"{mean_label(run)}, and each seed"
    if wish.paper is not None:
        return "; ".join(_whose_panels(run, wish))
    if wish.format in PICTURES and wish.what in OF_ONE_MEMBER:
        return seed_label(run, 0)
    with_heatmaps = wish.format not in PICTURES or wish.what == SCREEN
    return mean_label(run) + (f"; heatmaps of {seed_label(run, 0)}" if with_heatmaps else "")


def _whose_panels(run: RunReader, wish: Wish) -> list[str]:
    of_one = [part in (*OF_ONE_MEMBER, SCREEN) for part in panel_names(wish.what, run.curve_names)]
    told = [] if all(of_one) else [f"median of {run.members} seeds"]
    return told + ([f"{'frames of ' if told else ''}{seed_label(run, 0)}"] if any(of_one) else [])


def content(run: RunReader, place: Path, wish: Wish, screen: DrawScreen, left_out: list[str]) -> bytes:
    """The file's bytes, for every format but TensorBoard's; `wish` is checked. Words of what else than of `run` was
    left out are added to `left_out`."""
    own = run if wish.member is None else run.member(wish.member)
    if wish.format == "csv":
        from condense_tui.export.table import to_csv

        return to_csv(own, wish.at)
    if wish.format == "parquet":
        from condense_tui.export.table import to_parquet

        return to_parquet(own, wish.at)
    if wish.paper is not None:
        return _figure(run, wish, left_out)
    at = instant(own, wish.at)
    # a screen at the end of a run is that of one who follows it, not of one who looks back
    if wish.format not in PICTURES or wish.what != SCREEN or wish.at is not None:
        wish = replace(wish, at=at)
    if wish.format in PICTURES:
        return _picture(run, place, wish, screen, left_out)
    if wish.format == "npz":
        from condense_tui.export.arrays import to_npz

        return to_npz(own, wish.at or 0)
    from condense_tui.export.page import to_html

    return to_html(run, wish.at or 0, wish.member).encode()


def instant(run: RunReader, at: int | None) -> int:
    """The newest recorded step at or before `at`; ExportError if there is none."""
    steps = run.instants
    if not len(steps):
        raise ExportError(f"{run.info().id} has no recorded frame yet; there is nothing to export")
    if at is None:
        return int(steps.max())
    before = steps[steps <= at]
    if not len(before):
        raise ExportError(f"--at {at}: the recording starts at step {int(np.min(steps))}")
    return int(before.max())


def _picture(run: RunReader, place: Path, wish: Wish, screen: DrawScreen, left_out: list[str]) -> bytes:
    if wish.format == "png":
        from condense_tui.export.raster import require_png

        require_png()
    if wish.what == SCREEN:
        # it has a reader of its own
        svg, on_it = screen(place, wish)
        left_out += on_it
    else:
        from condense_tui.export.figure import figure

        svg = figure(run, wish, whose(run, wish))
    if wish.format == "svg":
        return svg.encode()
    from condense_tui.export.raster import to_png

    return to_png(svg)


def _figure(run: RunReader, wish: Wish, left_out: list[str]) -> bytes:
    """A figure for a paper, of the run and of those beside it, each up to the newest step at or before the wished."""
    from condense_tui.export.paper.make import require_figures, to_figure
    from condense_tui.export.paper.read import sheet_of

    require_figures()
    with contextlib.ExitStack() as opened:
        beside = [opened.enter_context(_open(place, wish)) for place in wish.beside]
        runs = [run, *beside]
        shown = [(each, instant(each, wish.at)) for each in runs]
        names = [f"{label(each.folder, each.info())} · step {step(at)}" for each, at in shown]
        sheet = sheet_of(shown, wish, " · ".join(part for part in (*names, whose(run, wish)) if part))
        left_out += [f"{each.folder.name}: {what}" for each in beside for what in each.damage.named]
        return to_figure(sheet)


def _events(run: RunReader, wish: Wish, path: Path, force: bool) -> Path:
    from condense_tui.export.events import require_tensorboard, write_events

    require_tensorboard()
    if not path.parent.is_dir():
        raise ExportError(f"cannot write {path}: no folder {path.parent}; choose another place")
    own = run if wish.member is None else run.member(wish.member)
    write_folder(path, lambda folder: write_events(own, folder, wish.at), force=force)
    return path
