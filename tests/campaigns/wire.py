"""Messages of a hostile server to a viewer and of a hostile client to a server: whatever comes is stored, answered or
refused in one clean line, in bounded time, and nothing outside the runs folders changes."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from unittest import mock

from ends import A_GO, Server, Viewer, everything

from campaigns.framework import Attempt, Campaign, Scene
from condense_core.runs import create

PATIENCE_S = 20.0


@contextlib.contextmanager
def opened(scene: Scene) -> Iterator[Attempt]:
    viewer, server = Viewer(scene.folder / "client"), Server(scene.folder / "server")
    near, far = (
        everything(scene.folder / "client", viewer.runs),
        everything(scene.folder / "server", server.runs),
    )

    def attempt(draw: Random, _: Path) -> int:
        begun = time.monotonic()
        viewer.attacked(draw)
        server.attacked(draw)
        assert time.monotonic() - begun < PATIENCE_S, "took too long"
        return A_GO

    with (
        mock.patch.object(create, "start_worker", lambda folder, launcher=(): server.started.append(folder)),
        mock.patch.object(create, "require_engine", lambda: None),
    ):
        yield attempt
    assert everything(scene.folder / "client", viewer.runs) == near, "written outside the viewer's runs"
    assert everything(scene.folder / "server", server.runs) == far, "written outside the server's runs"
    if viewer.sent >= 1_000:
        # it was an attack on what works, not on a closed door
        assert viewer.stored > viewer.sent / 50
        assert server.answered > server.sent / 10
    scene.notes.append(f"as many to a server; {viewer.stored:,} stored, {viewer.refused:,} connections refused")
    scene.notes.append(f"{server.answered:,} answers, {server.broken:,} connections ended by the server")


CAMPAIGN = Campaign(
    "wire",
    "messages of a hostile server to a viewer, and as many of a hostile client to a server",
    "messages each way",
    tried=10_000,
    short=100,
    open=opened,
)
