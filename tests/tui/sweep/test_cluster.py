"""Cells on a cluster without Ray: a stand-in with its calls, whose tasks end as those of nodes do that live or die."""

from __future__ import annotations

import json
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import SMALL

from condense_core.runfile.schema import FILE_NAME, writer
from condense_core.runs.create import write_run
from condense_core.scenario import toml
from condense_tui.batch.drive import drive
from condense_tui.sweep import cluster
from condense_tui.sweep.axes import read_axes
from condense_tui.sweep.cluster import RayEngine
from condense_tui.sweep.plan import Sweep, make_sweep


class NodeDiedError(Exception):
    """As Ray has it of a node that went: what it says begins with that."""


class TaskError(Exception):
    """As Ray has it of an error in a task: its traceback, in colours, and last the error."""

    cause = None


class StandIn(types.ModuleType):
    """`ray`, as far as `RayEngine` calls it; `answers` gives what comes of the task of each folder."""

    def __init__(self, answers: Callable[[str, str], Any]) -> None:
        super().__init__("ray")
        self.exceptions = types.SimpleNamespace(RayError=(NodeDiedError, TaskError))
        self.answers, self.asked = answers, []

    def init(self, **_: object) -> None: ...

    def shutdown(self) -> None: ...

    def cancel(self, task: object) -> None: ...

    def cluster_resources(self) -> dict[str, float]:
        return {"CPU": 2.0}

    def nodes(self) -> list[dict[str, object]]:
        return [{"NodeID": "first", "Alive": True}, {"NodeID": "second", "Alive": True}]

    def remote(self, **_: object) -> Callable[[object], StandIn]:
        return lambda _: self.task

    @property
    def task(self) -> Any:
        return types.SimpleNamespace(options=lambda **how: self._remote(how), remote=self._remote({}).remote)

    def _remote(self, how: dict[str, Any]) -> Any:
        def remote(text: str, name: str, *_: object) -> tuple[str, str]:
            self.asked.append((name, how))
            return text, name

        return types.SimpleNamespace(remote=remote)

    def wait(self, tasks: list[Any], **_: object) -> tuple[list[Any], list[Any]]:
        return tasks[:1], tasks[1:]

    def get(self, task: tuple[str, str]) -> Any:
        answer = self.answers(*task)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def swept(tmp_path: Path) -> Sweep:
    small = toml.loads(SMALL)
    return make_sweep(small, "", read_axes(["seed=0,1,2,3"], small), tmp_path / "out")


@pytest.fixture
def trained(tmp_path: Path) -> Callable[[str, str], Any]:
    """What a node sends that has trained a cell."""

    def answer(text: str, name: str) -> Any:
        folder = tmp_path / "node" / name
        folder.mkdir(parents=True, exist_ok=True)
        write_run(folder, toml.loads(text), preset="small", device="cpu")
        with writer(folder / FILE_NAME) as connection:
            connection.execute("UPDATE run SET status = 'done'")
        return "trained", (folder / FILE_NAME).read_bytes(), "first", "host-a"

    return answer


def on_cluster(swept: Sweep, monkeypatch: pytest.MonkeyPatch, ray: StandIn) -> tuple[Any, dict[str, str], list[str]]:
    monkeypatch.setitem(sys.modules, "ray", ray)
    monkeypatch.setattr(cluster, "require_ray", lambda: None)
    said: list[str] = []
    engine = RayEngine("auto", "cpu", said.append)
    progress = drive(swept.plan, jobs=2, device="cpu", show=lambda _: None, engine=engine)
    return progress, {folder.name: why for folder, why in engine.refused.items()}, said


def test_cells_of_nodes_that_went_are_named_and_the_same_command_trains_them_alone(swept, trained, monkeypatch):
    names = [cell.folder.name for cell in swept.cells]
    died = NodeDiedError("The node that ran it died (node 7).\nIts logs were …")
    raised = TaskError(
        "\x1b[36mray::train()\x1b[39m (pid=3, ip=192.0.2.1)\n  File …\nOSError: [Errno 28] No space left\n"
    )
    lost = {names[1]: died, names[2]: raised, names[3]: ("trained", "no bytes", "first", "host-a")}
    first = StandIn(lambda text, name: lost.get(name) or trained(text, name))
    progress, refused, _ = on_cluster(swept, monkeypatch, first)
    assert len(progress.ended) == 4
    assert refused == {
        names[1]: "The node that ran it died (node 7).",
        names[2]: "OSError: [Errno 28] No space left",
        names[3]: "a node sent an answer that is not ours",
    }
    again = StandIn(trained)
    progress, refused, _ = on_cluster(swept, monkeypatch, again)
    assert ([name for name, _ in again.asked], refused) == (names[1:], {})
    assert [cell.folder.name for cell in progress.kept] == names[:1]
    assert {file.parent.name for file in swept.out.glob(f"cells/*/{FILE_NAME}")} == set(names)
    assert not list(swept.out.rglob("*partial*"))


def test_a_run_file_of_another_experiment_is_not_taken(swept, trained, monkeypatch):
    other = toml.dumps(toml.loads(SMALL.replace("steps = 300", "steps = 301")))
    _, refused, _ = on_cluster(swept, monkeypatch, StandIn(lambda _, name: trained(other, name)))
    assert len(refused) == 4
    assert all("or of another experiment" in why for why in refused.values())


def test_a_node_without_the_package_is_named_once_and_its_cells_go_elsewhere(swept, trained, monkeypatch):
    def answer(text: str, name: str) -> Any:
        missing = name == swept.cells[1].folder.name and not any(how for _, how in ray.asked)
        return ("missing", "not installed", "second", "host-b") if missing else trained(text, name)

    ray = StandIn(answer)
    progress, refused, said = on_cluster(swept, monkeypatch, ray)
    assert (len(progress.ended), refused, said) == (4, {}, ["node host-b cannot train: not installed"])
    elsewhere = {"label_selector": {"ray.io/node-id": "!in(second)"}}
    assert json.dumps(elsewhere) in [json.dumps(how) for _, how in ray.asked]
