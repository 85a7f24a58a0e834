"""Other machines on the home screen: which are known, what they said when asked, and fetching a run of theirs.

None is asked before a person wants it. ssh may not ask for anything meanwhile, since the screen is taken; every answer
comes as a message from a separate thread, however long that takes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from textual.message import Message

if TYPE_CHECKING:
    from condense_core.remote.client.link import Link
    from condense_core.runfile.info import RunInfo
    from condense_core.runs.glance import Glance


@dataclass(frozen=True)
class Machine:
    """Another machine by its name here; `target` is what ssh is given. `asked` is when it last answered, or did not."""

    name: str
    target: str
    state: Literal["unasked", "asked", "answered", "silent"] = "unasked"
    runs: tuple[Glance, ...] = ()
    trouble: str = ""
    asked: float = 0.0


@dataclass(frozen=True)
class Elsewhere:
    """A run on another machine of which nothing is here yet, as its list there shows it."""

    machine: str
    glance: Glance

    @property
    def info(self) -> RunInfo:
        """Its row."""
        assert self.glance.info is not None
        return self.glance.info


@dataclass
class MachinesKnown(Message):
    """The machines of hosts.toml, or why it cannot be read."""

    machines: tuple[Machine, ...]
    trouble: str = ""


@dataclass
class MachineChanged(Message):
    """A machine as it is now: asked, or with its answer."""

    machine: Machine


@dataclass
class RunReached(Message):
    """The mirror of a run elsewhere, and what keeps it, not yet started; or why there is none."""

    machine: str
    run: str
    link: Link | None = None
    folder: Path | None = None
    trouble: str = ""


class Machines:
    """What is known of other machines; `post` takes the messages of its threads."""

    def __init__(self, post: Callable[[Message], object]) -> None:
        self._post = post
        self._given_up = threading.Event()
        self.known: dict[str, Machine] = {}

    def close(self) -> None:
        """Wait for no machine any more."""
        self._given_up.set()

    def find(self) -> None:
        """Read hosts.toml."""
        self._start(self._find, "hosts")

    def learn(self, found: Iterable[Machine]) -> None:
        """Those of hosts.toml come first, in its order."""
        heard_of, self.known = self.known, {machine.name: machine for machine in found}
        self.hear_of(heard_of)

    def hear_of(self, names: Iterable[str]) -> None:
        """Machines whose runs are mirrored here are known as well."""
        for name in names:
            self.known.setdefault(name, Machine(name, name))

    def ask(self, name: str) -> None:
        """Have a machine list its runs."""
        if self.known[name].state != "asked":
            machine = self.known[name] = replace(self.known[name], state="asked")
            self._post(MachineChanged(machine))
            self._start(lambda: self._ask(machine), "machine")

    def reach(self, name: str, run: str, runs: Path) -> None:
        """Make the mirror of a run there, in the folder of runs here."""
        self._start(lambda: self._reach(name, run, runs), "machine")

    @staticmethod
    def _start(work: Callable[[], None], name: str) -> None:
        threading.Thread(target=work, name=name, daemon=True).start()

    def _find(self) -> None:
        from condense_core.errors import CondenseError
        from condense_core.remote.client.hosts import known_hosts

        try:
            found = tuple(Machine(host.name, host.ssh) for host in known_hosts().values())
        except CondenseError as error:
            self._post(MachinesKnown((), str(error)))
        else:
            self._post(MachinesKnown(found))

    def _ask(self, machine: Machine) -> None:
        from condense_core.errors import CondenseError
        from condense_core.remote.client.connection import Connection
        from condense_core.remote.client.hosts import find_host
        from condense_core.remote.wire.messages import ListRuns, Runs

        try:
            with Connection(find_host(machine.name), given_up=self._given_up) as connection:
                rows, troubles = connection.ask(lambda ask: ListRuns(ask, rows=True), Runs).with_rows()
        except CondenseError as error:
            answer = replace(machine, state="silent", trouble=str(error), asked=time.time())
        else:
            trouble = "; ".join(troubles)
            answer = replace(
                machine, state="answered", runs=tuple(row.glance for row in rows), trouble=trouble, asked=time.time()
            )
        self._post(MachineChanged(answer))

    def _reach(self, name: str, run: str, runs: Path) -> None:
        from condense_core.errors import CondenseError
        from condense_core.remote.client.connection import Connection
        from condense_core.remote.client.hosts import find_host
        from condense_core.remote.client.link import Link, open_mirror

        connection = None
        try:
            host = find_host(name)
            connection = Connection(host, given_up=self._given_up)
            folder = open_mirror(connection, run, runs)
        except CondenseError as error:
            if connection is not None:
                connection.close()
            self._post(RunReached(name, run, trouble=str(error)))
        else:
            self._post(RunReached(name, run, Link(folder, host, connection), folder))
