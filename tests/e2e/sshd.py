"""A real OpenSSH server on loopback, with keys and settings of its own; nothing of the user's ssh is touched."""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import subprocess
import sys
import sysconfig
from pathlib import Path

from support import wait_for

SERVER = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys
PidFile {folder}/sshd.pid
StrictModes no
UsePAM no
PasswordAuthentication {passwords}
PermitRootLogin yes
KbdInteractiveAuthentication no
MaxStartups 100
MaxSessions 100
LogLevel VERBOSE
SetEnv HOME={folder}/home PATH={folder}/python:/usr/bin:/bin PYTHONPATH={folder}/libraries PIP_NO_DEPS=1 PIP_NO_INDEX=1
"""
CLIENT = """
Host far
  HostName 127.0.0.1
  Port {port}
  User {user}
  IdentityFile {folder}/user_key
  IdentitiesOnly yes
  UserKnownHostsFile {folder}/known_hosts
  StrictHostKeyChecking yes
Host stranger
  HostName 127.0.0.1
  Port {port}
  User {user}
  IdentityFile {folder}/nobodys_key
  IdentitiesOnly yes
  UserKnownHostsFile {folder}/known_hosts
Host unknown
  HostName 127.0.0.1
  Port {port}
  User {user}
  IdentityFile {folder}/user_key
  IdentitiesOnly yes
  UserKnownHostsFile {folder}/known_later
  StrictHostKeyChecking ask
Host locked
  HostName 127.0.0.1
  Port {port}
  User {user}
  IdentityFile {folder}/locked_key
  IdentitiesOnly yes
  UserKnownHostsFile {folder}/known_hosts
Host by-password
  HostName 127.0.0.1
  Port {port}
  User {user}
  PubkeyAuthentication no
  PreferredAuthentications password
  NumberOfPasswordPrompts 2
  UserKnownHostsFile {folder}/known_hosts
Host closed
  HostName 127.0.0.1
  Port 1
"""
HOSTS = """
[far]
command = {command}
runs_dir = {runs}

[unknown]
command = {command}
runs_dir = {runs}

[locked]
command = {command}
runs_dir = {runs}

[by-password]
command = {command}
runs_dir = {runs}

[fresh]
ssh = "far"

[far-launched]
ssh = "far"
command = {command}
runs_dir = {runs}
launcher = "nice -n 3"

[far-without]
ssh = "far"
command = "/nowhere/condense-tui"

[noisy]
ssh = "far"
command = {noisy}
runs_dir = {runs}
"""


HOST = """
Host {name}
  HostName 127.0.0.1
  Port {port}
  User {user}
  IdentityFile {folder}/{key}
  IdentitiesOnly yes
  UserKnownHostsFile {folder}/{known}
