"""When garbage is collected: not before the first frame, and never the objects that existed at the start."""

from __future__ import annotations

import gc


def collect_again() -> None:
    """Collect garbage from now on, but leave out the objects that existed at the start."""
    if not gc.isenabled():
        gc.enable()
        gc.freeze()
