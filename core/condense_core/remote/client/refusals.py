"""Why ssh did not connect, from what it said on standard error, and what to do about it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from condense_core.errors import HostError, HostKeyError, NobodyToAskError

# How ssh ends where it must not ask, and what it would have asked for.
_QUESTIONS = {
    "Permission denied": "a password or a passphrase",
    "Host key verification failed": "confirmation that this is the right host",
}
# What ssh also says, and what is no reason: its log at higher levels, general warnings, and what merely follows from a
# reason that was given before.
_NO_REASON = re.compile(
    r"debug\d: |\*\* |Authenticated to |Transferred: |Bytes per second: "
    r"|.*: terminating, \d+ bad configuration options?$"
    r"|kex_exchange_identification: Connection closed by remote host$|Connection closed by UNKNOWN port"
)
_CHANGED = re.compile(r"Host key for (\S+) has changed and you have requested strict checking")
_OFFENDING = re.compile(r"Offending \S+ key in (.+):(\d+)$")
_FINGERPRINT = re.compile(r"[A-Z0-9]{2,10}:[A-Za-z0-9+/:]{20,100}={0,2}\.?$")
_UNKNOWN = "host key is known for"
_STRICT = "you have requested strict checking"


def reason_of(said: Sequence[str]) -> str:
    """The line that gives ssh's reason: the last one that can be one."""
    lines = [line for line in said if line]
    return next((line for line in reversed(lines) if not _NO_REASON.match(line)), lines[-1] if lines else "")


def unreachable(name: str, said: Sequence[str], *, prompt: bool) -> HostError:
    """The error for a connection that ssh itself could not make; `prompt`: it could ask on the terminal."""
    changed = next((found for line in said if (found := _CHANGED.match(line))), None)
    if changed is not None:
        return _key_changed(name, changed[1], said)
    if any(_UNKNOWN in line and _STRICT in line for line in said):
        return HostKeyError(
            f"cannot reach {name}: its host key is not known here, and your ssh configuration has"
            " StrictHostKeyChecking yes; get the key from whoever runs that machine, and add it to known_hosts",
            f"the host key of {name} is not known here",
        )
    words = reason_of([line for line in said if _STRICT in line] or said)
    about = next((about for refusal, about in _QUESTIONS.items() if any(refusal in line for line in said)), None)
    if about is not None and not prompt:
        return NobodyToAskError(
            f"cannot reach {name}: {words} ssh may have to ask for {about}, which it can only do in a terminal;"
            " a key in ssh-agent or a ControlMaster makes that unnecessary",
            about,
        )
    return HostError(f"cannot reach {name}: {words or 'ssh ended without a message'}")


def _key_changed(name: str, known_as: str, said: Sequence[str]) -> HostKeyError:
    offending = next((found for line in said if (found := _OFFENDING.match(line))), None)
    sent = next((line.rstrip(".") for line in said if _FINGERPRINT.match(line)), "")
    file = "" if offending is None else f"-f {shlex.quote(offending[1])} "
    where = "" if offending is None else f", another than in line {offending[2]} of {offending[1]}"
    return HostKeyError(
        f"cannot reach {name}: its host key has changed ({f'it sent {sent}' if sent else 'it sent another'}{where})."
        " Either that machine was set up anew, or somebody answers in its place: ask whoever runs it for its"
        f" fingerprint, and only if it is this one: ssh-keygen {file}-R {shlex.quote(known_as)}",
        f"the host key of {name} has changed",
    )
