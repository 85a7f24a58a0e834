"""Exports of a run of several seeds: of one of them, or of all, and which it was is said."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from exporting import command, written
from recording import Recording

from condense_core.runfile.reader import RunReader
from condense_tui.app.screenshot import draw_screen
from condense_tui.export.make import export
from condense_tui.export.wish import Wish


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    """A run of three seeds."""
    recording = Recording(tmp_path / "runs", members=3, frames=12)
    recording.write()
    recording.finish()
    recording.close()
    return recording.folder


def test_one_member_is_exported_as_a_run_of_its_own(seeds: Path, tmp_path: Path) -> None:
    rows = list(csv.reader(io.StringIO(written(seeds, tmp_path, "csv", member=2).decode())))
    with RunReader(seeds) as run:
        losses = run.spread("loss")[1]
        similarity = run.member(2).similarity("conv1")
    assert not any("@" in name for name in rows[0])
    assert "steps_per_second" not in rows[0], "the speed is that of all members together"
    assert [float(row[rows[0].index("loss")]) for row in rows[1:]] == losses[:, 2].tolist()
    (tmp_path / "out").unlink()
    with np.load(io.BytesIO(written(seeds, tmp_path, "npz", member=2)), allow_pickle=False) as arrays:
        assert not any("@" in name for name in arrays)
        assert arrays["curve.loss"][:, 1].tolist() == losses[:, 2].tolist()
        np.testing.assert_array_equal(arrays["conv1.similarity"], similarity)


@pytest.mark.parametrize("what", ["heatmap", "loss", "prediction", "screen"])
def test_a_picture_of_several_seeds_says_of_which(seeds: Path, tmp_path: Path, what: str) -> None:
    drawn = {}
    for member, label in (
        (None, "seed 0 (1 of 3)" if what == "heatmap" else "mean of 3 seeds"),
        (1, "seed 1 (2 of 3)"),
        (2, "seed 2 (3 of 3)"),
    ):
        svg = written(seeds, tmp_path, "svg", what, member=member).decode()
        drawn[member] = svg
        assert label in "".join(ElementTree.fromstring(svg).itertext()).replace("\xa0", " ")
        (tmp_path / "out").unlink()
    assert drawn[1] != drawn[2].replace("seed 2 (3 of 3)", "seed 1 (2 of 3)")


def test_a_page_of_several_seeds_says_of_which(seeds: Path, tmp_path: Path) -> None:
    page = written(seeds, tmp_path, "html").decode()
    assert "seed 0 (1 of 3); curves of the other 2 are faint" in page
    (tmp_path / "out").unlink()
    assert "verdict of seed 1 (2 of 3)" in written(seeds, tmp_path, "html", member=1).decode()


def test_event_files_of_one_member(seeds: Path, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    images = []
    for member in (None, 2):
        wish = Wish("tensorboard", member=member)
        events = EventAccumulator(str(export(seeds, wish, tmp_path / f"events-{member}", screen=draw_screen).path))
        events.Reload()
        with RunReader(seeds) as run:
            values = (run if member is None else run.member(member)).curve("loss")[1]
        np.testing.assert_array_equal(np.float32(values), np.float32([event.value for event in events.Scalars("loss")]))
        images.append(events.Images("conv1/similarity")[-1].encoded_image_string)
    assert images[0] != images[1]


def test_a_member_that_is_not_there(
    seeds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for member in ("0", "4"):
        assert command(monkeypatch, str(seeds), "--to", "csv", "--member", member) == 2
        assert f"--nth-seed {member}: expected 1 to 3" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]


def test_the_command_says_which_seeds_it_wrote(
    seeds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for more, words in (
        (("svg", "--what", "heatmap"), " · seed 0 (1 of 3)"),
        (("svg", "--what", "heatmap", "--nth-seed", "2"), "-heatmap-nth-seed-2.svg · seed 1 (2 of 3)"),
        (("csv",), " · mean of 3 seeds, and each seed"),
        (("html",), " · mean of 3 seeds; heatmaps of seed 0 (1 of 3)"),
    ):
        assert command(monkeypatch, str(seeds), "--to", *more) == 0
        assert words in capsys.readouterr().out
