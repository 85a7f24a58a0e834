"""How a training ends, pauses and stops: what its end says, and what somebody asks for."""

from __future__ import annotations

import math
import time

from condense_core.runfile.status import Status
from condense_core.watching.recording import Recording

# How often a paused training looks for the command that wakes it.
PAUSE_POLL_S = 0.05


class StopAskedError(KeyboardInterrupt):
    """Somebody has asked that a script should stop that does not look whether anybody does: it comes as Ctrl-C does, on
    which many save."""


def ending(error: BaseException | None) -> tuple[Status, str]:
    """How a run ended that this ended."""
    if error is None:
        return "done", ""
    if isinstance(error, StopAskedError):
        return "stopped", "stopped by command"
    if isinstance(error, KeyboardInterrupt):
        return "stopped", "stopped by Ctrl-C"
    if isinstance(error, SystemExit):
        return ("done", "") if not error.code else ("failed", f"the script ended with {error.code}")
    text = str(error).strip().partition("\n")[0]
    return "failed", f"{type(error).__name__}: {text}".removesuffix(": ")


def obeyed(recording: Recording, step: int) -> tuple[float, bool]:
    """Do what was asked for; while paused, wait here. Seconds that were waited for, and whether it should stop."""
    paused, waited, stop = math.nan, 0.0, False
    while True:
        while recording.commands:
            verb = recording.commands.popleft()
            if verb == "stop":
                stop = True
                recording.event(step, "stop", "somebody asks to stop")
            if verb == "pause" and math.isnan(paused):
                paused = time.perf_counter()
                recording.event(step, "paused", "paused by command")
                recording.set_status("paused")
            if (verb == "resume" or stop) and not math.isnan(paused):
                waited += time.perf_counter() - paused
                paused = math.nan
                recording.event(step, "resumed", "resumed by command")
                recording.set_status("running")
        if math.isnan(paused) or not recording.usable:
            return waited, stop
        time.sleep(PAUSE_POLL_S)
