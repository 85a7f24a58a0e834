"""Other machines on the home screen: listed, never asked unasked, and their runs opened; `ssh` here is a script."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from piloting import at_home, head, run_screen, text, text_has, until
from recording import Recording
from textual.pilot import Pilot

from condense_core.scenario.claims import Claim, Requirement
from condense_tui.app.app import CondenseApp
from condense_tui.cli.runs import list_
from condense_tui.screens.home.screen import HomeScreen
from condense_tui.screens.run.screen import RunScreen

HERE = """
[gpu-box]
ssh = "me@gpu.example.org"
command = {command}
runs_dir = {runs}
"""


@pytest.fixture
def far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the far side keeps its runs. `ssh` runs what it is given on this machine, and writes down that it did."""
    runs, work = tmp_path / "far-runs", tmp_path / "near"
    runs.mkdir()
    work.mkdir()
    ssh = work / "ssh"
    ssh.write_text(f'#!/bin/sh\necho "$@" >> {work}/calls\nfor last; do :; done\nexec sh -c "$last"\n')
    ssh.chmod(0o755)
    path = shlex.quote(os.pathsep.join(part for part in sys.path if part))
    command = f"env PYTHONPATH={path} {shlex.quote(sys.executable)} -m condense_tui"
    (work / "hosts.toml").write_text(HERE.format(command=f"'''{command}'''", runs=f"'''{runs}'''"))
    monkeypatch.setenv("PATH", f"{work}:{os.environ['PATH']}")
    monkeypatch.setenv("CONDENSE_CONFIG_DIR", str(work))
    return runs


@pytest.fixture
def recorded(far: Path) -> Callable[[str], Recording]:
    def make(name: str) -> Recording:
        recording = Recording(far, frames=20)
        recording.write()
        recording.writer.update(name=name, host="gpu.example.org")
        recording.finish()
        recording.close()
        return recording

    return make


def app_at(far: Path) -> CondenseApp:
    return CondenseApp(runs=far.parent / "near-runs")


def calls(far: Path) -> list[str]:
    file = far.parent / "near" / "calls"
    return file.read_text().splitlines() if file.exists() else []


async def to_machine(app: CondenseApp, pilot: Pilot) -> HomeScreen:
    """At home, with the cursor on the first machine."""
    screen = await at_home(app)
    await until(lambda: screen.lists.glances is not None and "gpu-box" in screen.machines.known, "both lists")
    if not screen.lists.runs.has_focus:
        await pilot.press("tab")
    screen.lists.runs.choose("machine gpu-box")
    await pilot.pause()
    return screen


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_machine_is_listed_and_not_asked_unasked(far: Path, size: tuple[int, int]) -> None:
    app = app_at(far)
    async with app.run_test(size=size, notifications=True) as pilot:
        await to_machine(app, pilot)
        for words in (
            "on other hosts",
            "gpu-box",
            "not asked yet",
            "enter lists its runs, over your ssh",
            "me@gpu.example",
        ):
            await text_has(pilot, words)
        for key in ("m", "s", "p", "n", "c"):
            await pilot.press(key)
        await pilot.pause()
        assert calls(far) == []


async def test_what_cannot_be_read_on_a_machine_is_said(far: Path, recorded: Callable[[str], Recording]) -> None:
    recorded("sound")
    (far / "261126-000000-damaged-0000").mkdir()
    (far / "261126-000000-damaged-0000" / "run.sqlite").write_bytes(b"no run file" * 100)
    app = app_at(far)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await to_machine(app, pilot)
        await pilot.press("enter")
        await text_has(pilot, "1 run")
        await text_has(pilot, "cannot read")


