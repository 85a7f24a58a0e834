"""Figures for a paper: what stands on them is what was recorded, at the size that was asked for, and nothing is cut."""

from __future__ import annotations

import importlib.util
import io
import itertools
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from exporting import command
from one_input import one_input_run
from recording import Recording
from support import need_module

from condense_core.errors import CondenseError, MissingExtraError, ScenarioError
from condense_core.installation import how_to_add
from condense_core.runfile.frames import Weights
from condense_core.runfile.reader import RunReader
from condense_core.runfile.writer import RecordingThread, StepRecord
from condense_tui.app.screenshot import draw_screen
from condense_tui.draw.palette import PALETTES, colours
from condense_tui.export.make import export, instant
from condense_tui.export.paper.read import sheet_of
from condense_tui.export.paper.sheet import CurvesPanel, Sheet, SheetHeatmap
from condense_tui.export.paper_look import PaperLook, paper_size_of
from condense_tui.export.wish import Wish
from condense_tui.snapshots.image import image_of

PAPER = PaperLook()
MM_PER_POINT = 25.4 / 72


def recorded_run(folder: Path, **more: Any) -> Path:
    recording = Recording(folder, **more)
    recording.write()
    recording.finish()
    recording.close()
    return recording.folder


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    return recorded_run(tmp_path / "runs", frames=12)


def scalars(make_run, *records: tuple[int, dict[str, float]]) -> Path:
    """A run of which nothing but scalars was recorded."""
    folder = make_run()
    thread = RecordingThread(folder)
    for step, values in records:
        thread.put(StepRecord(step, list(values.items()), [], []))
    thread.close()
    return folder


def sheet(*places: Path, what: str, at: int | None = None, look: PaperLook = PAPER, **more: Any) -> Sheet:
    runs = [RunReader(place) for place in places]
    try:
        return sheet_of([(run, instant(run, at)) for run in runs], Wish("pdf", what=what, paper=look, **more), "")
    finally:
        for run in runs:
            run.close()


def curves(*places: Path, what: str, **more: Any) -> CurvesPanel:
    (panel,) = sheet(*places, what=what, **more).panels
    assert isinstance(panel, CurvesPanel)
    return panel


@pytest.fixture
def draw() -> Any:
    need_module("matplotlib")
    from condense_tui.export.paper import draw as module

    return module


def test_a_pdf_has_its_size_letters_and_no_date_and_is_the_same_twice(
    recorded: Path, tmp_path: Path, draw: Any
) -> None:
    wish = Wish("pdf", what="heatmap,loss", layer="conv1", paper=PaperLook(width_mm=140, height_mm=55))
    path, _ = export(recorded, wish, tmp_path / "figure.pdf", screen=draw_screen)
    assert path is not None
    data = path.read_bytes()
    found = sheet(recorded, what="heatmap,loss", layer="conv1", look=wish.paper or PAPER)
    once = draw.drawn(found)
    assert once == draw.drawn(found)
    assert abs(len(once) - len(data)) < 200, "but for the title"
    box = re.search(rb"/MediaBox \[ ?0 0 ([\d.]+) ([\d.]+) ?\]", data)
    assert box is not None
    assert [float(side) * MM_PER_POINT for side in box.groups()] == pytest.approx([140, 55], abs=0.05)
    assert b"/CreationDate" not in data
    assert b"/TrueType" in data or b"/CIDFontType2" in data
    assert b"/Type3" not in data


def test_a_heatmap_has_the_order_and_the_colours_of_the_screen(recorded: Path, draw: Any) -> None:
    found = sheet(recorded, what="heatmap", layer="conv2", at=2000, look=PaperLook(width_mm=30))
    (panel,) = found.panels
    assert isinstance(panel, SheetHeatmap)
    with RunReader(recorded) as run:
        cosine, frame = run.similarity("conv2", 2000), run.condensation("conv2", 2000)
        at = run.step_of("similarity", "conv2", 2000)
    assert cosine is not None
    assert frame is not None
    image = image_of("conv2", cosine, frame, True)
    np.testing.assert_array_equal(panel.cosine.numpy(), cosine[np.ix_(image.order, image.order)])
    assert panel.dropped.numpy().sum() == image.dropped.sum() > 0
    assert f"conv2 · step {at:,}" in panel.title
    assert "at 0." in panel.title
    assert f"{image.dropped.sum()} dropped" in panel.x_label
    from PIL import Image

    with Image.open(io.BytesIO(draw.drawn(replace_format(found, "png")))) as picture:
        pixels = np.asarray(picture.convert("RGB"))
    seen = {tuple(colour) for colour in np.unique(pixels.reshape(-1, 3), axis=0).tolist()}
    scale = colours(PALETTES[0], False)
    assert {scale[0], scale[30], scale[32]} <= seen, "both ends of the scale, and what is dropped"
    assert pixels[0, 0].tolist() == [255, 255, 255]


