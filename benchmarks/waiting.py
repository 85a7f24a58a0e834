"""Waits that end: a benchmark that waits in vain says for what, and fails."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence
from typing import Any

# Far longer than anything here takes on a slow machine.
PATIENCE_S = 90.0


def wait_until(condition: Callable[[], bool], what: str, seconds: float = PATIENCE_S) -> None:
    """Return as soon as the condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"waited {seconds:g} s in vain for {what}")
        time.sleep(0.01)


def run(command: Sequence[str], seconds: float = PATIENCE_S, **how: Any) -> None:
    """Run a command to its end, which has to be a good one; its standard output is not shown."""
    try:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=seconds, **how)
    except subprocess.TimeoutExpired:
        raise SystemExit(f"{' '.join(command)}: no end after {seconds:g} s") from None
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"{' '.join(command)}: exit status {error.returncode}") from None
