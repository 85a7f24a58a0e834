"""Training there, watching here: over a real sshd, with real kills. Nothing is lost and nothing is there twice."""

from __future__ import annotations

import json
import os
import random
import shlex
import signal
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import pytest
from programs import GROWING, command, need
from sshd import SECRET, FarSide, can_ask_for_passwords
from support import SMALL, all_rows, wait_for
from test_run_in_terminal import PROGRAM

from condense_core.remote.client import link as linking
from condense_core.remote.client.connection import Connection
from condense_core.remote.client.hosts import Host, find_host
from condense_core.remote.client.link import Link, open_mirror
from condense_core.remote.server.source import RunSource
from condense_core.runfile import control
from condense_core.runfile.info import read_run
from condense_core.runfile.reader import RunReader
from condense_core.runs.place import find_run, run_folders

pytestmark = pytest.mark.terminal


def status(folder: Path) -> str:
    with RunReader(folder) as run:
        return run.info().status


def top(folder: Path) -> int:
    return RunSource(folder).last_seq()


def mirror_of(run: Path, near: Path) -> tuple[Path, Host]:
    """The mirror of a far run, made, and its host."""
    host = find_host("far")
    with Connection(host) as connection:
        return open_mirror(connection, run.name, near), host


def assert_ended_alike(mirror: Path, original: Path) -> None:
    wait_for(lambda: status(original) in {"done", "stopped"}, seconds=60)
    wait_for(lambda: status(mirror) == status(original), seconds=60)
    assert all_rows(mirror) == all_rows(original)


def test_train_there_watch_here(far, near):
    there = ("--host", "far")
    summary = json.loads(command("run", "-", *there, "--json", text=SMALL).stdout)
    assert (summary["status"], summary["steps"]) == ("done", 300)
    original, mirror = far.runs / summary["run"], find_run(near, summary["run"])
    assert all_rows(mirror) == all_rows(original)
    listed = json.loads(command("runs", "list", *there, "--json").stdout)
    assert summary["run"] in [run["id"] for run in listed]
    assert json.loads(command("runs", "show", summary["run"], "--json").stdout) == summary

    # what the far side has besides is copied on demand
    answer = command("runs", "pull", summary["run"], *there, "--checkpoint")
    assert "pulled, done at step 300" in answer.stdout
    for name in ("worker.log", "checkpoint.safetensors"):
        assert (mirror / name).read_bytes() == (original / name).read_bytes()


def test_a_run_is_finished_and_complete_after_the_client_is_gone(far, near):
    answer = command("run", "-", "--host", "far-launched", "--detach", "--json", "--set", "steps=600", text=SMALL)
    run = json.loads(answer.stdout)["run"]
    original = far.runs / run
    # nobody is connected, and what launched the worker is gone too
    wait_for(lambda: status(original) == "done", seconds=60)
    with RunReader(original) as reader:
        assert reader.info().step == 600
    assert json.loads(command("attach", run, "--host", "far-launched", "--json").stdout)["steps"] == 600
    assert all_rows(find_run(near, run)) == all_rows(original)


def test_in_the_app_pause_stop_and_a_lost_connection(terminal, far, near, grow):
    original = grow(4000, 20)
    window = terminal(120, 40, **far.environment, CONDENSE_RUNS_DIR=str(near))
    window.run(PROGRAM, "attach", "--host", "far")
    window.wait("● live", " ms", "far", "conv1")
    mirror = find_run(near, original.name)
    wait_for(lambda: top(mirror) > 100)

    window.press("p")
    wait_for(lambda: status(original) == "paused")
    window.wait("paused")
    window.press("p")
    wait_for(lambda: status(original) == "running")
    window.wait("● live")

    # no new connection can be made while sshd stands still
    os.kill(far.process.pid, signal.SIGSTOP)
    try:
        os.kill(ssh_pid(window.pid_of("attach --host far")), signal.SIGKILL)
        window.wait("reconnecting to far, last heard", absent=["● live"])
        before = top(mirror)
        # keys answer meanwhile: what is here can be looked at
        window.press("Home")
        window.wait("step 0 of")
        window.press("End")
    finally:
        os.kill(far.process.pid, signal.SIGCONT)
    window.wait("● live", absent=["reconnecting"])
    wait_for(lambda: top(mirror) > before)

    window.press("s")
    window.wait("keep training")
    window.press("y")
    wait_for(lambda: status(original) == "stopped")
    window.wait("stopped")
    window.press("q")
    window.wait_for_prompt()
    wait_for(lambda: all_rows(mirror) == all_rows(original))
    assert "far" in command("runs", "list").stdout


