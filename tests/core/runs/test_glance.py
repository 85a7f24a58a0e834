"""What a list shows of a run, read without NumPy and without reading the run."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from recording import Recording

from condense_core.runfile import control
from condense_core.runfile.frames import Array, Members
from condense_core.runfile.reader import RunReader
from condense_core.runfile.writer import RunWriter, StepRecord
from condense_core.runs.create import create_run
from condense_core.runs.glance import MOST_LAYERS, POINTS, glance
from condense_core.runs.glances import Glances
from condense_core.runs.layer_over_seeds import read_layer_over_seeds
from condense_core.scenario import toml
from condense_core.scenario.claims import Claim, Requirement
from condense_core.thresholds import COARSE, FINE, Cut
from condense_presets import preset_text

END = ("", "_coarse")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return create_run(toml.loads(preset_text("digits-deep")), runs=tmp_path)


def write(folder: Path, losses: list[float], layers: tuple[str, ...] = ("conv1",)) -> None:
    writer = RunWriter(folder)
    for step, loss in enumerate(losses):
        scalars = [("loss", loss)]
        for layer in layers:
            scalars += [(f"{layer}.lines", float(step)), (f"{layer}.condensed", float(step > 2))]
            scalars += [(f"{layer}@1.lines", 99.0)]
        writer.append(StepRecord(step, scalars, [], []))
    writer.update(status="done", step=len(losses) - 1)
    writer.close()


def test_short_runs_are_shown_whole(folder: Path) -> None:
    write(folder, [3.0, 2.0, 1.0])
    found = glance(folder)
    assert found.loss == (3.0, 2.0, 1.0)
    assert [(layer.name, layer.lines, layer.condensed) for layer in found.layers] == [("conv1", 2.0, False)]


def test_long_runs_are_sampled_from_the_first_to_the_last(folder: Path) -> None:
    write(folder, [1000.0 - step for step in range(1000)])
    found = glance(folder)
    assert len(found.loss) == POINTS
    assert (found.loss[0], found.loss[-1]) == (1000.0, 1.0)
    assert list(found.loss) == sorted(found.loss, reverse=True)


def test_values_that_are_no_numbers_stay_so(folder: Path) -> None:
    write(folder, [1.0, math.nan, math.inf, -math.inf])
    loss = glance(folder).loss
    assert loss[0] == 1.0 and math.isnan(loss[1]) and loss[2:] == (math.inf, -math.inf)


def test_layers_come_in_the_order_of_the_network_and_not_without_end(folder: Path) -> None:
    names = ("conv2", "conv1", *(f"dense{number}" for number in range(1, 31)))
    write(folder, [1.0], names)
    found = [layer.name for layer in glance(folder).layers]
    assert found[:2] == ["conv2", "conv1"]
    assert len(found) == MOST_LAYERS


def test_a_run_without_measurements_is_empty(folder: Path) -> None:
    found = glance(folder)
    assert (found.loss, found.layers) == ((), ())
    assert found.info is not None and found.info.status == "starting"


def test_a_damaged_file_is_trouble_and_no_error(folder: Path, tmp_path: Path) -> None:
    (folder / "run.sqlite").write_bytes(b"x" * 5000)
    found = glance(folder)
    assert found.info is None
    assert str(folder) in found.trouble
    assert glance(tmp_path / "nothing").info is None


def test_only_what_changed_is_read_again(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder, [2.0, 1.0])
    other = create_run(toml.loads(preset_text("digits-gd")), runs=tmp_path)
    write(other, [4.0])
    read: list[Path] = []
    monkeypatch.setattr("condense_core.runs.glance.glance", lambda place, base: (read.append(place), glance(place))[1])
    glances = Glances(tmp_path)
    first = list(glances.look())
    assert sorted(read) == sorted([folder, other])
    read.clear()
    assert [a is b for a, b in zip(glances.look(), first, strict=True)] == [True, True]
    assert read == []
    write(other, [3.0])
    assert [found.loss[-1] for found in glances.look() if found.folder == other] == [3.0]
    assert read == [other]


def test_a_worker_that_died_is_seen_though_no_file_changed(folder: Path, tmp_path: Path) -> None:
    write(folder, [1.0])
    writer = RunWriter(folder)
    writer.update(status="running")
    glances = Glances(tmp_path)
    with control.hold(folder):
        assert [found.info.status for found in glances.look()] == ["running"]
    assert [found.info.status for found in glances.look()] == ["lost"]
    writer.close()


def test_a_removed_run_is_gone(folder: Path, tmp_path: Path) -> None:
    write(folder, [1.0])
    glances = Glances(tmp_path)
    assert len(list(glances.look())) == 1
    (folder / "run.sqlite").unlink()
    assert list(glances.look()) == []
    assert list(Glances(tmp_path / "nothing").look()) == []


@pytest.mark.parametrize("cut", [FINE, COARSE])
def test_of_several_seeds_a_list_counts_all_at_the_cut_of_the_claim(tmp_path: Path, cut: Cut) -> None:
    measure = "lines" if cut == FINE else "lines_coarse"
    claim = Claim(text="lines", requires=(Requirement(measure=measure, at_least=1),))
    recording = Recording(tmp_path, members=4, frames=60, claim=claim)
    recording.write(46)
    # one that ended before the others, and one that diverged
    step = int(recording.steps[46])
    names = tuple(f"{layer}.{what}{end}" for layer in recording.names for what in ("lines", "condensed") for end in END)
    rest = Members(names=names, members=(0, 2), values=Array.of([[7.0, 9.0]] * len(names), "f8"))
    lost = Members(names=("diverged",), members=(3,), values=Array.of([[1.0]], "f8"))
    recording.writer.append(StepRecord(step, [("loss", 0.9)], [("", lost), ("", rest)], []))
    recording.finish()
    found = glance(recording.folder).layers
    with RunReader(recording.folder) as run:
        for layer in found:
            wanted = read_layer_over_seeds(run, layer.name, None, cut)
            assert (layer.cut, layer.seeds, layer.yes) == (cut, 3, wanted.condensed.yes)
            assert (layer.lines, layer.low, layer.high) == (wanted.lines.middle, wanted.lines.low, wanted.lines.high)
            assert layer.condensed is wanted.is_condensed
            assert layer.high == 9, "the newest values count"


def test_seeds_keep_their_lines_at_a_step_at_which_only_the_loss_was_measured(tmp_path: Path) -> None:
    recording = Recording(tmp_path, members=3)
    recording.write()
    before = glance(recording.folder).layers
    only = Members(names=("loss",), members=(0, 1, 2), values=Array.of([[0.9, 0.9, 0.9]], "f8"))
    recording.writer.append(StepRecord(5_000, [("loss", 0.9)], [("", only)], []))
    assert not any(math.isnan(layer.lines) for layer in before)
    assert glance(recording.folder).layers == before
