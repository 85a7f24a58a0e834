"""`tour`: what the screens show, explained on a recording."""

from __future__ import annotations

import typer

from condense_tui.app.launch import can_draw, open_tour


def tour() -> int:
    """Two minutes on a recording: what a kernel, a line, v1 and the gap are, and how to move through a run.

    Needs no PyTorch, and trains nothing. Without a terminal it prints its captions.

    \b
    condense-tui tour
    """
    if can_draw():
        return open_tour()
    from condense_tui.screens.run.tour import STOPS

    for stop in STOPS:
        typer.echo(f"{stop.caption.where}: {stop.caption.text}")
    return 0