def replace_format(found: Sheet, format: str) -> Sheet:
    import msgspec

    return msgspec.structs.replace(found, format=format)


def test_what_is_no_number_is_a_gap_and_nothing_stands_between(make_run) -> None:
    values = [4.0, 3.0, float("nan"), float("inf"), 1.0, 0.5]
    panel = curves(scalars(make_run, *((step, {"loss": value}) for step, value in enumerate(values))), what="loss")
    (line,) = panel.lines
    assert line.x.numpy().tolist() == [0, 1, 4, 5]
    assert line.y.numpy().tolist() == [4.0, 3.0, 1.0, 0.5]
    assert line.begins.numpy().tolist() == [1, 0, 1, 0]
    assert panel.log_y


def test_a_break_in_a_line_is_drawn_as_one(draw: Any, make_run) -> None:
    from condense_tui.export.paper.draw_curves import draw_curves

    values = [4.0, 3.0, float("nan"), 1.0, 0.5]
    panel = curves(scalars(make_run, *((step, {"loss": value}) for step, value in enumerate(values))), what="loss")
    figure = draw.Figure()
    axes = figure.subplots()
    draw_curves(axes, panel, (5, 5))
    joined, marked = axes.lines
    np.testing.assert_array_equal(joined.get_xdata(), [0, 1, np.nan, 3, 4])
    assert {1.0, 3.0} <= set(marked.get_xdata()), "what is beside a gap is marked as measured"


def test_a_curve_ends_at_the_step_of_the_figure(recorded: Path) -> None:
    (line,) = curves(recorded, what="loss", at=2000).lines
    assert line.x.numpy().max() <= 2000 < curves(recorded, what="loss").lines[0].x.numpy().max()


def test_axes_are_those_of_the_screen_unless_asked_otherwise(recorded: Path) -> None:
    assert curves(recorded, what="loss").log_y
    coverage = curves(recorded, what="coverage")
    assert not coverage.log_y
    assert coverage.bounds == (0.0, 1.0)
    assert coverage.y_label == "coverage at 0.9 / 5 %"
    assert not curves(recorded, what="loss", look=replace(PAPER, log_values=False)).log_y
    assert curves(recorded, what="loss", look=replace(PAPER, log_steps=True)).log_x


def test_several_scalars_and_several_runs_are_named(recorded: Path, tmp_path: Path) -> None:
    both = curves(recorded, what="conv1.lines+conv1.directions")
    assert [line.name for line in both.lines] == ["lines at 0.9 / 5 %", "directions at 0.9 / 5 %"]
    assert (both.title, both.whole) == ("conv1", True)
    other = recorded_run(tmp_path / "others", frames=6)
    runs = curves(recorded, other, what="loss")
    assert len(runs.lines) == 2
    assert all(line.name for line in runs.lines)
    assert [line.tone for line in runs.lines] == [0, 1]
    assert len(sheet(recorded, other, what="heatmap", layer="conv1").panels) == 2


def test_of_several_seeds_the_median_and_the_range_are_drawn(tmp_path: Path) -> None:
    place = recorded_run(tmp_path / "runs", members=3, frames=6)
    (line,) = curves(place, what="loss").lines
    with RunReader(place) as run:
        steps, values = run.spread("loss")
    assert line.x.numpy().tolist() == steps.tolist()
    np.testing.assert_allclose(line.y.numpy(), np.median(values, axis=1))
    assert line.low is not None
    assert line.high is not None
    np.testing.assert_allclose(line.low.numpy(), values.min(axis=1))
    np.testing.assert_allclose(line.high.numpy(), values.max(axis=1))
    assert line.name == "median of 3 seeds (band: lowest to highest)"
    (one,) = curves(place, what="loss", member=1).lines
    np.testing.assert_allclose(one.y.numpy(), values[:, 1])
    assert one.low is None
    (heat,) = sheet(place, what="heatmap", layer="conv1").panels
    assert "(1 of 3)" in heat.title


