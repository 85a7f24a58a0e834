"""The states that a run can be in, and which of them mean the same to a viewer. No imports: screens need it first."""

from __future__ import annotations

from typing import Literal

Status = Literal["starting", "running", "paused", "done", "stopped", "failed", "diverged", "lost"]
"""`lost` is never written: it is what a reader makes of an active run whose worker is gone."""

# A worker is training it, as far as is known.
ACTIVE: frozenset[str] = frozenset({"starting", "running", "paused"})
# Training it again would give the same result.
FINAL: frozenset[str] = frozenset({"done", "diverged"})
# Its worker wrote that it was over; any other that is not active was interrupted.
ENDED: frozenset[str] = FINAL | {"failed"}
# It stands at the checkpoint at which it was interrupted.
INTERRUPTED: frozenset[str] = frozenset({"stopped", "lost"})
# It can resume from its last checkpoint; one that failed may fail again, unless the cause was fixed.
RESUMABLE: frozenset[str] = INTERRUPTED | {"failed"}
# It did not come to what it was for: a command that waited for it ends with 1.
BAD: frozenset[str] = frozenset({"failed", "diverged", "lost"})
