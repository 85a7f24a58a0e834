"""Run files of version 0.1 are read as that version read them, and a run that it left is trained to its end.

`version-0.1` holds two run folders that it made: `done` (two seeds) and `stopped`, which has a checkpoint; and
`recordings-0.1` the recordings that it shipped. The digests in `digests.txt` are what that version itself read.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
from pathlib import Path

import pytest
from support import Workers

from condense_core.measure_table import UNKNOWN_SOURCE
from condense_core.runfile import schema
from condense_core.runfile.reader import RunReader
from condense_core.runs.create import ready_to_resume

OLD = Path(__file__).with_name("version-0.1")
RECORDINGS = {file.stem: file for file in OLD.with_name("recordings-0.1").glob("*.sqlite")}
READ = dict(line.split() for line in (OLD / "digests.txt").read_text().splitlines())


def digest(place: Path) -> str:
    """One number for every curve, event and similarity matrix of a run."""
    found = hashlib.sha256()
    with RunReader(place) as run:
        for name in sorted(run.curve_names):
            steps, values = run.curve(name)
            found.update(name.encode() + steps.astype("<i8").tobytes() + values.astype("<f8").tobytes())
        for event in run.events:
            found.update(f"{event.step} {event.kind} {event.text}".encode())
        for layer in run.layers:
            for step in run.instants:
                matrix = run.similarity(layer, int(step))
                found.update(b"" if matrix is None else matrix.tobytes())
    return found.hexdigest()[:16]


@pytest.mark.parametrize("name", ["done", "stopped", *sorted(RECORDINGS)])
def test_a_file_of_version_0_1_is_read_as_that_version_read_it(name: str) -> None:
    assert digest(RECORDINGS.get(name, OLD / name)) == READ[name]


# That version noted it late: in the last of its recordings alone.
@pytest.mark.parametrize("name", sorted(RECORDINGS.keys() - {"digits-gd"}))
def test_an_old_file_does_not_say_what_its_spectrum_is_of(name: str) -> None:
    """It was of the gradient in some of them, and nothing in the file tells."""
    with RunReader(RECORDINGS[name]) as run:
        spectra = {layer: run.spectrum(layer) for layer in run.layers}
        assert all(found is not None and found.from_data is None for found in spectra.values())
        assert {run.prediction_source(layer) for layer in run.layers} == {UNKNOWN_SOURCE}


def test_a_run_that_version_0_1_left_is_trained_to_its_end(tmp_path: Path, workers: Workers) -> None:
    folder = tmp_path / "stopped"
    shutil.copytree(OLD / "stopped", folder)
    with RunReader(folder) as run:
        assert run.info().status == "stopped"
    ready_to_resume(folder)
    workers.finish(folder)
    with RunReader(folder) as run:
        assert (run.info().status, run.info().step) == ("done", 60_000)
        steps, loss = run.curve("loss")
        assert steps[-1] == 60_000
        assert loss[-1] < loss[0]
    with contextlib.closing(schema.open_reader(folder / schema.FILE_NAME)) as connection:
        assert schema.version_of(connection) == 1, "that version can still read it"
