"""A link that is cut in the middle of any message, again and again: the mirror ends as the run there, byte for byte.

A real ssh to a real sshd on this machine, through a relay that ends after so many bytes; the run there grows meanwhile,
and the command to stop it goes over the same link.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from unittest import mock

from pairing import assert_same
from sshd import FarSide
from support import wait_for

from campaigns.framework import Attempt, Campaign, Scene, SkippedError
from condense_core.errors import HostError
from condense_core.remote.client import link as linking
from condense_core.remote.client.connection import Connection
from condense_core.remote.client.hosts import find_host
from condense_core.remote.client.link import Link, open_mirror
from condense_core.runfile import control
from condense_core.runfile.info import read_run

HERE = Path(__file__).parent
CUTS_A_RUN = 12
# Until so many cuts have come, on a busy machine.
PATIENCE_S = 180.0
WHOLE = "0"
# Frames of the run, which is stopped when its cuts have come: enough where a connection carries much before its cut.
GROWS = "20000"


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


@contextlib.contextmanager
def opened(scene: Scene) -> Iterator[Attempt]:
    if shutil.which("ssh") is None or shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin") is None:
        raise SkippedError("OpenSSH's ssh and sshd are not installed")
    far = FarSide(scene.folder)
    plan = scene.folder / "relay"
    plan.mkdir()
    relay = f"{sys.executable} -S {HERE / 'relay.py'} {far.port} {plan}"
    far.add("cut", f"ProxyCommand {relay}")
    total = 0

    def attempt(draw: Random, folder: Path) -> int:
        nonlocal total
        cuts, before = plan / "cuts", _size(plan / "cuts")
        (plan / "plan").write_text(f"{draw.random()} {WHOLE}")
        command = [sys.executable, str(HERE.parent / "e2e" / "growing.py"), str(far.runs), GROWS, "60"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as growing:
            try:
                assert growing.stdout is not None
                original = far.runs / growing.stdout.readline().strip()
                host = find_host("cut")
                with Connection(host) as connection:
                    mirror = open_mirror(connection, original.name, folder)
                (plan / "plan").write_text(f"{draw.random()} {draw.choice((8_000, 30_000, 120_000))}")
                with Link(mirror, host, newest=draw.random() < 0.5) as link:
                    goal = before + min(CUTS_A_RUN, scene.goal)
                    wait_for(lambda: _size(cuts) >= goal or link.failure is not None, seconds=PATIENCE_S)
                    assert read_run(original).status == "running", "it ended before its cuts had come"
                    # on its way it is cut off as the rows are
                    control.send(mirror, "stop")
                    time.sleep(draw.uniform(0.0, 1.0))
                    (plan / "plan").write_text(f"{draw.random()} {WHOLE}")
                    wait_for(
                        lambda: read_run(mirror).status == "stopped" or link.failure is not None, seconds=PATIENCE_S
                    )
                assert link.failure is None, link.failure
                assert growing.wait(30) == 0
                assert read_run(original).status == "stopped"
                assert_same(mirror, original)
            finally:
                growing.kill()
        found = _size(cuts) - before
        total += found
        return found

    environment = {**os.environ, **far.environment}
    try:
        with mock.patch.dict(os.environ, environment), mock.patch.object(linking, "BACK_OFF_S", (0.01,)):
            yield attempt
    except HostError as error:
        raise AssertionError(str(error)) from error
    finally:
        far.close()
    scene.notes.append(f"{_size(plan / 'begun'):,} connections")


CAMPAIGN = Campaign(
    "cuts",
    "a real ssh whose bytes end anywhere while a run there grows and is followed",
    "cuts",
    tried=200,
    short=3,
    open=opened,
)
