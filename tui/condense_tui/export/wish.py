"""What is to be exported: the format, what of the run, at which step, and how it looks. Needs no NumPy."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from condense_core.errors import ScenarioError, nearest
from condense_tui.export.paper_look import PaperLook

Format = Literal["csv", "npz", "png", "svg", "pdf", "html", "parquet", "tensorboard"]
FORMATS: tuple[Format, ...] = get_args(Format)
# Formats that show one thing; all others hold the whole run.
PICTURES: frozenset[Format] = frozenset({"png", "svg", "pdf"})
# Pictures that are not a recorded scalar under its own name.
SCREEN, HEATMAP, EIGENVALUES, PREDICTION, OUTPUT, FIELD = (
    "screen",
    "heatmap",
    "eigenvalues",
    "prediction",
    "output",
    "field",
)
HESSIAN, NTK, SINGULAR = SPECTRA = ("hessian", "ntk", "singular")
NAMED = (SCREEN, HEATMAP, EIGENVALUES, *SPECTRA, PREDICTION, OUTPUT, FIELD)
# What only figures for a paper show. Of singular values these have all of one step.
SPECTRUM, NORMS, ORIENTATION = "spectrum", "norms", "orientation"
ON_PAPER = (*NAMED[1:], SPECTRUM, NORMS, ORIENTATION)
# Pictures of frames, which are never a mean over members.
OF_ONE_MEMBER = frozenset({HEATMAP, OUTPUT, FIELD, SPECTRUM, SINGULAR, NORMS, ORIENTATION})
ENDINGS: dict[Format, str] = {format: f".{format}" for format in FORMATS} | {"tensorboard": "-tensorboard"}

# The app says "too small" below its own least; above the other limit a picture takes minutes and gigabytes.
LEAST_SIZE, MOST_SIZE = (40, 12), (400, 200)
_SIZE = re.compile(r"(\d{1,9})[x×](\d{1,9})")


class DrawnScreen(NamedTuple):
    """The SVG of a run's screen, and what was left out on it because it is damaged."""

    svg: str
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Wish:
    """One export. `at` is a step, None for the newest; `layer` None means every layer where a picture can show them.
    `member` is that of an ensemble, from 0; None means all of them where the format can hold them, and elsewhere their
    mean and the first one's heatmaps.

    `size` in characters is that of a screen; `dark` None is the picture's own habit: screens dark, figures light.
    """

    format: Format
    what: str = SCREEN
    layer: str | None = None
    at: int | None = None
    member: int | None = None
    size: tuple[int, int] = (120, 40)
    dark: bool | None = None
    palette: int = 0
    paper: PaperLook | None = None
    """Of a figure for a paper, which `pdf` always is: `what` then names panels (`heatmap,loss`), and in each of them
    one thing or several curves (`lines+coverage`)."""
    beside: tuple[Path, ...] = ()
    """Places of other runs, which a figure for a paper shows beside the run, or in the same axes."""
    skip_damage: bool = False
    """Whether what is damaged is left out and named; otherwise it is refused."""


def format_named(text: str) -> Format:
    """The format of that name; ScenarioError with the nearest where there is none."""
    for format in FORMATS:
        if text == format:
            return format
    raise ScenarioError(f"--to {text}: {nearest(text, FORMATS)}")


def size_of(text: str) -> tuple[int, int]:
    """Columns and rows of `120x40`; ScenarioError for what is none, or no size that can be drawn."""
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ScenarioError(f"--size {text}: expected COLUMNSxROWS, such as 120x40")
    size = int(match[1]), int(match[2])
    if any(side < least for side, least in zip(size, LEAST_SIZE, strict=True)):
        raise ScenarioError(f"--size {text}: expected {LEAST_SIZE[0]}x{LEAST_SIZE[1]} or more")
    if any(side > most for side, most in zip(size, MOST_SIZE, strict=True)):
        raise ScenarioError(f"--size {text}: expected {MOST_SIZE[0]}x{MOST_SIZE[1]} or less")
    return size


def checked(wish: Wish, layers: Sequence[str], curves: Sequence[str], members: int) -> Wish:
    """The wish, where the run has what it names; ScenarioError otherwise. A bare scalar's name may leave the layer out
    (`lines` is `conv1.lines` where conv1 is the chosen or the first layer)."""
    if wish.member is not None and not 0 <= wish.member < members:
        there = f"1 to {members}" if members > 1 else "none: the run has one seed"
        raise ScenarioError(f"--nth-seed {wish.member + 1}: expected {there}")
    if wish.layer is not None and wish.layer not in layers:
        raise ScenarioError(
            f"--layer {wish.layer}: {nearest(wish.layer, layers) if layers else 'the run has no layers'}"
        )
    if wish.paper is not None and wish.what == SCREEN:
        # what only a screen can show
        return replace(wish, what=HEATMAP)
    if wish.format not in PICTURES or wish.paper is not None or wish.what in NAMED or wish.what in curves:
        # of a figure for a paper, each panel is asked for by itself
        return wish
    if wish.what in ON_PAPER or "," in wish.what or "+" in wish.what:
        raise ScenarioError(
            f"--what {wish.what}: only a figure for a paper shows it; add --size 85mm, or write --to pdf"
        )
    chosen = wish.layer or (layers[0] if layers else "")
    if f"{chosen}.{wish.what}" in curves:
        return replace(wish, what=f"{chosen}.{wish.what}")
    hint = nearest(wish.what, (*NAMED, *curves))
    if not hint.startswith("did you mean"):
        # a run has dozens of scalars, and most of them a layer's name
        hint = f"expected {', '.join(NAMED)}, or a recorded scalar such as loss"
    raise ScenarioError(f"--what {wish.what}: {hint}")


def not_recorded(spectrum: str, layer: str) -> str:
    """Why there is no picture of one of `SPECTRA`, and what would record it."""
    if spectrum == SINGULAR:
        return f"singular: the run has kept no singular values of {layer or 'any layer'} (record.probes: weights)"
    return f"{spectrum}: the run has not recorded it; name {spectrum!r} in record.probes of a new run"


def panel_names(what: str, scalars: Sequence[str]) -> list[str]:
    """What each panel of a figure for a paper shows: parts between commas, unless a scalar is called so."""
    return [what] if what in scalars else [part.strip() for part in what.split(",") if part.strip()]


def file_name(run: str, wish: Wish) -> str:
    """What the file is called where nobody said it: the run, what it shows, the step, and the format's ending."""
    parts = [run]
    if wish.format in PICTURES:
        parts.append(wish.what)
        parts += [wish.layer] if wish.layer and (wish.what in NAMED or wish.paper is not None) else []
    parts += [] if wish.member is None else [f"nth-seed-{wish.member + 1}"]
    parts += [] if wish.at is None else [f"step-{wish.at}"]
    stem = "-".join(re.sub(r"[^A-Za-z0-9._-]+", "_", part) for part in parts)
    return stem + ENDINGS[wish.format]
