"""What convolutions can be asked for, and what is refused in one line before anything is trained."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from condense_core.errors import ScenarioError
from condense_core.scenario import toml
from condense_core.scenario.convolutions import least_side, why_too_small
from condense_core.scenario.deviations import compare
from condense_core.scenario.experiment import Conv, Experiment
from condense_core.scenario.phase import phase_of
from condense_presets import preset_text
from condense_presets.paper_records import record_of

BASE = """
name = "convolutions"
steps = 10
layers = [{ kind = "conv", width = 4 }, { kind = "conv", width = 3 }]
data = { name = "digits", samples = 20 }
init = { scheme = "normal", std = 0.01 }
optimizer = { name = "gd", lr = 0.1 }
"""


def override(*settings: str) -> Experiment:
    return toml.build(toml.override(toml.parse(BASE), settings))


def test_every_field_can_be_set_and_survives_toml():
    settings = ["padding=1", "stride=2", "pool=max", "pool_size=3", "batch_norm=true"]
    found = override(*[f"layers.0.{setting}" for setting in settings], "layers.1.size=1")
    assert found.layers[0] == Conv(width=4, padding=1, stride=2, pool="max", pool_size=3, batch_norm=True)
    assert toml.loads(toml.dumps(found)) == found
    assert override("layers.0.pool=max", "layers.0.pool=none").layers[0].pool is None


def test_a_scenario_without_them_is_written_as_before():
    written = toml.dumps(override())
    assert not [name for name in ("stride", "padding", "pool", "batch_norm") if name in written]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["layers.0.stride=0"], "layers.0.stride: expected 1 to 64 pixels, got 0"),
        (["layers.0.padding=3"], "layers.0.padding: expected 0 to 2, less than size, got 3"),
        (["layers.0.padding=-1"], "layers.0.padding: expected 0 to 2, less than size, got -1"),
        (["layers.0.pool=avg"], "layers.0.pool: unknown 'avg'; expected one of max, average"),
        (["layers.0.pool=maximum"], "layers.0.pool: unknown 'maximum'"),
        (["layers.0.pool=max", "layers.0.pool_size=1"], "pool_size: expected 2 to 64 pixels, got 1"),
        (["layers.0.pool_size=3"], "pool_size: expected a pool ('max', 'average') that it is the size of, got none"),
        (["layers.0.size=9"], "conv1: a 9×9 filter does not fit into the 8×8 pixels that reach it; use smaller"),
        (
            ["layers.0.stride=4", "layers.1.size=5", "layers.1.padding=1"],
            "conv2: a 5×5 filter does not fit into the 2×2 pixels that reach it, with 1 of padding on each side;",
        ),
        (
            ["layers.0.size=6", "layers.0.pool=max", "layers.0.pool_size=4"],
            "conv1: a pool of 4×4 does not fit into the 3×3 pixels that its filters give; use a smaller pool_size",
        ),
        (
            ["layers=[{kind='conv',width=2,size=8,batch_norm=true}]", "optimizer.batch=1"],
            "conv1: batch_norm of one sample a step, of which the filters give a single pixel, has no variance;",
        ),
        (
            ["layers.0.batch_norm=true", "record.probes=['hessian']"],
            "record.probes: expected neither 'hessian' nor 'ntk' with batch_norm, got ['hessian']",
        ),
        (
            ["layers.1.batch_norm=true", "optimizer.lr_curvature=1"],
            "optimizer.lr_curvature: expected a network without",
        ),
        (
            ["layers=[{kind='conv',width=2,pool='max'}]", "optimizer.lr_lambda1=0.1"],
            "lr_lambda1: expected a convolution that is linear in small kernels, got pool = 'max'; give optimizer.lr",
        ),
        (
            ["layers=[{kind='conv',width=2,batch_norm=true}]", "optimizer.lr_lambda1=0.1"],
            "lr_lambda1: expected a convolution that is linear in small kernels, got batch_norm; give optimizer.lr",
        ),
    ],
)
def test_what_cannot_be_trained_is_one_line_before_it_is(settings, message):
    with pytest.raises(ScenarioError) as caught:
        override(*settings)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_batch_norm_of_one_sample_is_fine_where_it_has_pixels():
    assert override("layers.0.batch_norm=true", "optimizer.batch=1").batch_norm


LAYERS = [
    Conv(width=2, size=5, stride=3, padding=2),
    Conv(width=2, size=2, pool="max", pool_size=3),
    Conv(width=2, size=4, stride=2, padding=3, pool="average", pool_size=2),
]


@pytest.mark.parametrize("layer", LAYERS)
def test_sides_are_those_that_pytorch_gives(layer):
    for side in range(1, 20):
        fits = not why_too_small({"conv1": layer}, side, 30)
        assert fits is (side >= least_side([layer]))
        if not fits:
            continue
        image, weight = torch.zeros(1, 1, side, 30), torch.zeros(2, 1, layer.size, layer.size)
        given = functional.conv2d(image, weight, stride=layer.stride, padding=layer.padding)
        assert given.shape[2:] == (layer.positions(side), layer.positions(30))
        if layer.pool:
            given = functional.max_pool2d(given, layer.pool_size)
        assert given.shape[2:] == (layer.side_after(side), layer.side_after(30))


def test_the_smallest_image_passes_and_a_smaller_one_does_not():
    named = {f"conv{number}": layer for number, layer in enumerate(LAYERS, start=1)}
    least = least_side(LAYERS)
    assert not why_too_small(named, least, least)
    assert why_too_small(named, least - 1, least)


def test_the_phase_of_a_convolution_counts_what_the_readout_reads():
    one = "layers=[{kind='conv',width=40,%s}]"
    glorot = "init={scheme='glorot-normal'}"
    points = [phase_of(override(one % fields, glorot)) for fields in ("size=3", "size=3,stride=6,padding=2")]
    assert points[0].gamma > points[1].gamma
    assert phase_of(override(one % "batch_norm=true", glorot)) is None


def test_what_no_paper_has_differs_from_a_papers_figure():
    def differs(*settings: str) -> list[str]:
        changed = toml.build(toml.override(toml.parse(preset_text("cnn-fig02")), settings))
        return [item.words for item in compare(record_of(changed), changed).deviations]

    added = set(differs("layers.0.stride=2", "layers.0.batch_norm=true", "layers.0.pool=max")) - set(differs())
    assert len(added) == 1
    assert "stride 2 and batch norm and max pool of 2" in added.pop()
