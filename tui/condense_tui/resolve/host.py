"""A run on another machine, for the commands and the app: connect, start, choose, and keep its mirror."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from condense_core.remote.client.connection import Connection
    from condense_core.remote.client.link import Link
    from condense_core.runfile.info import RunInfo
    from condense_core.scenario.experiment import Experiment


def connect(host: str, *, prompt: bool) -> Connection:
    """A connection to a host by the name that a person gives it; `prompt`: ssh may ask on the terminal."""
    from condense_core.remote.client.connection import Connection
    from condense_core.remote.client.hosts import find_host

    found = find_host(host)
    if sys.stderr.isatty():
        print(f"connecting to {found.name} …", file=sys.stderr)  # noqa: T201
    return Connection(found, prompt=prompt)


@dataclass(frozen=True)
class NewRun:
    """A run to be started: what it trains, the preset that this is made from, and what to call it; `changed` are the
    fields that are otherwise than in its file."""

    experiment: Experiment
    preset: str
    name: str
    device: str
    changed: tuple[str, ...] = ()


def start(connection: Connection, new: NewRun) -> str:
    """Start a run there; its id."""
    from condense_core.errors import MissingExtraError
    from condense_core.remote.client.connection import RefusedError
    from condense_core.remote.wire.messages import Started, StartRun
    from condense_core.scenario import toml
    from condense_core.scenario.paths import files_of
    from condense_core.text import printable

    host, missing = connection.host.name, connection.hello.missing
    # where hosts.toml names the program there, what adds to it is not what --install makes: the far side says it itself
    if missing and not connection.host.command:
        raise MissingExtraError(
            f"training needs {', '.join(missing)}, missing on {host}; to install: condense-tui doctor {host} --install"
        )
    text = toml.dumps(new.experiment)
    try:
        return connection.ask(
            lambda ask: StartRun(ask, text, new.name, new.preset, new.device, new.changed), Started
        ).run
    except RefusedError as error:
        here = next((path for path in files_of(new.experiment) if path.exists() and path.name in str(error)), None)
        if here is None:
            raise
        words = f"{error}; {printable(str(here))} is here: copy it to {host}, and give its path there"
        raise RefusedError(words, error.exit_code) from None


def remote_runs(connection: Connection) -> list[RunInfo]:
    """The runs there, the newest first; those that cannot be read are left out."""
    from condense_core.remote.wire.messages import ListRuns, Runs

    return connection.ask(ListRuns, Runs).unpacked()[0]


def choose_run(connection: Connection, name: str | None, *, whole: bool = False) -> str:
    """The id of the run there that a person means, the newest without a name."""
    from condense_core.errors import RunFileError
    from condense_core.runs.place import choose

    host = connection.host.name
    ids = [info.id for info in remote_runs(connection)]
    if not ids:
        raise RunFileError(f"no runs on {host}; start one: condense-tui run digits-gd --host {host}")
    return choose(ids, name, f"those on {host}", given=lambda: given_names(connection), whole=whole)


def given_names(connection: Connection) -> dict[str, str]:
    """Names that people gave to runs there, by their ids; an older program there does not say them."""
    from condense_core.remote.wire.messages import ListRuns, Runs

    rows, _ = connection.ask(lambda ask: ListRuns(ask, rows=True), Runs).with_rows()
    return {row.glance.folder.name: name for row in rows if (name := row.glance.about.name)}


def link_to(folder: Path) -> Link | None:
    """What keeps a mirror up to date; None for a run of this machine, and for a copy that has all of an ended run."""
    from condense_core.runs.place import is_mirror

    if not is_mirror(folder):
        return None
    from condense_core.remote.client.hosts import find_host
    from condense_core.remote.client.link import Link
    from condense_core.runfile.info import read_run

    info = read_run(folder)
    if info.mirror is None or not (info.active or info.mirror.missing):
        return None
    return Link(folder, find_host(info.mirror.host))


@contextlib.contextmanager
def kept(link: Link | None) -> Iterator[None]:
    """Keep a mirror up to date during the block, and say afterwards what went wrong with that."""
    if link is None:
        yield
        return
    with link:
        yield
    if link.failure is not None:
        raise link.failure
