"""A layer's weights as they are: against PyTorch in float64, and nothing that was not kept."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from recording import Recording

from condense_core.runfile.frames import Array, Singular, Weights
from condense_core.runfile.reader import RunReader
from condense_core.runfile.writer import RunWriter, StepRecord
from condense_presets import recordings
from condense_tui.draw import weights as draw
from condense_tui.draw.plot import Plot, PlotTone, Spec
from condense_tui.draw.strokes import BAND
from condense_tui.snapshots.assemble import Assembler, ViewRequest
from condense_tui.snapshots.playhead import Playhead
from condense_tui.snapshots.weight_figures import weight_figures
from condense_tui.snapshots.weights import WeightsReader, kept_layer

RANDOM = np.random.default_rng(3)
SPEC = Spec((), 60, 14)


def network(kernels: int = 20, inputs: int = 1, outputs: int = 3) -> dict[str, np.ndarray]:
    return {
        "dense1.weight": RANDOM.normal(size=(kernels, inputs)),
        "dense1.bias": RANDOM.normal(size=kernels),
        "output.weight": RANDOM.normal(size=(outputs, kernels)),
        "output.bias": RANDOM.normal(size=outputs),
    }


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e8])
@pytest.mark.parametrize("inputs", [1, 5])
def test_singular_values_are_those_of_the_kernels_with_their_bias(inputs: int, scale: float) -> None:
    torch = pytest.importorskip("torch")
    parameters = {name: scale * value for name, value in network(inputs=inputs).items()}
    kernels = torch.cat(
        [torch.tensor(parameters["dense1.weight"]), torch.tensor(parameters["dense1.bias"])[:, None]], dim=1
    )
    found = kept_layer(parameters, "dense1").singular
    np.testing.assert_allclose(found, torch.linalg.svdvals(kernels).numpy(), rtol=1e-12)


def test_filters_are_kernels_of_all_their_entries() -> None:
    weight = RANDOM.normal(size=(8, 3, 2, 2)).astype(np.float32)
    found = kept_layer({"conv1.weight": weight, "output.weight": RANDOM.normal(size=(2, 32))}, "conv1")
    expected = np.linalg.svd(weight.reshape(8, 12).astype(np.float64), compute_uv=False)
    np.testing.assert_allclose(found.singular, expected, rtol=1e-12)
    assert not len(found.angle)


def test_orientation_and_amplitude_are_those_of_the_papers() -> None:
    """θ = arg(w, b) and A = |a| ‖(w, b)‖, neuron by neuron."""
    parameters = network(outputs=1)
    found = kept_layer(parameters, "dense1")
    for number in range(20):
        weight, bias = float(parameters["dense1.weight"][number, 0]), float(parameters["dense1.bias"][number])
        assert found.angle[number] == pytest.approx(math.atan2(bias, weight))
        amplitude = abs(parameters["output.weight"][0, number]) * math.hypot(weight, bias)
        assert found.amplitude[number] == pytest.approx(amplitude)
    # one line through 0 has two orientations, half a turn apart
    turned = {name: -value if name.startswith("dense1") else value for name, value in parameters.items()}
    apart = np.abs(kept_layer(turned, "dense1").angle - found.angle)
    np.testing.assert_allclose(apart, math.pi)


@pytest.mark.parametrize(
    "changed",
    [
        {"dense1.weight": np.full((20, 1), np.nan)},
        {"dense1.weight": np.zeros((0, 1))},
        {"dense1.weight": np.zeros(20)},
        {"output.weight": np.zeros((3, 7))},
        {"output.weight": np.full((3, 20), np.inf)},
        {"dense1.bias": np.zeros(4)},
    ],
)
def test_weights_that_are_no_layers_of_ours_have_no_orientation(changed: dict[str, np.ndarray]) -> None:
    found = kept_layer({**network(), **changed}, "dense1")
    assert not len(found.angle)
    assert np.isfinite(found.singular).all()
    assert not len(kept_layer(network(), "conv7").singular)


@pytest.fixture
def folder(make_run) -> Path:
    """Weights at steps 0, 10 and 40, which grow tenfold from one to the next; norms at every fifth."""
    place = make_run()
    parameters = network()
    writer = RunWriter(place)
    for step in range(0, 60, 5):
        frames = []
        if step in {0, 10, 40}:
            grown = {name: value * 10.0 ** (step / 10) for name, value in parameters.items()}
            frames.append(("", Weights.of(grown)))
        writer.append(StepRecord(step, [("loss", 1.0)], frames, []))
    writer.close()
    return place


def test_only_what_was_kept_up_to_the_playhead(folder: Path) -> None:
    reader = WeightsReader()
    with RunReader(folder) as run:
        assert run.weight_steps.tolist() == [0, 10, 40]
        at = {step: reader.at(run, "dense1", step) for step in (0, 9, 10, 39, 40, 59)}
        assert [view.kept_at for view in at.values()] == [0, 0, 10, 10, 40, 40]
        assert [len(view.angle) for view in at.values()] == [1, 1, 2, 2, 3, 3]
        assert all(view.norms_at is None and not len(view.norm) for view in at.values())
        np.testing.assert_allclose(at[40].kept.singular, 1e4 * at[0].kept.singular, rtol=1e-9)
        # nothing is drawn again where nothing has changed
        assert reader.at(run, "dense1", 59) is reader.at(run, "dense1", 50)
        nothing = reader.at(run, "conv9", 59)
        assert nothing.kept_at == 40 and not len(nothing.kept.singular) and not nothing.angle.size


def test_singular_values_are_shown_where_the_weights_are_not_there(make_run) -> None:
    place = make_run()
    writer = RunWriter(place)
    for step in range(0, 30, 5):
        kept = [("", Weights.of(network()))] if step == 10 else []
        recorded = [("dense1", Singular(values=Array.of([step + 2.0, 1.0], "f4")))] if step in {5, 20} else []
        writer.append(StepRecord(step, [("loss", 1.0)], [*kept, *recorded], []))
    writer.close()
    reader = WeightsReader()
    with RunReader(place) as run:
        at = {step: reader.at(run, "dense1", step) for step in range(0, 30, 5)}
        assert [view.singular_at for view in at.values()] == [None, 5, 10, 10, 20, 20]
        assert at[0].ever_kept and not len(at[0].singular)
        assert at[5].singular.tolist() == [7.0, 1.0]
        np.testing.assert_array_equal(at[15].singular, at[15].kept.singular)
        assert at[25].singular.tolist() == [22.0, 1.0]
        assert at[25].kept_at == 10, "orientations are of the weights that were kept"
        assert reader.at(run, "dense1", 25) is reader.at(run, "dense1", 22)
        # another layer's are not this one's
        assert not len(reader.at(run, "conv9", 5).singular)


def test_a_file_of_before_has_no_singular_values_and_says_so(recorded: Recording) -> None:
    with RunReader(recorded.folder) as run:
        snapshot = Assembler(run).snapshot(Playhead(), ViewRequest(weights=True))
    figures = {figure.name: figure for figure in weight_figures(snapshot, True)}
    assert figures["norms"].draw is not None
    assert figures["singular"].draw is None
    assert figures["singular"].empty == "not recorded in this file"


def tones(plot: Plot, tone: int) -> list[tuple[int, int]]:
    return [
        (row, column - plot.left)
        for row, cells in enumerate(plot.rows)
        for column, (_, found) in enumerate(cells)
        if found == PlotTone.CURVE + tone
    ]


def test_bars_are_as_high_as_kernels_are_many_and_dropped_ones_stand_back() -> None:
    norm = np.r_[np.full(3, 0.1), np.full(9, 1.0)]
    plot = draw.norms(norm, norm < 0.5, SPEC)
    low, high = tones(plot, BAND), tones(plot, 0)
    assert low and high
    assert max(column for _, column in low) < min(column for _, column in high)
    assert min(row for row, _ in high) == 0
    # a third as high
    assert min(row for row, _ in low) == pytest.approx(12 * 2 / 3, abs=1)


def test_neurons_that_were_driven_together_stand_in_two_places() -> None:
    angle = np.r_[np.full(10, 0.5), np.full(10, 0.5 - math.pi)][None]
    plot = draw.orientation(angle, np.full((1, 20), 2.0), np.array([0.5]), SPEC)
    heads = [place for place in tones(plot, 0) if plot.rows[place[0]][place[1] + plot.left][0] == "•"]
    assert len(heads) == 2
    width = plot.canvas_width
    expected = [round((side + math.pi) / (2 * math.pi) * (width - 1)) for side in (0.5 - math.pi, 0.5)]
    assert sorted(column for _, column in heads) == pytest.approx(expected, abs=1)
    marks = {column for row in plot.rows for column, (_, tone) in enumerate(row) if tone == PlotTone.MARK}
    assert {place + plot.left for place in expected} <= {mark + by for mark in marks for by in (-1, 0, 1)}


def test_a_trail_over_the_edge_goes_on_at_the_other_one() -> None:
    angle = np.array([[3.0], [-3.0]])
    plot = draw.orientation(angle, np.array([[1.0], [1.0]]), np.empty(0), SPEC)
    assert not [column for _, column in tones(plot, BAND) if 5 < column < plot.canvas_width - 6]
    straight = draw.orientation(np.array([[1.0], [-1.0]]), np.array([[1.0], [1.0]]), np.empty(0), SPEC)
    assert [column for _, column in tones(straight, BAND) if 20 < column < 30]


def test_each_singular_value_is_a_point() -> None:
    plot = draw.singular_values(np.array([3.0, 1.0, 1e-3, 0.0]), Spec((), 60, 14, log_y=True))
    points = [plot.rows[row][column + plot.left][0] for row, column in tones(plot, 0)]
    assert points.count("•") == 3
    assert "1  " in "".join(character for character, _ in plot.rows[-1])


NUMBERS = st.floats(allow_nan=True, allow_infinity=True) | st.sampled_from([0.0, 1.0, 5e-324, 1e300])


@given(
    values=arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(0, 12)), elements=NUMBERS),
    width=st.integers(1, 70),
    height=st.integers(1, 20),
    log=st.booleans(),
)
def test_any_numbers_are_drawn_or_not(values: np.ndarray, width: int, height: int, log: bool) -> None:
    spec = Spec((), width, height, log_x=log, log_y=log)
    angle = np.clip(np.nan_to_num(values), -math.pi, math.pi)
    size = np.abs(values)
    for plot in (
        draw.norms(size.ravel(), np.zeros(size.size, bool), spec),
        draw.singular_values(size.ravel(), spec),
        draw.orientation(angle, size, values[0], spec),
    ):
        assert len(plot.rows) == height
        assert all(len(row) == width for row in plot.rows)


def test_neurons_have_the_tone_of_the_line_that_they_split_from() -> None:
    angle = np.array([[0.1, 0.1, -2.0, 2.5]])
    plot = draw.orientation(angle, np.full((1, 4), 2.0), np.empty(0), SPEC, origin_M=np.array([3, 3, 7, -1]))
    tones = {tone for row in plot.rows for character, tone in row if character.strip() and tone >= PlotTone.CURVE}
    assert tones == {PlotTone.CURVE, PlotTone.CURVE + 1, PlotTone.CURVE + BAND}
    plain = draw.orientation(angle, np.full((1, 4), 2.0), np.empty(0), SPEC)
    assert {tone for row in plain.rows for character, tone in row if tone >= PlotTone.CURVE} == {PlotTone.CURVE}


def test_a_neurons_origin_is_its_line_where_lines_were_fewest() -> None:
    with RunReader(recordings()["late-tanh"]) as run:
        view = WeightsReader().at(run, "dense1", int(run.instants[-1]))
        frames = [run.condensation("dense1", int(step)) for step in run.weight_steps]
        fewest = min(frame.lines for frame in frames if frame.coverage > 0.8)
        frame = run.condensation("dense1", view.origin_at)
        assert frame.lines == fewest
        assert np.array_equal(view.origin, frame.label.numpy())
        assert view.origin_at < view.kept_at
        early = WeightsReader().at(run, "dense1", view.origin_at)
        assert early.origin_at == view.origin_at
