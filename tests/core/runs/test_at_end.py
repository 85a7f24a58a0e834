"""A list judges a claim as a reader of the whole run does, and without NumPy."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from recording import Recording

from condense_core.errors import RunFileError
from condense_core.runfile.frames import Array, Members
from condense_core.runfile.info import read_info
from condense_core.runfile.open_file import OpenFile
from condense_core.runfile.reader import RunReader
from condense_core.runfile.scalars import scalars_of
from condense_core.runfile.schema import FILE_NAME, open_reader, writer
from condense_core.runfile.writer import StepRecord
from condense_core.runs import at_end
from condense_core.runs.at_end import AtEnd
from condense_core.runs.claim_state import Standing
from condense_core.runs.judged import judged_at_end
from condense_core.runs.standing import standing
from condense_core.scenario.claims import Claim, Requirement

CLAIMS = {
    "of layers": (Requirement(measure="lines", at_most=3), Requirement(measure="loss_ratio", at_least=0.5)),
    "missed": (Requirement(measure="lines", layer="conv2", at_least=7), Requirement(measure="coverage", at_least=0)),
    "at a step": (Requirement(measure="lines", layer="conv1", at=1, at_least=1),),
    "of a spectrum": (
        Requirement(measure="gap_ratio", at_most=1),
        Requirement(measure="ones_overlap_least", at_most=1),
    ),
    "of a prediction": (Requirement(measure="prediction_error", at_most=0.1),),
    "not measured": (Requirement(measure="complexity", at_most=3), Requirement(measure="loss_ratio", at=0, at_most=3)),
}


def in_a_list(folder: Path) -> Standing | None:
    with contextlib.closing(open_reader(folder / FILE_NAME, still=True)) as connection:
        info = read_info(connection, folder)
        return judged_at_end(folder, OpenFile(connection, info, scalars_of(connection, still=True))).claim


@pytest.mark.parametrize("status", ["done", "stopped", "diverged"])
@pytest.mark.parametrize("requires", CLAIMS.values(), ids=CLAIMS)
def test_a_list_judges_as_a_reader_does(tmp_path, requires, status):
    claim = Claim(text="it condenses", requires=requires)
    recording = Recording(tmp_path, frames=4, kernels=(6, 4), claim=claim)
    recording.write()
    recording.finish(status)
    recording.close()
    with RunReader(recording.folder) as run:
        expected = standing(run)
    assert expected is not None
    # NaN is not equal to itself
    assert repr(in_a_list(recording.folder)) == repr(expected)


def test_of_several_seeds_too(tmp_path):
    claim = Claim(text="it condenses", requires=CLAIMS["of layers"])
    recording = Recording(tmp_path, frames=4, kernels=(6, 4), members=3, claim=claim)
    recording.write()
    recording.finish()
    recording.close()
    with RunReader(recording.folder) as run:
        assert repr(in_a_list(recording.folder)) == repr(standing(run))


@pytest.mark.parametrize("diverged", [(), (3,), (0, 1, 2, 3)])
@pytest.mark.parametrize(("frames", "values"), [(200, 10**6), (2, 10**6), (200, 9)])
def test_newest_values_of_seeds_are_those_of_a_reader(tmp_path, monkeypatch, diverged, frames, values):
    """Of steps that measure some of the names of some of the seeds, also where these are further back than a list
    looks."""
    monkeypatch.setattr(at_end, "MOST_FRAMES", frames)
    monkeypatch.setattr(at_end, "MOST_VALUES", values)
    claim, draw = Claim(text="it condenses", requires=CLAIMS["of layers"]), np.random.default_rng(5)
    recording = Recording(tmp_path, frames=1, kernels=(6, 4), members=4, claim=claim)
    going = [*range(4)]
    for step in range(12):
        for member in [member for member in diverged if step == 3 + 2 * member]:
            going.remove(member)
            recording.writer.append(StepRecord(step, [], [("", members_at(("diverged",), [member], [[1.0]]))], []))
        if going:
            names = tuple(draw.permutation(["a", "b", "c"])[: draw.integers(1, 4)].tolist())
            of_step = members_at(names, going, draw.standard_normal((len(names), len(going))))
            recording.writer.append(StepRecord(step, [("loss", 1.0)], [("", of_step)], []))
    recording.finish()
    recording.close()
    folder = recording.folder
    with RunReader(folder) as run, contextlib.closing(open_reader(folder / FILE_NAME, still=True)) as connection:
        file = OpenFile(connection, run.info(), scalars_of(connection, still=True))
        at = AtEnd(folder, file, 4, claim)
        for name in ("a", "diverged", "b", "c", "none"):
            assert repr(at.of_draws(name)) == repr(run.of_draws(name)), name
            assert repr(at.of_draws(name, 5)) == repr(run.of_draws(name, 5)), name
        assert at.newest_step == run.newest_step
        assert at.layers == run.layers


def members_at(names: tuple[str, ...], members: list[int], values: object) -> Members:
    return Members(names=names, members=tuple(members), values=Array.of(values, "f8"))


def test_a_claim_on_damaged_values_is_refused(tmp_path):
    recording = Recording(tmp_path, frames=4, kernels=(6, 4), claim=Claim(text="one", requires=CLAIMS["of layers"]))
    recording.write()
    recording.finish()
    recording.close()
    with writer(recording.folder / FILE_NAME) as connection:
        connection.execute("UPDATE scalar SET step = step + 1 WHERE seq = (SELECT max(seq) FROM scalar)")
    with pytest.raises(RunFileError, match="wrong checksum"):
        in_a_list(recording.folder)


def test_most_claims_are_judged_without_numpy(tmp_path):
    recording = Recording(tmp_path, frames=4, kernels=(6, 4), claim=Claim(text="one", requires=CLAIMS["of layers"]))
    recording.write()
    recording.finish()
    recording.close()
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from condense_core.runs.glance import no_base\n"
        "from condense_core.runs.read_run import read\n"
        "found, lasting = read(Path(sys.argv[1]), no_base, (1, 1, 0, 0, 1), claims=True)\n"
        "print(lasting.claim.claim.state, 'numpy' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(recording.folder)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["holds", "False"]
