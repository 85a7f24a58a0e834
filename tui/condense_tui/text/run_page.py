"""A run at one step as text, from top to bottom: header, words on it, layers, heatmaps, curves, events and claim."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from rich.console import Console
from rich.text import Text

from condense_core.errors import RunFileError
from condense_core.runfile.reader import RunReader
from condense_core.runs.layer_over_seeds import read_layer_over_seeds
from condense_core.runs.summary import Summary, summarise
from condense_tui.draw import numbers
from condense_tui.draw.ability import Depth, output_ability
from condense_tui.draw.ascii import to_ascii
from condense_tui.draw.label import said_of
from condense_tui.draw.line import Line
from condense_tui.draw.timeline import is_logarithmic
from condense_tui.draw.verdict import parts
from condense_tui.snapshots import machine, plots
from condense_tui.snapshots.assemble import Assembler, ViewRequest
from condense_tui.snapshots.playhead import Playhead
from condense_tui.snapshots.plots import Axes
from condense_tui.snapshots.snapshot import Snapshot
from condense_tui.snapshots.weight_figures import weight_figures
from condense_tui.text import blocks, tables
from condense_tui.text.blocks import FAINT, PLAIN, TextBlock, TextInk

# Rows of a heatmap and of a plot: together with the rest, a page of a log and not five.
HEAT_ROWS, HEAT_LEAST = 32, 32
HEAT_MOST = 64
PLOT_ROWS = 12
# Two plots stand side by side from here on; braille in half of that says little.
TWO_ACROSS = 90
EVENTS = 12
PIPE_WIDTH = 80
_SYSTEMS: dict[Depth, Literal["standard", "256", "truecolor"] | None] = {
    Depth.NONE: None,
    Depth.ANSI: "standard",
    Depth.INDEXED: "256",
    Depth.TRUE: "truecolor",
}


def print_run(run: RunReader, *, at: int | None = None, width: int | None = None) -> Summary:
    """Print the run's panels at the newest frame at or before step `at` to standard output; its summary.

    Colour only on a terminal (or with FORCE_COLOR), as the environment says; `width` None is the terminal's.
    """
    found = output_ability(os.environ, sys.stdout.isatty(), sys.stdout.encoding)
    console = Console(color_system=_SYSTEMS[found.depth], force_terminal=found.depth > Depth.NONE, highlight=False)
    wide = width or (console.width if console.is_terminal or os.environ.get("COLUMNS") else PIPE_WIDTH)
    ink = TextInk(found, dark=not _light(os.environ))
    with run.in_one_pass():
        summary = summarise(run)
        lines = page(run, summary, at, max(20, wide), ink)
    for line in lines:
        text = Text(no_wrap=True)
        for part, style in _trimmed(line):
            text.append(part if found.unicode else to_ascii(part), style)
        console.print(text, soft_wrap=True)
    return summary


def _trimmed(line: Line) -> Line:
    """Without the blanks at its end, but for those that are a colour."""
    kept = list(line)
    while kept and kept[-1][1].bgcolor is None and not kept[-1][0].strip():
        kept.pop()
    if kept and kept[-1][1].bgcolor is None:
        kept[-1] = (kept[-1][0].rstrip(), kept[-1][1])
    return kept


def page(run: RunReader, summary: Summary, at: int | None, width: int, ink: TextInk) -> list[Line]:
    """All lines; none is wider than `width` but for texts that came with the run."""
    snapshot = snapshot_at(run, at)
    head = snapshot.head
    step = None if head is None or at is None else head.step
    said: list[Line] = [[(f"{word}: {text}", PLAIN)] for word, text in said_of(run.folder)]
    lines = [_header(snapshot), *said, *_claim(snapshot)]
    if snapshot.layers:
        lines += [[(line, PLAIN)] for line in _table(run, snapshot, summary if at is None else None, width)]
    if snapshot.seeds is not None:
        words = f"curves: {snapshot.seeds.label}, with the lowest and the highest; heatmaps: {snapshot.seeds.imaged}"
        lines += [[], [(words, FAINT)]]
    for part in (_heatmaps(snapshot, width, ink), _plots(snapshot, width, step, ink.ability.unicode)):
        lines += [[], *part] if part else []
    lines += [[], *_events(snapshot, step)]
    if snapshot.claim is not None:
        lines.append([])
        lines += [[(text, PLAIN)] for text in tables.claim_lines(snapshot.claim)]
    return lines


def snapshot_at(run: RunReader, at: int | None) -> Snapshot:
    """What the run screen would show at that step; RunFileError if the recording begins later."""
    playhead = Playhead()
    if at is not None:
        steps = run.instants
        count = int((steps <= at).sum())
        if not count:
            starts = f"starts at step {int(steps.min())}" if len(steps) else "has no frame yet"
            raise RunFileError(f"--at {at}: the recording {starts}")
        playhead = playhead.go(count - 1)
    # what is printed is printed once
    whole = Assembler(run, load_s=math.inf)
    return whole.snapshot(playhead, ViewRequest(every_layer=True, weights=True, machine=True))


def _header(snapshot: Snapshot) -> Line:
    run, head = snapshot.header, snapshot.head
    parts = [f"{run.status} at step {numbers.progress(run.step, run.steps)}"]
    if head is not None and not head.following:
        parts.append(f"shown at step {numbers.step(head.step)}, frame {head.index + 1} of {head.count}")
    elif head is not None:
        parts.append(numbers.plural(head.count, "frame"))
    parts += [run.reason] if run.reason else []
    return [(run.id, blocks.STRONG), (": " + " · ".join(parts), PLAIN)]


def _claim(snapshot: Snapshot) -> list[Line]:
    """How the claim stands, in a line."""
    if snapshot.claim is None:
        return []
    said = parts(snapshot.claim, snapshot.claim_at_end)
    return [[(" · ".join(text for text, _ in said[:-1]), PLAIN)]]


def _table(run: RunReader, snapshot: Snapshot, ended: Summary | None, width: int) -> list[str]:
    """The table of layers as plain lines, as `run` prints it: of the run's end, or as it was at the playhead."""
    head = snapshot.head
    console = Console(width=max(width, tables.LEAST_WIDTH), color_system=None, file=None, highlight=False)
    with console.capture() as captured:
        if ended is not None and ended.layers:
            tables.print_layers(console, ended.layers_over_seeds())
        elif head is not None:
            names = [layer.name for layer in snapshot.layers]
            tables.print_layers(
                console, [read_layer_over_seeds(run, name, head.step, snapshot.cut, upto=head.step) for name in names]
            )
    return captured.get().rstrip("\n").split("\n")


