"""Other machines by name: what a person writes after `--host`, and what hosts.toml says of it.

[gpu-box]
ssh = "me@gpu.example.org"                # what ssh is given; the name itself without
command = "~/condense/bin/condense-tui"   # the program there, for the shell there; found by itself without
launcher = "srun --gres=gpu:1"            # put before a worker's command line, for clusters
runs_dir = "/scratch/me/runs"             # where runs are kept there
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import msgspec

from condense_core import typed
from condense_core.errors import ScenarioError
from condense_core.foreign import bounded_text, decoding, open_file, toml_table
from condense_core.preferences import config_folder
from condense_core.text import short

FILE_NAME = "hosts.toml"
# Bytes of that file: thousands of machines.
LARGEST = 1_000_000
# Where `doctor HOST --install` puts the program, and where it is looked for first.
VENV = ".local/share/condense-tui/venv"
# The shell there may be any; sh is always there. A non-interactive shell often has a short PATH.
_FIND = f'PATH="$HOME/{VENV}/bin:$PATH:$HOME/.local/bin"; exec condense-tui "$@"'


class Host(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One machine. `ssh` is a destination of ssh's, or a name from ~/.ssh/config."""

    name: str = ""
    ssh: str = ""
    command: str = ""
    launcher: str = ""
    runs_dir: str = ""

    def remote_command(self, *arguments: str) -> str:
        """What the shell on the far side is given; every word of ours is quoted for it."""
        quoted = shlex.join(arguments)
        if self.command:
            return f"{self.command} {quoted}"
        return f"exec sh -c {shlex.quote(_FIND)} condense-tui {quoted}"

    @property
    def serve_command(self) -> str:
        """The command line of the server there."""
        options = [*(("--launcher", self.launcher) if self.launcher else ())]
        return self.remote_command("serve", *options, *self.runs_option)

    @property
    def runs_option(self) -> list[str]:
        """Words that say where the runs are there."""
        return ["--runs-dir", self.runs_dir] if self.runs_dir else []


def known_hosts() -> dict[str, Host]:
    """Hosts that hosts.toml names, in its order; ScenarioError if it cannot be used."""
    file = config_folder() / FILE_NAME
    with decoding(ScenarioError, f"cannot read {file}"):
        if not file.exists():
            return {}
        with open_file(file) as opened:
            text = bounded_text(opened.read(LARGEST + 1), LARGEST)
    return read_hosts(text, str(file))


def read_hosts(text: str, source: str) -> dict[str, Host]:
    """The hosts in the text of a hosts.toml; ScenarioError in one line that begins with `source`."""
    with decoding(ScenarioError, source):
        table = toml_table(text)
    found = {}
    for name, settings in table.items():
        try:
            with decoding(ScenarioError, f"{source}: [{short(name)}]"):
                host = typed.convert(settings, Host)
        except ScenarioError as error:
            raise ScenarioError(f"{error} (a host has ssh, command, launcher and runs_dir, all text)") from None
        found[name] = msgspec.structs.replace(host, name=name, ssh=checked_target(host.ssh or name, source))
    return found


def named_in_ssh_config() -> list[str]:
    """Names after `Host` in ~/.ssh/config that are no patterns, in its order; none where it cannot be read."""
    try:
        with open_file(Path.home() / ".ssh" / "config") as opened:
            text = opened.read(LARGEST).decode(errors="replace")
    except (OSError, RuntimeError):
        # no file, or no home
        return []
    lines = (line.strip().partition("#")[0].replace("=", " ").split() for line in text.splitlines())
    names = [name for line in lines if line and line[0].lower() == "host" for name in line[1:]]
    return [name for name in dict.fromkeys(names) if re.fullmatch(r"[\w][\w.@-]*", name)]


def find_host(name: str) -> Host:
    """The host that a person means by `name`: an entry of hosts.toml, or a name that ssh resolves."""
    known = known_hosts()
    if name in known:
        return known[name]
    return Host(name=name, ssh=checked_target(name, "--host"))


def checked_target(target: str, where: str) -> str:
    """`target` where it can be a destination of ssh's; never one that ssh would take for an option."""
    if not re.fullmatch(r"[^\s-]\S{0,254}", target) or not target.isprintable():
        raise ScenarioError(
            f"{where}: {short(target)} is not a host; expected a host name, user@name, or a name from {FILE_NAME}"
        )
    return target
