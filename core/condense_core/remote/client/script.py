"""Having another machine run a script that is there, watched."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Sequence

from condense_core.errors import HostError
from condense_core.remote.client.connection import RefusedError
from condense_core.remote.client.hosts import Host
from condense_core.remote.client.ssh import Pipe

# Python starts there and makes a run; the script imports PyTorch only after that.
PATIENCE_S = 60.0
# What start-up files of the shell there may print before.
MOST_BYTES = 1_000_000
_ID = re.compile(rb"watched as ([a-z0-9][a-z0-9._-]{0,99})\s*\Z")


def start_script(host: Host, script: str, arguments: Sequence[str], *, options: Sequence[str], prompt: bool) -> str:
    """Start the script on the host, in its own folder there, with options of `watch`; the id of its run.

    RefusedError where the host says why it cannot, HostError where it is not reached."""
    command = host.remote_command("watch", "--there", *host.runs_option, *options, "--", script, *arguments)
    with contextlib.closing(Pipe(host, command, prompt=prompt)) as pipe:
        pipe.end_input()
        said, deadline = b"", time.monotonic() + PATIENCE_S
        while (data := pipe.read(1.0)) != b"":
            said += data or b""
            if time.monotonic() > deadline or len(said) > MOST_BYTES:
                raise HostError(f"{host.name} did not start the script within {PATIENCE_S:.0f} s")
        code = pipe.end()
        found = _ID.search(said)
        if code == 0 and found is not None:
            return found[1].decode()
        if code in {1, 2} and pipe.said:
            raise RefusedError(f"{host.name}: {pipe.said.removeprefix('condense-tui: ')}", code)
        raise pipe.failure()
