"""`python -m condense_core.watching.launch FOLDER START SCRIPT [ARGUMENTS]`: run somebody's script and watch what it
trains. START is `new`, `resume`, or the step that it is resumed at; SCRIPT may be `-m` with the module's name after it.

Nothing in the script changes. Its optimizers are found by PyTorch's own hooks, the network as the module that has their
parameters, the loss as what `backward` is called on. The process becomes a daemon first: a closed terminal does not
reach it.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import traceback
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from condense_core.runfile import control

if TYPE_CHECKING:
    from condense_core.watching.untouched import Untouched


def main() -> int:
    folder, start, script, *arguments = sys.argv[1:]
    if script == "-m":
        script, *arguments = f"-m {arguments[0]}", *arguments[1:]
    if os.fork():
        # whoever started this has no child left
        os._exit(0)
    os.setsid()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        # on a cold disk PyTorch takes longer than a run may be silent that is being started
        with control.hold(Path(folder)):
            control.say_stage(Path(folder), "importing PyTorch")
            from condense_core.watching.untouched import Untouched

            control.say_stage(Path(folder), "starting the recorder")
        watching = Untouched(Path(folder), start, script, arguments)
        # to import its libraries and read its data may take it a minute
        control.say_stage(Path(folder), "running the script up to its first step")
    except BaseException as error:  # noqa: BLE001 - whatever a broken installation raises, the run says it
        traceback.print_exc()
        control.record_failure(Path(folder), f"it cannot be watched: {type(error).__name__}: {error}")
        return 1
    return run(watching, script, arguments)


def run(watching: Untouched, script: str, arguments: list[str]) -> int:
    """Run the script as Python runs it, or a module (`-m NAME`), and say how it ended; the exit status that it gave."""
    module = script.removeprefix("-m ") if script.startswith("-m ") else ""
    sys.argv = [script, *arguments]
    sys.path.insert(0, str(Path.cwd() if module else Path(script).resolve().parent))
    try:
        if module:
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(script, run_name="__main__")
    except BaseException as error:  # noqa: BLE001 - the boundary of the process: recorded, logged, and reported
        from condense_core.watching.ending import StopAskedError, ending

        if isinstance(error, StopAskedError):
            # what was asked for is no error of the script's
            print(f"condense-tui: {ending(error)[1]}", file=sys.stderr)  # noqa: T201 - the run's log
        elif not isinstance(error, SystemExit):
            _print(error)
        elif isinstance(error.code, str):
            print(error.code, file=sys.stderr)  # noqa: T201 - as Python does
        watching.ended(error)
        return error.code if isinstance(error, SystemExit) and isinstance(error.code, int) else 1
    watching.ended(None)
    return 0


def _print(error: BaseException) -> None:
    """The traceback as the script's own run would have it, without the frames that lead to it."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename in {__file__, "<frozen runpy>"}:
        trace = trace.tb_next
    traceback.print_exception(type(error), error, trace or error.__traceback__)


def _interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    # its own name is the script's from here on
    sys.exit(main())
