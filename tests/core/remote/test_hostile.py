"""Neither end believes the other: no message makes it crash, hang, write elsewhere or pass an escape on.

$CONDENSE_FUZZ_MESSAGES says how many mutated messages each end is sent (100000 takes some minutes).
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from random import Random

import pytest
from ends import A_GO, Server, Viewer, everything
from hostile import TEXTS
from hypothesis import given, settings
from hypothesis import strategies as st

from condense_core.errors import CondenseError
from condense_core.remote.client.mirror import make_mirror_folder
from condense_core.runs import create, place

MESSAGES = int(os.environ.get("CONDENSE_FUZZ_MESSAGES", "2000"))
GOES = settings(max_examples=max(1, MESSAGES // A_GO), database=None)
# Far longer than any of it takes on a busy machine; far shorter than a hang.
PATIENCE_S = 10.0


def test_a_hostile_server(tmp_path):
    viewer = Viewer(tmp_path)
    before = everything(tmp_path, viewer.runs)

    @GOES
    @given(st.integers(0, 2**32))
    def attack(seed):
        begun = time.monotonic()
        viewer.attacked(Random(seed))
        assert time.monotonic() - begun < PATIENCE_S

    while viewer.sent < MESSAGES:
        attack()
    assert everything(tmp_path, viewer.runs) == before
    # it was an attack on what works, not on a closed door
    assert viewer.stored > viewer.sent / 50
    assert viewer.refused > 0
    assert {folder.name for folder in viewer.runs.iterdir()} <= {f"{viewer.info.id}@far"}


def test_a_hostile_client(tmp_path, monkeypatch):
    server = Server(tmp_path)
    monkeypatch.setattr(create, "start_worker", lambda folder, launcher=(): server.started.append(folder))
    monkeypatch.setattr(create, "require_engine", lambda: None)
    before = everything(tmp_path, server.runs)

    @GOES
    @given(st.integers(0, 2**32))
    def attack(seed):
        begun = time.monotonic()
        server.attacked(Random(seed))
        assert time.monotonic() - begun < PATIENCE_S

    while server.sent < MESSAGES:
        attack()
    assert everything(tmp_path, server.runs) == before
    assert server.answered > server.sent / 10


@pytest.mark.parametrize("run", ["../../x", "/etc", "a/b", "", "x@far", "..", ".hidden", "A", "x" * 200, "x\0"])
def test_an_id_from_elsewhere_is_never_a_path(tmp_path, run):
    with pytest.raises(CondenseError):
        make_mirror_folder(tmp_path / "runs", "far", run)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", TEXTS)
def test_a_hosts_name_is_never_a_path(name):
    folder = place.mirror_folder(Path("/runs"), "a-run", name or "host")
    assert folder.parent == Path("/runs")
    assert place._is_name(folder.name)
