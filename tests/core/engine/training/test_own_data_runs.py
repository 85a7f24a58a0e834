"""Runs on files of one's own: what is recorded, a resume after the file has changed, theory and the small network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from condense_core.engine.answers.reduce import reduce_run
from condense_core.engine.answers.theory import theory
from condense_core.errors import RunFileError
from condense_core.jobs.messages import AskReduce
from condense_core.runfile.info import read_run
from condense_core.runfile.reader import RunReader
from condense_core.runfile.schema import FILE_NAME, writer
from condense_core.scenario import toml

pytestmark = pytest.mark.usefixtures("forked")


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Sixty rows of two inputs and y = 0.3 a - 0.2 b."""
    point = np.random.default_rng(1).uniform(-1, 1, (60, 2))
    rows = [f"{a},{b},{0.3 * a - 0.2 * b}" for a, b in point.tolist()]
    (tmp_path / "own.csv").write_text("\n".join(["a,b,y", *rows]))
    return tmp_path / "own.csv"


def of(table: Path, *more: str) -> tuple[str, ...]:
    return ("data.name=csv", f"data.path={table}", "data.samples=none", "data.test_samples=20", "steps=40", *more)


def test_numbers_are_learned_and_tested_on_what_was_held_out(make_run, workers, table):
    folder = make_run(*of(table, "optimizer.name=gd", "optimizer.lr=0.5", "init.std=0.3", "steps=300"))
    workers.finish(folder)
    with RunReader(folder) as run:
        assert run.info().status == "done", run.info().reason
        # the file's rule is linear: what is learned of 40 rows holds of the other 20
        assert run.last("test_loss") < 0.1 * run.last("test_loss", 0)
        assert run.last("test_loss") < 10 * run.last("loss")
        assert not {"accuracy", "test_accuracy"} & set(run.curve_names)
        (found,) = [event.text for event in run.events if event.kind == "data"]
    assert found.startswith("40 of 60 samples, seed 0; 60 samples of 2 inputs, 1 number from -0.")


def test_a_run_goes_on_only_with_the_data_that_it_was_trained_on(make_run, workers, table):
    folder = make_run(*of(table))
    workers.finish(folder)
    text = table.read_text()
    rows = text.splitlines()
    _longer(folder)
    table.write_text("\n".join([*rows[:-1], "0.5,0.5,7"]))
    workers.finish(folder)
    assert read_run(folder).status == "failed"
    assert "the data of" in read_run(folder).reason
    assert "have changed since its checkpoint; put back what it was trained on" in read_run(folder).reason
    with pytest.raises(RunFileError, match="have changed since its checkpoint"):
        reduce_run(AskReduce(run=str(folder), at=None, keep_small=False, out=str(folder / "small")))
    table.write_text("\n".join(rows[:30]))
    workers.finish(folder)
    assert "have changed since its checkpoint" in read_run(folder).reason
    table.unlink()
    workers.finish(folder)
    assert "own.csv cannot be read as CSV: No such file" in read_run(folder).reason
    table.write_text(text.replace("a,b,y", "other,names,here"))
    workers.finish(folder)
    assert (read_run(folder).status, read_run(folder).step) == ("done", 60), read_run(folder).reason


def _longer(folder: Path) -> None:
    """As if it had been stopped at its checkpoint, before its end."""
    with writer(folder / FILE_NAME) as connection:
        text = str(connection.execute("SELECT experiment FROM run").fetchone()[0]).replace("steps = 40", "steps = 60")
        connection.execute("UPDATE run SET status = 'stopped', steps = 60, experiment = ?", (text,))


def test_the_small_network_is_of_the_same_data(make_run, workers, table):
    folder = make_run(*of(table, "steps=100"))
    workers.finish(folder)
    found = reduce_run(AskReduce(run=str(folder), at=None, keep_small=False, out=str(folder / "small")))
    small = toml.loads(Path(found.scenario).read_text())
    assert small.data.path == str(table)
    assert found.parameters_after < found.parameters_before
    assert found.loss_before == pytest.approx(read_loss(folder), rel=1e-4)


def read_loss(folder: Path) -> float:
    with RunReader(folder) as run:
        return run.last("loss")


def test_theory_takes_numbers_as_they_are_and_classes_by_their_labels(make_run, tmp_path, table):
    def kinds(folder: Path, samples: int) -> list[str]:
        with RunReader(folder) as run:
            found = theory(run.experiment, trials=2, samples=samples, bias=False)
        assert found.by_labels[0].values[0].mean > 0
        return [kind.labels for kind in found.by_labels]

    assert kinds(make_run(*of(table)), 40) == ["values"]
    np.savez(tmp_path / "own.npz", X=np.random.default_rng(0).normal(size=(30, 3)), y=np.arange(30) % 3)
    classes = ("data.name=npz", f"data.path={tmp_path / 'own.npz'}", "data.samples=none")
    assert kinds(make_run(*classes), 30) == ["onehot", "raw"]
    assert kinds(make_run("data.name=formula", "data.target=sin(x1)", "data.inputs=1"), 40) == ["values"]


def test_a_formula_of_one_input_has_its_output_drawn(make_run, workers):
    folder = make_run("data.name=formula", "data.target=sin(3*x1)", "data.inputs=1", "steps=20", "record.frames=3")
    workers.finish(folder)
    with RunReader(folder) as run:
        assert run.info().status == "done", run.info().reason
        assert "complexity" in run.curve_names


def test_several_draws_of_one_file_train_together(make_run, workers, table):
    folder = make_run(*of(table, "ensemble.members=3", "ensemble.vary=both", "record.frames=3"))
    workers.finish(folder)
    with RunReader(folder) as run:
        assert run.info().status == "done", run.info().reason
        last = [run.member(number).last("test_loss") for number in range(3)]
    assert len(set(last)) == 3