PANELS = (
    "heatmap,loss",
    "loss,coverage+ratio,eigenvalues,prediction,norms",
    "orientation,field,output,singular",
)


@pytest.mark.parametrize(("what", "width_mm"), [*((what, 85) for what in PANELS), (PANELS[0], 170)])
def test_nothing_is_cut_and_no_numbers_meet(
    *, what: str, width_mm: float, tmp_path: Path, draw: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if what == PANELS[2]:
        angle = np.linspace(-3, 3, 24)
        kept = {"weight": np.cos(angle)[:, None], "bias": np.sin(angle)}
        found = {f"dense1.{name}": values for name, values in kept.items()} | {"output.weight": np.ones((1, 24))}
        monkeypatch.setattr("one_input.neurons", lambda _: Weights.of(found))
        place, layer = one_input_run(tmp_path), None
    else:
        place, layer = recorded_run(tmp_path / "runs", frames=12), "conv1"
    found = sheet(place, what=what, layer=layer, look=PaperLook(width_mm=width_mm, font_pt=7))
    draw.mpl.rcdefaults()
    draw.mpl.rcParams.update(draw._settings(7))
    figure = draw._figure(found)
    figure.draw_without_rendering()
    renderer = figure.canvas.get_renderer()
    inside = figure.get_tightbbox(renderer)
    wide, high = figure.get_size_inches()
    assert wide == pytest.approx(width_mm / 25.4)
    assert min(inside.x0, inside.y0, wide - inside.x1, high - inside.y1) > -0.02, (inside, wide, high)
    for axes in figure.axes:
        for axis, along in ((axes.xaxis, ("x0", "x1")), (axes.yaxis, ("y0", "y1"))):
            low, top = sorted(axis.get_view_interval())
            ticks = [tick for tick in axis.get_major_ticks() if tick.label1.get_text() and low <= tick.get_loc() <= top]
            boxes = [tick.label1.get_window_extent(renderer) for tick in ticks]
            spans = sorted(tuple(getattr(box, name) for name in along) for box in boxes)
            assert all(left[1] <= right[0] for left, right in itertools.pairwise(spans)), (axis, spans)


def test_what_differs_by_rounding_is_flat(draw: Any, make_run) -> None:
    place = scalars(make_run, *((step, {"loss": 1.0 + step * 2e-16}) for step in range(5)))
    low, high = draw._figure(sheet(place, what="loss")).axes[0].get_ylim()
    assert (low < 0.95, high > 1.05) == (True, True)


def test_a_legend_hides_no_curve(draw: Any, make_run) -> None:
    """Curves everywhere: there is no free place inside the panel."""
    names = "abcdef"
    place = scalars(
        make_run,
        *((step, {"loss": 1.0} | {name: float(row) for row, name in enumerate(names)}) for step in range(50)),
    )
    found = sheet(place, what="+".join(names), look=replace(PAPER, log_values=False))
    figure = draw._figure(found)
    figure.draw_without_rendering()
    (axes,) = figure.axes
    legend = axes.get_legend().get_window_extent(figure.canvas.get_renderer())
    assert legend.y1 < axes.get_window_extent().y0


def test_names_are_words_and_no_formulas(draw: Any, make_run) -> None:
    name = "costs $5 and $6 a_b^{c} \\frac"
    place = scalars(make_run, *((step, {"loss": 1.0, name: 2.0}) for step in range(3)))
    figure = draw._figure(sheet(place, what=name))
    label = figure.axes[0].get_ylabel().replace("\n", " ")
    assert label == name.replace("_", " ").replace("$", r"\$")
    figure.draw_without_rendering()


def test_numbers_of_ticks_have_as_many_decimals(draw: Any) -> None:
    from condense_tui.export.paper.axes import written

    assert written([14, 14.02, 14.1]) == ["14.00", "14.02", "14.10"]
    assert written([-0.5, 0]) == ["−0.5", "0.0"]
    assert written([2e-5, 1e-4]) == [r"$2\times10^{-5}$", r"$1\times10^{-4}$"]


def test_long_labels_go_on_in_a_second_line(draw: Any) -> None:
    from condense_tui.export.paper.words import wrapped

    assert wrapped("conv1 · step 200 · 1 line at 0.9", 2) == "conv1 · step 200\n1 line at 0.9"
    assert wrapped("share of the weights on v1 of Z", 2) == "share of the\nweights on v1 of Z"
    assert wrapped("word", 3) == "word"


@pytest.mark.parametrize(
    ("what", "more", "words"),
    [
        ("lss", {}, "has not recorded it; did you mean 'loss'"),
        ("heatmap+loss", {}, "heatmap is a panel of its own"),
        ("output", {}, "one input"),
        ("field", {}, "one input"),
        ("orientation", {}, "one input"),
        (",", {}, "nothing was recorded"),
        ("loss," * 13, {}, "13 panels in one figure; expected 12 or fewer"),
        ("loss,lines,ratio", {"look": PaperLook(width_mm=25)}, "25 mm are too small for 3 panels with letters of 8"),
        ("loss", {"look": PaperLook(height_mm=25, font_pt=12)}, "85x25 mm are too small for 1 panel"),
        ("+".join(["loss"] * 9), {}, "9 curves in one panel; expected 8 or fewer"),
    ],
)
def test_what_a_figure_cannot_show_is_said(recorded: Path, what: str, more: dict[str, Any], words: str) -> None:
    with pytest.raises(CondenseError, match=re.escape(words)) as caught:
        sheet(recorded, what=what, **more)
    assert caught.value.exit_code == 2


def test_a_missing_library_names_its_install(recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "matplotlib" else find(name))
    with pytest.raises(MissingExtraError, match=re.escape(f"not installed here: {how_to_add('figures')}")) as caught:
        export(recorded, Wish("pdf", what="loss", paper=PAPER), tmp_path / "out", screen=draw_screen)
    assert caught.value.exit_code == 2
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("text", ["85", "85x60", "mm", "85x60x2mm", "5mm", "2000mm", "85 mm", "0x0mm", "1e3mm"])
def test_sizes_on_paper_that_are_none(text: str) -> None:
    with pytest.raises(ScenarioError, match="--size"):
        paper_size_of(text)


def test_sizes_on_paper() -> None:
    assert paper_size_of("85x60mm") == (85, 60)
    assert paper_size_of("85mm") == (85, None)
    assert paper_size_of("3.25x2in") == pytest.approx((82.55, 50.8))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("svg", "--no-title"), "--no-title: only for a figure for a paper"),
        (("csv", "--with", "digits-gd"), "--with: only for a figure for a paper"),
        (("svg", "--linear-values"), "--linear-values: only"),
        (("pdf", "--size", "120x40"), "with a unit"),
        (("pdf", "--font-size", "2"), "4 to 24 points"),
        (("pdf", "--theme", "dark"), "a figure for a paper is light"),
        (("svg", "--what", "norms"), "only a figure for a paper shows it"),
    ],
)
def test_options_that_do_not_go_together(
    *, arguments, words, recorded: Path, tmp_path: Path, monkeypatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    assert command(monkeypatch, str(recorded), "--to", *arguments) == 2
    assert words in capsys.readouterr().err


def test_the_command_hands_on_what_was_asked_for(recorded: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    asked: list[Sheet] = []
    monkeypatch.setattr("condense_tui.export.paper.make.require_figures", lambda: None)
    monkeypatch.setattr("condense_tui.export.paper.make.to_figure", lambda sheet: asked.append(sheet) or b"figure")
    out = tmp_path / "a.png"
    arguments = (str(recorded), "--to", "png", "--what", "loss", "--size", "3in", "--font-size", "9", "--no-title")
    assert command(monkeypatch, *arguments, "--log-steps", "--with", str(recorded), "--out", str(out)) == 0
    assert out.read_bytes() == b"figure"
    (found,) = asked
    assert found.look == PaperLook(pytest.approx(76.2), None, 9, False, True, None)
    assert found.format == "png"
    (panel,) = found.panels
    assert isinstance(panel, CurvesPanel)
    assert len(panel.lines) == 2
    assert "wrote" in capsys.readouterr().out


def test_completion_goes_on_behind_a_comma() -> None:
    from condense_tui.cli.completions import pictured

    offered = list(pictured(SimpleNamespace(), "heatmap,lo"))  # type: ignore[arg-type]
    assert "heatmap,loss" in offered