async def test_a_run_elsewhere_is_listed_opened_and_kept(far: Path, recorded: Callable[[str], Recording]) -> None:
    recorded("older")
    frames = len(recorded("far-away").steps)
    app = app_at(far)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        screen = await to_machine(app, pilot)
        await pilot.press("enter")
        await text_has(pilot, "2 runs")
        # which version ssh is of is asked first, of ssh itself
        reached = next(call for call in calls(far) if call != "-V")
        assert "BatchMode=yes" in reached, "ssh must not ask for a password on a screen that is taken"
        await text_has(pilot, "enter copies it here")
        names = [entry.item.info.name for entry in screen.lists.runs._entries if getattr(entry.item, "info", None)]
        assert set(names) == {"far-away", "older"}
        await pilot.press("down")
        wanted = screen.lists.runs.chosen.info
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, RunScreen), "the run screen")
        await text_has(pilot, "kernels by line")
        await until(lambda: head(pilot).step == 4000, "the newest frame")
        assert run_screen(pilot).place.parent == app.runs
        await until(lambda: head(pilot).count == frames, "all frames")
        await pilot.press("h")
        await at_home(app)
        await until(lambda: screen.lists.runs.chosen.info.id == wanted.id, "the cursor on the run")
        await until(lambda: screen.lists.runs.chosen.loss, "the mirror in the list")
        # it is here now: no connection is needed to see it again
        before = len(calls(far))
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, RunScreen), "the run screen")
        await text_has(pilot, "kernels by line")
        assert len(calls(far)) == before


async def test_a_live_run_elsewhere_is_followed(far: Path) -> None:
    live = Recording(far, frames=40)
    live.write(10)
    with live.worker():
        app = app_at(far)
        async with app.run_test(size=(120, 40), notifications=True) as pilot:
            await to_machine(app, pilot)
            await pilot.press("enter")
            await text_has(pilot, "enter copies it here")
            await pilot.press("down", "enter")
            await until(lambda: isinstance(app.screen, RunScreen), "the run screen")
            await text_has(pilot, "kernels by line")
            assert "live" in text(pilot)
            before = head(pilot).step
            live.write(5)
            await until(lambda: head(pilot).step > before, "a newer frame")


async def test_a_machine_that_cannot_be_reached_says_why(far: Path) -> None:
    ssh = far.parent / "near" / "ssh"
    ssh.write_text("#!/bin/sh\necho 'me@gpu.example.org: Permission denied (publickey,password).' >&2\nexit 255\n")
    app = app_at(far)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await to_machine(app, pilot)
        await pilot.press("enter")
        await text_has(pilot, "not reached")
        await text_has(pilot, "Permission denied")
        await text_has(pilot, "condense-tui attach --host gpu-box")


async def test_the_screen_answers_while_a_machine_does_not(far: Path) -> None:
    ssh = far.parent / "near" / "ssh"
    ssh.write_text("#!/bin/sh\nexec sleep 60\n")
    app = app_at(far)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        screen = await to_machine(app, pilot)
        await pilot.press("enter", "enter")
        await text_has(pilot, "connecting…")
        await pilot.press("tab")
        assert screen.lists.presets.has_focus
        await pilot.press("q")
    assert pilot.app.return_value is None


async def test_a_hosts_file_that_cannot_be_read_is_said(far: Path) -> None:
    (far.parent / "near" / "hosts.toml").write_text("[gpu-box\n")
    app = app_at(far)
    async with app.run_test(size=(160, 40), notifications=True) as pilot:
        await at_home(app)
        await text_has(pilot, "hosts.toml")


def test_runs_elsewhere_are_listed_with_how_their_claims_stand(
    far: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    recording = Recording(far, frames=3, claim=Claim(text="nine", requires=(Requirement(measure="lines", at_least=9),)))
    recording.write()
    recording.finish()
    recording.close()
    assert list_(host="gpu-box") == 0
    table = capsys.readouterr().out
    assert "claim" in table.splitlines()[0]
    assert "✖ does not hold; conv1 lines at 0.9: 2, wanted 9 or more" in table
    assert list_(host="gpu-box", json=True) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["claim"]["holds"] is False
