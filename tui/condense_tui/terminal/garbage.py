"""When garbage is collected: not before the first frame, and from then on never what was there at the start."""

from __future__ import annotations

import gc


def collect_again() -> None:
    """Collect garbage from now on, but never look again at what was there at the start."""
    if not gc.isenabled():
        gc.enable()
        gc.freeze()
