"""What a script reads of runs: the same as the run file says, and one line where it asks for what is not there."""

from __future__ import annotations

import datetime
import doctest
import importlib.util
import math
import re
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from recording import Recording
from support import need_module

from condense_core import list_runs, open_run
from condense_core.errors import MissingExtraError, RunFileError, ScenarioError
from condense_core.installation import how_to_add
from condense_core.runfile.frames import Weights
from condense_core.runfile.reader import RunReader
from condense_core.runfile.schema import FILE_NAME, writer
from condense_core.runfile.writer import RecordingThread, StepRecord
from condense_core.runs.about_run import AboutChange, change_about
from condense_core.runs.as_html import LONGEST_TEXT
from condense_core.runs.create import create_watched
from condense_core.runs.listed_runs import MOST_SHOWN, RunList
from condense_core.scenario.watched import Watched

TOP = Path(__file__).parents[3]
HOSTILE = "<script>alert(1)</script>\x1b[31m&"


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    made = Recording(tmp_path / "runs", frames=12, kernels=(8, 6))
    made.write()
    made.finish()
    made.close()
    return made


@pytest.fixture
def seeds(tmp_path: Path) -> Recording:
    made = Recording(tmp_path / "runs", frames=6, kernels=(8,), lines=(2,), members=3)
    made.write()
    made.finish()
    made.close()
    return made


def record(folder: Path, *records: StepRecord) -> None:
    thread = RecordingThread(folder)
    for each in records:
        thread.put(each)
    thread.set_status("done")
    thread.close()


def test_the_examples_of_the_documentation_are_true():
    failed, tried = doctest.testfile(str(TOP / "docs/PYTHON.md"), module_relative=False)
    assert tried > 20
    assert failed == 0


