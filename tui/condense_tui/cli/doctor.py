"""`doctor`: what works here or on a host, how to fix the rest, and installing the program on a host."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from condense_tui.cli import completions
from condense_tui.cli.options import JsonOption, RunsDirOption

if TYPE_CHECKING:
    from condense_core.remote.client.connection import Connection
    from condense_core.remote.client.hosts import Host
    from condense_tui.cli.checks import Check

SIGNS = {"works": "✔", "note": "‖", "broken": "✖"}
# Round trips that are timed; the median is reported.
PINGS = 7
# Importing PyTorch from a cold disk takes long, but doctor must not hang.
PATIENCE_S = 180
# Of what another machine says of itself: bytes, lines, and characters of a name and of a text.
MOST_SAID = 200_000
MOST_CHECKS = 40
MOST_NAME = 40
MOST_TEXT = 400


def doctor(
    host: Annotated[
        str | None,
        typer.Argument(help="Another machine: user@name, or a name from hosts.toml.", autocompletion=completions.hosts),
    ] = None,
    install: Annotated[bool, typer.Option("--install", help="Install this version of the program on HOST.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Install without asking.")] = False,
    engine: Annotated[bool, typer.Option(help="Also install what training needs.")] = True,
    json: JsonOption = False,
    runs_dir: RunsDirOption = None,
) -> int:
    """Check what works, here or on another machine, and say how to fix what does not.

    --install creates a virtual environment on HOST, sends this version of the program and installs it there; it says
    what it will do, and asks first.

    \b
    condense-tui doctor
    condense-tui doctor me@gpu.example.org
    condense-tui doctor me@gpu.example.org --install
    """
    from condense_core.errors import ScenarioError
    from condense_core.remote.client.hosts import find_host
    from condense_tui.cli.checks import checks_here

    if host is None:
        if install:
            raise ScenarioError("--install needs a host: condense-tui doctor HOST --install")
        return _tell(checks_here(runs_dir), json=json)
    found = find_host(host)
    if install and not _install(found, yes=yes, engine=engine):
        return 1
    return _tell(_checks_there(found), json=json)


def _tell(checks: Iterable[Check], *, json: bool) -> int:
    """Print each check as soon as it is done; 1 if something is broken."""
    import msgspec

    from condense_core.text import printable

    told = []
    for check in checks:
        told.append(check)
        if not json:
            typer.echo(f"{SIGNS[check.state]} {printable(check.name):<11} {printable(check.text)}")
            if check.advice:
                typer.echo(f"  {'':<11} → {printable(check.advice)}")
    if json:
        typer.echo(msgspec.json.encode(told))
    return int(any(check.state == "broken" for check in told))


def _checks_there(host: Host) -> Iterator[Check]:
    """Each step on the way to a host, then what the host says of itself; HostError if a step fails."""
    from condense_core.remote.client.connection import Connection
    from condense_core.remote.client.hosts import known_hosts
    from condense_tui.app.launch import has_terminal
    from condense_tui.cli.checks import Check
    from condense_tui.draw import numbers

    source = "from hosts.toml" if host.name in known_hosts() else "not in hosts.toml; your ssh configuration applies"
    yield Check("host", "works", f"{host.name} is reached with: ssh {host.ssh} ({source})")
    begun = time.monotonic()
    with Connection(host, prompt=has_terminal()) as connection:
        taken = time.monotonic() - begun
        hello = connection.hello
        yield _set_up(taken)
        yield Check("delay", "works", f"{numbers.delay(_delay(connection))} for a round trip to condense-tui there")
        yield _program(hello.program, hello.python, hello.host, host.name)
    yield from _its_own(host)


def _set_up(seconds: float) -> Check:
    from condense_tui.cli.checks import Check

    text = f"condense-tui there answered after {seconds:.1f} s"
    if seconds < 1.0:
        return Check("connection", "works", text)
    advice = "to connect faster, set ControlMaster auto and ControlPersist in ~/.ssh/config"
    return Check("connection", "note", text, advice)


def _program(version: str, python: str, name: str, host: str) -> Check:
    from condense_core.remote.wire.version import program_version
    from condense_tui.cli.checks import Check

    text = f"condense-tui {version}, Python {python} on {name}"
    if version == program_version():
        return Check("program", "works", text)
    advice = f"install the same version there: condense-tui doctor {host} --install"
    return Check("program", "note", f"{text}; {program_version()} here, and the two are compatible", advice)


def _delay(connection: Connection) -> float:
    """The median round trip in seconds."""
    from condense_core.remote.wire.messages import Ping, Pong

    taken = []
    for token in range(PINGS):
        begun = time.monotonic()
        connection.send(Ping(token))
        while not any(isinstance(message, Pong) for message in connection.receive(10.0)):
            if time.monotonic() - begun > 10.0:
                break
        taken.append(time.monotonic() - begun)
    return sorted(taken)[PINGS // 2]


def _its_own(host: Host) -> Iterator[Check]:
    """What `doctor` says when it is run there; data, like everything from elsewhere."""
    import msgspec

    from condense_core import typed
    from condense_core.remote.client.ssh import ssh_command
    from condense_tui.app.launch import has_terminal
    from condense_tui.cli.checks import Check

    runs = ["--runs-dir", host.runs_dir] if host.runs_dir else []
    command = ssh_command(host, host.remote_command("doctor", "--json", *runs), prompt=has_terminal())
    try:
        said = _said(command)
        # a start-up file of the shell there may have printed something before
        found = typed.from_json(said[said.rfind(b"\n[") + 1 :], list[Check])
    except (msgspec.DecodeError, UnicodeDecodeError):
        yield Check("doctor", "broken", f"condense-tui doctor did not answer on {host.name}", "run it there yourself")
        return
    found = [
        Check(check.name[:MOST_NAME], check.state, check.text[:MOST_TEXT], check.advice[:MOST_TEXT])
        for check in found[:MOST_CHECKS]
    ]
    yield from (check for check in found if check.name not in {"program", "terminal", "ssh", "hosts", "preferences"})


def _said(command: Sequence[str]) -> bytes:
    """What the command writes to standard output, as much as an answer may have, for as long as one may take."""
    import subprocess
    import threading

    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        patience = threading.Timer(PATIENCE_S, process.kill)
        patience.start()
        try:
            return process.stdout.read(MOST_SAID)
        finally:
            patience.cancel()
            # whatever else it would have said
            process.kill()


def _install(host: Host, *, yes: bool, engine: bool) -> bool:
    """Install on a host after asking; whether that was wanted."""
    from condense_core.errors import ScenarioError
    from condense_core.remote.client.install import install, plan
    from condense_core.remote.client.wheel import make_wheel
    from condense_tui.app.launch import has_terminal

    wheel = make_wheel()
    typer.echo(f"This will, on {host.name}:", err=True)
    for step in plan(host, wheel, engine=engine):
        typer.echo(f"  - {step}", err=True)
    if host.command:
        typer.echo(
            f"  hosts.toml sets command = {host.command} for {host.name}; remove that line to run this installation",
            err=True,
        )
    if not yes:
        if not has_terminal():
            raise ScenarioError("there is no terminal to ask on; add --yes to install without asking")
        if not typer.confirm("Continue?"):
            return False
    install(host, wheel, engine=engine, prompt=has_terminal(), say=lambda line: typer.echo(f"  {line}", err=True))
    return True