"""

# The passphrase of `locked_key`, and the password of `by-password`.
SECRET = "correct horse"


class FarSide:
    """sshd, and what the near side needs to reach it: `far` and some hosts with something wrong."""

    def __init__(self, folder: Path, *, password: bool = False) -> None:
        """`password`: the server takes SECRET as well; needs `can_ask_for_passwords()`."""
        self.folder = folder
        self.user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
        self.runs = folder / "far-runs"
        """Where the far side keeps its runs."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        for key, phrase in {"host_key": "", "user_key": "", "nobodys_key": "", "locked_key": SECRET}.items():
            self.make_key(key, phrase)
        keys = [(folder / f"{key}.pub").read_text() for key in ("user_key", "locked_key")]
        (folder / "authorized_keys").write_text("".join(keys))
        public = (folder / "host_key.pub").read_text()
        (folder / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {public}")
        (folder / "sshd_config").write_text(
            SERVER.format(port=self.port, folder=folder, passwords="yes" if password else "no")
        )
        (folder / "ssh_config").write_text(CLIENT.format(port=self.port, folder=folder, user=self.user))
        if os.geteuid() == 0:
            # where sshd insists on keeping its unprivileged half
            Path("/run/sshd").mkdir(parents=True, exist_ok=True)
        self._write_settings()
        sshd = shutil.which("sshd", path=os.environ["PATH"] + ":/usr/sbin")
        assert sshd is not None
        self._log = (folder / "sshd.log").open("wb")
        command = [sshd, "-D", "-e", "-f", str(folder / "sshd_config")]
        if password:
            command = [*_with_a_password(folder, self.user), *command]
        self.process = subprocess.Popen(command, stderr=self._log)
        wait_for(self._listens)

        (folder / "home").mkdir()
        _link_libraries(folder / "libraries")
        # the libraries are of this Python, and no other may be found: an installation looks for this name first
        _wrap([sys.executable], folder / "python" / "python3.13")

    def _write_settings(self) -> None:
        here = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "OMP_NUM_THREADS": "1"}
        variables = " ".join(f"{name}={shlex.quote(value)}" for name, value in here.items())
        self.program = f"env {variables} {shlex.quote(sys.executable)} -m condense_tui"
        """How the program is started there."""
        command = self.program
        (self.folder / "config").mkdir()
        text = HOSTS.format(
            command=_toml(command), runs=_toml(str(self.runs)), noisy=_toml(f"echo 'You have mail.'; {command}")
        )
        (self.folder / "config" / "hosts.toml").write_text(text)
        # the program runs whatever `ssh` is on PATH: here the system's, with the test's settings
        ssh = shutil.which("ssh")
        assert ssh is not None
        _wrap([ssh, "-F", str(self.folder / "ssh_config")], self.folder / "bin" / "ssh")

    def make_key(self, name: str, phrase: str = "") -> str:
        """Make a key pair in the far side's folder; its public half."""
        make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", phrase, "-f", str(self.folder / name)]
        subprocess.run(make, check=True, capture_output=True)
        return (self.folder / f"{name}.pub").read_text()

    def add(
        self, name: str, *settings: str, program: str | None = None, forced: str = "", known: str = "known_hosts"
    ) -> None:
        """One more host, by its lines of ssh's configuration.

        `program`: what hosts.toml starts there, "" for what the program finds by itself. `forced`: what sshd runs for
        it with the shell there, whatever was asked for, which is in $SSH_ORIGINAL_COMMAND. `known`: its known_hosts.
        """
        key = "user_key"
        if forced:
            key = f"key_of_{name}"
            with (self.folder / "authorized_keys").open("a") as file:
                file.write(f'command="{forced}" {self.make_key(key)}')
        text = HOST.format(name=name, port=self.port, user=self.user, folder=self.folder, key=key, known=known)
        with (self.folder / "ssh_config").open("a") as file:
            file.write(text + "".join(f"  {line}\n" for line in settings))
        program = self.program if program is None else program
        with (self.folder / "config" / "hosts.toml").open("a") as file:
            file.write(f"\n[{name}]\nruns_dir = {_toml(str(self.runs))}\n")
            file.write(f"command = {_toml(program)}\n" if program else "")

    @property
    def environment(self) -> dict[str, str]:
        """Variables with which the near side reaches this far side."""
        return {
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "CONDENSE_CONFIG_DIR": str(self.folder / "config"),
        }

    def connections(self) -> int:
        """How often somebody has come so far."""
        return (self.folder / "sshd.log").read_text().count("Connection from")

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def close(self) -> None:
        self.process.terminate()
        self.process.wait()
        self._log.close()


def can_ask_for_passwords() -> bool:
    """Whether a server here can take a password of the test's: its own view of /etc/shadow takes a mount of its own."""
    tools = all(shutil.which(tool) for tool in ("unshare", "openssl"))
    return tools and os.geteuid() == 0 and subprocess.run(["unshare", "-m", "true"], check=False).returncode == 0


def _with_a_password(folder: Path, user: str) -> list[str]:
    """What is put before sshd's command line so that it, and nobody else, knows SECRET as the user's password."""
    make = ["openssl", "passwd", "-6", SECRET]
    hashed = subprocess.run(make, capture_output=True, text=True, check=True).stdout.strip()
    shadow = folder / "shadow"
    shadow.write_text(f"{user}:{hashed}:19000:0:99999:7:::\n")
    shadow.chmod(0o600)
    script = 'mount --bind "$1" /etc/shadow && shift && exec "$@"'
    return ["unshare", "-m", "sh", "-c", script, "sh", str(shadow)]


def _link_libraries(folder: Path) -> None:
    """What the program needs, but not the program: it has to come over ssh."""
    folder.mkdir()
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        ours = entry.name.startswith(("condense", "_condense", "__", "pip"))
        if not ours and entry.suffix not in {".dist-info", ".pth"}:
            (folder / entry.name).symlink_to(entry)


def _wrap(command: list[str], program: Path) -> None:
    """A program of that name, in a folder of its own, which is the command with more arguments."""
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
    program.chmod(0o755)


def _toml(text: str) -> str:
    assert "'''" not in text
    return f"'''{text}'''"
