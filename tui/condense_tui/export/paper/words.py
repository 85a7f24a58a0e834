"""Words on a figure: labels that fit, legends that hide nothing, and the height that all of it needs."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedFormatter, FixedLocator
from matplotlib.transforms import Bbox

from condense_tui.export.paper_look import MM_PER_INCH

# A label may be longer than its axis by this: it stands over the numbers at both ends, too.
OVERHANG = 1.2
# How high a panel of curves is for its width, with all that is written around it.
FLAT = 0.74
# In millimetres by the size of its letters: 36 mm at 8 points.
LEAST_HIGH = 4.5
# What keeps the height free that a legend takes below a panel.
ROOM = "room"
BARE = {"fill": False, "linewidth": 0, "edgecolor": "none"}


def flat_height(width: float) -> float:
    """Inches that a panel of curves is high where it is so wide."""
    points: float = rcParams["font.size"]
    return max(FLAT * width, LEAST_HIGH * points / MM_PER_INCH)


def plain(text: str) -> str:
    """Words as they are: a dollar would begin a formula."""
    return text.replace("$", r"\$")


def fit(figure: Figure, places: Sequence[Axes], down: int, pad: float, *, fixed: bool) -> None:
    """Give every panel its legend, long labels a second line, and the figure the height it needs unless `fixed`."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    legends = _legends(figure, places, renderer)
    figure.draw_without_rendering()
    below = _put_aside(legends, [], renderer)
    _wrap_labels(figure, places, renderer)
    if not fixed:
        _shrink(figure, places, down, renderer, pad)
        _wrap_labels(figure, places, renderer)
    # at another size the best place is another one
    below = _put_aside(legends, below, renderer)
    figure.draw_without_rendering()
    for axes in below:
        # the label that it stands under has moved
        _put_below(axes, renderer)
    figure.draw_without_rendering()
    for axes in places:
        _thin_numbers(axes.xaxis, renderer)
        _thin_numbers(axes.yaxis, renderer)


def _put_aside(legends: Sequence[tuple[Axes, Legend]], below: list[Axes], renderer: RendererBase) -> list[Axes]:
    """Below their panels those legends that hide something; all that are there now."""
    found = below + [axes for axes, legend in legends if axes not in below and _hides(axes, legend, renderer)]
    for axes in found:
        _put_below(axes, renderer)
    return found


def _legends(figure: Figure, places: Sequence[Axes], renderer: RendererBase) -> list[tuple[Axes, Legend]]:
    """In each panel its own; one below all of them where it is the same."""
    named = [(axes, *axes.get_legend_handles_labels()) for axes in places]
    named = [(axes, handles, labels) for axes, handles, labels in named if labels]
    if len(named) > 1 and len({tuple(labels) for _, _, labels in named}) == 1:
        _, handles, labels = named[0]
        # as many beside each other as there is room for
        for columns in range(len(labels), 0, -1):
            legend = figure.legend(handles, labels, loc="outside lower center", ncols=columns)
            if columns == 1 or legend.get_window_extent(renderer).width < figure.bbox.width:
                return []
            legend.remove()
    inside = [(axes, axes.legend(handles, labels, loc="best")) for axes, handles, labels in named]
    for _, legend in inside:
        # one that is too wide for its panel is put elsewhere
        legend.set_in_layout(False)
    return inside


def _hides(axes: Axes, legend: Legend, renderer: RendererBase) -> bool:
    """Whether a legend lies over anything that is drawn, or is wider than its panel."""
    box, room = legend.get_window_extent(renderer), axes.get_window_extent(renderer)
    if box.width > room.width or box.height > room.height:
        return True
    drawn = [line.get_transform().transform_path(line.get_path()) for line in axes.lines]
    drawn += [
        patch.get_transform().transform_path(patch.get_path()) for patch in axes.patches if patch.get_gid() != ROOM
    ]
    if any(len(marks.get_offsets()) > 1 for marks in axes.collections):
        # arrows are all over a field
        return True
    for band in axes.collections:
        drawn += [band.get_transform().transform_path(path) for path in band.get_paths()]
    return any(path.intersects_bbox(box, filled=False) for path in drawn)


