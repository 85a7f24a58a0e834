"""The table of measures: everything that is recorded or reported is in it."""

from __future__ import annotations

import math

import pytest

from condense_core.measure_table import CLAIMED, FROM_DATA, MEASURES, OF_GRADIENT, UNKNOWN_SOURCE, prediction_source
from condense_core.runfile.layer_measures import LayerMeasures
from condense_core.runfile.reader import RunReader
from condense_core.runs.standing import measured
from condense_core.scalar_names import column_of, label_of, split
from condense_core.scenario.claims import Requirement

# A network of two convolutions has layers with several input channels, one of one input has outputs and a field.
CONVOLUTIONS = """
name = "two"
steps = 4
layers = [{ kind = "conv", width = 6, size = 3 }, { kind = "conv", width = 6, size = 3 }]
data = { name = "digits", samples = 20, test_samples = 10 }
init = { scheme = "normal", std = 0.01 }
optimizer = { name = "gd", lr = 0.01 }
ensemble = { members = 2 }
"""
PREDICTED = CONVOLUTIONS.replace(', { kind = "conv", width = 6, size = 3 }]', "]").replace('"two"', '"one"')
ONE_INPUT = """
name = "curve"
steps = 4
layers = [{ kind = "dense", width = 8 }]
data = { name = "sine", inputs = 1, samples = 20 }
init = { scheme = "normal", std = 0.01 }
optimizer = { name = "adam", lr = 0.01 }
"""
DECODER = """
name = "decoder"
steps = 6
loss = "cross-entropy"
layers = [{ kind = "block", width = 8, heads = 2, hidden = 6 }]
data = { name = "anchors", samples = 30, test_samples = 9, items = 5 }
init = { scheme = "width-power", gamma = 0.5 }
optimizer = { name = "adamw", lr = 0.01 }
record = { probes = ["condensation", "hessian", "ntk"] }
"""
CURVED = ONE_INPUT + 'record = { probes = ["hessian", "ntk"] }\n'


@pytest.mark.parametrize(
    "text",
    [CONVOLUTIONS, PREDICTED, ONE_INPUT, CURVED, DECODER],
    ids=["conv", "predicted", "one input", "curvature", "decoder"],
)
def test_every_scalar_that_a_run_records_is_in_the_table(text, make_run, workers):
    folder = make_run("record.grace_seconds=1000", text=text)
    workers.finish(folder)
    with RunReader(folder) as run:
        names = run.curve_names
        assert {split(name)[1] for name in names} <= MEASURES.keys()
        layers = {layer for name in names if (layer := split(name)[0])}
        assert layers == set(run.layers)
        for name in names:
            layer, measure = split(name)
            assert MEASURES[measure].of == ("layer" if layer else "network"), name


def test_all_that_a_claim_may_require_is_measured_of_some_run(make_run, workers):
    found = set()
    for text in (CONVOLUTIONS, ONE_INPUT, PREDICTED, CURVED, DECODER):
        folder = make_run("record.grace_seconds=1000", text=text)
        workers.finish(folder)
        with RunReader(folder) as run:
            one = run.member(0)
            for name in CLAIMED:
                values = measured(Requirement(measure=name, at_least=0), one).values()
                found |= {name} if not all(map(math.isnan, values)) else set()
    assert found == set(CLAIMED)


def test_every_field_of_a_layer_is_in_the_table():
    # whose they are, and of how many kernels, is not measured
    assert set(LayerMeasures.__struct_fields__) - {"name", "drawn_of"} <= MEASURES.keys()


@pytest.mark.parametrize(
    ("scalar", "parts", "label"),
    [
        ("loss", ("", "loss"), "loss"),
        ("conv1.lines", ("conv1", "lines"), "conv1: lines"),
        ("block.2.conv.lines", ("block.2.conv", "lines"), "block.2.conv: lines"),
        ("conv1.eigenvalue.2", ("conv1", "eigenvalue"), "conv1: eigenvalue 2"),
        ("conv1.some_thing", ("conv1", "some_thing"), "conv1: some thing"),
    ],
)
def test_a_scalar_has_a_layer_a_measure_and_a_name(scalar, parts, label):
    assert split(scalar) == parts
    assert label_of(scalar) == label


@pytest.mark.parametrize(
    ("from_data", "eigenvalue", "share", "column"),
    [
        (True, "conv1: eigenvalue of ZᵀZ 2", "conv1: share of the weights on v1 of Z", "conv1.share_on_v2"),
        (
            False,
            "conv1: gradient's eigenvalue 2",
            "conv1: share of the weights on the gradient's first direction",
            "conv1.share_on_gradient2",
        ),
        (
            None,
            "conv1: eigenvalue 2",
            "conv1: share of the weights on the predicted direction",
            "conv1.share_on_direction2",
        ),
    ],
)
def test_what_a_prediction_is_beside_is_named_by_where_it_is_from(from_data, eigenvalue, share, column):
    source = prediction_source(from_data)
    assert label_of("conv1.eigenvalue.2", source) == eigenvalue
    assert label_of("conv1.ratio", source) == share
    assert column_of("conv1.share_on_v2", source) == column
    assert column_of("conv1.lines", source) == "conv1.lines"


def test_no_measure_speaks_of_v1_where_the_gradient_may_be_meant():
    """Those that only a signal matrix gives, and names in files, are the exception."""
    of_z = {"predicted_ratio", "prediction_error", "predicted_at"}
    for name, measure in MEASURES.items():
        words = f"{measure.label} {measure.head}"
        assert "v1" not in words or name in of_z, name
        for source in (FROM_DATA, OF_GRADIENT, UNKNOWN_SOURCE):
            label = label_of(f"dense.{name}", source)
            assert name in of_z or source is FROM_DATA or "v1" not in label, label
