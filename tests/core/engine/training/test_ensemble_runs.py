"""Several seeds as one run, from the worker to what a reader sees: each member is the run of its seed alone."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from support import rows, trained_here, wait_for
from tolerances import rtol

from condense_core.engine import checkpoint
from condense_core.engine.answers.reduce import reduce_run
from condense_core.errors import RunFileError
from condense_core.jobs.messages import AskReduce
from condense_core.measures import sample
from condense_core.runfile import frames
from condense_core.runfile.reader import RunReader
from condense_core.runs.layer_over_seeds import read_layer_over_seeds
from condense_core.runs.summary import summarise
from condense_core.scenario import toml
from condense_core.thresholds import FINE

CLAIM = (
    'claim={text="falls", share=0.6, requires=[{measure="loss_ratio", at_most=0.95}]}',
    "optimizer.lr=0.01",
    "record.grace_seconds=1000",
)


def trained(make_run, workers, *settings: str) -> Path:
    folder = make_run(*settings)
    workers.finish(folder)
    return folder


@pytest.mark.parametrize("vary", ["init", "data", "both"])
def test_each_member_is_the_run_of_its_seed(make_run, workers, vary):
    settings = ("dtype=float64", "steps=60", "record.grace_seconds=1000")
    together = trained(make_run, workers, *settings, "ensemble.members=3", f"ensemble.vary={vary}")
    with RunReader(together) as run:
        assert run.members == 3
        assert run.info().status == "done"
        assert run.layers == ("dense1",)
        for number in range(3):
            seed = 0 if vary == "data" else number
            data_seed = 0 if vary == "init" else number
            alone = trained(make_run, workers, *settings, f"seed={seed}", f"data.seed={data_seed}")
            member = run.member(number)
            with RunReader(alone) as single:
                assert member.experiment == single.experiment
                for name in ("loss", "dense1.lines", "dense1.coverage", "dense1.relative_change"):
                    for found, wanted in zip(member.curve(name), single.curve(name), strict=True):
                        np.testing.assert_allclose(found, wanted, rtol=rtol("float64"))
                np.testing.assert_allclose(member.similarity("dense1"), single.similarity("dense1"), atol=0.01)
                assert member.condensation("dense1").sizes == single.condensation("dense1").sizes
                assert member.weights()[0] == single.weights()[0]
                for name, value in single.weights()[1].items():
                    np.testing.assert_allclose(member.weights()[1][name], value, rtol=1e-9)
        steps, values = run.spread("loss")
        np.testing.assert_array_equal(steps, run.curve("loss")[0])
        np.testing.assert_allclose(run.curve("loss")[1], values.mean(axis=1), rtol=1e-15)


def test_a_verdict_counts_seeds(make_run, workers):
    folder = trained(make_run, workers, *CLAIM, "ensemble.members=4", "ensemble.vary=both", "steps=150")
    with RunReader(folder) as run:
        summary = summarise(run)
        ratios = run.spread("loss_ratio")[1][-1]
    assert [seed.claim.holds for seed in summary.seeds] == [bool(ratio <= 0.95) for ratio in ratios]
    assert summary.claim.holds_in == sum(ratios <= 0.95)
    assert summary.claim.decided == 4
    assert summary.claim.holds == (summary.claim.holds_in >= 3)
    assert [seed.seed for seed in summary.seeds] == [seed.data_seed for seed in summary.seeds] == [0, 1, 2, 3]


def test_a_member_that_reaches_its_stop_ends_and_the_others_go_on(make_run, workers):
    stop = ("stop.loss_ratio=0.8", "stop.every=5", "optimizer.lr=0.02", "steps=100000", "record.grace_seconds=1000")
    folder = trained(make_run, workers, *stop, "ensemble.members=3", "ensemble.vary=both")
    with RunReader(folder) as run:
        assert run.info().status == "done"
        ends = []
        for number in range(3):
            steps, ratio = run.member(number).curve("loss_ratio")
            ends.append(int(steps[-1]))
            assert ratio[-1] <= 0.8 < ratio[:-1][steps[:-1] % 5 == 0].min()
        assert len(set(ends)) > 1, "all stopped at one step: nothing was shown"
        assert run.info().step == max(ends)
        for number, end in enumerate(ends):
            state = checkpoint.load(folder)
            recorded = run.member(number).weights()
            if recorded[0] == end:
                weight = checkpoint.parameters(state, number)["dense1.weight"]
                np.testing.assert_array_equal(weight.numpy(), recorded[1]["dense1.weight"])
        assert [seed.steps for seed in summarise(run).seeds] == ends


def test_a_member_that_diverges_speaks_against_the_claim_and_the_others_go_on(make_run, workers):
    """A rate at which some of the draws run away, and the others do not."""
    layers = 'layers=[{kind="dense",width=12,activation="relu"}]'
    settings = (
        *CLAIM,
        "optimizer={name='gd', lr=0.38}",
        layers,
        "ensemble.members=8",
        "ensemble.vary=both",
        "steps=60",
    )
    folder = trained(make_run, workers, *settings, "init.std=0.6")
    with RunReader(folder) as run:
        lost = [event for event in run.events if event.kind == "diverged"]
        summary = summarise(run)
        assert run.info().status == "done"
        assert 0 < len(lost) < 8, f"{len(lost)} of 8 diverged: choose another rate"
        assert sum(seed.status == "diverged" for seed in summary.seeds) == len(lost)
        assert all(seed.claim.holds is False for seed in summary.seeds if seed.status == "diverged")
        assert np.isfinite(run.curve("loss")[1]).all()
        assert all("seed" in event.text and "optimizer.lr" in event.text for event in lost)


def test_stopped_and_resumed_equals_never_stopped(make_run, workers):
    settings = ("steps=4000", "ensemble.members=3", "record.grace_seconds=1000")
    whole, parts = trained(make_run, workers, *settings), make_run(*settings)
    pid = workers.start(parts)

    def measured() -> int:
        with RunReader(parts) as run:
            return len(run.instants)

    wait_for(lambda: measured() > 3)
    os.kill(pid, signal.SIGTERM)
    wait_for(workers.has_ended, pid)
    with RunReader(parts) as run:
        assert run.info().status == "stopped"
        assert 0 < run.info().step < 4000
    workers.finish(parts)
    one, other = checkpoint.load(whole), checkpoint.load(parts)
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    leave_out = ("steps_per_second", "recording_share")
    assert rows(whole)["scalar"] == rows(parts)["scalar"]
    for number in range(3):
        with RunReader(whole) as first, RunReader(parts) as second:
            for name in first.curve_names:
                if name not in leave_out:
                    np.testing.assert_array_equal(first.member(number).curve(name), second.member(number).curve(name))


def test_a_member_that_is_read_anew_is_the_same(make_run, workers):
    """As a mirror is where rows were put in behind those that were read."""
    folder = trained(make_run, workers, "ensemble.members=3", "steps=20")
    with RunReader(folder) as run:
        member = run.member(2)
        steps, values = member.curve("loss")
        member._read_anew()
        np.testing.assert_array_equal(member.curve("loss"), (steps, values))
        np.testing.assert_array_equal(run.spread("loss")[1][:, 2], values)


def test_a_number_that_is_no_member_is_refused(make_run):
    with RunReader(make_run("ensemble.members=3")) as run:
        for number in (-1, 3):
            with pytest.raises(ValueError, match="expected 0 to 2"):
                run.member(number)


def test_a_damaged_frame_of_members_is_told(make_run):
    folder = make_run("ensemble.members=2")
    bad = frames.Members(names=("loss",), members=(0, 7), values=frames.Array.of([[1.0, 2.0]], "f8"))
    from condense_core.runfile.writer import RunWriter, StepRecord

    writer = RunWriter(folder)
    writer.append(StepRecord(0, [("loss", 1.0)], [("", bad)], []))
    writer.close()
    with RunReader(folder) as run, pytest.raises(RunFileError, match="does not have"):
        run.spread("loss")
    with pytest.raises(ValueError, match="values: expected 2×2"):
        frames.Members(names=("loss", "more"), members=(0, 1), values=frames.Array.of([[1.0, 2.0]], "f8"))


def test_reduce_takes_the_first_member(make_run, workers, tmp_path):
    folder = trained(make_run, workers, "ensemble.members=3", "steps=100")
    found = reduce_run(AskReduce(run=str(folder), out=str(tmp_path / "small"), at=None, keep_small=False))
    small = toml.loads((tmp_path / "small" / "effective.toml").read_text())
    assert small.ensemble.members == 1
    with RunReader(folder) as run:
        assert found.loss_before == pytest.approx(run.member(0).last("loss"), rel=1e-5)


@pytest.mark.parametrize("members", [1, 3])
def test_of_a_layer_that_is_too_wide_the_file_says_how_many_kernels_there_are(make_run, monkeypatch, members):
    monkeypatch.setattr(sample, "MOST_KERNELS", 8)
    folder = make_run("layers=[{kind='dense',width=12}]", f"ensemble.members={members}", "steps=3")
    trained_here(folder)
    with RunReader(folder) as run:
        layer = read_layer_over_seeds(run, "dense1", None, FINE)
    assert (layer.kernels, layer.drawn_of) == (8, 12)
