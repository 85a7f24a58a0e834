"""From the sheet to the file, by Matplotlib: run as a program, a sheet in msgpack comes in and the picture goes out.

Nothing of the reader's own settings counts, and no date is written, so that the same run gives the same bytes.
"""

from __future__ import annotations

import io
import math
import sys
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from condense_core import typed
from condense_tui.export.paper import words
from condense_tui.export.paper.axes import first_to_last, round_numbers
from condense_tui.export.paper.draw_curves import BEHIND, TONES, draw_curves
from condense_tui.export.paper.sheet import BarsPanel, CurvesPanel, Panel, Sheet, SheetField, SheetHeatmap
from condense_tui.export.paper_look import MM_PER_INCH

# Cells of a heatmap are enlarged to at least so many pixels a side: readers of PDF blur the edges of larger pixels.
SIDE_PX = 1024
# Colours of the scale: a cosine of 0 has one of its own, and with those of what has none they fit into one byte.
SHADES = 201
# Above 600 dots an inch a printer shows no more.
DPI = 600
# How high a square panel is for its width with all that is written around it, and more: it gives back what is too much.
SQUARE = 1.4
# Speeds of a field differ by orders of magnitude: an arrow is as long as this power of its speed.
LENGTH_POWER = 1 / 3


def drawn(sheet: Sheet) -> bytes:
    """The file's bytes."""
    mpl.rcdefaults()
    mpl.rcParams.update(_settings(sheet.look.font_pt))
    file = io.BytesIO()
    _figure(sheet).savefig(file, format=sheet.format, dpi=DPI, metadata=_metadata(sheet))
    return file.getvalue()


def _settings(points: float) -> dict[str, Any]:
    thin = points / 12
    return {
        "font.size": points,
        "font.family": ["DejaVu Sans"],
        "mathtext.fontset": "dejavusans",
        "axes.titlesize": points,
        "axes.labelsize": points,
        **{f"{axis}tick.labelsize": points * 0.9 for axis in "xy"},
        "legend.fontsize": points * 0.9,
        "legend.framealpha": 0.8,
        "legend.edgecolor": "none",
        "legend.handlelength": 1.8,
        "legend.borderpad": 0.2,
        "axes.linewidth": thin,
        "axes.titlepad": points * 0.5,
        "axes.formatter.use_mathtext": True,
        "axes.spines.top": False,
        "axes.spines.right": False,
        **{f"{axis}tick.major.width": thin for axis in "xy"},
        **{f"{axis}tick.minor.width": thin * 0.7 for axis in "xy"},
        **{f"{axis}tick.major.size": points * 0.35 for axis in "xy"},
        **{f"{axis}tick.minor.size": points * 0.2 for axis in "xy"},
        "lines.linewidth": points / 7,
        "lines.markersize": points * 0.3,
        # letters stay letters in a PDF, as conferences ask (no Type 3 fonts); in SVG they are outlines
        "pdf.fonttype": 42,
        "svg.fonttype": "path",
        "svg.hashsalt": "condense-tui",
    }


def _metadata(sheet: Sheet) -> dict[str, Any]:
    if sheet.format == "png":
        return {"Title": sheet.title, "Software": "condense-tui"}
    date = "Date" if sheet.format == "svg" else "CreationDate"
    return {"Title": sheet.title, "Creator": "condense-tui", date: None}


def _figure(sheet: Sheet) -> Figure:
    look, panels = sheet.look, sheet.panels
    across, down = look.grid(len(panels))
    width = look.width_mm / MM_PER_INCH
    square = any(isinstance(panel, SheetHeatmap | SheetField) for panel in panels)
    each = SQUARE * width / across if square else words.flat_height(width / across)
    height = down * each if look.height_mm is None else look.height_mm / MM_PER_INCH
    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    pad = look.font_pt / 72 * 0.25
    figure.get_layout_engine().set(w_pad=pad, h_pad=pad, wspace=0.03, hspace=0.03)
    places: list[Axes] = list(figure.subplots(down, across, squeeze=False).ravel())
    for empty in places[len(panels) :]:
        empty.remove()
    places = places[: len(panels)]
    # half of a panel is for numbers, and one such as 4,000 is as wide as four of its letters are high
    most = max(2, min(6, int(0.42 * look.width_mm / across / look.font_pt)))
    most_up = max(2, min(6, int((height / down * 72 / look.font_pt - 5) / 1.6)))
    for number, (axes, panel) in enumerate(zip(places, panels, strict=True)):
        row_ends = number + 1 == len(panels) or (number + 1) % across == 0
        _draw(axes, panel, (most, most_up), bar=row_ends or not isinstance(panels[number + 1], SheetHeatmap))
        axes.set_xlabel(words.plain(panel.x_label))
        axes.set_ylabel(words.plain(panel.y_label))
        if look.titled:
            axes.set_title(words.plain(panel.title))
    words.fit(figure, places, down, pad, fixed=look.height_mm is not None)
    return figure


def _draw(axes: Axes, panel: Panel, most: tuple[int, int], *, bar: bool) -> None:
    match panel:
        case SheetHeatmap():
            _heat(axes, panel, bar=bar)
        case CurvesPanel():
            draw_curves(axes, panel, most)
        case BarsPanel():
            _bars(axes, panel)
        case SheetField():
            _field(axes, panel)


