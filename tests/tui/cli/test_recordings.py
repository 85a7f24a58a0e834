"""Recordings that ship: small, replayed without PyTorch, rebuilt by one command."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from condense_core.errors import RunFileError
from condense_core.runfile.reader import RunReader
from condense_core.runs import recording
from condense_presets import preset_files, recordings

pytestmark = pytest.mark.usefixtures("forked")

SHIPPED = {
    "digits-gd",
    "digits-ce",
    "digits-deep",
    "photos-gd",
    *(f"fcn-fig03-{name}-demo" for name in ("tanh", "xtanh", "x2tanh", "sigmoid", "softplus")),
}


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "condense_tui", *arguments], capture_output=True, text=True, check=False
    )


def test_at_least_eight_presets_have_a_recording_and_all_are_small():
    assert set(recordings()) >= SHIPPED
    assert set(recordings()) <= set(preset_files())
    sizes = {name: file.stat().st_size for name, file in recordings().items()}
    assert max(sizes.values()) <= recording.LARGEST, sizes
    assert sum(sizes.values()) < 3_000_000


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_a_recording_shows_its_preset_and_nothing_of_the_machine(name):
    file = recordings()[name]
    with RunReader(file) as run:
        info = run.info()
        assert (info.preset, info.name, info.status) == (name, name, "done")
        assert (info.host, info.pid) == ("recording", None)
        assert len(run.instants) >= 20
        for layer in run.layers:
            for step in (int(run.instants[0]), int(run.instants[-1])):
                assert run.similarity(layer, step) is not None
                assert run.condensation(layer, step) is not None
        assert run.weights() is None
        assert any(event.kind == "recorded" for event in run.events)
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert connection.execute("PRAGMA freelist_count").fetchone() == (0,)


def test_the_list_marks_what_has_a_recording():
    rows = json.loads(command("presets", "list", "--json").stdout)
    assert {row["name"] for row in rows if row["recording"]} == set(recordings())


def test_a_recording_is_rebuilt_by_the_command(tmp_path):
    answer = command("presets", "record", "fcn-fig03-tanh-demo", "--out", str(tmp_path), "--frames", "20")
    assert answer.returncode == 0, answer.stderr
    file = tmp_path / "fcn-fig03-tanh-demo.sqlite"
    assert [path.name for path in tmp_path.iterdir()] == [file.name]
    with RunReader(file) as new, RunReader(recordings()["fcn-fig03-tanh-demo"]) as shipped:
        assert new.last("loss") == pytest.approx(shipped.last("loss"), rel=1e-3)


def test_a_run_that_is_not_done_makes_no_recording(make_run, tmp_path):
    with pytest.raises(RunFileError, match="only finished runs"):
        recording.save_recording(make_run(), tmp_path / "x.sqlite")
    assert not (tmp_path / "x.sqlite").exists()


def test_a_recording_that_is_too_large_leaves_nothing_behind(make_run, workers, tmp_path, monkeypatch):
    folder: Path = make_run("steps=20")
    workers.finish(folder)
    monkeypatch.setattr(recording, "LARGEST", 10_000)
    place = tmp_path / "place"
    with pytest.raises(recording.TooLargeError, match="more than 10,000"):
        recording.save_recording(folder, place / "x.sqlite")
    assert list(place.iterdir()) == []
