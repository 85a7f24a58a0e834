"""`plugins`: probes, activations and data sets of one's own."""

from __future__ import annotations

import typer

from condense_tui.cli.options import JsonOption


def plugins(json: JsonOption = False) -> int:
    """List the probes, activations and data sets of your own plugins on this machine, and what is broken in them.

    Plugins are Python files that the preferences name, and packages: docs/PLUGINS.md. Exit status 1 if one is broken.

    \b
    condense-tui plugins
    condense-tui plugins --json
    """
    import msgspec

    from condense_core.jobs.ask import ask
    from condense_core.jobs.messages import AskPlugins, PluginsAnswer
    from condense_core.preferences import preferences_file
    from condense_core.runs.create import require_engine

    require_engine()
    # a plugin is somebody's own code, and imports PyTorch: it runs where training does, in a separate process
    found = ask("condense_core.engine.answers.plugged", AskPlugins(), PluginsAnswer)
    if json:
        typer.echo(msgspec.json.encode(found))
        return int(bool(found.troubles))
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in ("kind", "name", "plugin", "what it is"):
        table.add_column(head)
    for own in found.offered:
        table.add_row(*map(Text, (own.kind, own.name, own.plugin, own.words)))
    if found.offered:
        Console().print(table)
    elif not found.troubles:
        typer.echo(f"no plugins; name their files in {preferences_file()}: docs/PLUGINS.md")
    for trouble in found.troubles:
        typer.echo(trouble, err=True)
    return int(bool(found.troubles))
