"""`theory`: what the data and the initial weights say before any training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from condense_tui.cli.options import (
    DataOption,
    DataRootOption,
    DownloadOption,
    JsonOption,
    ScenarioArgument,
    SettingsOption,
)
from condense_tui.resolve.scenario import build_scenario

if TYPE_CHECKING:
    from condense_core.jobs.messages import LabelTheory, Spread, TheoryAnswer
    from condense_core.scenario.experiment import Experiment

# Images in each trial of the papers' figures.
IMAGES = 500


def theory(
    scenario: ScenarioArgument,
    trials: Annotated[
        int, typer.Option(min=1, help="Number of data draws; data.seed and seed count up from the scenario's.")
    ] = 50,
    samples: Annotated[
        int | None,
        typer.Option(
            min=1, help=f"Samples in each draw; by default {IMAGES} images, or data.samples of a function or a file."
        ),
    ] = None,
    bias: Annotated[bool, typer.Option("--bias", help="Include the kernel's bias in Z.")] = False,
    data: DataOption = None,
    data_root: DataRootOption = None,
    download: DownloadOption = False,
    settings: SettingsOption = None,
    json: JsonOption = False,
) -> int:
    """Show what the data predict, without training: the signal matrix Z over many data draws, v1 against the all-ones
    vector, and the predicted step of condensation.

    Z is computed at zero output and, as in the papers, without the kernel's bias; --bias includes it. For images with
    a mean-square loss, raw and one-hot labels are both shown: the spectral gap comes mostly from uncentred labels.

    \b
    condense-tui theory digits-gd
    condense-tui theory digits-gd --data mnist --data-root ~/data
    condense-tui theory photos-gd --data folder:~/pictures --trials 10
    """
    import msgspec

    from condense_core.jobs.ask import ask
    from condense_core.jobs.messages import AskTheory, TheoryAnswer
    from condense_core.runs.create import require_engine
    from condense_core.scenario import toml as scenarios
    from condense_core.scenario.data_sizes import sample_count
    from condense_core.scenario.experiment import Csv, Formula, Npz, OwnSet, Sine
    from condense_core.scenario.paths import check_data_is_there, with_absolute_paths
    from condense_tui.text.tables import waiting

    experiment, _ = build_scenario(scenario, settings=settings or [], data=data, data_root=data_root, download=download)
    experiment = with_absolute_paths(experiment)
    check_data_is_there(experiment)
    require_engine()
    said = ""
    if samples is None:
        own = isinstance(experiment.data, Sine | Formula | Npz | Csv | OwnSet)
        trained = sample_count(experiment.data)
        samples = (trained if own else None) or IMAGES
        if trained not in {None, samples}:
            said = f"{samples} images a trial, as in the papers; the scenario trains on {trained}: --samples {trained}"
    question = AskTheory(scenario=scenarios.dumps(experiment), trials=trials, samples=samples, bias=bias)
    with waiting(f"{trials} trials of {samples} samples"):
        found = ask("condense_core.engine.answers.theory", question, TheoryAnswer)
    if json:
        typer.echo(msgspec.json.encode(found))
    else:
        _print(found, experiment)
        if said:
            typer.echo(said)
    return 0


def _print(found: TheoryAnswer, experiment: Experiment) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from condense_tui.reproduce.report.words import regime_words

    console = Console()

    def say(text: str) -> None:
        console.print(text, markup=False, highlight=False, soft_wrap=True)

    say(f"{found.data}, {found.trials} trials, {found.seconds:.1f} s")
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(f"Z of {found.layer}")
    for kind in found.by_labels:
        table.add_column(f"{kind.labels} labels" if kind.labels != "values" else "values", justify="right")
    for name, cells in _rows(found.by_labels):
        table.add_row(Text(name), *map(Text, cells))
    console.print(table)
    column = "with the kernel's bias as the last column" if found.bias else "without a bias column, as in the papers"
    say(f"Z is shown {column}; the predicted step is for the layer as the scenario trains it, with or without bias")
    if found.phase is not None:
        phase = found.phase
        say(f"phase diagram: {regime_words(phase.gamma, phase.gamma_prime, phase.regime, experiment)}")
    for note in [*found.notes, *dict.fromkeys(_why(kind) for kind in found.by_labels)]:
        if note:
            say(note)


def _why(kind: LabelTheory) -> str:
    return f"no predicted step: {kind.unpredicted}" if kind.unpredicted else ""


def _rows(kinds: list[LabelTheory]) -> list[tuple[str, list[str]]]:
    from condense_core.measure_table import FROM_DATA
    from condense_tui.draw.numbers import UNKNOWN

    leading = min(4, *(len(kind.values) for kind in kinds)) if len(kinds) > 1 else min(4, len(kinds[0].values))
    rows = [("rows × columns", [f"{kind.shape[0]:,} × {kind.shape[1]}" for kind in kinds])]
    rows += [(f"λ{rank + 1}", [_spread(kind.values[rank]) for kind in kinds]) for rank in range(leading)]
    rows.append(("λ1² (of ZᵀZ)", [_spread(kind.eigenvalues[0]) for kind in kinds]))
    rows.append(("λ2/λ1", [_spread(kind.ratio) for kind in kinds]))
    rows.append(("gap λ1 − λ2", [_spread(kind.gap) for kind in kinds]))
    channels = max(len(kind.ones_overlap) for kind in kinds)
    for channel in range(channels):
        name = f"|⟨{FROM_DATA.direction}, ones⟩|" + (f" channel {channel + 1}" if channels > 1 else "")
        rows.append((name, [_spread(kind.ones_overlap[channel], digits=6) for kind in kinds]))
    if any(kind.doubtful for kind in kinds):
        rows.append((f"{FROM_DATA.direction} undetermined in", [f"{kind.doubtful} trials" for kind in kinds]))
    if any(kind.predicted for kind in kinds):
        rows.append(("learning rate", [_spread(kind.lr) for kind in kinds]))
        rows.append(("predicted step", [_steps(kind) for kind in kinds]))
    if any(kind.theorem for kind in kinds):
        times = [kind.theorem for kind in kinds]
        rows.append(("T of theorem 1", [f"step {time.step.mean:.0f}" if time else UNKNOWN for time in times]))
        rows.append((f"share on {FROM_DATA.direction} then", [_spread(time.ratio if time else None) for time in times]))
        rows.append(("relative change then", [_spread(time.relative_change if time else None) for time in times]))
    return rows


def _steps(kind: LabelTheory) -> str:
    if kind.predicted is None:
        return "–"
    return f"{kind.predicted.mean:.0f} ({kind.predicted.least:.0f} to {kind.predicted.most:.0f})"


def _spread(value: Spread | None, digits: int = 4) -> str:
    from condense_tui.draw.numbers import measure

    if value is None:
        return "–"
    return measure(value.mean, digits) + ("" if value.std is None else f" ± {measure(value.std, 2)}")
