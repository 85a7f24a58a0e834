"""What a person is told where the far side is not what it should be; `ssh` here is a script that plays it."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

import pytest

from condense_core.errors import HostError
from condense_core.remote.client.connection import Connection, RefusedError
from condense_core.remote.client.hosts import Host
from condense_core.remote.client.ssh import ssh_command
from condense_core.remote.wire.framing import GREETING, pack
from condense_core.remote.wire.messages import OLDEST_PROTOCOL, PROTOCOL, Hello, ListRuns, Refused, Runs

HOST = Host(name="far", ssh="user@far")


@pytest.fixture
def plays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Has `ssh` write these bytes, say these words on standard error, and end with that code, or stay."""

    def play(data: bytes = b"", words: str = "", code: int | None = 0) -> None:
        lines = [
            f"#!{sys.executable}",
            "import os, sys, time",
            f"os.write(1, {data!r})",
            f"os.write(2, {words.encode()!r})",
            "os.read(0, 1)",
            "time.sleep(60)" if code is None else f"sys.exit({code})",
        ]
        script = tmp_path / "ssh"
        script.write_text("\n".join(lines))
        script.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    return play


def hello(protocol: int = PROTOCOL, program: str = "9.9") -> bytes:
    return GREETING + pack(Hello(protocol, program, "far", "3.11"))


def refused() -> str:
    with pytest.raises(HostError) as caught:
        Connection(HOST).close()
    assert caught.value.exit_code == 3
    text = str(caught.value)
    assert text.isprintable()
    return text


def test_versions_that_do_not_understand_each_other_say_so(plays):
    plays(hello(PROTOCOL + 1, "9.9\x1b[31m"), code=0)
    text = refused()
    assert f"condense-tui 9.9[31m with protocol {PROTOCOL + 1}" in text
    assert text.endswith("the one here is too old: update condense-tui here")
    plays(hello(OLDEST_PROTOCOL - 1, "0.0.1"), code=0)
    assert refused().endswith("the one there is too old: condense-tui doctor far --install")


def test_an_older_server_is_spoken_to_in_its_protocol(plays):
    plays(hello(OLDEST_PROTOCOL), code=None)
    with Connection(HOST) as connection:
        assert connection.hello.protocol == OLDEST_PROTOCOL


@pytest.mark.parametrize(
    ("data", "words", "code", "told"),
    [
        (b"", "ssh: no route\n", 255, "cannot reach far: ssh: no route"),
        (b"", "\x1b]0;owned\x07Permission denied.\n", 255, "cannot reach far: ]0;ownedPermission denied."),
        (
            b"",
            "me@far: Permission denied (password).\n",
            255,
            "ask for a password or a passphrase, which it can only do in a",
        ),
        (b"", "No key is known.\nHost key verification failed.\n", 255, "confirmation that this is the right host"),
        (b"", "", 255, "cannot reach far: ssh ended without a message"),
        (b"", "sh: condense-tui: not found\n", 127, "condense-tui doctor far --install"),
        (b"Welcome!\nNo logins today.\n", "", 1, "output of the shell there: No logins today."),
        (GREETING + b"\0\0\0\x05hello", "", None, "far sent a malformed message"),
        (GREETING + pack(Refused(0, "go away", 1)), "", None, "far: go away"),
        (GREETING + pack(Runs(1, [])), "", None, "did not answer as condense-tui does"),
        (hello()[:-3], "Traceback\nKeyError: 3\n", 1, "condense-tui on far ended with status 1: KeyError: 3"),
    ],
)
def test_why_there_is_no_connection_is_one_line(plays, data, words, code, told):
    plays(data, words, code)
    assert told in refused()


def test_a_far_side_that_says_nothing_is_given_up(plays):
    plays(GREETING, code=None)
    enough = threading.Event()
    threading.Timer(0.3, enough.set).start()
    begun = time.monotonic()
    with pytest.raises(HostError, match="did not answer within"):
        Connection(HOST, given_up=enough)
    assert time.monotonic() - begun < 5


def test_what_the_far_side_refuses_keeps_its_exit_code(plays):
    plays(hello() + pack(Refused(1, "no \x1b[2Jruns", 2)), code=None)
    with Connection(HOST) as connection, pytest.raises(RefusedError, match=r"far: no \[2Jruns") as caught:
        connection.ask(ListRuns, Runs)
    assert caught.value.exit_code == 2


def test_ssh_asks_nothing_where_nobody_can_answer():
    command = ssh_command(HOST, "condense-tui serve", prompt=False)
    assert command[command.index("-o") + 1] == "BatchMode=yes"
    assert command[-3:] == ["--", "user@far", "condense-tui serve"]
    assert "BatchMode=yes" not in ssh_command(HOST, "condense-tui serve", prompt=True)
