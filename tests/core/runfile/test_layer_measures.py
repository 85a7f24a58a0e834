"""A layer's record: what its frames and curves say, under the names that commands print."""

from __future__ import annotations

import msgspec
import pytest
from recording import Recording

from condense_core.runfile.layer_measures import LayerMeasures, read_layer
from condense_core.runfile.reader import RunReader
from condense_core.runs.summary import summarise
from condense_core.thresholds import ARRIVED


@pytest.fixture
def run(tmp_path):
    recording = Recording(tmp_path)
    recording.write()
    recording.finish()
    recording.close()
    with RunReader(recording.folder) as opened:
        yield opened


def test_a_layer_is_what_its_frames_and_curves_say(run):
    for step in (int(run.instants[0]), int(run.instants[40])):
        found, frame = read_layer(run, "conv1", step), run.condensation("conv1", step)
        for name in set(LayerMeasures.__struct_fields__) & set(frame.__struct_fields__):
            assert getattr(found, name) == getattr(frame, name), name
        assert found.alignment == run.alignment("conv1", step).mean_abs_cos == run.last("conv1.alignment", step)
    steps, condensed = run.curve("conv1.condensed")
    assert found.condensed_at == steps[condensed == 1][0]
    steps, ratio = run.curve("conv1.ratio")
    assert ratio.max() < ARRIVED
    assert found.arrived_at is None
    assert found.predicted_at is None


def test_a_layer_that_is_not_there_was_not_measured(run):
    assert read_layer(run, "conv9") == LayerMeasures(name="conv9", kernels=0)


def test_a_layer_may_have_been_condensed_and_not_be_so_any_more(run):
    early = read_layer(run, "conv1", int(run.instants[0]))
    assert early.condensed is False
    assert early.left_again, "condensed_at is of the whole run"
    assert not read_layer(run, "conv1").left_again


def test_the_names_in_json_are_those_that_are_promised(run):
    (layer, _) = msgspec.json.decode(msgspec.json.encode(summarise(run)))["layers"]
    assert list(layer) == [
        "name",
        "kernels",
        "kept",
        "lines",
        "lines_coarse",
        "directions",
        "coverage",
        "mean_abs_cos",
        "null_coverage",
        "alignment",
        "condensed",
        "condensed_at",
        "predicted_at",
        "arrived_at",
        "slice_abs_cos",
        "directions_coarse",
        "coverage_coarse",
        "null_coverage_coarse",
        "condensed_coarse",
        "condensed_coarse_at",
        "drawn_of",
    ]
