"""How a process ends, for the runs that are watched in it: an exception, Ctrl-C, its end, a fork."""

from __future__ import annotations

import atexit
import os
import sys
from types import TracebackType
from typing import Any

from condense_core.watching.run import living

_installed: list[bool] = []


def heed() -> None:
    """From now on runs of this process hear of its end."""
    if _installed:
        return
    _installed.append(True)
    before = sys.excepthook

    def told(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        for run in list(living):
            run.ended_by(error)
        before(kind, error, traceback)

    sys.excepthook = told
    atexit.register(_close)
    os.register_at_fork(after_in_child=_forget)
    _heed_notebook()


def _close() -> None:
    for run in list(living):
        run.close()


def _forget() -> None:
    for run in list(living):
        run.forget_in_fork()


def _heed_notebook() -> None:
    """In a notebook an exception ends a cell and not the process."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if shell is None:
        return

    def told(result: Any) -> None:
        error = result.error_before_exec or result.error_in_exec
        if error is not None:
            for run in list(living):
                run.ended_by(error)
                run.close()

    shell.events.register("post_run_cell", told)
