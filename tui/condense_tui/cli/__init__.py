"""The commands. Modules here import only Typer at the top: `--help` must not wait for what a command needs."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated

import typer

from condense_tui.cli.doctor import doctor
from condense_tui.cli.export import export
from condense_tui.cli.imported import import_
from condense_tui.cli.plugins import plugins
from condense_tui.cli.presets import presets
from condense_tui.cli.reduce import reduce
from condense_tui.cli.reproduce import reproduce
from condense_tui.cli.run import attach, replay, run
from condense_tui.cli.runs import runs
from condense_tui.cli.serve import serve
from condense_tui.cli.sweep import sweep
from condense_tui.cli.theory import theory
from condense_tui.cli.tour import tour
from condense_tui.cli.watch import watch
from condense_tui.terminal.garbage import collect_again

app = typer.Typer(
    help="Watch the kernels of a neural network condense, live, in the terminal.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"condense-tui {version('condense-tui')}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[bool, typer.Option("--version", help="Print the version.", callback=_version)] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show a traceback if something goes wrong.")] = False,
) -> None:
    """Watch the kernels of a neural network condense, live, in the terminal. Without a command: the app."""
    # a command begins here; the help of all of them does not come by
    collect_again()


def _flowing(command: Callable[..., object]) -> str:
    """The command's docstring with its paragraphs as one line each, which the terminal's width breaks; a paragraph that
    begins with \\b keeps its lines."""
    paragraphs = inspect.cleandoc(command.__doc__ or "").split("\n\n")
    return "\n\n".join(
        text.removeprefix("\b\n") if text.startswith("\b") else text.replace("\n", " ") for text in paragraphs
    )


for command in (tour, run, attach, replay, theory, reduce, reproduce, sweep, export, plugins, doctor):
    app.command(help=_flowing(command))(command)
# what stands behind the script is the script's own
app.command(help=_flowing(watch), context_settings={"allow_interspersed_args": False, "ignore_unknown_options": True})(
    watch
)
app.command("import", help=_flowing(import_))(import_)
app.command(hidden=True)(serve)
app.add_typer(runs, name="runs")
app.add_typer(presets, name="presets")