def _heat(axes: Axes, panel: SheetHeatmap, *, bar: bool) -> None:
    cosine_MM, dropped_M = panel.cosine.numpy(), panel.dropped.numpy() > 0
    scale = LinearSegmentedColormap.from_list("cosine", panel.colours, SHADES)(np.linspace(0, 1, SHADES))[:, :3]
    shades = np.rint(scale * 255).astype(np.uint8)
    missing = np.isnan(cosine_MM)
    pixels = shades[np.rint((np.clip(np.where(missing, 0, cosine_MM), -1, 1) + 1) / 2 * (SHADES - 1)).astype(int)]
    pixels[missing] = _bytes(panel.missing_colour)
    pixels[dropped_M, :] = pixels[:, dropped_M] = _bytes(panel.dropped_colour)
    times = max(1, -(-SIDE_PX // max(1, len(pixels))))
    first, last = 0.5, panel.kernels + 0.5
    axes.imshow(
        pixels.repeat(times, axis=0).repeat(times, axis=1), interpolation="none", extent=(first, last, last, first)
    )
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(first_to_last(1, panel.kernels))
    for side in ("top", "right"):
        axes.spines[side].set_visible(True)
    if bar:
        _scale_beside(axes, shades)


def _scale_beside(axes: Axes, shades: np.ndarray) -> None:
    """The scale from -1 to 1 beside a heatmap, as high as it."""
    beside = axes.inset_axes((1.04, 0, 0.05, 1))
    beside.imshow(shades[::-1, None], extent=(0, 1, -1, 1), aspect="auto", interpolation="none")
    beside.set_xticks([])
    beside.set_yticks([-1, -0.5, 0, 0.5, 1], ["−1", "", "0", "", "1"])
    beside.yaxis.tick_right()
    beside.yaxis.set_label_position("right")
    beside.set_ylabel("cosine similarity")
    for spine in beside.spines.values():
        spine.set_visible(True)


def _bars(axes: Axes, panel: BarsPanel) -> None:
    edges, kept, counts = panel.edges.numpy(), panel.kept.numpy(), panel.counts.numpy()
    if panel.log_x:
        axes.set_xscale("log")
    left, width = edges[:-1], np.diff(edges)
    look: dict[str, Any] = {"align": "edge", "linewidth": mpl.rcParams["axes.linewidth"] / 2, "edgecolor": "white"}
    some = bool((counts > kept).any())
    axes.bar(left, kept, width, color=TONES[0], label="kept" if some else None, **look)
    if some:
        axes.bar(left, counts - kept, width, bottom=kept, color="#c4c4c4", label="dropped", **look)
    axes.set_ylim(0, max(1.0, 1.08 * float(counts.max())))
    axes.yaxis.set_major_locator(round_numbers(5, whole=True))
    if not panel.log_x:
        axes.xaxis.set_major_locator(round_numbers(4))


def _field(axes: Axes, panel: SheetField) -> None:
    omega_G2, velocity_G2 = panel.omega.numpy(), panel.velocity.numpy()
    reach = float(np.max(np.abs(omega_G2), initial=0.0))
    if not (math.isfinite(reach) and reach > 0):
        return
    with np.errstate(over="ignore", invalid="ignore"):
        speed_G = np.hypot(velocity_G2[:, 0], velocity_G2[:, 1])
    there_G = np.isfinite(speed_G) & (speed_G > 0)
    if there_G.any():
        speed = speed_G[there_G, None]
        spacing = 2 * reach / max(1.0, math.sqrt(len(omega_G2)) - 1)
        arrows = velocity_G2[there_G] / speed * (speed / speed.max()) ** LENGTH_POWER * spacing * 0.9
        head: dict[str, Any] = {"width": 0.004, "headwidth": 4, "headlength": 4, "headaxislength": 3.5}
        measure: dict[str, Any] = {"angles": "xy", "scale_units": "xy", "scale": 1, "pivot": "mid"}
        axes.quiver(*omega_G2[there_G].T, *arrows.T, color=BEHIND, **measure, **head)
    for number, angle in enumerate(panel.stable.numpy().tolist()):
        ends = np.array([-2, 2]) * reach
        name = "stable line" if number == 0 else None
        axes.plot(ends * math.cos(angle), ends * math.sin(angle), color=TONES[1], label=name)
    neurons = panel.neurons.numpy()
    if len(neurons):
        axes.plot(*neurons.T, "o", color=TONES[0], markeredgewidth=0, label="neuron", zorder=3)
    axes.set_xlim(-1.08 * reach, 1.08 * reach)
    axes.set_ylim(-1.08 * reach, 1.08 * reach)
    axes.set_aspect("equal")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(4, symmetric=True, steps=[1, 2, 5, 10]))


def _bytes(colour: str) -> np.ndarray:
    found: np.ndarray = np.rint(np.array(to_rgb(colour)) * 255).astype(np.uint8)
    return found


def _main() -> int:
    sys.stdout.buffer.write(drawn(typed.from_msgpack(sys.stdin.buffer.read(), Sheet)))
    return 0


if __name__ == "__main__":
    sys.exit(_main())
