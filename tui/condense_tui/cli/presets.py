"""`presets`: the scenarios that ship with the program."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from condense_tui.cli import completions
from condense_tui.cli.options import DataRootOption, ImagesOption, JobsOption, JsonOption

presets = typer.Typer(help="The scenarios that ship with the program.", invoke_without_command=True)


@presets.callback()
def default(context: typer.Context) -> int | None:
    """The scenarios that ship with the program; without a subcommand, list them."""
    return list_() if context.invoked_subcommand is None else None


@presets.command("list")
def list_(json: JsonOption = False) -> int:
    """List all presets: what each is, and what it claims."""
    import msgspec

    from condense_presets.catalogue import read_catalogue

    found, troubles = read_catalogue()
    rows = [
        {
            "name": preset.name,
            "paper": preset.paper,
            "figure": preset.figure,
            "kind": preset.kind,
            "summary": preset.summary,
            "claim": preset.claim,
            "minutes_cpu": preset.minutes_cpu,
            "minutes_quick": preset.minutes_quick,
            "minutes_gpu": preset.minutes_gpu,
            "recording": preset.recording is not None,
        }
        for preset in found
    ]
    for trouble in troubles:
        typer.echo(trouble, err=True)
    if json:
        typer.echo(msgspec.json.encode(rows))
        return 0
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in ("preset", "what it is", "claim"):
        table.add_column(head, no_wrap=head == "preset")
    for row in rows:
        mark = " ▷" if row["recording"] else ""
        table.add_row(*(Text(str(text)) for text in (f"{row['name']}{mark}", row["summary"], row["claim"])))
    Console().print(table)
    typer.echo("▷ has a recording: condense-tui replay PRESET")
    return 0


@presets.command()
def show(
    name: Annotated[str, typer.Argument(help="A preset's name.", autocompletion=completions.presets)],
    json: JsonOption = False,
) -> int:
    """Print a preset as TOML, ready to be saved and changed, or with --json as JSON.

    Comments before it say what the paper says of the figure, which settings differ from the paper's, and which of them
    the text does not give.
    """
    import msgspec

    from condense_core.scenario.toml import loads
    from condense_presets import preset_text
    from condense_presets.paper_records import notes, record_of

    text = preset_text(name)
    experiment = loads(text, name)
    said = record_of(experiment)
    lines = ([("the paper", said.words)] if said is not None else []) + notes(experiment)
    if json:
        table = msgspec.to_builtins(experiment) | {"beside_the_paper": dict(lines)}
        typer.echo(msgspec.json.encode(table))
        return 0
    # as comments, so that what is printed can be saved and run
    typer.echo("".join(f"# {head}: {words}\n" for head, words in lines) + text.rstrip())
    return 0


@presets.command()
def record(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME", help="Presets; by default all that a CPU can train.", autocompletion=completions.presets
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder for the recordings; by default the program's own."),
    ] = None,
    frames: Annotated[
        int, typer.Option(min=2, help="Number of steps that are kept at most, fewer where the file would be large.")
    ] = 40,
    data_root: DataRootOption = None,
    data: ImagesOption = None,
    work: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Folder for the runs; finished ones in it are kept. By default they are removed."
        ),
    ] = None,
    jobs: JobsOption = None,
) -> int:
    """Train presets and save each as a small recording, which plays without PyTorch.

    A recording says from which images it is, which draw, which commit, and the versions of the measures in it.

    \b
    condense-tui presets record
    condense-tui presets record digits-gd --out recordings
    condense-tui presets record --data-root ~/data --data cifar10=folder:~/cifar10-train --work recording
    """
    from condense_core.runs.create import require_engine
    from condense_presets import RECORDINGS
    from condense_tui.reproduce.plan import read_presets
    from condense_tui.reproduce.record import record_presets, trains_on_a_cpu
    from condense_tui.reproduce.stand_in import stand_ins

    other_data = stand_ins(data or [])
    chosen = read_presets(names or [], None)
    if not names:
        chosen = {name: item for name, item in chosen.items() if trains_on_a_cpu(item)}
    require_engine()
    for file in record_presets(
        chosen, out or RECORDINGS, frames, data_root=data_root, stand_ins=other_data, work=work, jobs=jobs
    ):
        typer.echo(f"{file}: {file.stat().st_size:,} bytes")
    return 0


@presets.command()
def activations() -> int:
    """List every activation with its multiplicity at 0, found by differentiation."""
    import subprocess
    import sys

    from condense_core.runs.create import require_engine
    from condense_core.scenario.experiment import ACTIVATIONS, CENTRED_PREFIX

    require_engine()
    # differentiation needs PyTorch, which no viewer loads: it runs where training does, in a separate process
    names = (*ACTIVATIONS, f"{CENTRED_PREFIX}sigmoid", f"{CENTRED_PREFIX}softplus")
    command = [sys.executable, "-P", "-m", "condense_core.engine.network.activations", *names]
    answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    typer.echo(answer.stdout, nl=False)
    typer.echo(f"{CENTRED_PREFIX!r} before the name of any activation subtracts its value at 0")
    return answer.returncode
