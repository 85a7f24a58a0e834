"""Spectra beside the layer's own: only what was recorded is there, and its numbers are those of the run file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from recording import Curved, Recording

from condense_core.runfile.reader import RunReader
from condense_tui.snapshots import plots
from condense_tui.snapshots.assemble import Assembler, ViewRequest
from condense_tui.snapshots.playhead import Playhead
from condense_tui.snapshots.plots import Axes


def snapshot_of(made: Recording):
    with RunReader(made.folder) as run:
        assembler = Assembler(run)
        # curves are read over several snapshots
        return [assembler.snapshot(Playhead(), ViewRequest()) for _ in range(9)][-1]


@pytest.fixture
def curved(tmp_path: Path) -> Recording:
    made = Curved(tmp_path / "runs", frames=12)
    made.write()
    made.finish()
    return made


def test_the_hessian_stands_beside_two_over_lr_and_singular_values_at_their_steps(curved: Recording) -> None:
    snapshot = snapshot_of(curved)
    hessian, singular = snapshot.spectra
    assert [name for name, _ in hessian.curves] == ["sharpness", "λ2", "lowest"]
    assert hessian.limit is not None
    assert set(hessian.limit[1]) == {20.0}
    assert singular.title == "singular values of conv1"
    steps, values = dict(singular.curves)["s1"]
    assert steps.tolist() == [step for step in curved.steps.tolist() if step < 100]
    assert np.array_equal(values, 5.0 + steps)
    assert [name for name, _ in singular.curves] == ["s1", "s2"]


def test_each_press_draws_the_next_spectrum_and_after_the_last_the_first(curved: Recording) -> None:
    snapshot = snapshot_of(curved)
    titles = [plots.eigenvalues(snapshot, Axes(spectrum=number)).title for number in range(4)]
    assert titles[1:3] == ["eigenvalues of the Hessian", "singular values of conv1"]
    assert titles[0] == titles[3] == snapshot.spectrum.source.eigenvalues
    figure = plots.eigenvalues(snapshot, Axes(spectrum=1))
    assert [curve.name for curve in figure.spec.curves] == ["sharpness", "λ2", "lowest", "2/lr"]
    assert figure.remark == "sharpness 4003 · 2/lr 20.00"


def test_what_was_not_recorded_is_not_offered(tmp_path: Path) -> None:
    made = Recording(tmp_path / "runs", frames=6)
    made.write()
    snapshot = snapshot_of(made)
    assert snapshot.spectra == ()
    assert plots.spectrum_count(snapshot) == 1
    assert plots.eigenvalues(snapshot, Axes(spectrum=5)).title == snapshot.spectrum.source.eigenvalues
