"""What an export is asked for, and what it refuses: nothing is replaced unasked, and nothing is left of a failure."""

from __future__ import annotations

import importlib.util
import os
import re
from pathlib import Path

import pytest
from exporting import command
from recording import Recording

from condense_core.errors import CondenseError, MissingExtraError, ScenarioError
from condense_core.installation import how_to_add
from condense_tui.app.screenshot import draw_screen
from condense_tui.documents.files import ExportError, clear_partial, write_file, write_folder
from condense_tui.export.make import export
from condense_tui.export.wish import FORMATS, Format, Wish, file_name, format_named, size_of


def test_nothing_is_replaced_without_force(finished: Path, tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("mine")
    with pytest.raises(ExportError, match="--force replaces it"):
        export(finished, Wish("csv"), path, screen=draw_screen)
    assert path.read_text() == "mine"
    export(finished, Wish("csv"), path, force=True, screen=draw_screen)
    assert path.read_text().startswith("step,")
    assert [child.name for child in tmp_path.iterdir() if "partial" in child.name] == []


def test_a_file_that_appears_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("mine")
    with pytest.raises(ExportError):
        write_file(path, b"theirs", force=False)
    assert path.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_program_left_half_written_is_cleared_and_what_is_being_written_is_not(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    old, new, other = (tmp_path / f".{name}.partial" for name in ("results.csv.aa", "results.csv.bb", "seeds.csv.aa"))
    for file in (path, old, new, other):
        file.write_text("x")
    for file in (path, old, other):
        os.utime(file, (1e9, 1e9))
    clear_partial(path)
    assert sorted(tmp_path.iterdir()) == sorted([path, new, other])


def test_a_folder_of_somebody_is_never_removed(tmp_path: Path) -> None:
    precious = tmp_path / "photos"
    precious.mkdir()
    (precious / "a.jpg").write_text("mine")
    with pytest.raises(ExportError, match="was not replaced"):
        write_folder(precious, lambda _: None, force=True)
    assert (precious / "a.jpg").read_text() == "mine"


def test_an_export_that_fails_leaves_nothing(finished: Path, tmp_path: Path) -> None:
    def fill(folder: Path) -> None:
        (folder / "half").write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(ExportError, match="No space left"):
        write_folder(tmp_path / "new", fill, force=False)
    with pytest.raises(ExportError, match="no folder"):
        export(finished, Wish("csv"), tmp_path / "none" / "a.csv", screen=draw_screen)
    assert [child.name for child in tmp_path.iterdir()] == ["runs"]


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (Wish("svg", what="heatmop"), "did you mean 'heatmap'"),
        (Wish("svg", what="loss", layer="conv9"), "did you mean 'conv"),
        (Wish("svg", what="field"), "one input"),
        (Wish("svg", what="output"), "one input"),
        (Wish("npz", at=-1), "starts at step 0"),
        (Wish("csv", member=1), "--nth-seed 2: expected none: the run has one seed"),
    ],
)
def test_what_the_run_does_not_have_is_said(finished: Path, tmp_path: Path, wish: Wish, words: str) -> None:
    with pytest.raises(CondenseError, match=words) as caught:
        export(finished, wish, tmp_path / "out", screen=draw_screen)
    assert caught.value.exit_code == 2
    assert not (tmp_path / "out").exists()


def test_a_run_without_a_frame_says_so(tmp_path: Path) -> None:
    folder = Recording(tmp_path / "runs").folder
    with pytest.raises(ExportError, match="no recorded frame yet"):
        export(folder, Wish("npz"), tmp_path / "out", screen=draw_screen)


@pytest.mark.parametrize(
    ("format", "what", "package"),
    [("png", "loss", "resvg_py"), ("tensorboard", "", "tensorboard"), ("parquet", "", "pyarrow")],
)
def test_a_missing_extra_names_its_install(
    *, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format: Format, what: str, package: str
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == package else find(name))
    extra = {"resvg_py": "png", "pyarrow": "parquet"}.get(package, package)
    with pytest.raises(MissingExtraError, match=re.escape(f"not installed here: {how_to_add(extra)}")) as caught:
        export(finished, Wish(format, what=what), tmp_path / "out", screen=draw_screen)
    assert caught.value.exit_code == 2
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("text", ["120", "120x", "0x0", "39x12", "9999x9999", "ax b", "120x40x2"])
def test_sizes_that_are_none(text: str) -> None:
    with pytest.raises(ScenarioError, match="--size"):
        size_of(text)


def test_names() -> None:
    assert format_named("svg") == "svg"
    with pytest.raises(ScenarioError, match="did you mean 'csv'"):
        format_named("cvs")
    names = {file_name("../a b", Wish(format)) for format in FORMATS}
    assert len(names) == len(FORMATS)
    assert all("/" not in name and " " not in name for name in names)
    assert file_name("r", Wish("png", "loss", at=3)) == "r-loss-step-3.png"


def test_command_says_where_it_wrote(finished: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    assert command(monkeypatch, str(finished), "--to", "csv") == 0
    name = capsys.readouterr().out.removeprefix("wrote ").strip()
    assert (tmp_path / name).read_text().startswith("step,")
    assert command(monkeypatch, str(finished), "--to", "csv") == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_command_writes_to_standard_output(finished: Path, monkeypatch, capsysbinary) -> None:
    assert command(monkeypatch, str(finished), "--to", "csv", "--out", "-") == 0
    out, err = capsysbinary.readouterr()
    assert out.startswith(b"step,")
    assert err == b""
