"""Hosts by name: what ssh and the shell on the far side are given, and what they are never given."""

from __future__ import annotations

import os
import shlex
import subprocess

import pytest

from condense_core.errors import ScenarioError
from condense_core.remote.client.hosts import Host, find_host, known_hosts

HOSTS = """
[gpu-box]
ssh = "me@gpu.example.org"
command = "module load python && ~/condense/bin/condense-tui"
launcher = "srun --gres=gpu:1 --comment 'it''s mine'"
runs_dir = "/scratch/my runs"

[plain]
"""


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.setenv("CONDENSE_CONFIG_DIR", str(tmp_path))

    def write(text: str) -> None:
        (tmp_path / "hosts.toml").write_text(text)

    return write


def test_a_host_needs_no_file(config):
    host = find_host("user@name")
    assert (host.ssh, host.command, host.launcher) == ("user@name", "", "")
    assert known_hosts() == {}


def test_hosts_toml_names_target_command_launcher_and_runs(config):
    config(HOSTS)
    host = find_host("gpu-box")
    assert host.ssh == "me@gpu.example.org"
    command = host.serve_command
    assert command.startswith("module load python && ~/condense/bin/condense-tui serve --launcher ")
    words = shlex.split(command.partition("condense-tui serve ")[2])
    assert words == ["--launcher", host.launcher, "--runs-dir", "/scratch/my runs"]
    assert find_host("plain").ssh == "plain"
    assert list(known_hosts()) == ["gpu-box", "plain"]


@pytest.mark.parametrize("kind", ["a pipe", "endless"])
def test_a_hosts_file_that_is_no_file_is_one_line_at_once(config, tmp_path, kind):
    file = tmp_path / "hosts.toml"
    if kind == "a pipe":
        os.mkfifo(file)
    else:
        file.symlink_to("/dev/zero")
    with pytest.raises(ScenarioError, match="not a file") as caught:
        find_host("gpu-box")
    assert str(file) in str(caught.value)


def test_a_byte_order_mark_before_the_hosts_is_passed_over(config):
    config("\ufeff[gpu]\n")
    assert list(known_hosts()) == ["gpu"]


@pytest.mark.parametrize("name", ["-oProxyCommand=x", "", "a b", "a\nb", "-", "a\x1b", "x" * 300])
def test_what_ssh_would_not_take_for_a_host_is_refused(config, name):
    with pytest.raises(ScenarioError, match="is not a host"):
        find_host(name)
    config(f"[evil]\nssh = {name!r}\n" if "\n" not in name and "\x1b" not in name else "[evil]\nssh = '-x'\n")
    if name:
        with pytest.raises(ScenarioError):
            known_hosts()


@pytest.mark.parametrize("text", ["gpu = 1", "[gpu]\nport = 22", "[gpu]\nssh = 3", "[gpu"])
def test_a_mistake_in_hosts_toml_is_one_line(config, text):
    config(text)
    with pytest.raises(ScenarioError, match=r"hosts\.toml") as caught:
        find_host("gpu")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_the_program_is_found_where_doctor_puts_it(tmp_path, shell):
    """The command line for the far side, run by a shell here: arguments arrive as they were."""
    program = tmp_path / ".local/share/condense-tui/venv/bin/condense-tui"
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\nfor word; do echo "<$word>"; done\n')
    program.chmod(0o755)
    command = Host(name="x", ssh="x", runs_dir="it's; touch $HOME/owned `id`").serve_command
    answer = subprocess.run(
        [shell, "-c", command],
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.splitlines() == ["<serve>", "<--runs-dir>", "<it's; touch $HOME/owned `id`>"]
    assert not (tmp_path / "owned").exists()
