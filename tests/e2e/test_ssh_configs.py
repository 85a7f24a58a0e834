"""A person's ssh configuration is made for sessions by hand: whatever it says, a host is reached, or it is told why."""

from __future__ import annotations

import json

import pytest
from programs import command

pytestmark = pytest.mark.terminal

# What is meant for sessions by hand, or prints.
CONFIGS = {
    "started": ("RemoteCommand tmux new -A -s work", "RequestTTY yes"),
    "silent": ("StdinNull yes",),
    "tunnel": ("SessionType none",),
    "subsystem": ("SessionType subsystem",),
    "behind": ("ForkAfterAuthentication yes",),
    "greeting": ("PermitLocalCommand yes", "LocalCommand echo connected"),
    "verbose": ("LogLevel DEBUG3",),
    "unusual": ("RequestTTY force", "BatchMode yes", "LogLevel QUIET"),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_host_is_reached_whatever_its_configuration_starts_there(far, near, name):
    far.add(name, *CONFIGS[name])
    assert json.loads(command("runs", "list", "--host", name, "--json").stdout) == []


def test_the_reason_is_told_through_a_log_of_hundreds_of_lines(far, near):
    far.add("talkative", "LogLevel DEBUG3", "PubkeyAuthentication no")
    said = command("runs", "list", "--host", "talkative", code=3).stderr
    assert "Permission denied" in said
    assert said.count("\n") == 1


def test_a_setting_that_ssh_does_not_know_is_named(far, near):
    # of a file that only this test's ssh reads, since ssh refuses the whole of it
    config = far.folder / "ssh_config"
    before = config.read_text()
    try:
        far.add("misspelt", "ForwardAgnet yes")
        assert "Bad configuration option: forwardagnet" in command("runs", "list", "--host", "far", code=3).stderr
    finally:
        config.write_text(before)


def test_the_jump_host_that_cannot_be_reached_is_the_reason(far, near):
    far.add("behind-closed", "ProxyCommand ssh -W %h:%p closed")
    said = command("runs", "list", "--host", "behind-closed", code=3).stderr
    assert "Connection refused" in said
    assert said.count("\n") == 1


def test_a_changed_host_key_is_called_changed_and_no_password_is_the_answer(far, near):
    other = far.make_key("key_before")
    address = f"[127.0.0.1]:{far.port}"
    (far.folder / "known_before").write_text(f"{address} {other}")
    far.add("changed", known="known_before")
    for arguments in (("runs", "list"), ("attach", "--headless"), ("doctor",)):
        host = ["changed"] if arguments == ("doctor",) else ["--host", "changed"]
        said = command(*arguments, *host, code=3).stderr
        assert "its host key has changed (it sent SHA256:" in said
        assert f"line 1 of {far.folder}/known_before" in said
        assert f"ssh-keygen -f {far.folder}/known_before -R '{address}'" in said
        assert "ssh-agent" not in said
        assert said.count("\n") == 1


def test_a_key_that_may_not_be_asked_for_is_not_said_to_need_a_terminal(far, near):
    far.add("strict", "StrictHostKeyChecking yes", known="known_none")
    said = command("runs", "list", "--host", "strict", code=3).stderr
    assert "its host key is not known here" in said
    assert "StrictHostKeyChecking yes" in said
    assert "in a terminal" not in said
    assert said.count("\n") == 1
