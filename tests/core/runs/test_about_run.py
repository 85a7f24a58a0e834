"""What a person says of a run: kept in its folder, beside a worker, and through every copy."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

import pytest
from recording import Recording

from condense_core.errors import RunFileError
from condense_core.runs.about_file import ABOUT_NAME, given_names
from condense_core.runs.about_run import (
    NOTHING,
    AboutChange,
    AboutRun,
    change_about,
    changed,
    checked_change,
    read_about,
    taken_over,
    write_about,
)
from condense_core.runs.glance import glance
from condense_core.runs.glances import Glances


@pytest.fixture
def run(tmp_path: Path) -> Path:
    recording = Recording(tmp_path / "runs", frames=3, kernels=(8,), lines=(1,))
    recording.write()
    recording.finish()
    recording.close()
    return recording.folder


def test_words_are_read_as_they_were_written_and_go_with_a_copied_folder(run: Path) -> None:
    assert read_about(run) == NOTHING
    change_about(run, AboutChange(name="first ßuccess", note='a "note"', tags=("paper", "keep")))
    change_about(run, AboutChange(tags=("keep", "x"), without=("paper",), archived=True))
    about = read_about(run)
    assert about == AboutRun(name="first ßuccess", note='a "note"', tags=("keep", "x"), archived=True)
    assert stat.S_IMODE((run / ABOUT_NAME).stat().st_mode) == 0o600
    copy = shutil.copytree(run, run.parent / "copy")
    assert glance(copy).about == about
    assert glance(copy).label == "first ßuccess"


def test_without_words_there_is_no_file(run: Path) -> None:
    change_about(run, AboutChange(name="x"))
    change_about(run, AboutChange(name=""))
    assert not (run / ABOUT_NAME).exists()
    assert [file.name for file in run.iterdir() if "about" in file.name] == []


def test_words_are_written_beside_a_worker_and_a_list_shows_them_at_the_next_look(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "runs", frames=6, kernels=(8,), lines=(1,))
    recording.write(3)
    with recording.worker():
        looking = Glances(tmp_path / "runs")
        assert [seen.label for seen in looking.look()] == ["digits-gd"]
        change_about(recording.folder, AboutChange(name="mine"))
        recording.write()
        assert [(seen.label, seen.info.step) for seen in looking.look()] == [("mine", 4000)]
        recording.finish()
    change_about(recording.folder, AboutChange(name="yours"))
    assert [seen.label for seen in looking.look()] == ["yours"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b'name = "x', "Unterminated string"),
        (b"\xff\xfe", "UTF-16"),
        (b"name = 3", "expected text"),
        (b'tags = ["has space"]', "tags"),
        (b"note = '" + b"x" * 2_001 + b"'", "2000"),
        (b"#" * 40_000, "larger than"),
        (b"a." * 5_000 + b"a = 1", "nested"),
    ],
)
def test_words_that_make_no_sense_are_one_line_and_hide_no_run(run: Path, text: bytes, why: str) -> None:
    (run / ABOUT_NAME).write_bytes(text)
    with pytest.raises(RunFileError) as raised:
        read_about(run)
    assert why in str(raised.value) and ABOUT_NAME in str(raised.value) and str(raised.value).isprintable()
    seen = glance(run)
    assert (seen.info.id, seen.about, seen.label) == (run.name, NOTHING, "digits-gd")
    assert seen.trouble == str(raised.value)
    assert given_names(run.parent, [run.name]) == {}


def test_what_is_in_a_file_cannot_steer_the_terminal(run: Path) -> None:
    (run / ABOUT_NAME).write_text('name = "a\\u001b[2Jb"\nnote = "x\\ny"\nunknown = 1\n')
    assert read_about(run) == AboutRun(name="a[2Jb", note="x y")
    assert given_names(run.parent, [run.name, "gone"]) == {run.name: "a[2Jb"}


def test_a_folder_that_cannot_be_written_is_one_line(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("condense_core.runs.about_run.os.open", refuse)
    with pytest.raises(RunFileError, match=r"cannot write .*about.toml: Permission denied; name, note and tags"):
        write_about(run, AboutRun(name="x"))
    assert not list(run.glob(".about*"))


@pytest.mark.parametrize(
    "change",
    [
        AboutChange(name="x" * 81),
        AboutChange(name="two\nlines"),
        AboutChange(note="\x1b[2J"),
        AboutChange(tags=("a b",)),
        AboutChange(tags=("-x",)),
        AboutChange(tags=("",)),
        AboutChange(without=("a,b",)),
    ],
)
def test_a_change_that_cannot_be_made_is_refused(change: AboutChange) -> None:
    with pytest.raises(RunFileError) as raised:
        checked_change(change)
    assert str(raised.value).isprintable()


def test_a_run_has_a_bounded_number_of_tags() -> None:
    many = AboutRun(tags=tuple(f"t{number}" for number in range(50)))
    with pytest.raises(RunFileError, match="up to 50 tags"):
        changed(many, AboutChange(tags=("another",)))


def test_a_copy_keeps_what_was_said_of_it_here_and_takes_the_rest_over() -> None:
    there = AboutRun(name="there", note="n", tags=("a",), archived=True, sweep="s")
    assert taken_over(NOTHING, there) == AboutRun(name="there", note="n", tags=("a",), sweep="s")
    assert taken_over(AboutRun(name="here", tags=("b",)), there) == AboutRun("here", "n", ("a", "b"), sweep="s")