def test_ssh_may_ask_before_the_app_takes_the_screen(terminal, far, near, grow):
    original = grow(2000, 20)
    window = terminal(100, 30, **far.environment, CONDENSE_RUNS_DIR=str(near))
    window.run(PROGRAM, "attach", original.name, "--host", "unknown")
    window.wait("Are you sure you want to continue connecting")
    window.press("y", "e", "s", "Enter")
    window.wait("● live", " ms")
    window.press("q")
    window.wait("continues training on unknown", "--host unknown")


def test_a_passphrase_is_asked_for_before_the_screen_and_never_under_it(terminal, far, near, grow):
    original = grow(3000, 20)
    window = terminal(100, 30, **far.environment, CONDENSE_RUNS_DIR=str(near))
    window.run(PROGRAM, "attach", original.name, "--host", "locked")
    window.wait("Enter passphrase for key")
    window.type(SECRET)
    window.wait("● live", " ms", absent=["passphrase"])
    mirror = find_run(near, original.name)
    before = far.connections()

    os.kill(ssh_pid(window.pid_of("attach")), signal.SIGKILL)
    window.wait("not connected to locked", "ssh has to ask for a password or a passphrase", "attach again")
    # one attempt, which the host refused, and no more
    wait_for(lambda: not control.worker_is_alive(mirror))
    assert far.connections() == before + 1
    # what is here can still be looked at
    window.press("Home")
    window.wait("step 0 of")
    window.press("q")
    window.wait_for_prompt()
    assert f"attach {original.name} --host locked" in "".join(window.screen().split("\n"))

    # at home it is what was last seen of it, and nobody pretends that it is told something
    window.run(PROGRAM)
    window.wait("locked", "last seen")
    window.press("q")
    window.wait_for_prompt()
    window.run(PROGRAM, "attach", original.name)
    window.wait("not connected to locked", "ssh has to ask")
    window.press("p")
    window.wait("will pause if")
    window.press("q")
    window.wait_for_prompt()

    there = command("attach", original.name, "--host", "locked", "--headless", code=3).stderr
    assert "Permission denied" in there
    assert "in a terminal" in there
    assert there.count("\n") == 1


def test_a_password_is_asked_for_before_the_screen(terminal, tmp_path, monkeypatch):
    need("sshd")
    if not can_ask_for_passwords():
        pytest.skip("no server can be given a password here: that takes root and a mount of its own")
    (tmp_path / "far").mkdir()
    far = FarSide(tmp_path / "far", password=True)
    monkeypatch.setenv("PATH", far.environment["PATH"])
    growing = subprocess.Popen([sys.executable, str(GROWING), str(far.runs), "2000", "20"], stdout=subprocess.DEVNULL)
    try:
        wait_for(lambda: bool(run_folders(far.runs)))
        window = terminal(100, 30, **far.environment)
        window.run(PROGRAM, "attach", "--host", "by-password")
        window.wait("password:")
        window.type("not it")
        wait_for(lambda: window.screen().count("password:") == 2)
        window.type(SECRET)
        window.wait("● live", " ms", absent=["password:"])
        window.press("q")
        window.wait("continues training on by-password")
    finally:
        growing.kill()
        growing.wait()
        far.close()


def ssh_pid(parent: int) -> int:
    """The process of ssh that a viewer has started."""
    found = subprocess.run(["pgrep", "-n", "-P", str(parent), "ssh"], capture_output=True, text=True, check=True)
    return int(found.stdout)


def far_pids(far: FarSide, what: str) -> list[int]:
    """sshd's children for connections (`sshd`), or the servers of ours that they started (`serve`)."""
    if what == "sshd":
        found = subprocess.run(["pgrep", "-P", str(far.process.pid)], capture_output=True, text=True, check=False)
    else:
        pattern = f"condense_tui serve --runs-dir {far.runs}"
        found = subprocess.run(["pgrep", "-f", pattern], capture_output=True, text=True, check=False)
    return [int(pid) for pid in found.stdout.split()]


def kill(far: FarSide, what: str) -> bool:
    """kill -9 of ssh here, sshd's child there, or the server there; whether there was one."""
    pids = [ssh_pid(os.getpid())] if what == "ssh" and far_pids(far, "sshd") else far_pids(far, what)
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    return bool(pids)


def test_a_killed_process_costs_no_row(far, near, grow, monkeypatch):
    monkeypatch.setattr(linking, "BACK_OFF_S", (0.05, 0.1, 0.2))
    original = grow(2000, 100)
    mirror, host = mirror_of(original, near)
    with Link(mirror, host) as link:
        wait_for(lambda: top(mirror) > 200)
        for what in ("ssh", "serve", "sshd"):
            assert kill(far, what), what
            before = top(original)
            wait_for(lambda: top(mirror) > before)  # noqa: B023 - called before the next one is bound
            wait_for(lambda: read_run(mirror).mirror.link == "connected")
        control.send(original, "stop")
        assert_ended_alike(mirror, original)
    assert link.failure is None


