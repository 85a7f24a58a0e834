"""What `export` writes is what the run file holds."""

from __future__ import annotations

import contextlib
import csv
import io
import math
import os
import re
import sqlite3
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from exporting import written
from support import need_module

from condense_core.runfile.reader import RunReader
from condense_core.runfile.writer import RecordingThread, StepRecord
from condense_presets import recordings
from condense_tui.app.screenshot import draw_screen
from condense_tui.documents.files import ExportError
from condense_tui.export.make import export
from condense_tui.export.wish import Wish


def test_csv_holds_every_scalar_and_reads_back_exactly(finished: Path, tmp_path: Path) -> None:
    rows = list(csv.reader(io.StringIO(written(finished, tmp_path, "csv").decode())))
    with RunReader(finished) as run:
        assert rows[0] == ["step", *run.curve_names]
        for column, name in enumerate(run.curve_names, start=1):
            steps, values = run.curve(name)
            found = [(int(row[0]), float(row[column])) for row in rows[1:] if row[column]]
            assert found == list(zip(steps.tolist(), values.tolist(), strict=True)), name


def test_csv_tells_what_is_no_number_from_what_was_not_measured(make_run, tmp_path: Path) -> None:
    folder = make_run()
    thread = RecordingThread(folder)
    thread.put(StepRecord(0, [("loss", 1.0), ("a", math.inf)], [], []))
    thread.put(StepRecord(5, [("loss", math.nan)], [], []))
    thread.put(StepRecord(5, [("loss", 2.0)], [], []))
    thread.put(StepRecord(9, [("loss", -math.inf), ("a", math.nan)], [], []))
    thread.set_status("diverged")
    thread.close()
    assert written(folder, tmp_path, "csv").decode() == "step,a,loss\n0,inf,1.0\n5,,2.0\n9,nan,-inf\n"


def test_members_of_an_ensemble_have_columns_and_arrays_of_their_own(make_run, tmp_path: Path) -> None:
    from condense_core.runfile.frames import Array, Members

    folder = make_run("ensemble.members=3")
    losses = np.array([[1.0, 2.0, 3.0], [0.5, math.nan, 1.5]])
    thread = RecordingThread(folder)
    for step, row in enumerate(losses):
        members = Members(names=("loss",), members=(0, 1, 2), values=Array.of(row[None, :], "f8"))
        thread.put(StepRecord(step, [("loss", float(np.nanmean(row))), ("speed", 7.0)], [("", members)], []))
    thread.set_status("done")
    thread.close()
    rows = list(csv.reader(io.StringIO(written(folder, tmp_path, "csv").decode())))
    assert rows[0] == ["step", "loss", "speed", "loss@0", "loss@1", "loss@2"]
    assert rows[1][3:] == ["1.0", "2.0", "3.0"]
    (tmp_path / "out").unlink()
    with np.load(io.BytesIO(written(folder, tmp_path, "npz")), allow_pickle=False) as arrays:
        assert arrays["curve.loss@2"].tolist() == [[0.0, 3.0], [1.0, 1.5]]


def test_csv_up_to_a_step(finished: Path, tmp_path: Path) -> None:
    lines = written(finished, tmp_path, "csv", at=100).decode().splitlines()
    assert len(lines) > 3
    assert all(int(line.partition(",")[0]) <= 100 for line in lines[1:])


@pytest.mark.parametrize("at", [None, 100])
def test_parquet_holds_what_the_csv_does_and_the_runs_row(finished: Path, tmp_path: Path, at: int | None) -> None:
    need_module("pyarrow")
    import json

    import pyarrow.parquet

    table = pyarrow.parquet.read_table(io.BytesIO(written(finished, tmp_path, "parquet", at=at)))
    (tmp_path / "out").unlink()
    rows = list(csv.DictReader(io.StringIO(written(finished, tmp_path, "csv", at=at).decode())))
    assert [
        {name: None if not text else float(text) for name, text in row.items()} for row in rows
    ] == table.to_pylist()
    assert json.loads(table.schema.metadata[b"condense-tui"])["id"] == finished.name


def test_npz_holds_curves_and_every_layer_at_the_step(finished: Path, tmp_path: Path) -> None:
    with np.load(io.BytesIO(written(finished, tmp_path, "npz", at=1000)), allow_pickle=False) as arrays:
        step = int(arrays["step"])
        with RunReader(finished) as run:
            assert step == run.instants[run.instants <= 1000].max()
            for layer in run.layers:
                np.testing.assert_array_equal(arrays[f"{layer}.similarity"], run.similarity(layer, step))
                frame, spectrum = run.condensation(layer, step), run.spectrum(layer, step)
                assert frame is not None and spectrum is not None
                np.testing.assert_array_equal(arrays[f"{layer}.label"], frame.label.numpy())
                np.testing.assert_array_equal(arrays[f"{layer}.singular_values"], spectrum.values.numpy())
            steps, values = run.curve("loss")
            assert arrays["curve.loss"].tolist() == [
                [a, b] for a, b in zip(steps.tolist(), values.tolist(), strict=True) if a <= step
            ]


@pytest.mark.parametrize("what", ["heatmap", "loss", "eigenvalues", "prediction", "conv2.lines", "lines", "screen"])
def test_svg_stands_alone(finished: Path, tmp_path: Path, what: str) -> None:
    svg = written(finished, tmp_path, "svg", what, size=(80, 24)).decode()
    ElementTree.fromstring(svg)
    assert "var(" not in svg
    assert "digits-gd" in svg
    assert not re.findall(r"(?:href|src|url\()[=\"']*https?:", svg)