def test_importing_the_package_imports_neither_numpy_nor_pytorch_and_reading_no_pytorch():
    program = (
        "import sys, condense_core; assert not {'numpy', 'torch', 'msgspec'} & set(sys.modules);"
        "run = condense_core.open_run('digits-gd'); run.similarity('conv1'); run.table(); run._repr_html_();"
        "assert not {'torch', 'scipy', 'pandas', 'pyarrow'} & set(sys.modules);"
        "assert {'watch', 'open_run', 'list_runs'} <= set(dir(condense_core))"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_no_module_hides_a_public_function():
    import condense_core

    names = {path.stem for path in (TOP / "core/condense_core").iterdir()}
    assert not names & set(condense_core.__all__)


@pytest.mark.parametrize("how", [lambda folder: folder.name, lambda folder: folder.name[-4:], str, lambda f: f])
def test_a_run_is_opened_by_what_a_person_calls_it(recording, how):
    runs = recording.folder.parent
    with open_run(how(recording.folder), runs_dir=runs) as run:
        assert run.id == recording.folder.name
    with open_run(recording.folder / FILE_NAME) as run:
        assert run.layers == ("conv1", "conv2")


def test_a_name_that_is_nothing_is_refused_with_the_nearest(tmp_path):
    with pytest.raises(RunFileError, match="did you mean 'digits-gd'"):
        open_run("digits-dg", runs_dir=tmp_path)
    with pytest.raises(RunFileError, match="no runs in"):
        open_run("nothing like it at all", runs_dir=tmp_path)


def test_curves_and_tables_are_what_the_file_says(recording):
    with open_run(recording.folder) as run, RunReader(recording.folder) as reader:
        assert len(run.curves) == len(reader.curve_names)
        for name in run.curves:
            for found, expected in zip(run.curve(name), reader.curve(name), strict=True):
                np.testing.assert_array_equal(found, expected)
        step = int(run.measured[5])
        table = run.table(step)
        assert table["conv2"]["lines"] == reader.last("conv2.lines", step)
        assert table[""]["loss"] == reader.last("loss", step)
        assert run.table() == run.table(int(run.measured[-1]))
        values = run.curve("loss")[1]
        values[:] = 0
        assert run.curve("loss")[1].all(), "what is returned is the caller's own"


def test_similarity_is_that_of_the_step_with_its_lines_and_order(recording):
    with open_run(recording.folder) as run, RunReader(recording.folder) as reader:
        for step in run.measured.tolist():
            found = run.similarity("conv1", step)
            frame = reader.condensation("conv1", step)
            assert frame is not None
            np.testing.assert_array_equal(found.cosine, reader.similarity("conv1", step))
            np.testing.assert_array_equal(found.line, frame.label.numpy())
            assert (found.step, found.kernels, found.pooled, len(found.kept)) == (
                step,
                8,
                False,
                (found.line > -2).sum(),
            )
            on_lines = found.line[found.order][found.line[found.order] >= 0]
            assert sorted(found.order) == list(range(8))
            assert list(on_lines) == sorted(on_lines)


def test_a_step_that_was_not_measured_is_said_and_not_made_up(recording):
    with open_run(recording.folder) as run:
        first, second = run.measured[-2:].tolist()
        missing = second - 1
        says = re.escape(f"no similarity of conv1 at step {missing:,}; the nearest: {first:,} and {second:,}")
        with pytest.raises(RunFileError, match=says):
            run.similarity("conv1", missing)
        with pytest.raises(RunFileError, match=f"nothing was measured at step {missing:,}"):
            run.table(missing)
        assert run.similarity("conv1", missing, at="nearest").step == second
        assert run.similarity("conv1", missing, at="before").step == first
        with pytest.raises(RunFileError, match="nearest: 0 "):
            run.similarity("conv1", -3, at="before")
        assert run.similarity("conv1", -3, at="nearest").step == 0
        with pytest.raises(ValueError, match="exact, before or nearest"):
            run.table(at="after")
        with pytest.raises(RunFileError, match="no layer 'conv3'; did you mean 'conv"):
            run.similarity("conv3")
        with pytest.raises(RunFileError, match="no weights recorded"):
            run.weights()


def test_one_of_several_seeds(seeds):
    with open_run(seeds.folder) as run, RunReader(seeds.folder) as reader:
        assert run.seeds == 3
        _, values = run.spread("loss")
        assert values.shape == (6, 3)
        for seed in range(3):
            np.testing.assert_array_equal(run.curve("loss", seed=seed)[1], values[:, seed])
            np.testing.assert_array_equal(
                run.similarity("conv1", seed=seed).cosine, reader.member(seed).similarity("conv1")
            )
            assert run.table(seed=seed)[""]["loss"] == values[-1, seed]
        np.testing.assert_allclose(run.curve("loss")[1], values.mean(axis=1))
        for wrong in (-1, 3):
            with pytest.raises(RunFileError, match="expected 0 to 2"):
                run.curve("loss", seed=wrong)
        with pytest.raises(RunFileError, match="of all seeds together"):
            run.curve("steps_per_second", seed=1)


def test_kept_weights(make_run):
    folder = make_run()
    kept = {"dense1.weight": np.arange(6.0).reshape(3, 2), "dense1.bias": np.ones(3), "output.weight": np.ones((1, 3))}
    record(folder, StepRecord(0, [("loss", 1.0)], [("", Weights.of(kept))], []), StepRecord(9, [("loss", 0.5)], [], []))
    with open_run(folder) as run:
        assert run.kept_weights.tolist() == [0]
        found = run.weights(9, at="before")
        assert (found.step, list(found.parameters)) == (0, list(kept))
        assert found.kernels("dense1").tolist() == [[0, 1, 1], [2, 3, 1], [4, 5, 1]]
        with pytest.raises(RunFileError, match="no layer 'dense2'; did you mean 'dense1'"):
            found.kernels("dense2")


def test_a_run_of_somebodys_own_script_has_its_config_and_no_scenario(tmp_path):
    folder = create_watched(Watched(name="own", config={"lr": 0.1, "model.width": 8}), runs=tmp_path)
    record(folder, StepRecord(3, [("loss", math.nan), ("accuracy", 0.5)], [], [("done", HOSTILE)]))
    with open_run(folder) as run:
        assert (run.scenario, run.config, run.claim) == (None, {"lr": 0.1, "model.width": 8}, None)
        assert (run.steps, run.status, run.created.tzinfo) == (None, "done", datetime.UTC)
        assert math.isnan(run.curve("loss")[1][0])
        assert math.isnan(run.table()[""]["loss"])
        assert run.events()[-1].text == "<script>alert(1)</script>[31m&"
        with pytest.raises(RunFileError, match="no curve 'acuracy'; did you mean 'accuracy'"):
            run.curve("acuracy")


def test_a_run_of_which_nothing_was_measured_yet(make_run):
    with open_run(make_run()) as run:
        assert (run.layers, run.curves, len(run.measured), run.events()) == ((), (), 0, ())
        with pytest.raises(RunFileError, match="no step was measured"):
            run.table()
        assert run.id in run._repr_html_()


def test_a_notebook_is_shown_nothing_that_it_would_run(recording, tmp_path):
    with writer(recording.folder / FILE_NAME) as connection:
        connection.execute("UPDATE run SET reason = ?", (HOSTILE + "x" * 10_000,))
    with open_run(recording.folder) as run:
        shown = run._repr_html_()
        assert "<script" not in shown and "\x1b" not in shown
        assert "&lt;script&gt;" in shown
        assert "conv2" in shown
        assert len(shown) < 10 * LONGEST_TEXT
    runs = list_runs(runs_dir=recording.folder.parent)
    many = RunList(list(runs) * 1_000, [HOSTILE])
    assert many._repr_html_().count("<tr>") == MOST_SHOWN + 1
    assert "1 cannot be read: &lt;script" in many._repr_html_()


def test_lists_are_newest_first_narrowed_by_words_and_say_what_is_damaged(recording, tmp_path):
    runs = recording.folder.parent
    other = create_watched(Watched(name="other"), runs=runs)
    damaged = runs / "000000-000000-damaged-0000"
    damaged.mkdir()
    (damaged / FILE_NAME).write_bytes(b"SQLite format 3\0" + b"\xff" * 4_000)
    with pytest.warns(UserWarning, match="damaged"):
        found = list_runs(runs_dir=runs)
    assert [run.folder for run in found] == sorted([recording.folder, other], reverse=True)
    assert len(found.damaged) == 1
    with warnings.catch_warnings(action="ignore"):
        (one,) = list_runs("DIGITS status:done", runs_dir=runs)
        assert not list_runs("digits nothing", runs_dir=runs)
        change_about(other, AboutChange(name="mine", note="see", tags=("x", "y"), archived=True))
        assert [run.id for run in list_runs("status:done lines>1", runs_dir=runs)] == [recording.folder.name]
        assert not list_runs("tag:x", runs_dir=runs), "archived"
        (away,) = list_runs("tag:x archived:yes", runs_dir=runs)
        assert (away.label, away.note, away.tags, away.archived) == ("mine", "see", ("x", "y"), True)
        with pytest.raises(ScenarioError, match="unknown field 'tga'"):
            list_runs("tga:x", runs_dir=runs)
    with one.open() as run:
        assert (run.id, one.steps, one.trainer) == (recording.folder.name, 4000, "engine")
    assert list_runs(runs_dir=tmp_path / "nothing") == []


def test_a_data_frame_has_every_curve(seeds):
    need_module("pandas")
    with open_run(seeds.folder) as run:
        frame = run.to_pandas()
        assert frame.index.tolist() == run.measured.tolist()
        assert [name for name in frame if "@" not in name] == list(run.curves)
        np.testing.assert_array_equal(frame["loss@2"], run.curve("loss", seed=2)[1])
        np.testing.assert_array_equal(run.to_pandas(seed=2)["loss"], frame["loss@2"])
        assert frame.attrs["run"] == run.id


def test_an_arrow_table_tells_what_is_no_number_from_what_was_not_measured(make_run):
    need_module("pyarrow")
    folder = make_run()
    record(
        folder,
        StepRecord(0, [("loss", 1.0), ("a", math.inf)], [], []),
        StepRecord(5, [("loss", math.nan)], [], []),
        StepRecord(9, [("a", 3.0)], [], []),
    )
    with open_run(folder) as run:
        table = run.to_arrow().to_pydict()
    assert table["step"] == [0, 5, 9]
    assert table["a"] == [math.inf, None, 3.0]
    assert math.isnan(table["loss"][1])
    assert table["loss"][2] is None


@pytest.mark.parametrize(
    ("method", "package", "extra"), [("to_pandas", "pandas", "pandas"), ("to_arrow", "pyarrow", "parquet")]
)
def test_a_library_that_is_missing_is_said_with_what_installs_it(recording, monkeypatch, method, package, extra):
    find = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == package else find(name))
    with (
        open_run(recording.folder) as run,
        pytest.raises(MissingExtraError, match=re.escape(f"not installed here: {how_to_add(extra)}")),
    ):
        getattr(run, method)()
