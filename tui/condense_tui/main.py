"""The command `condense-tui`: the app where it is called bare, otherwise one of the commands.

Errors meant for the user are one line on standard error and an exit code; a traceback comes only with `--debug`.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from condense_core.errors import CondenseError, MissingExtraError, StoppedError
from condense_core.foreign import reason
from condense_tui.terminal import signals
from condense_tui.terminal.garbage import collect_again, none_at_first
from condense_tui.terminal.surroundings import settle

if TYPE_CHECKING:
    from condense_core.runs.early import EarlyWorker

# What a shell says of a program that SIGPIPE has ended, which most do that write to a closed pipe.
CLOSED_PIPE = 141
_PYTHONS = warnings.showwarning


def main() -> int:
    """Run the command line; the process's exit code."""
    settle()
    warnings.showwarning = _warn
    # wherever it stands, and also where the app is called bare
    arguments = [word for word in sys.argv[1:] if word != "--debug"]
    debug = len(arguments) < len(sys.argv) - 1
    try:
        with signals.heeded():
            with none_at_first(), _in_what_can_be_shown():
                code = _ended(arguments, debug)
            signals.die_of_it()
            return code
    except KeyboardInterrupt:
        # it came before anything had begun, or when all was done
        signals.die_of_it()
        return complain("interrupted", StoppedError.exit_code)


def _warn(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
    """Preferences that cannot be used are said to be so in a line like every other; Python's own come as they are."""
    if category.__name__ == "PreferencesWarning":
        complain(str(message), 0)
    else:
        _PYTHONS(message, category, *where, **more)


def _ended(arguments: list[str], debug: bool) -> int:
    """Do what the arguments say, and say what went wrong."""
    try:
        code = _dispatch(arguments)
        # what cannot be written is found out here, and not at the end of Python
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        # a reader that takes nothing more, as a pager, would have the rest of the output wait for ever
        _forget_output()
        # of another signal than Ctrl-C's whoever waits for this process says it, as the shell does
        return StoppedError.exit_code if signals.came() else complain("interrupted", StoppedError.exit_code)
    except (BrokenPipeError, SystemExit) as error:
        # the latter is what rich and Typer make of the former
        if isinstance(error, SystemExit) and not isinstance(error.__context__, BrokenPipeError):
            raise
        # the reader of our output has closed it, as `head` does; nobody is left to tell
        _forget_output()
        return CLOSED_PIPE
    except CondenseError as error:
        if debug:
            raise
        return complain(str(error), error.exit_code)
    except OSError as error:
        # a full disk below standard output, a network drive that went: no fault of the program's
        if debug or error.strerror is None:
            raise
        place = f" {error.filename}" if error.filename is not None else ""
        try:
            sys.stdout.flush()
        except OSError:
            _forget_output()
        return complain(f"cannot read or write{place}: {error.strerror}", 1)
    except Exception as error:
        if debug:
            raise
        from condense_core.libraries import blame

        library = blame(error)
        if library:
            return complain(library, MissingExtraError.exit_code)
        name = type(error).__name__
        words = reason(error).removeprefix(f"{name}: ")
        return complain(f"unexpected {name}: {words} (--debug shows where; please report it)", 1)


@contextlib.contextmanager
def _in_what_can_be_shown() -> Iterator[None]:
    """What a terminal or a reader of ASCII cannot show is written as what looks like it, and is no reason to fail."""
    from condense_tui.draw import ascii as plain
    from condense_tui.draw.ability import output_ability

    plain.for_streams()
    before = []
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            before.append((stream, stream.encoding, stream.errors))
            shown = output_ability(os.environ, stream.isatty(), stream.encoding)
            encoding = stream.encoding if shown.unicode else "ascii"
            stream.reconfigure(encoding=encoding, errors=plain.ERRORS if encoding == "ascii" else "replace")
    try:
        yield
    finally:
        for stream, encoding, errors in before:
            # what cannot be written any more was said, or has nobody to read it
            with contextlib.suppress(OSError, ValueError):
                stream.reconfigure(encoding=encoding, errors=errors)


def _forget_output() -> None:
    """What could not be written is not tried again at the end, where Python would fail with words of its own."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _dispatch(arguments: list[str]) -> int:
    from condense_tui.app.launch import SHELL_ASKS, has_terminal, open_the_app, opens_the_app

    if arguments[:1] == ["serve"] and not {"-h", "--help"} & set(arguments):
        # what a viewer waits for on the far side of an ssh connection
        from condense_core.remote.server.serve import main as serve
        from condense_tui.draw.label import preset_base

        collect_again()
        return serve(arguments[1:], preset_base)
    if SHELL_ASKS in os.environ:
        from condense_tui.cli import shells

        return shells.answer()
    # Typer's machinery takes longer to import than the app's first frame takes to be there
    if opens_the_app(arguments):
        return open_the_app(arguments)
    with _worker_for(arguments) as early:
        return _command(arguments or (["runs"] if has_terminal() else ["--help"]), early)


def _worker_for(arguments: list[str]) -> contextlib.AbstractContextManager[EarlyWorker | None]:
    """For a run that is trained here: its process imports PyTorch while this one imports Typer, reads the scenario and
    makes the run. That takes a fifth of the time; what else than a run is meant, Typer finds out too late."""
    elsewhere = any(word in {"-h", "--help", "--host"} or word.startswith("--host=") for word in arguments)
    if arguments[:1] != ["run"] or len(arguments) == 1 or elsewhere:
        return contextlib.nullcontext()
    from condense_core.runs.early import EarlyWorker

    return EarlyWorker()


def _command(arguments: list[str], early: EarlyWorker | None) -> int:
    from typer.exceptions import TyperException

    from condense_tui.cli import app
    from condense_tui.cli.outline import outline

    try:
        code = int(outline(app)(arguments, prog_name="condense-tui", standalone_mode=False, obj=early) or 0)
    except TyperException as error:
        context = getattr(error, "ctx", None)
        command = context.command_path if context is not None else "condense-tui"
        return complain(f"{error.format_message().rstrip('.')} (see {command} --help)", error.exit_code)
    # what Typer makes of Ctrl-C; commands that end so of their own raise StoppedError
    if code == StoppedError.exit_code:
        raise KeyboardInterrupt
    return code


def complain(message: str, exit_code: int) -> int:
    """One line on standard error, free of control characters."""
    from condense_core.text import printable

    print(f"condense-tui: {printable(message)}", file=sys.stderr)  # noqa: T201 - this is where errors are printed
    return exit_code
