"""When garbage is collected: not before there is something to see, and never the objects that existed at the start."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def none_at_first() -> Iterator[None]:
    """Collect no garbage until `collect_again` says so, or until the end of this.

    So Python looks for none either where the program ends without having done more than start, which takes it longer
    than to lay out the help that was asked for.
    """
    gc.disable()
    try:
        yield
    finally:
        collect_again()


def collect_again() -> None:
    """Collect garbage from now on, but leave out the objects that existed at the start."""
    if not gc.isenabled():
        gc.enable()
        gc.freeze()
