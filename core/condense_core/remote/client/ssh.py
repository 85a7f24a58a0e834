"""The system's own ssh as a pipe to another machine, so that its config, agents and jump hosts all work."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import threading
import time
from collections import deque

from condense_core.errors import HostError, NobodyToAskError
from condense_core.remote.client.hosts import Host
from condense_core.text import printable

# Of what ssh and the far side say on standard error: enough for a reason, not a log.
STDERR_LINES = 12
READ_BYTES = 262_144
# A pipe that takes nothing for so long leads nowhere.
WRITE_PATIENCE_S = 20.0
# After the pipe is closed, ssh has this long to end by itself.
END_PATIENCE_S = 2.0

# How ssh ends where it must not ask, and what it would have asked for.
QUESTIONS = {
    "Permission denied": "a password or a passphrase",
    "Host key verification failed": "confirmation that this is the right host",
}


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
        view = memoryview(data)
        deadline = time.monotonic() + WRITE_PATIENCE_S
        while view:
            _, ready, _ = select.select([], [self._input], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise HostError(f"the connection to {self._host.name} hangs: it accepts no more data")
            try:
                view = view[os.write(self._input, view) :]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                raise self.failure() from None

    def failure(self) -> HostError:
        """Why the connection ended, in ssh's own words where it has some."""
        code = self._end()
        words = self.said
        name = self._host.name
        about = next((about for refusal, about in QUESTIONS.items() if refusal in words), None)
        if code == 255 and about is not None and not self._prompt:
            return NobodyToAskError(
                f"cannot reach {name}: {words} ssh may have to ask for {about}, which it can only do in a terminal;"
                " a key in ssh-agent or a ControlMaster makes that unnecessary",
                about,
            )
        if code == 255:
            return HostError(f"cannot reach {name}: {words or 'ssh ended without a message'}")
        if code < 0:
            return HostError(f"the connection to {name} was ended by {signal.Signals(-code).name}")
        if code in {126, 127}:
            return HostError(
                f"no condense-tui on {name} ({words or code}); to install it: condense-tui doctor {name} --install"
            )
        return HostError(f"condense-tui on {name} ended with status {code}" + (f": {words}" if words else ""))

    @property
    def said(self) -> str:
        """The last thing that was said on standard error."""
        lines = [line for line in self._said if line]
        # ssh reports a changed host key in a box of many lines; the last one is the conclusion
        return lines[-1] if lines else ""

    def close(self) -> None:
        """End ssh, and with it the server on the far side."""
        self._end(0.3)

    def _end(self, patience: float = END_PATIENCE_S) -> int:
        with contextlib.suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()
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
                self._said.append(printable(line.decode("utf-8", "replace")).strip()[:500])


def ssh_command(host: Host, command: str, *, prompt: bool) -> list[str]:
    """ssh's argument list that has the shell on the host run `command`; `prompt`: it may ask on the terminal."""
    batch = () if prompt else ("-o", "BatchMode=yes")
    return ["ssh", "-T", "-x", *batch, "-o", "ClearAllForwardings=yes", "--", host.ssh, command]


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
