"""Keeping a mirror up to date in the background: connect, follow, and where the connection is lost, connect again.

The thread shares nothing with whoever watches but the mirror itself: rows, the run's state and how the connection is
are read from the file, and commands are left in it.
"""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path

from condense_core.errors import CondenseError, HostError, LastingHostError, RunFileError
from condense_core.foreign import decoding
from condense_core.remote.client.connection import Connection
from condense_core.remote.client.follower import Follower, RunRefusedError
from condense_core.remote.client.hosts import Host
from condense_core.remote.client.mirror import MirrorFile, clear_leftovers, make_mirror_folder
from condense_core.remote.wire import messages as say
from condense_core.runfile import control
from condense_core.runfile.info import read_run
from condense_core.runfile.schema import FILE_NAME
from condense_core.runs.about_run import AboutRun, read_about, shown_about, taken_over, write_about

# Time to the next attempt after each that failed; the last one again and again.
BACK_OFF_S = (0.3, 0.7, 1.5, 3.0, 6.0, 12.0, 25.0)
# Each is stretched or shortened by up to this share, so that the viewers of a host that restarts do not come at once.
JITTER = 0.4
# A host that refuses a run so often, over some seconds and with no row between, has a damaged one; less often, a disk
# that was away for a moment.
MOST_REFUSALS = 5
# How often commands in the mirror are looked for while nothing arrives.
TICK_S = 0.05
# How often somebody who is not the mirror's keeper looks whether the keeper has gone.
TAKE_OVER_S = 0.5


def open_mirror(connection: Connection, run: str, runs: Path) -> Path:
    """The folder of the mirror of a run on the connection's host, with the run described in it, and no rows yet."""
    found = connection.ask(lambda ask: say.Subscribe(ask, run, 0, False), say.Described)
    clear_leftovers(runs)
    folder = make_mirror_folder(runs, connection.host.name, found.info.id)
    # where somebody else keeps it, it is there
    if not ((folder / FILE_NAME).exists() and control.worker_is_alive(folder)):
        with control.hold(folder):
            MirrorFile(folder, connection.host.name, found.info, found.format).close()
    keep_words(folder, found.about)
    return folder


def keep_words(folder: Path, there: AboutRun) -> None:
    """Take over what is said of the run there, where nothing was said of its copy here."""
    here = read_about(folder)
    after = taken_over(here, shown_about(there))
    if after != here:
        write_about(folder, after)


class Link(threading.Thread):
    """Keeps one mirror. Use it as a context; leaving it ends the connection."""

    def __init__(self, folder: Path, host: Host, connection: Connection | None = None, *, newest: bool = True) -> None:
        """`connection`: one that is there already. `newest`: the newest rows first, where there are many."""
        super().__init__(name="mirror", daemon=True)
        self._folder = folder
        self._host = host
        self._connection = connection
        self._newest = newest
        self._closing = threading.Event()
        self._random = random.Random()
        self.up_to_date = threading.Event()
        """Set once all rows were here that there were on the far side."""
        self.failure: CondenseError | None = None
        """What ended the thread, where something did; a lost connection does not."""

    def run(self) -> None:
        try:
            with decoding(HostError, f"following {self._folder.name} on {self._host.name}"):
                self._keep()
        except CondenseError as error:
            self.failure = error
        finally:
            self._drop()

    def close(self) -> None:
        """End the connection and the thread."""
        self._closing.set()
        if self.is_alive():
            self.join()
        self._drop()

    def __enter__(self) -> Link:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _keep(self) -> None:
        while not self._closing.is_set():
            if control.worker_is_alive(self._folder):
                # another viewer keeps this mirror; when it goes, this one takes over
                self._drop()
                self._closing.wait(TAKE_OVER_S)
                continue
            with control.hold(self._folder):
                self._keep_held()
            return

    def _keep_held(self) -> None:
        info = read_run(self._folder)
        mirror = MirrorFile(self._folder, self._host.name, info)
        trouble = ""
        if self._connection is None:
            mirror.link("connecting")
        try:
            failed = refusals = 0
            while not self._closing.is_set():
                top = mirror.top
                try:
                    self._follow(mirror)
                    return
                except LastingHostError as error:
                    # more attempts would be as vain, and a host may shut out whoever makes many
                    trouble = error.trouble
                    raise
                except HostError as error:
                    refused = isinstance(error, RunRefusedError)
                    refusals = refusals + 1 if refused and mirror.top == top else 0
                    if refusals >= MOST_REFUSALS:
                        trouble = "the run cannot be read there"
                        raise LastingHostError(f"{self._host.name}: {error}", trouble) from None
                    failed = 0 if self._went_well and not refused else failed
                    self._drop()
                    mirror.link("connecting", trouble=str(error))
                    pause = BACK_OFF_S[min(failed, len(BACK_OFF_S) - 1)]
                    failed += 1
                    self._closing.wait(pause * self._random.uniform(1 - JITTER, 1 + JITTER))
        finally:
            mirror.link("offline", trouble=trouble)
            mirror.close()

    def _follow(self, mirror: MirrorFile) -> None:
        """Follow until closed; HostError if the connection is lost."""
        self._went_well = False
        connection = self._connection
        if connection is None:
            connection = self._connection = Connection(self._host, given_up=self._closing)
        follower = Follower(mirror, connection.send, connection.next_ask, newest=self._newest)
        follower.begin()
        while not self._closing.is_set():
            for message in connection.receive(TICK_S):
                follower.obey(message)
            follower.tick()
            self._went_well = follower.described
            if follower.complete:
                self.up_to_date.set()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    _went_well = False


def sync(folder: Path, connection: Connection, seconds: float | None = None) -> None:
    """Bring a mirror up to date; HostError if the connection breaks off, RunFileError if another keeps it."""
    deadline = time.monotonic() + (seconds or 1e9)
    if control.worker_is_alive(folder):
        raise RunFileError(
            f"{folder.name} is already being watched here and is up to date; leave out --host to show it"
        )
    with control.hold(folder):
        mirror = MirrorFile(folder, connection.host.name, read_run(folder))
        try:
            follower = Follower(mirror, connection.send, connection.next_ask, newest=False)
            follower.begin()
            while not follower.complete:
                if time.monotonic() > deadline:
                    raise HostError(f"{connection.host.name} did not send everything within {seconds:.0f} s")
                for message in connection.receive(TICK_S):
                    follower.obey(message)
                follower.tick()
            mirror.link("offline")
        finally:
            mirror.close()
