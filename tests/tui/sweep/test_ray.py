"""`sweep --engine ray` on a real cluster: two node processes of this machine, started and ended by the tests."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from support import SMALL, need_module, rows

from condense_core.errors import HostError, RunFileError, ScenarioError
from condense_core.runfile.reader import RunReader
from condense_core.runs.on_node import accept
from condense_tui.sweep.cluster import RayEngine

# As a user has it who has not installed the program on one of the nodes.
NOT_THERE = "raise ModuleNotFoundError(\"No module named 'condense_core'\", name='condense_core')\n"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    need_module("ray")
    from ray.cluster_utils import Cluster

    # what Ray and the cells leave goes with the cluster; by a short path, since sockets stand there
    with TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as own, pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", own)
        two = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
        two.add_node(num_cpus=1)
        yield two
        two.shutdown()


def sweep(out: Path, *arguments: object, code: int = 0, cluster: Any = None) -> subprocess.CompletedProcess[str]:
    scenario = out.with_suffix(".toml")
    # measured on every step that is asked for, however slow the machine is
    scenario.write_text(SMALL.replace("frames = 30", "frames = 30\nbudget = 1000.0"))
    engine = ["--engine", "ray", "--address", cluster.address] if cluster else []
    command = [sys.executable, "-m", "condense_tui", "sweep", scenario, *arguments, "--out", out, *engine]
    answer = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    assert answer.returncode == code, answer.stdout + answer.stderr
    assert "Traceback" not in answer.stderr
    return answer


def test_cells_trained_on_two_nodes_equal_those_trained_here(cluster, tmp_path):
    options = ("--over", "steps=2000,2001,20", "--set", "dtype=float64", "--seeds", 2)
    sweep(tmp_path / "there", *options, cluster=cluster)
    sweep(tmp_path / "here", *options)
    here = {folder.name: folder for folder in (tmp_path / "here" / "cells").iterdir()}
    spans = []
    for folder in (tmp_path / "there" / "cells").iterdir():
        assert rows(folder) == rows(here[folder.name])
        with RunReader(folder) as run:
            info = run.info()
            assert info.status == "done"
            spans.append((info.created, info.heartbeat))
    assert len(spans) == 3
    first, second, _ = sorted(spans)
    assert second[0] < first[1], "two at once on nodes of one core each: both have trained"
    assert "3/3 cells were finished earlier" in sweep(tmp_path / "there", *options).stderr


@pytest.mark.thorough
def test_a_cell_that_fails_there_is_reported_and_a_node_without_the_package_is_left_out(cluster, tmp_path):
    (tmp_path / "shadow" / "condense_core").mkdir(parents=True)
    (tmp_path / "shadow" / "condense_core" / "__init__.py").write_text(NOT_THERE)
    bare = cluster.add_node(num_cpus=1, env_vars={"PYTHONPATH": str(tmp_path / "shadow")})
    try:
        answer = sweep(
            tmp_path / "out",
            *("--over", "initial=none,/nowhere/weights.safetensors", "--over", "width=6,8", "--seeds", 2),
            cluster=cluster,
        )
    finally:
        cluster.remove_node(bare)
    assert answer.stderr.count("condense-tui is not installed (No module named 'condense_core')") == 1
    assert "install this condense-tui with its extra 'engine' into the Python that runs Ray there" in answer.stderr
    assert answer.stderr.count("no file /nowhere/weights.safetensors") == 2
    table = (tmp_path / "out" / "results.csv").read_text()
    assert (table.count(",done,"), table.count(",failed,")) == (2, 2)


def test_no_cluster_is_one_line(tmp_path):
    need_module("ray")
    with pytest.raises(HostError, match="nothing answers at this address"):
        RayEngine("127.0.0.1:1", "cpu", print)
    with pytest.raises(ScenarioError, match="expected HOST:PORT"):
        RayEngine("nowhere", "cpu", print)


def test_what_comes_from_a_node_is_checked(make_run, tmp_path):
    folder = make_run("steps=50")
    with RunReader(folder) as run:
        experiment = run.info().experiment
    # a run that has not ended, and what is no run file
    for content in ((folder / "run.sqlite").read_bytes(), b"no database", b""):
        with pytest.raises(RunFileError):
            accept(content, experiment, tmp_path / "cell")
        assert not list((tmp_path / "cell").iterdir())
