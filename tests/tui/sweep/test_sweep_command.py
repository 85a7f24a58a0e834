"""`sweep` as a user runs it: files, picture, exit codes, what a second time costs, and Ctrl-C."""

from __future__ import annotations

import csv
import json
import math
import os
import signal
import statistics
import subprocess
import sys
from pathlib import Path

import pytest
from support import SMALL, need_module, wait_for

from condense_core.errors import RunFileError
from condense_core.runfile.control import hold, worker_is_alive
from condense_core.runfile.reader import RunReader
from condense_core.runs.about_run import read_about

pytestmark = pytest.mark.usefixtures("forked")

COMMAND = [sys.executable, "-m", "condense_tui", "sweep"]


@pytest.fixture
def tiny(tmp_path) -> Path:
    file = tmp_path / "tiny.toml"
    file.write_text(SMALL.replace("steps = 300", "steps = 40").replace("frames = 30", "frames = 5"))
    return file


def sweep(*arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    answer = subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert answer.returncode == code, answer.stdout + answer.stderr
    assert "Traceback" not in answer.stderr
    return answer


def table(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as opened:
        return list(csv.DictReader(opened))


def test_a_sweep_is_one_table_and_the_second_time_trains_nothing(tiny, tmp_path):
    out = tmp_path / "out"
    options = (tiny, "--over", "lr=1e-3,1e30", "--over", "width=6,8", "--seeds", 3, "--out", out)
    answer = sweep(*options, "--show", "coverage")
    assert "diverged" in answer.stdout
    assert answer.stderr.count("the loss is") == 2, "why, for each of the two"
    assert f"its runs in the app: CONDENSE_RUNS_DIR={out / 'cells'} condense-tui" in answer.stdout

    rows, seeds = table(out / "results.csv"), table(out / "seeds.csv")
    assert [(row["optimizer.lr"], row["layers.*.width"], row["status"]) for row in rows] == [
        ("0.001", "6", "done"),
        ("0.001", "8", "done"),
        ("1e+30", "6", "diverged"),
        ("1e+30", "8", "diverged"),
    ]
    for row in rows[:2]:
        own = [seed for seed in seeds if seed["cell"] == row["cell"]]
        assert [seed["init_seed"] for seed in own] == ["0", "1", "2"]
        assert row["seeds"] == "3"
        assert float(row["loss_last_median"]) == statistics.median(float(seed["loss_last"]) for seed in own)
        assert float(row["lines_max"]) == max(float(seed["lines"]) for seed in own)
        assert int(row["condensed"]) == sum(seed["condensed"] == "true" for seed in own)
        with RunReader(out / "cells" / row["cell"]) as run:
            assert float(own[2]["loss_last"]) == run.member(2).last("loss")
            assert run.experiment.layers[0].width == int(row["layers.*.width"])
    assert rows[2]["diverged"] == "3"
    assert rows[2]["loss_last_median"] == "", "no seed is left to be counted"
    assert (out / "phase.svg").read_text().startswith("<svg")

    called = {read_about(folder).sweep for folder in out.glob("cells/*/")}
    assert len(called) == 1 and called.pop().endswith(" over lr, width (out)"), "by which lists put them together"

    before = {file: file.stat().st_mtime_ns for file in out.glob("cells/*/run.sqlite")}
    again = json.loads(sweep(*options, "--json").stdout)
    assert (again["trained"], again["kept"], len(again["cells"])) == (0, 4, 4)
    assert {file: file.stat().st_mtime_ns for file in before} == before
    more = json.loads(sweep(*options[:4], "width=6,8,10", *options[5:], "--json").stdout)
    assert (more["trained"], more["kept"]) == (2, 4)


def test_slopes_are_fitted_over_the_widths_from_nothing_but_the_relative_change(tiny, tmp_path):
    out = tmp_path / "out"
    options = (tiny, "--over", "std=0.01,0.5", "--over", "width=4,8", "--seeds", 3, "--out", out, "--show", "slope")
    assert "expected change in record.probes" in sweep(*options, "--set", "record.probes=[]", code=2).stderr
    answer = sweep(*options, "--only-shown", "--set", "optimizer.lr_curvature=0.1")
    assert "slope of ln relative change by ln width" in answer.stdout
    rows, seeds, slopes = (table(out / f"{name}.csv") for name in ("results", "seeds", "slopes"))
    assert len(rows) == 4 and {row["condensed"] for row in rows} == {""}
    for row in slopes:
        found = []
        for width in ("4", "8"):
            own = [
                float(seed["relative_change"])
                for seed in seeds
                if (seed["init.std"], seed["layers.*.width"]) == (row["init.std"], width)
            ]
            assert len(own) == 3
            found.append(statistics.median(own))
            assert float(row[f"relative_change_at_{width}"]) == found[-1]
        assert float(row["slope"]) == pytest.approx(math.log(found[1] / found[0]) / math.log(2))
    assert (out / "phase.html").read_text().count("<svg") == 1


def test_parquet_holds_what_the_csv_does(tiny, tmp_path):
    need_module("pyarrow")
    import pyarrow.parquet

    sweep(tiny, "--over", "std=0.005,0.1", "--seeds", 2, "--out", tmp_path / "out", "--parquet")
    for name in ("results", "seeds"):
        found = pyarrow.parquet.read_table(tmp_path / "out" / f"{name}.parquet").to_pylist()
        expected = table(tmp_path / "out" / f"{name}.csv")
        assert len(found) == len(expected)
        assert list(found[0]) == list(expected[0])
        assert [row["init.std"] for row in found] == [float(row["init.std"]) for row in expected]
        assert all(isinstance(row["kernels"], int) for row in found)


def test_where_no_cell_ends_or_a_checked_claim_fails_the_exit_code_says_so(tiny, tmp_path):
    out = tmp_path / "out"
    answer = sweep(tiny, "--over", "lr=1e30", "--seeds", 2, "--out", out, code=1)
    assert "no cell finished" in answer.stderr
    claim = tmp_path / "claim.toml"
    requires = "requires = [{ measure = 'loss_ratio', at_least = 0.9 }]"
    claim.write_text(f"{tiny.read_text()}\n[claim]\ntext = 'hardly moves'\n{requires}\n")
    options = (claim, "--over", "lr=1e-9,1e-1", "--seeds", 2, "--out", out)
    assert "does not hold in 1 of 2 cells" in sweep(*options, "--check", code=1).stderr
    assert sweep(*options, "--show", "claim").stdout.count("2 of 2") == 1


def test_a_wrong_value_is_refused_before_anything_trains(tiny, tmp_path):
    answer = sweep(tiny, "--over", "std=0.1,-1", "--out", tmp_path / "out", code=2)
    assert answer.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_ctrl_c_keeps_what_is_finished_and_stops_the_workers(tiny, tmp_path):
    out = tmp_path / "out"
    options = (tiny, "--over", "steps=20,100000000", "--seeds", 2, "--jobs", 2, "--out", out)
    process = subprocess.Popen(
        [*COMMAND, *map(str, options)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )

    def folder(steps: int) -> Path | None:
        return next(iter(out.glob(f"cells/steps-{steps}-*")), None)

    def ready() -> bool:
        if not (folder(20) and folder(100_000_000)):
            return False
        try:
            with RunReader(folder(20)) as short, RunReader(folder(100_000_000)) as long:
                return short.info().status == "done" and long.info().status == "running"
        except RunFileError:  # the file is just being made
            return False

    try:
        wait_for(ready)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "stopped after 1 of 2 cells; run the same command to continue" in said
    table = list(csv.DictReader((out / "results.csv").open(encoding="utf-8")))
    assert [row["status"] for row in table] == ["done", "stopped"]
    assert not worker_is_alive(folder(100_000_000))
    with RunReader(folder(20)) as run:
        assert run.info().status == "done"


def test_a_killed_sweep_leaves_no_worker(tiny, tmp_path):
    out = tmp_path / "out"
    options = (tiny, "--over", "steps=100000000", "--seeds", 2, "--out", out)
    process = subprocess.Popen([*COMMAND, *map(str, options)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def pid() -> int | None:
        folder = next(iter(out.glob("cells/*/run.sqlite")), None)
        if folder is None:
            return None
        try:
            with RunReader(folder.parent) as run:
                return run.info().pid
        except RunFileError:  # the file is just being made
            return None

    try:
        wait_for(lambda: pid() is not None)
        worker = pid()
        parent = int(Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()[1])
        os.kill(parent, signal.SIGKILL)
        wait_for(lambda: not worker_is_alive(next(out.glob("cells/*"))))
        assert process.wait(timeout=30) == 1
    finally:
        process.kill()


DECODER = """
name = "decoder"
steps = 3
loss = "cross-entropy"
layers = [{ kind = "block", width = 8, heads = 2, hidden = 6 }]
data = { name = "anchors", samples = 30, test_samples = 9, items = 5 }
init = { scheme = "width-power", gamma = 0.5 }
optimizer = { name = "adamw", lr = 0.01 }
record = { frames = 2 }
"""


def test_a_sweep_over_the_scale_of_a_decoder_has_a_row_for_each_of_its_heads(tmp_path):
    file, out = tmp_path / "decoder.toml", tmp_path / "out"
    file.write_text(DECODER)
    answer = sweep(file, "--over", "gamma=0.5,2", "--seeds", 1, "--out", out, "--show", "mean_abs_cos")
    assert "block1.k.h2" in answer.stdout
    rows = table(out / "results.csv")
    layers = ["embedding", *(f"block1.{part}.h{head}" for part in "qkv" for head in (1, 2)), "block1.mlp"]
    assert [row["layer"] for row in rows] == 2 * layers
    assert [row["kernels"] for row in rows] == 2 * ["25", *6 * ["4"], "6"]
    assert all(0 < float(row["mean_abs_cos_median"]) <= 1 for row in rows)


def test_a_sweep_that_was_killed_goes_on_with_what_is_not_finished(tiny, tmp_path):
    out = tmp_path / "out"
    options = (tiny, "--over", "seed=0,10,20", "--seeds", 2, "--jobs", 1, "--set", "steps=2000", "--out", out)
    process = subprocess.Popen([*COMMAND, *map(str, options)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def done() -> set[Path]:
        found = set()
        for folder in out.glob("cells/*"):
            try:
                with RunReader(folder) as run:
                    found |= {folder} if run.info().status == "done" else set()
            except RunFileError:  # the file is just being made
                continue
        return found

    wait_for(lambda: bool(done()))
    process.kill()
    process.wait()
    wait_for(lambda: not any(map(worker_is_alive, out.glob("cells/*"))))
    finished = {folder: (folder / "run.sqlite").stat().st_mtime_ns for folder in done()}
    again = json.loads(sweep(*options, "--json").stdout)
    assert (again["kept"], again["trained"]) == (len(finished), 3 - len(finished))
    assert [cell["status"] for cell in again["cells"]] == ["done"] * 3
    assert {folder: (folder / "run.sqlite").stat().st_mtime_ns for folder in finished} == finished


def test_any_recorded_measure_is_shown_and_stands_in_the_tables(tiny, tmp_path):
    file, out = tmp_path / "decoder.toml", tmp_path / "out"
    file.write_text(DECODER)
    options = (file, "--over", "gamma=0.5,2", "--seeds", 2, "--out", out)
    assert "did you mean 'unseen_accuracy'" in sweep(*options, "--show", "unseen_acuracy", code=2).stderr
    assert not out.exists()
    answer = sweep(*options, "--show", "unseen_accuracy", "--only-shown")
    assert answer.stdout.count("accuracy on unseen pairs, median over seeds") == 1, "of nine layers one picture"
    rows, seeds = table(out / "results.csv"), table(out / "seeds.csv")
    for row in rows:
        own = {seed["member"]: float(seed["unseen_accuracy"]) for seed in seeds if seed["cell"] == row["cell"]}
        with RunReader(out / "cells" / row["cell"]) as run:
            found = [run.member(number).last("unseen_accuracy") for number in range(2)]
        assert list(own.values()) == found
        assert float(row["unseen_accuracy_median"]) == statistics.median(found)
    options = (tiny, *options[1:2], "std=0.1", "--seeds", 2, "--out", out)
    assert "expected hessian in record.probes" in sweep(*options, "--show", "sharpness", code=2).stderr
    assert "no cell has recorded it" in sweep(*options, "--show", "unseen_loss", "--only-shown").stderr


def test_a_second_command_fills_no_folder_of_the_first(tiny, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    with hold(out):
        answer = sweep(tiny, "--over", "seed=1,2", "--out", out, code=2)
    assert answer.stderr == (
        f"condense-tui: {out} is being filled by another command: wait until it ends, or choose another --out\n"
    )
    assert not [*out.iterdir()]