def test_svg_of_every_layer_unless_one_is_named(finished: Path, tmp_path: Path) -> None:
    both = written(finished, tmp_path, "svg").decode()
    assert "conv1 · 32 kernels" in both and "conv2 · 16 kernels" in both
    (tmp_path / "out").unlink()
    one = written(finished, tmp_path, "svg", layer="conv2").decode()
    assert "conv1 ·" not in one and "conv2 · 16 kernels" in one


def test_heatmap_has_the_colours_of_its_palette_and_theme(finished: Path, tmp_path: Path) -> None:
    from condense_tui.draw.palette import LEVELS, PALETTES, colours

    for number, dark in ((0, False), (2, True)):
        svg = written(finished, tmp_path, "svg", palette=number, dark=dark).decode()
        r, g, b = colours(PALETTES[number], dark)[LEVELS - 1]
        assert f"#{r:02x}{g:02x}{b:02x}" in svg
        (tmp_path / "out").unlink()


def test_screen_shows_the_step_at_the_size(finished: Path) -> None:
    with RunReader(finished) as run:
        step = int(run.instants[20])
    svg = draw_screen(finished, Wish("svg", at=step, size=(100, 32))).svg
    text = "".join(ElementTree.fromstring(svg).itertext()).replace("\xa0", " ")
    assert f"step {step:,} of 4,000" in text
    assert "frame 21 of" in text


def test_half_blocks_of_a_screen_are_shapes_that_fill_their_half_exactly(finished: Path) -> None:
    from PIL import Image

    from condense_tui.draw.palette import PALETTES, colours
    from condense_tui.export.raster import to_png

    svg = draw_screen(finished, Wish("svg", size=(120, 40))).svg
    assert "▀" not in svg
    with Image.open(io.BytesIO(to_png(svg))) as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    # in the middle of the heatmap every pixel is a colour of the palette: there are no seams between rows
    middle = pixels[500:1100, 1100:1400].reshape(-1, 3)
    table = np.array(colours(PALETTES[0], True))
    away = np.abs(middle[:, None] - table[None]).max(axis=2).min(axis=1)
    assert (away > 2).mean() < 0.002


def test_screen_needs_no_terminal_and_heeds_none(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    coloured = draw_screen(finished, Wish("svg", size=(80, 24))).svg
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    plain = draw_screen(finished, Wish("svg", size=(80, 24))).svg
    colours = [set(re.findall(r"#[0-9a-f]{6}", svg)) for svg in (coloured, plain)]
    assert colours[0] == colours[1]
    assert len(colours[0]) > 10


def test_a_screen_that_cannot_be_read_says_why(finished: Path) -> None:
    with contextlib.closing(sqlite3.connect(finished / "run.sqlite")) as file, file:
        file.execute("UPDATE frame SET blob = x'00' WHERE place IN (SELECT id FROM place WHERE kind = 'similarity')")
    with pytest.raises(ExportError, match=r"not drawn: left out, since it is damaged: similarity of conv1"):
        draw_screen(finished, Wish("svg", size=(80, 24)))


def test_png_is_one_and_shows_the_heatmap(finished: Path, tmp_path: Path) -> None:
    from PIL import Image

    from condense_tui.draw.palette import LEVELS, PALETTES, colours

    with Image.open(io.BytesIO(written(finished, tmp_path, "png", layer="conv1"))) as picture:
        assert picture.width > 700
        seen = {colour[:3] for _, colour in picture.getcolors(1 << 20) or []}
    table = colours(PALETTES[0], False)
    assert {table[0], table[LEVELS - 1]} <= seen


def test_drawing_a_png_leaves_other_threads_alone(finished: Path) -> None:
    """resvg holds Python's lock; in the app that would be a screen that stands still."""
    import threading
    import time

    from condense_tui.export.raster import to_png

    svg = draw_screen(finished, Wish("svg", size=(80, 24))).svg
    drawing = threading.Thread(target=to_png, args=(svg,))
    drawing.start()
    turns = 0
    while drawing.is_alive():
        time.sleep(0.005)
        turns += 1
    assert turns > 10


def test_a_machine_without_fonts_gets_no_picture_without_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from condense_tui.export import raster

    # the child finds this module in the place of resvg: one that draws the same whatever it is given
    (tmp_path / "resvg_py.py").write_text("def svg_to_bytes(**_): return b'\\x89PNG'")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    with pytest.raises(ExportError, match="needs a font"):
        raster.to_png("<svg/>")


def test_what_is_no_svg_is_said_in_one_line() -> None:
    from condense_tui.export.raster import to_png

    with pytest.raises(ExportError, match="cannot draw the PNG"):
        to_png("no picture")


def test_event_files_hold_scalars_and_images(finished: Path, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    path, _ = export(finished, Wish("tensorboard"), tmp_path / "events", screen=draw_screen)
    events = EventAccumulator(str(path))
    events.Reload()
    with RunReader(finished) as run:
        for name, tag in (("loss", "loss"), ("conv1.lines", "conv1/lines")):
            steps, values = run.curve(name)
            found = events.Scalars(tag)
            assert [event.step for event in found] == steps.tolist()
            np.testing.assert_array_equal(np.float32(values), np.float32([event.value for event in found]))
        assert [image.step for image in events.Images("conv2/similarity")][-1] == 4000


def test_recordings_that_ship_can_be_exported(tmp_path: Path) -> None:
    for name, file in recordings().items():
        assert export(file, Wish("svg", what="heatmap"), tmp_path / f"{name}.svg", screen=draw_screen).path is not None
