"""`export`: a run as a table, as arrays, as pictures, as a page, as event files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from condense_tui.cli import completions
from condense_tui.cli.options import AtOption, JsonOption, RunArgument, RunsDirOption

if TYPE_CHECKING:
    from condense_tui.export.paper_look import PaperLook
    from condense_tui.export.wish import DrawnScreen, Format, Wish


def export(
    run: RunArgument,
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="FORMAT",
            help="csv, parquet, npz, png, svg, pdf, html, tensorboard.",
            autocompletion=completions.formats,
        ),
    ],
    what: Annotated[
        str,
        typer.Option(
            help="For pictures: screen, heatmap, eigenvalues, hessian, ntk, singular, prediction, output, field, or a"
            " scalar such as loss; on paper also spectrum, norms, orientation.",
            autocompletion=completions.pictured,
        ),
    ] = "screen",
    layer: Annotated[str | None, typer.Option(metavar="NAME", help="One layer; by default all, or the first.")] = None,
    at: AtOption = None,
    member: Annotated[
        int | None,
        typer.Option(
            "--nth-seed",
            "--member",
            metavar="K",
            help="The K-th of several seeds; by default their mean (on paper the median), with heatmaps of the first.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Output file; by default named after the run, here. - is standard output."),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(
            "--size",
            metavar="SIZE",
            help="Size of a screen in characters, by default 120x40; of a figure for a paper in mm or in, by default"
            " 85mm: 85x60mm, or 85mm for the height that it needs.",
        ),
    ] = None,
    beside: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            metavar="RUN",
            help="Paper: another run in the same figure; repeatable.",
            autocompletion=completions.recordings,
        ),
    ] = None,
    font_size: Annotated[
        float | None, typer.Option("--font-size", metavar="POINTS", help="Paper: size of letters, by default 8.")
    ] = None,
    no_title: Annotated[bool, typer.Option("--no-title", help="Paper: no titles; the caption says it.")] = False,
    log_steps: Annotated[bool, typer.Option("--log-steps", help="Paper: steps on a logarithmic axis.")] = False,
    log_values: Annotated[
        bool | None,
        typer.Option(
            "--log-values/--linear-values",
            help="Paper: the axis of values; by default as on the screen.",
            show_default=False,
        ),
    ] = None,
    theme: Annotated[
        str | None, typer.Option(metavar="NAME", help="dark or light; by default dark for screens, light for figures.")
    ] = None,
    palette: Annotated[str, typer.Option(metavar="NAME", help="ember, orchid or reef.")] = "ember",
    skip_damage: Annotated[
        bool,
        typer.Option("--skip-damage", help="Of a damaged run, what is whole; the rest is named, here and in the file."),
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
    json: JsonOption = False,
    runs_dir: RunsDirOption = None,
) -> int:
    """Export a run, or a picture of it, to a file. Needs no PyTorch.

    \b
    csv, parquet: one row for each step, one column for each scalar; empty if it was not measured.
    npz: every curve, and every layer's similarity, condensation and spectrum at one step.
    html: one self-contained page with everything.
    Of several seeds, csv, parquet and npz hold the mean and every seed, unless one is chosen.

    \b
    pdf is a figure for a paper, and so are png and svg with a --size in mm or in.
    There --what may name several: a comma begins another panel, a plus adds a
    curve to the same axes.

    \b
    condense-tui export digits-gd --to csv
    condense-tui export digits-gd-3f2a --to png --at 100
    condense-tui export digits-deep --to svg --what heatmap --theme dark
    condense-tui export fcn-fig03-tanh --to png --what heatmap --nth-seed 3
    condense-tui export digits-gd --to svg --what loss --out - > loss.svg
    condense-tui export digits-gd --to pdf --what heatmap,loss --size 140x55mm
    condense-tui export digits-gd --to pdf --what coverage --with digits-deep

    \b
    A run that `runs check` calls damaged is refused. With --skip-damage what is
    damaged in it is left out and named; no claim is judged without it.
    """
    import msgspec

    from condense_core.errors import ScenarioError, nearest
    from condense_tui.draw.numbers import plural
    from condense_tui.draw.palette import PALETTES
    from condense_tui.export.make import export as write
    from condense_tui.export.make import whose_of
    from condense_tui.export.wish import PICTURES, SCREEN, Wish, format_named, size_of
    from condense_tui.resolve.scenario import find_recording

    if theme not in {None, "dark", "light"}:
        raise ScenarioError(f"--theme {theme}: expected dark or light")
    palettes = [each.name for each in PALETTES]
    if palette not in palettes:
        raise ScenarioError(f"--palette {palette}: {nearest(palette, palettes)}")
    if json and str(out) == "-":
        raise ScenarioError("--json and --out - exclude each other: both write to standard output")
    format_ = format_named(to)
    paper = _paper(format_, size, font_size, no_title, log_steps, log_values, beside)
    if paper is not None and theme == "dark":
        raise ScenarioError("--theme dark: a figure for a paper is light")
    if format_ not in PICTURES:
        for option, given in (("--what", what if what != SCREEN else None), ("--layer", layer)):
            if given is not None:
                raise ScenarioError(
                    f"{option} {given}: only png, svg and pdf show a part of the run; {to} holds all of it"
                )
    wish = Wish(
        format=format_,
        what=what,
        layer=layer,
        at=at,
        member=None if member is None else member - 1,
        size=size_of(size or "120x40") if paper is None else (120, 40),
        dark=None if theme is None else theme == "dark",
        palette=palettes.index(palette),
        paper=paper,
        beside=tuple(find_recording(each, runs_dir) for each in beside or ()),
        skip_damage=skip_damage,
    )
    place = find_recording(run, runs_dir)
    path, left_out = write(place, wish, out, screen=_draw_screen, force=force)
    if left_out:
        typer.echo(f"condense-tui: left out, since it is damaged ({plural(len(left_out), 'row')}):", err=True)
        for row in left_out:
            typer.echo(f"  {row}", err=True)
    if path is None:
        return 0
    seeds = whose_of(place, wish)
    if json:
        told: dict[str, object] = {"path": str(path.resolve()), "format": wish.format}
        told |= {"seeds": seeds} if seeds else {}
        told |= {"left_out": left_out} if skip_damage else {}
        typer.echo(msgspec.json.encode(told))
    else:
        typer.echo(f"wrote {path}" + (f" · {seeds}" if seeds else ""))
    return 0


def _paper(
    format_: Format,
    size: str | None,
    font_size: float | None,
    no_title: bool,
    log_steps: bool,
    log_values: bool | None,
    beside: list[str] | None,
) -> PaperLook | None:
    """How a figure for a paper looks, None for every other export; ScenarioError for an option that only one has."""
    from condense_core.errors import ScenarioError
    from condense_tui.export.paper_look import (
        COLUMN_MM,
        FONT_PT,
        MOST_RUNS,
        PaperLook,
        font_size_of,
        is_paper_size,
        paper_size_of,
    )

    on_paper = format_ == "pdf" or (format_ in {"png", "svg"} and size is not None and is_paper_size(size))
    if not on_paper:
        given = {
            "--with": bool(beside),
            "--font-size": font_size is not None,
            "--no-title": no_title,
            "--log-steps": log_steps,
            "--log-values" if log_values else "--linear-values": log_values is not None,
        }
        for option, is_given in given.items():
            if is_given:
                raise ScenarioError(f"{option}: only for a figure for a paper; write --to pdf, or add --size 85mm")
        return None
    if len(beside or ()) >= MOST_RUNS:
        raise ScenarioError(f"--with: {len(beside or ())} more runs; expected {MOST_RUNS - 1} or fewer")
    width, height = (COLUMN_MM, None) if size is None else paper_size_of(size)
    points = FONT_PT if font_size is None else font_size_of(font_size)
    return PaperLook(width, height, points, not no_title, log_steps, log_values)


def _draw_screen(place: Path, wish: Wish) -> DrawnScreen:
    """Only a picture of a screen needs the app."""
    from condense_tui.app.screenshot import draw_screen

    return draw_screen(place, wish)