def _heatmaps(snapshot: Snapshot, width: int, ink: TextInk) -> list[Line]:
    if not snapshot.images:
        return []
    least = HEAT_MOST if ink.ability.ascii_heatmap else HEAT_LEAST
    across = max(1, min(len(snapshot.images), (width + 2) // (least + 2)))
    each = min(HEAT_MOST, (width - 2 * (across - 1)) // across)
    lines: list[Line] = []
    for first in range(0, len(snapshot.images), across):
        row = [blocks.heatmap(image, each, HEAT_ROWS, ink) for image in snapshot.images[first : first + across]]
        lines += [*blocks.beside(row), []]
    dropped = sum(int(image.dropped.sum()) for image in snapshot.images)
    wide = all(blocks.is_wide(len(image.order), each, HEAT_ROWS) for image in snapshot.images)
    return [*lines, blocks.legend(dropped, width, ink, wide=wide)]


def _plots(snapshot: Snapshot, width: int, step: int | None, unicode: bool) -> list[Line]:
    axes = Axes(True, is_logarithmic(snapshot.instants))
    across = 2 if width >= TWO_ACROSS else 1
    each = (width - 3 * (across - 1)) // across
    spectra = [plots.eigenvalues(snapshot, replace(axes, spectrum=n)) for n in range(plots.spectrum_count(snapshot))]
    shown = [plots.loss(snapshot, axes), *(spectra or [plots.eigenvalues(snapshot, axes)])]
    shown.append(plots.prediction(snapshot, axes))
    if len(snapshot.accuracy[0]):
        shown.append(plots.accuracy(snapshot, axes))
    curves: list[TextBlock] = [blocks.plot(figure, each, PLOT_ROWS, step, unicode) for figure in shown]
    one_input: list[TextBlock] = []
    if snapshot.outputs is not None:
        one_input.append(blocks.plot(plots.output(snapshot, axes), each, 2 * PLOT_ROWS, None, unicode))
    if snapshot.field is not None:
        one_input.append(blocks.field(snapshot.field, each, 2 * PLOT_ROWS, unicode))
    layer: list[TextBlock] = [
        blocks.weights(figure, each, PLOT_ROWS, unicode) for figure in weight_figures(snapshot, log=True)
    ]
    of_machine = machine.figures(snapshot, axes) if snapshot.machine else ()
    hardware: list[TextBlock] = [blocks.plot(figure, each, PLOT_ROWS, step, unicode) for figure in of_machine]
    lines: list[Line] = []
    for found in (curves, one_input, layer, hardware):
        for first in range(0, len(found), across):
            lines += [*blocks.beside(found[first : first + across], gap=3), []]
    return lines[:-1]


def _events(snapshot: Snapshot, step: int | None) -> list[Line]:
    """The newest events up to the step; a claim of the summary is of the whole run and stands below."""
    told = [event for event in snapshot.events if event.kind != "checkpoint"]
    told = [event for event in told if step is None or event.step <= step]
    if not told:
        return [[("no events yet", FAINT)]]
    return [
        [(f"{numbers.step(event.step):>9}  ", FAINT), (f"{event.kind:<20} ", PLAIN), (event.text, PLAIN)]
        for event in told[-EVENTS:]
    ]


def _light(environ: Mapping[str, str]) -> bool:
    """Some terminals say which of the sixteen colours their background is; 7 and 15 are the light ones."""
    return environ.get("COLORFGBG", "").rpartition(";")[2] in {"7", "15"}
