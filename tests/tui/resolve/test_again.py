"""The command that makes a run again makes the same run: it is read by the command line itself."""

from __future__ import annotations

import io
import shlex
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from condense_core.errors import CondenseError, ScenarioError
from condense_core.runfile.info import Mirror, RunInfo, read_run
from condense_core.runs.create import create_run, create_watched
from condense_core.scenario import toml
from condense_core.scenario.experiment import Experiment
from condense_core.scenario.paths import with_absolute_paths
from condense_core.scenario.watched import Watched
from condense_presets import preset_files, preset_text
from condense_tui.resolve.again import command_of
from condense_tui.resolve.scenario import build_scenario

PRESETS = sorted(preset_files())


class CaughtError(CondenseError):
    """Everything that a run is made of is known, and nothing is trained."""


def typed(command: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Experiment, dict[str, Any]]:
    """What the command line makes of a command: the scenario, and how the run is called and where it is trained."""
    from condense_tui.cli import app

    line, _, document = command.partition(" <<'")
    if document:
        end, _, text = document.partition("'\n")
        body, last = text.rsplit("\n", 1)
        assert last == end
        assert end not in body.splitlines()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(body.encode())))
    caught: dict[str, Any] = {}

    def catch(experiment: Experiment, **options: Any) -> Path:
        caught.update(options, experiment=with_absolute_paths(experiment))
        raise CaughtError("")

    monkeypatch.setattr("condense_core.runs.create.create_run", catch)
    monkeypatch.setattr("condense_core.runs.create.require_engine", lambda: None)
    program, *words = shlex.split(line)
    assert program == "condense-tui"
    with pytest.raises(CaughtError):
        app(words, standalone_mode=False)
    return caught.pop("experiment"), caught


def of_run(experiment: Experiment, preset: str = "", name: str = "", device: str = "cpu EPYC, 2 threads") -> RunInfo:
    """The row of a run, whether or not its data are here."""
    return RunInfo(
        id="250101-000000-run-0000",
        name=name or experiment.name,
        preset=preset,
        experiment=toml.dumps(with_absolute_paths(experiment)),
        seed=experiment.seed,
        revision="",
        versions={},
        device=device,
        host="here",
        pid=None,
        status="done",
        reason="",
        steps=experiment.steps,
        step=experiment.steps,
        seconds=1.0,
        created=1.0,
        heartbeat=1.0,
    )


def same(info: RunInfo, monkeypatch: pytest.MonkeyPatch) -> tuple[str, dict[str, Any]]:
    """The command of a run, which makes the same scenario, and what else it says."""
    command = command_of(info)
    made, options = typed(command, monkeypatch)
    wanted = toml.loads(info.experiment)
    assert msgspec.structs.replace(made, name="-") == msgspec.structs.replace(wanted, name="-")
    return command, options


@pytest.mark.parametrize("preset", PRESETS[:: max(1, len(PRESETS) // 12)])
def test_a_preset_as_it_is_needs_no_more_than_its_name(preset: str, monkeypatch: pytest.MonkeyPatch) -> None:
    command, _ = same(of_run(build_scenario(preset, settings=[])[0], preset), monkeypatch)
    assert command == f"condense-tui run {preset} --device cpu"


@pytest.mark.parametrize(
    ("preset", "options", "settings", "said"),
    [
        ("digits-gd", {"seed": 7}, [], "--seed 7"),
        ("fcn-fig03-xtanh", {"seeds": 10, "vary": "both"}, [], "--seeds 10 --vary both"),
        ("digits-gd", {}, ["optimizer.lr_lambda1=0.01", "layers.0.width=64"], "--set layers.0.width=64"),
        ("digits-gd", {}, ["optimizer.name=adam", "optimizer.lr=1e-4"], "--set optimizer.name=adam"),
        ("digits-gd", {}, ["layers.*.activation=xtanh"], "activation=xtanh"),
        ("digits-gd", {}, ["init.scheme=glorot-normal"], "--set init.scheme=glorot-normal"),
        ("digits-gd", {"data": "mnist", "data_root": Path("/some where")}, [], "--data-root '/some where'"),
        ("cnn-fig03", {"data_root": Path("/mine"), "download": True}, [], "--data-root /mine --download"),
        ("photos-gd", {"data": "folder:/my pictures"}, [], "--data 'folder:/my pictures'"),
        ("fcn-fig03-tanh", {"data": "formula:sin(3*x1)"}, ["data.low=-2"], "--data 'formula:sin(3*x1)'"),
        ("digits-gd", {}, ["record.steps=[0, 5, 7]"], "--set"),
        ("digits-gd", {}, ["steps=123", "stop.accuracy=0.5"], "--set steps=123"),
    ],
)
def test_what_differs_from_the_preset_is_said_and_nothing_else(
    preset: str, options: dict[str, Any], settings: list[str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment, _ = build_scenario(preset, settings=settings, **options)
    command, _ = same(of_run(experiment, preset), monkeypatch)
    assert command.startswith(f"condense-tui run {preset} --")
    assert said in command
    assert "\n" not in command


def test_a_scenario_that_no_preset_leads_to_is_in_the_command_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    text = preset_text("digits-deep").replace("name =", "# own\nname =", 1)
    own = toml.loads(text)
    for info in (of_run(own), of_run(own, "digits-gd"), of_run(own, "no-longer-there")):
        command, options = same(info, monkeypatch)
        assert command.startswith("condense-tui run - --device cpu")
        assert options["device"] == "cpu"
    about = msgspec.structs.replace(own.about, summary="a\nEND\n'\"$(x)\nb") if own.about else None
    same(of_run(msgspec.structs.replace(own, about=about)), monkeypatch)


@pytest.mark.parametrize(
    ("device", "said"),
    [("auto", "auto"), ("cpu EPYC, 2 threads", "cpu"), ("cuda:1 NVIDIA H100", "cuda:1"), ("cuda NVIDIA", "cuda")],
)
def test_name_and_device_are_said(device: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    experiment, _ = build_scenario("digits-gd", settings=[])
    _, options = same(of_run(experiment, "digits-gd", "it's mine; rm -rf /", device), monkeypatch)
    assert (options["name"], options["device"], options["preset"]) == ("it's mine; rm -rf /", said, "digits-gd")


def test_a_run_elsewhere_is_made_there_again() -> None:
    info = of_run(build_scenario("digits-gd", settings=[])[0], "digits-gd")
    mirror = Mirror(host="gpu-box", link="offline", delay=None, heard=1.0, trouble="", missing=0)
    assert command_of(msgspec.structs.replace(info, mirror=mirror)).endswith(" --device cpu --host gpu-box")


def test_a_run_of_a_real_folder_and_a_script_that_was_watched(tmp_path: Path) -> None:
    experiment, preset = build_scenario("digits-gd", settings=["steps=5"], seed=2)
    folder = create_run(experiment, runs=tmp_path, preset=preset, device="cpu")
    assert command_of(read_run(folder)) == "condense-tui run digits-gd --seed 2 --set steps=5 --device cpu"
    watched = create_watched(Watched(name="mine", script="/my/train it.py", arguments=("--lr", "0.1")), runs=tmp_path)
    assert command_of(read_run(watched)) == "condense-tui watch '/my/train it.py' --lr 0.1"
    inside = create_watched(Watched(name="in a notebook"), runs=tmp_path)
    with pytest.raises(ScenarioError, match="no command made this run"):
        command_of(read_run(inside))
