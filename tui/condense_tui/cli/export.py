"""`export`: a run as a table, as arrays, as pictures, as a page, as event files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from condense_tui.cli import completions
from condense_tui.cli.options import AtOption, JsonOption, RunArgument, RunsDirOption

if TYPE_CHECKING:
    from condense_tui.export.wish import Wish


def export(
    run: RunArgument,
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="FORMAT",
            help="csv, parquet, npz, png, svg, html, tensorboard.",
            autocompletion=completions.formats,
        ),
    ],
    what: Annotated[
        str,
        typer.Option(
            help="For png and svg: screen, heatmap, eigenvalues, prediction, output, field, or a scalar such as loss."
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
            help="The K-th of several seeds; by default their mean, with heatmaps of the first.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Output file; by default named after the run, here. - is standard output."),
    ] = None,
    size: Annotated[str, typer.Option(metavar="COLUMNSxROWS", help="Size of a screen.")] = "120x40",
    theme: Annotated[
        str | None, typer.Option(metavar="NAME", help="dark or light; by default dark for screens, light for figures.")
    ] = None,
    palette: Annotated[str, typer.Option(metavar="NAME", help="ember, orchid or reef.")] = "ember",
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
    condense-tui export digits-gd --to csv
    condense-tui export digits-gd-3f2a --to png --at 100
    condense-tui export digits-deep --to svg --what heatmap --theme dark
    condense-tui export fcn-fig03-tanh --to png --what heatmap --nth-seed 3
    condense-tui export digits-gd --to svg --what loss --out - > loss.svg
    """
    import msgspec

    from condense_core.errors import ScenarioError, nearest
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
    if format_ not in PICTURES:
        for option, given in (("--what", what if what != SCREEN else None), ("--layer", layer)):
            if given is not None:
                raise ScenarioError(f"{option} {given}: only png and svg show a part of the run; {to} holds all of it")
    wish = Wish(
        format=format_,
        what=what,
        layer=layer,
        at=at,
        member=None if member is None else member - 1,
        size=size_of(size),
        dark=None if theme is None else theme == "dark",
        palette=palettes.index(palette),
    )
    place = find_recording(run, runs_dir)
    path = write(place, wish, out, screen=_draw_screen, force=force)
    if path is None:
        return 0
    seeds = whose_of(place, wish)
    if json:
        told = {"path": str(path.resolve()), "format": wish.format} | ({"seeds": seeds} if seeds else {})
        typer.echo(msgspec.json.encode(told))
    else:
        typer.echo(f"wrote {path}" + (f" · {seeds}" if seeds else ""))
    return 0


def _draw_screen(place: Path, wish: Wish) -> str:
    """Only a picture of a screen needs the app."""
    from condense_tui.app.screenshot import draw_screen

    return draw_screen(place, wish)
