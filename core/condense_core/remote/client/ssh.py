"""The system's own ssh as a pipe to another machine, so that its config, agents and jump hosts all work."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import select
import signal
import subprocess
import threading
from collections import deque

from condense_core.errors import HostError
from condense_core.remote.client.hosts import Host
from condense_core.remote.client.refusals import reason_of, unreachable
from condense_core.text import printable

# Of what ssh and the far side say on standard error: enough for a reason, not a log. A changed host key takes 18.
STDERR_LINES = 40
READ_BYTES = 262_144
# A pipe that takes nothing for so long leads nowhere.
WRITE_PATIENCE_S = 20.0
# After the pipe is closed, ssh has this long to end by itself.
END_PATIENCE_S = 2.0

# What a person may have set for a host that is meant for sessions by hand (tmux started there, nothing read, no command
# run, ssh in the background), and what it has to be for a program that speaks through the pipe: the setting, our value,
# and OpenSSH's version that brought it, since an older one ends at a setting that it does not know.
_FOR_A_PIPE = (
    ("RemoteCommand", "none", (7, 6)),
    ("SessionType", "default", (8, 7)),
    ("StdinNull", "no", (8, 7)),
    ("ForkAfterAuthentication", "no", (8, 7)),
)


class Pipe:
    """ssh running one command on a host. What it prints on standard error is kept, not shown."""

    def __init__(self, host: Host, command: str, *, prompt: bool) -> None:
        """`prompt`: ssh may ask on the terminal for passwords and unknown hosts; only before a screen is taken."""
        self._host = host
        self._prompt = prompt
        self._process = _start(ssh_command(host, command, prompt=prompt), host, prompt)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input, self._output = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._input, False)
        self._said: deque[str] = deque(maxlen=STDERR_LINES)
        self._listener = threading.Thread(target=self._listen, name="ssh-stderr", daemon=True)
        self._listener.start()

    def read(self, seconds: float) -> bytes | None:
        """What has arrived, waiting up to `seconds`; None if nothing has, empty if nothing more will."""
        ready, _, _ = select.select([self._output], [], [], max(0.0, seconds))
        return os.read(self._output, READ_BYTES) if ready else None

    def write(self, data: bytes) -> None:
        """Send all of it; HostError if it cannot be sent."""
        if not self.offer(data):
            raise self.failure()

    def offer(self, data: bytes) -> bool:
        """Send all of it; False where nobody reads it any more, and what was said of that can still be read."""
        view = memoryview(data)
        while view:
            _, ready, _ = select.select([], [self._input], [], WRITE_PATIENCE_S)
            if not ready:
                raise HostError(f"the connection to {self._host.name} hangs: it accepts no more data")
            try:
                view = view[os.write(self._input, view) :]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                return False
        return True

    def end_input(self) -> None:
        """Nothing more will be sent."""
        with contextlib.suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()

    def end(self) -> int:
        """End ssh where it has not ended; its exit status, that of the command there where ssh has none of its own."""
        return self._end()

    def failure(self) -> HostError:
        """Why the connection ended, in ssh's own words where it has some."""
        code = self._end()
        words = self.said
        name = self._host.name
        if code == 255:
            return unreachable(name, tuple(self._said), prompt=self._prompt)
        if code < 0:
            return HostError(f"the connection to {name} was ended by {signal.Signals(-code).name}")
        if code in {126, 127}:
            return HostError(
                f"no condense-tui on {name} ({words or code}); to install it: condense-tui doctor {name} --install"
            )
        return HostError(f"condense-tui on {name} ended with status {code}" + (f": {words}" if words else ""))

    @property
    def said(self) -> str:
        """What was said on standard error, the line of it that says most."""
        return reason_of(tuple(self._said))

    def close(self) -> None:
        """End ssh, and with it the server on the far side."""
        self._end(0.3)

    def _end(self, patience: float = END_PATIENCE_S) -> int:
        self.end_input()
        for act in (None, self._process.terminate, self._process.kill):
            if act is not None:
                act()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(patience)
                break
        if self._process.stdout is not None:
            self._process.stdout.close()
        # a master that stays in the background keeps standard error open: its last words are not waited for
        self._listener.join(0.5)
        return self._process.wait()

    def _listen(self) -> None:
        assert self._process.stderr is not None
        with contextlib.suppress(OSError, ValueError):
            while line := self._process.stderr.readline(2_000):
                words = printable(line.decode("utf-8", "replace")).strip()[:500]
                # LogLevel DEBUG3 in a person's config is hundreds of lines after the reason
                if words and not words.startswith("debug"):
                    self._said.append(words)


def ssh_command(host: Host, command: str, *, prompt: bool) -> list[str]:
    """ssh's argument list that has the shell on the host run `command`; `prompt`: it may ask on the terminal."""
    settings = [*(() if prompt else ("BatchMode=yes",)), "ClearAllForwardings=yes"]
    settings += [f"{name}={value}" for name, value, since in _FOR_A_PIPE if _version() >= since]
    return ["ssh", "-T", "-x", *(part for each in settings for part in ("-o", each)), "--", host.ssh, command]


@functools.cache
def _version() -> tuple[int, int]:
    """OpenSSH's version, 0.0 of any other ssh and of none."""
    try:
        said = subprocess.run(["ssh", "-V"], stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return 0, 0
    found = re.match(rb"OpenSSH\w*_(\d{1,4})\.(\d{1,4})", said.stderr + said.stdout)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _start(arguments: list[str], host: Host, prompt: bool) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    try:
        if not prompt:
            # in a group of its own, where Ctrl-C does not reach it
            return subprocess.Popen(arguments, stdin=pipe, stdout=pipe, stderr=pipe, process_group=0)
        # only the foreground group may ask on the terminal; once connected, Ctrl-C is for us and not for ssh
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            return subprocess.Popen(arguments, stdin=pipe, stdout=pipe, stderr=pipe)
        finally:
            signal.signal(signal.SIGINT, before)
    except FileNotFoundError:
        raise HostError(f"no ssh on this machine, so {host.name} cannot be reached; install OpenSSH's client") from None
