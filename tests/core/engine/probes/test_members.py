"""MemberViews that are measured together are each measured alone, to the bit, whatever they are trained with."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support import SMALL

from condense_core.engine.data.datasets import load
from condense_core.engine.probes import Measurement, MemberViews, members, probes_for
from condense_core.engine.probes.ensemble_members import EnsembleMembers
from condense_core.engine.steppers import TrainingEnsemble, make_ensemble
from condense_core.measures.change import relative_change
from condense_core.measures.sample import MOST_KERNELS
from condense_core.runfile import frames
from condense_core.runfile.places import place
from condense_core.scenario.experiment import Experiment
from condense_core.scenario.toml import build, override, parse

# Of each kind of prediction, of a convolution, of batches, of data of their own, and of one input and one output.
SCENARIOS = {
    "data": ('layers=[{kind="dense",width=9}]',),
    "gradient": ('layers=[{kind="dense",width=9,activation="xtanh"}]',),
    "deep": ('layers=[{kind="dense",width=7},{kind="dense",width=6}]',),
    "convolution": (
        'data={name="digits",samples=30}',
        'layers=[{kind="conv",width=5,size=3},{kind="conv",width=4,size=3}]',
    ),
    "classes": ('data={name="digits",samples=30}', 'loss="cross-entropy"', 'layers=[{kind="dense",width=8}]'),
    "batches": ('layers=[{kind="dense",width=9}]', "optimizer.batch=8"),
    "data of their own": ('layers=[{kind="dense",width=9}]', 'ensemble.vary="data"'),
}


def ensemble_of(*settings: str) -> tuple[Experiment, TrainingEnsemble]:
    experiment = build(override(parse(SMALL), ["ensemble.members=3", *settings]))
    loaded = {member.data: load(member.data) for member in experiment.members}
    samples = [loaded[member.data] for member in experiment.members]
    return experiment, make_ensemble(experiment, samples, torch.device("cpu"))


def now(ensemble: TrainingEnsemble) -> EnsembleMembers:
    return EnsembleMembers(ensemble.observe(), ensemble.members, ensemble.stacked())


def found(probes, of: MemberViews, numbers=None) -> Measurement:
    into = Measurement(of.step, of.numbers)
    for probe in probes.values():
        probe.measure(of, into)
    return into


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_each_is_measured_as_if_it_were_alone(scenario):
    experiment, ensemble = ensemble_of(*SCENARIOS[scenario])
    start = now(ensemble)
    together = probes_for(experiment, start)
    alone = [probes_for(experiment, view) for view in start.views]
    for _ in range(3):
        whole = found(together, now(ensemble))
        values = dict(zip((whole.frames[0][1]).names, whole.frames[0][1].numpy(), strict=True))
        of_layer = {(layer, frames.kind_of(frame)): frame for layer, frame in whole.frames}
        for number, view in enumerate(ensemble.observe()):
            single = found(alone[number], MemberViews([view]))
            assert {name for name, _ in single.scalars} == values.keys()
            for name, value in single.scalars:
                np.testing.assert_array_equal(values[name][number], value, err_msg=name)
            for layer, frame in single.frames:
                assert of_layer[place(layer, number), frames.kind_of(frame)] == frame
        ensemble.advance(2)
    assert len({tuple(column) for column in values.values()}) > 5


def test_a_few_at_a_time_are_all_at_once(monkeypatch):
    experiment, ensemble = ensemble_of(*SCENARIOS["deep"])
    probes, apart = (probes_for(experiment, now(ensemble)) for _ in range(2))
    ensemble.advance(3)
    whole = found(probes, now(ensemble))
    monkeypatch.setattr(members, "PAIRS_AT_ONCE", 2 * 8 * 7**2)
    blocks = list(now(ensemble).blocks())
    assert [block.numbers for block in blocks] == [(0, 1), (2,)]
    parts = Measurement(ensemble.step, (0, 1, 2))
    for block in blocks:
        parts.add(found(apart, block))
    assert parts.scalars == whole.scalars
    assert dict(parts.frames[1:]).keys() == dict(whole.frames[1:]).keys()
    assert all(frame in [other for _, other in whole.frames] for _, frame in parts.frames)


def test_who_is_left_keeps_number_and_history():
    experiment, ensemble = ensemble_of(*SCENARIOS["data"])
    probes = probes_for(experiment, now(ensemble))
    found(probes, now(ensemble))
    start = {number: view.kernels("dense1") for number, view in enumerate(ensemble.observe())}
    ensemble.advance(2)
    ensemble.drop([1])
    left = now(ensemble)
    after = found(probes, left)
    assert left.numbers == (0, 2)
    changed = dict(zip(after.frames[0][1].names, after.frames[0][1].numpy(), strict=True))["dense1.relative_change"]
    for value, number, view in zip(changed, left.numbers, left.views, strict=True):
        assert value == pytest.approx(relative_change(view.kernels("dense1"), start[number]), rel=1e-6)
    similar = [frame for _, frame in after.frames if isinstance(frame, frames.Similarity)]
    assert [frame.key for frame in similar] == [False, False], "they build on what was recorded of them"


def test_of_a_very_wide_layer_some_kernels_are_measured_always_the_same():
    width = MOST_KERNELS + 200
    experiment, ensemble = ensemble_of(f'layers=[{{kind="dense",width={width}}}]', "ensemble.members=1")
    probes = probes_for(experiment, now(ensemble))
    of = now(ensemble)
    geometry = of.geometry("dense1")
    assert (geometry.kernels, geometry.sampled) == (MOST_KERNELS, width)
    every = ensemble.observe()[0].parameters()["dense1.weight"]
    measured = of.kernels("dense1")[0, :, :-1]
    assert all((every == row).all(dim=1).any() for row in measured[::100])
    assert torch.equal(measured, ensemble.observe()[0].kernels("dense1")[:, :-1])
    into = found(probes, of)
    shown = {frames.kind_of(frame): frame for _, frame in into.frames}
    assert shown["condensation"].kernels == shown["similarity"].kernels == MOST_KERNELS
    assert shown["condensation"].drawn_of == shown["similarity"].drawn_of == width
    assert len(shown["alignment"].cosine.numpy()) == MOST_KERNELS
    assert frames.decode(frames.encode(shown["condensation"])).drawn_of == width


def test_a_layer_that_is_measured_whole_says_nothing_of_a_sample():
    experiment, ensemble = ensemble_of(*SCENARIOS["data"])
    into = found(probes_for(experiment, now(ensemble)), now(ensemble))
    (frame,) = [frame for layer, frame in into.frames if layer == "dense1" and isinstance(frame, frames.Condensation)]
    assert frame.drawn_of is None
    assert b"drawn_of" not in frames._encoder.encode(frame)


def test_many_values_of_all_members_are_in_several_frames(monkeypatch):
    monkeypatch.setattr(frames, "MOST_OF_MEMBERS", 20)
    found = Measurement(3, (0, 1, 2, 3))
    names = ["loss", "one.lines", "one.condensed", "two.lines", "two.condensed", "one.ratio"]
    for at, name in enumerate(names):
        found.scalar(name, np.arange(4.0) + 10 * at)
    parts = [frame for layer, frame in found.frames if layer == ""]
    assert [part.names for part in parts] == [
        ("loss",),
        ("one.lines", "one.condensed"),
        ("two.lines", "two.condensed"),
        ("one.ratio",),
    ]
    assert all(part.members == (0, 1, 2, 3) for part in parts)
    np.testing.assert_array_equal(
        np.concatenate([part.numpy() for part in parts]), np.arange(4.0) + 10 * np.arange(6)[:, None]
    )
    monkeypatch.setattr(frames, "MOST_OF_MEMBERS", 24)
    assert len(found.frames) == 1