@pytest.mark.thorough
def test_fifty_cuts_at_random_moments(far, near, grow, monkeypatch, random_source: random.Random):
    monkeypatch.setattr(linking, "BACK_OFF_S", (0.01,))
    original = grow(2600, 60)
    mirror, host = mirror_of(original, near)
    cuts = 0
    with Link(mirror, host) as link:
        while cuts < 50:
            time.sleep(random_source.uniform(0, 0.5))
            try:
                cuts += kill(far, random_source.choice(["ssh", "serve", "sshd"]))
            except subprocess.CalledProcessError:
                continue
        assert status(original) == "running", "all cuts were made after the end"
        control.send(original, "stop")
        assert_ended_alike(mirror, original)
    assert link.failure is None


def test_two_viewers_here_and_one_elsewhere(far, near, grow, tmp_path):
    original = grow(4000, 60)
    mirror, host = mirror_of(original, near)
    elsewhere, _ = mirror_of(original, tmp_path / "elsewhere")
    with Link(elsewhere, host), Link(mirror, host) as first:
        wait_for(lambda: top(mirror) > 50)
        viewer = subprocess.Popen(
            [sys.executable, "-m", "condense_tui", "attach", original.name, "--host", "far", "--headless"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        first.close()
        # the other viewer takes over, or has the mirror from the start
        before = top(original)
        wait_for(lambda: top(mirror) > before)
        viewer.kill()
        viewer.wait()
        wait_for(lambda: not control.worker_is_alive(mirror))
        with Link(mirror, host):
            control.send(original, "stop")
            assert_ended_alike(mirror, original)
            assert_ended_alike(elsewhere, original)


@pytest.mark.parametrize(
    ("host", "words", "code"),
    [
        ("closed", "cannot reach closed: ssh: connect to host 127.0.0.1 port 1: Connection refused", 3),
        ("stranger", "Permission denied", 3),
        ("far-without", "condense-tui doctor far-without --install", 3),
        ("-oProxyCommand=touch /tmp/owned", "is not a host", 2),
    ],
)
def test_what_cannot_be_reached_says_so_in_one_line(far, near, host, words, code):
    for arguments in (("runs", "list"), ("attach",), ("run", "digits-gd", "--headless")):
        answer = command(*arguments, f"--host={host}", code=code)
        assert words in answer.stderr
        assert answer.stderr.count("\n") == 1
    assert run_folders(near) == []


def test_a_shell_that_talks_does_no_harm(far, near, grow):
    original = grow(20, 1000)
    wait_for(lambda: status(original) == "done")
    listed = json.loads(command("runs", "list", "--host", "noisy", "--json").stdout)
    assert original.name in [run["id"] for run in listed]


def test_doctor_looks_at_every_step_and_says_what_to_do(far, near):
    answer = command("doctor", "far")
    for words in (
        "far is reached with: ssh far (from hosts.toml)",
        "round trip",
        "condense-tui",
        "PyTorch",
        "cpu",
        "mnist",
        str(far.runs),
    ):
        assert words in answer.stdout
    assert "Permission denied" in command("doctor", "stranger", code=3).stderr


def test_doctor_puts_this_very_version_on_a_host(far, near):
    """pip has no index there: all that is installed came over ssh, and the libraries are lent."""
    assert "condense-tui doctor fresh --install" in command("doctor", "fresh", code=3).stderr
    refused = command("doctor", "fresh", "--install", code=2)
    assert "--yes" in refused.stderr
    assert not list((far.folder / "home").iterdir()), "nothing is done before it was asked"
    answer = command("doctor", "fresh", "--install", "--yes", "--no-engine")
    assert "create a virtual environment there in ~/.local/share/condense-tui/venv" in answer.stderr
    assert f"installed condense-tui {version('condense-tui')}" in answer.stderr
    assert f"{far.folder}/home" in answer.stdout
    assert [entry.name for entry in (far.folder / "home").iterdir() if entry.name != ".cache"] == [".local"]
    # an extra that is added there later comes from the wheel that was sent, and stays beside the environment
    python = far.folder / "home" / ".local/share/condense-tui/venv/bin/python"
    asked = "from condense_core.installation import how_to_add; print(how_to_add('png'))"
    lent = {**os.environ, "PYTHONPATH": f"{far.folder}/libraries"}
    hint = subprocess.run([python, "-c", asked], env=lent, capture_output=True, text=True, check=True).stdout
    assert Path(shlex.split(hint)[-1].removesuffix("[png]")).is_file()
    assert command("runs", "list", "--host", "fresh").stdout.startswith("no runs on fresh")
