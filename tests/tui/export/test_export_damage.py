"""Of a damaged run `export` refuses, or writes what is whole and names the rest: on standard error and in the file."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from exporting import command, written
from recording import Recording
from support import change, need_module

from condense_core.errors import RunFileError
from condense_core.scenario.claims import Claim, Requirement
from condense_tui.app.screenshot import draw_screen
from condense_tui.documents.files import ExportError
from condense_tui.export.make import Exported, export
from condense_tui.export.paper_look import PaperLook
from condense_tui.export.wish import FORMATS, Format, Wish

CLAIM = Claim(text="the loss falls", requires=(Requirement(measure="loss_ratio", at_most=0.9),))
LOST = 1
"""The step of which the scalars are damaged."""


@pytest.fixture
def runs(tmp_path: Path) -> tuple[Path, Path]:
    """A whole run, and one with damaged scalars of a step and a damaged matrix of the last."""
    recording = Recording(tmp_path / "runs", frames=6, claim=CLAIM)
    recording.write()
    recording.finish()
    recording.close()
    assert int(recording.steps[1]) == LOST
    damaged = tmp_path / "damaged"
    shutil.copytree(recording.folder, damaged)
    change(damaged, f"UPDATE scalar SET data = flip(data, 3) WHERE step = {LOST}")
    where = "place = (SELECT id FROM place WHERE kind = 'similarity' AND layer = 'conv1')"
    change(damaged, f"UPDATE frame SET blob = flip(blob, 20) WHERE step = {recording.steps[-1]} AND {where}")
    return recording.folder, damaged


SCALARS = f"scalars at step {LOST}"
NEEDS = {"parquet": "pyarrow", "tensorboard": "tensorboard", "png": "resvg_py", "pdf": "matplotlib"}


def skipped(place: Path, tmp_path: Path, format: Format, **more: object) -> Exported:
    wish = Wish(format, skip_damage=True, **more)  # type: ignore[arg-type]
    return export(place, wish, tmp_path / f"out.{format}", screen=draw_screen)


@pytest.mark.parametrize("format", FORMATS)
def test_without_the_option_nothing_is_written(runs: tuple[Path, Path], tmp_path: Path, format: Format) -> None:
    need_module(NEEDS.get(format, "numpy"))
    paper = PaperLook() if format == "pdf" else None
    with pytest.raises(RunFileError, match=r"it is damaged \(.*wrong checksum\); what is whole .* --skip-damage$"):
        export(runs[1], Wish(format, what="loss", paper=paper), tmp_path / "out", screen=draw_screen)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("format", ["csv", "npz", "parquet", "html", "svg"])
def test_a_whole_run_is_the_same_with_and_without(runs: tuple[Path, Path], tmp_path: Path, format: Format) -> None:
    need_module(NEEDS.get(format, "numpy"))
    path, left_out = skipped(runs[0], tmp_path, format, what="loss")
    assert left_out == ()
    assert path is not None and path.read_bytes() == written(runs[0], tmp_path, format, what="loss")


def test_a_table_has_all_other_rows_and_says_what_is_missing(runs: tuple[Path, Path], tmp_path: Path) -> None:
    whole, damaged = runs
    path, left_out = skipped(damaged, tmp_path, "csv")
    assert path is not None and left_out == (SCALARS,)
    said, *lines = path.read_text().splitlines()
    assert said == f"# left out, since it is damaged: {SCALARS}"
    expected = list(csv.reader(io.StringIO(written(whole, tmp_path, "csv").decode())))
    assert list(csv.reader(lines)) == [row for row in expected if row[0] != str(LOST)]


def test_a_parquet_file_says_it_beside_the_runs_row(runs: tuple[Path, Path], tmp_path: Path) -> None:
    need_module("pyarrow")
    import pyarrow.parquet

    for place, expected in zip(runs, (None, [SCALARS]), strict=True):
        path, _ = skipped(place, tmp_path, "parquet")
        table = pyarrow.parquet.read_table(path)
        found = (table.schema.metadata or {}).get(b"condense-tui left out")
        assert (None if found is None else json.loads(found)) == expected
        assert (LOST in table["step"].to_pylist()) == (expected is None)
        assert path is not None
        path.unlink()


def test_arrays_have_an_entry_of_it(runs: tuple[Path, Path], tmp_path: Path) -> None:
    path, left_out = skipped(runs[1], tmp_path, "npz")
    assert path is not None
    assert [what.partition(" at")[0] for what in left_out] == ["scalars", "similarity of conv1"]
    with np.load(path) as found, np.load(io.BytesIO(written(runs[0], tmp_path, "npz"))) as whole:
        assert tuple(found["left_out"].tolist()) == left_out
        assert set(whole) - set(found) == {"conv1.similarity"}
        assert set(found) - set(whole) == {"left_out"}
        kept = whole["curve.loss"][whole["curve.loss"][:, 0] != LOST]
        np.testing.assert_array_equal(found["curve.loss"], kept)
        np.testing.assert_array_equal(found["conv2.similarity"], whole["conv2.similarity"])


def test_a_page_says_it_and_judges_no_claim(runs: tuple[Path, Path], tmp_path: Path) -> None:
    whole = written(runs[0], tmp_path, "html").decode()
    assert "holds</span>" in whole
    path, left_out = skipped(runs[1], tmp_path, "html")
    assert path is not None
    page = path.read_text()
    assert set(left_out) >= {SCALARS}
    assert "<p>left out, since it is damaged: " in page
    assert "not decided: the run is damaged</span>" in page
    assert "holds</span>" not in page and "does not hold" not in page


def test_event_files_have_a_text_of_it(runs: tuple[Path, Path], tmp_path: Path) -> None:
    need_module("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    path, left_out = skipped(runs[1], tmp_path, "tensorboard")
    events = EventAccumulator(str(path))
    events.Reload()
    (text,) = events.Tensors("left_out")
    assert text.tensor_proto.string_val[0].decode().split("\n\n") == list(left_out)
    assert LOST not in [event.step for event in events.Scalars("loss")]


def test_pictures_say_it_in_sight(runs: tuple[Path, Path], tmp_path: Path) -> None:
    path, left_out = skipped(runs[1], tmp_path, "svg", what="loss")
    assert path is not None and left_out == (SCALARS,)
    svg = path.read_text()
    assert svg.count("1 damaged row left out") == 2, "title and what is seen"
    assert f"<desc>left out, since it is damaged: {SCALARS}</desc>" in svg
    # what is damaged itself is not said to have never been recorded
    with pytest.raises(ExportError, match=r"\(damaged, and so left out: similarity of conv1 at step 4000\)"):
        path.unlink()
        skipped(runs[1], tmp_path, "svg", what="heatmap", layer="conv1")


def test_a_screen_is_drawn_with_its_banner(runs: tuple[Path, Path], tmp_path: Path) -> None:
    path, left_out = skipped(runs[1], tmp_path, "svg", size=(120, 40))
    assert left_out[0] == SCALARS
    assert [what.partition(" at")[0] for what in left_out[1:]] == ["similarity of conv1"]
    assert path is not None
    text = path.read_text().replace("&#160;", " ")
    assert "damaged:" in text
    assert "not decided" in text and "holds" not in text


def test_a_figure_for_a_paper_names_what_is_missing_of_each_run(runs: tuple[Path, Path], tmp_path: Path) -> None:
    need_module("matplotlib")
    wish = {"what": "loss", "paper": PaperLook(), "beside": (runs[1],)}
    path, left_out = skipped(runs[0], tmp_path, "pdf", **wish)
    assert left_out == (f"damaged: {SCALARS}",)
    assert path is not None and "left out".encode("utf-16-be") in path.read_bytes()


def test_the_command_names_it_and_ends_well(
    runs: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "x.csv"
    given = (str(runs[1]), "--to", "csv", "--out", str(out))
    assert command(monkeypatch, *given) == 2
    capsys.readouterr()
    assert command(monkeypatch, *given, "--skip-damage") == 0
    said = capsys.readouterr()
    assert said.err == f"condense-tui: left out, since it is damaged (1 row):\n  {SCALARS}\n"
    assert said.out == f"wrote {out}\n"
    assert command(monkeypatch, *given, "--skip-damage", "--force", "--json") == 0
    assert json.loads(capsys.readouterr().out)["left_out"] == [SCALARS]


def test_a_file_that_is_no_table_any_more_is_refused_with_the_option_too(
    runs: tuple[Path, Path], tmp_path: Path
) -> None:
    change(runs[1], f"UPDATE scalar SET layout = 'text' WHERE step = {LOST}")
    with pytest.raises(RunFileError, match="it is damaged") as caught:
        skipped(runs[1], tmp_path, "csv")
    assert "--skip-damage" not in str(caught.value)


def test_a_page_of_seeds_of_which_nothing_is_whole_has_the_rest(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "runs", frames=3, members=2)
    recording.write()
    recording.finish()
    recording.close()
    for step in recording.steps.tolist():
        where = "place = (SELECT id FROM place WHERE kind = 'members')"
        change(recording.folder, f"UPDATE frame SET blob = flip(blob, 20) WHERE step = {step} AND {where}")
    path, left_out = skipped(recording.folder, tmp_path, "html")
    assert path is not None and len(left_out) == 3
    assert "members at step" in path.read_text(encoding="utf-8")