def _put_below(axes: Axes, renderer: RendererBase) -> None:
    """Under the label of the horizontal axis, in the middle of the panel's share of the figure, as many names beside
    each other as there is room for. Layout gives it the height alone: it may be wider than the axes."""
    place, figure = axes.get_subplotspec(), axes.get_figure()
    columns = place.get_gridspec().ncols
    to_axes, room = axes.transAxes.inverted(), figure.bbox.width / columns
    _, lower = to_axes.transform((0, axes.xaxis.label.get_window_extent(renderer).y0))
    middle, _ = to_axes.transform(((place.colspan.start + 0.5) * room, 0))
    for marker in [patch for patch in axes.patches if patch.get_gid() == ROOM]:
        marker.remove()
    handles, labels = axes.get_legend_handles_labels()

    def put(labels: list[str], beside: int) -> Bbox:
        legend = axes.legend(
            handles, labels, loc="upper center", bbox_to_anchor=(middle, lower), borderaxespad=0.6, ncols=beside
        )
        legend.set_in_layout(False)
        found: Bbox = legend.get_window_extent(renderer)
        return found

    box = next(
        (box for box in (put(labels, beside) for beside in range(len(labels), 0, -1)) if box.width <= room), None
    )
    if box is None:
        box = put(labels, 1)
        box = put([wrapped(label, math.ceil(box.width / room)) for label in labels], 1)
    bottom = to_axes.transform((0, box.y0))[1]
    axes.add_artist(
        Rectangle((0.5, bottom), 0.01, lower - bottom, transform=axes.transAxes, clip_on=False, gid=ROOM, **BARE)
    )


def _wrap_labels(figure: Figure, places: Sequence[Axes], renderer: RendererBase) -> None:
    # what is wrapped leaves less room for the rest
    for _ in range(2):
        figure.draw_without_rendering()
        for axes in places:
            box: Bbox = axes.get_window_extent(renderer)
            for text, room in (
                (axes.title, OVERHANG * box.width),
                (axes.xaxis.label, OVERHANG * box.width),
                (axes.yaxis.label, box.height),
            ):
                extent = text.get_window_extent(renderer)
                long = extent.height if text is axes.yaxis.label else extent.width
                if long > room:
                    lines = text.get_text().count("\n") + 1
                    text.set_text(wrapped(text.get_text(), math.ceil(lines * long / room)))
    figure.draw_without_rendering()


def _thin_numbers(axis: Axis, renderer: RendererBase) -> None:
    """Every other number, as often as that is needed for none to meet the next."""
    low, high = sorted(axis.get_view_interval())
    ticks = [tick for tick in axis.get_major_ticks() if tick.label1.get_text() and low <= tick.get_loc() <= high]
    along = "width" if axis.axis_name == "x" else "height"
    boxes = [tick.label1.get_window_extent(renderer) for tick in ticks]
    middles = [(box.x0 + box.x1 if along == "width" else box.y0 + box.y1) / 2 for box in boxes]
    nearest = min((abs(b - a) for a, b in itertools.pairwise(middles)), default=math.inf)
    stride = math.ceil(max((getattr(box, along) for box in boxes), default=0) / nearest)
    if stride > 1:
        kept = ticks[::stride]
        axis.set_major_locator(FixedLocator([tick.get_loc() for tick in kept]))
        axis.set_major_formatter(FixedFormatter([tick.label1.get_text() for tick in kept]))


def wrapped(text: str, lines: int) -> str:
    """The words in so many lines, the longest of them as short as can be; a dot between two lines goes."""
    words = text.replace("\n", " ").split(" ")
    places = itertools.combinations(range(1, len(words)), min(lines, len(words)) - 1)
    found = ([" ".join(words[a:b]).strip(" ·") for a, b in itertools.pairwise((0, *at, len(words)))] for at in places)
    return "\n".join(min(found, key=lambda some: max(map(len, some))))


def _shrink(figure: Figure, places: Sequence[Axes], down: int, renderer: RendererBase, pad: float) -> None:
    """Make the figure as high as its square panels are with all that is written around them, where it has any."""
    if all(axes.get_aspect() == "auto" for axes in places):
        return
    across = -(-len(places) // down)
    needed = sum(figure.dpi * pad * 2 + legend.get_window_extent(renderer).height for legend in figure.legends)
    for first in range(0, len(places), across):
        square = [axes for axes in places[first : first + across] if axes.get_aspect() != "auto"]
        if square:
            needed += max(axes.get_tightbbox(renderer).height for axes in square) + 2.5 * pad * figure.dpi
        else:
            needed += flat_height(figure.get_figwidth() / across) * figure.dpi
    if needed < figure.bbox.height:
        figure.set_size_inches(figure.get_figwidth(), needed / figure.dpi)
        figure.draw_without_rendering()
