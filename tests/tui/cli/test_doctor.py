"""`doctor HOST`: what another machine says of itself is data, and bounded."""

from __future__ import annotations

import importlib
import json
import sys

import pytest

from condense_core.remote.client.hosts import Host
from condense_tui.cli.checks import Check

# the package has the command by that name
doctor = importlib.import_module("condense_tui.cli.doctor")
SOUND = {"name": "runs", "state": "works", "text": "12 in /runs"}


@pytest.mark.parametrize(
    ("program", "checks"),
    [
        (f"print('noise'); print({json.dumps([SOUND])!r})", [Check("runs", "works", "12 in /runs")]),
        ("print(end='x' * 10)", None),
        ("while True: print('x' * 100_000)", None),
        (f"print(); print({json.dumps([SOUND | {'text': 'x' * 900}])!r})", [Check("runs", "works", "x" * 400)]),
        (f"print(); print({json.dumps([SOUND] * 100)!r})", [Check("runs", "works", "12 in /runs")] * 40),
        ("import time; time.sleep(60)", None),
    ],
    ids=["sound", "no answer", "without end", "long", "many", "silent"],
)
def test_what_a_machine_says_of_itself_is_bounded(
    program: str, checks: list[Check] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("condense_core.remote.client.ssh.ssh_command", lambda *_, **__: [sys.executable, "-c", program])
    monkeypatch.setattr(doctor, "PATIENCE_S", 0.5 if "sleep" in program else 60)
    found = list(doctor._its_own(Host(name="far", ssh="far")))
    silent = Check("doctor", "broken", "condense-tui doctor did not answer on far", "run it there yourself")
    assert found == ([silent] if checks is None else checks)
