"""Which runs a reproduction is made of: presets times draws, what cannot be run here, and what a budget leaves out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from condense_core.errors import DataError, ScenarioError, nearest
from condense_core.scenario.draws import Draw, is_whole
from condense_core.scenario.experiment import Cifar10, Cifar100, Experiment, Mnist
from condense_core.scenario.figures import PaperFigure
from condense_core.scenario.paths import check_data_is_there, digest_of, files_of, with_absolute_paths
from condense_core.scenario.toml import loads
from condense_core.text import short
from condense_tui.batch.cells import Cell, Plan, PresetPlan
from condense_tui.reproduce.arms import Across, is_named, lent, own_name
from condense_tui.reproduce.quick import quick_version
from condense_tui.reproduce.stand_in import with_stand_in

# `--quick` promises six minutes on two cores; a part is kept for start-up and the report.
QUICK_MINUTES = 6.0
QUICK_SHARE = 0.9
QUICK_SEEDS = 10
# What `--quick` leaves out where nothing is named: it is about the papers.
QUESTIONS = "presets of neither paper (reproduce --quick --paper none)"
# Draws that every preset gets before the cheap ones get all of theirs.
FEW_DRAWS = 3


def choose(
    names: Iterable[str], texts: dict[str, str], paper: str | None, figures: Sequence[PaperFigure] = ()
) -> dict[str, Experiment]:
    """The presets that are asked for: by name, by the beginning of it (`fcn-fig03`), by a figure across presets that
    reads their runs, by paper (`both`, or `none` for presets of neither); all where none is.

    ScenarioError if a word names no preset, or the words and the paper have none in common.
    """
    wanted: list[str] = []
    for name in names:
        found = [known for known in texts if known == name or known.startswith(f"{name}-")]
        found += [known for figure in figures if is_named(figure, name) for known in lent(figure)]
        if not found:
            groups = {known.rpartition("-")[0]: None for known in texts if known.count("-") > 1}
            known_names = [*groups, *texts, *(figure.name for figure in figures)]
            raise ScenarioError(
                f"no figure or preset {short(name)}; {nearest(name, known_names)} (condense-tui presets)"
            )
        wanted += found
    chosen = {name: loads(texts[name], name) for name in (dict.fromkeys(wanted) if wanted else texts)}
    if paper is None:
        return chosen
    asked = {"both": ("fcn", "cnn")}.get(paper, (paper,))
    of_paper = {name: item for name, item in chosen.items() if item.about and item.about.paper in asked}
    if not of_paper:
        raise ScenarioError(f"--paper {paper}: none of the presets given is from that paper")
    return of_paper


def make_plan(
    presets: dict[str, Experiment],
    *,
    out: Path,
    seeds: int,
    data_seeds: int | None = None,
    data_root: Path | None = None,
    has_gpu: bool = False,
    quick: bool = False,
    stand_ins: Mapping[str, list[str]] | None = None,
    across: Sequence[Across] = (),
) -> Plan:
    """Every preset with `seeds` draws, from its own seeds on: of weights and data together where it stands for a paper
    or asks a question of our own, of the weights on its own draw of the data where it demonstrates a figure. With
    `data_seeds`, every draw of the weights meets so many of the data.

    `quick` puts each preset's quick settings in force; `stand_ins` are settings by the data set that they replace.
    Figures `across` presets come with the runs that only they need. Runs on files of one's own lie in a folder that is
    named by what is in these too, so that none is taken for one of files that have changed since.
    """
    digests: dict[tuple[Path, ...], str] = {}

    def of_files(experiment: Experiment) -> str:
        files = tuple(files_of(experiment))
        if files not in digests:
            digests[files] = digest_of(files)
        return digests[files] and f"-{digests[files][:8]}"

    def planned(name: str, experiment: Experiment, draws: Sequence[Draw]) -> PresetPlan:
        smaller, changes = quick_version(experiment, name) if quick else (experiment, [])
        placed, other_data = with_stand_in(_at_root(smaller, data_root), stand_ins or {}, name)
        # what is trained names no other settings than its own, so that a change of those does not train it again
        placed = msgspec.structs.replace(with_absolute_paths(placed), quick=None)
        reason = _why_not(placed, has_gpu)
        folder = out / "cells" / f"{name}{'-quick' if changes else ''}{of_files(placed)}"
        cells = () if reason else _cells(name, placed, folder, draws)
        return PresetPlan(name, placed, cells, reason, (*changes, *filter(None, [other_data])))

    own = [
        planned(own_name(item.figure, arm), item.own[own_name(item.figure, arm)], together_draws(arm.draws))
        for item in across
        for arm in item.figure.arms
        if arm.draws is not None
    ]
    return Plan(
        tuple(planned(name, item, draws_of(item, seeds, data_seeds)) for name, item in presets.items()),
        own=tuple(own),
        figures=tuple(item.figure for item in across),
    )


def within(plan: Plan, minutes: float, jobs: int, beside: Sequence[str] = ()) -> Plan:
    """The plan cut to about `minutes` on `jobs` cores: a cell of every preset first, the longest left out where even
    that is too much, then a few of each, a round at a time, then all of the cheap ones, those of a paper first. What
    figures across presets need beside is kept. `beside` says what was not planned at all."""
    budget = minutes * QUICK_SHARE * jobs
    counts = {preset.name: 0 for preset in plan.presets}
    spent = sum(item.minutes + item.further_minutes * (len(item.cells) - 1) for item in plan.own)
    most = max((len(preset.cells) for preset in plan.presets), default=0)
    few = [(round_, preset) for round_ in range(min(FEW_DRAWS, most)) for preset in _cheapest_first(plan, round_)]
    # the papers' claims before questions of our own
    ordered = sorted(_cheapest_first(plan, 1), key=_is_question)
    more = [(round_, preset) for preset in ordered for round_ in range(FEW_DRAWS, most)]
    for round_, preset in (*few, *more):
        cost = preset.further_minutes if round_ else preset.minutes
        if counts[preset.name] == round_ < len(preset.cells) and spent + cost <= budget:
            counts[preset.name] += 1
            spent += cost
    kept, cuts = [], []
    for preset in plan.presets:
        count = counts[preset.name]
        if preset.cells and not count:
            reason = f"takes about {preset.minutes:g} min for each run, more than the {minutes:g} min of --quick"
            kept.append(replace(preset, cells=(), not_run=reason))
            cuts.append(f"{preset.name}: all runs ({preset.minutes:g} min each)")
            continue
        if count < len(preset.cells):
            cuts.append(f"{preset.name}: {len(preset.cells) - count} of {len(preset.cells)} runs")
        kept.append(replace(preset, cells=preset.cells[:count]))
    return replace(plan, presets=tuple(kept), cuts=(*cuts, *beside))


def arms(plan: Plan, figure: PaperFigure) -> list[list[PresetPlan]]:
    """The plans whose runs each arm of the figure reads, as they are after any cut."""
    by_name = {item.name: item for item in plan.trained}
    return [
        [by_name[name] for name in (arm.presets if arm.draws is None else [own_name(figure, arm)])]
        for arm in figure.arms
    ]


def _cheapest_first(plan: Plan, round_: int) -> list[PresetPlan]:
    return sorted(plan.presets, key=lambda preset: preset.further_minutes if round_ else preset.minutes)


def _is_question(preset: PresetPlan) -> bool:
    about = preset.experiment.about
    return about is None or about.paper == "none"


def _at_root(experiment: Experiment, root: Path | None) -> Experiment:
    data = experiment.data
    if root is not None and isinstance(data, Mnist | Cifar10 | Cifar100):
        return msgspec.structs.replace(experiment, data=msgspec.structs.replace(data, root=str(root)))
    return experiment


def _why_not(experiment: Experiment, has_gpu: bool) -> str:
    about = experiment.about
    if about is not None and about.minutes_cpu is None and about.minutes_gpu is not None and not has_gpu:
        return f"needs a GPU (about {about.minutes_gpu:g} min there); add --device cuda to run it"
    try:
        check_data_is_there(experiment)
    except DataError as error:
        return str(error)
    return ""


def draws_of(experiment: Experiment, seeds: int, data_seeds: int | None) -> list[Draw]:
    """Shifts of the seeds of weights and data, a draw each."""
    if data_seeds is not None:
        # draw of the data first: where fewer cells are kept, they are of several draws of the weights
        return [(seed, data_seed) for data_seed in range(data_seeds) for seed in range(seeds)]
    about = experiment.about
    # a demonstration of a figure was chosen with its data; a question of our own is asked of any
    of_any_data = about is not None and (about.kind == "paper" or bool(about.follows))
    if of_any_data and not is_whole(experiment.data):
        return together_draws(seeds)
    return [(seed, 0) for seed in range(seeds)]


def together_draws(count: int) -> list[Draw]:
    """So many draws of weights and data together."""
    return [(number, number) for number in range(count)]


def _cells(name: str, experiment: Experiment, folder: Path, draws: Sequence[Draw]) -> tuple[Cell, ...]:
    cells = []
    for shift, data_shift in draws:
        seed, data_seed = experiment.seed + shift, experiment.data.seed + data_shift
        place = folder / (f"{seed}" if data_shift == 0 else f"{seed}-data{data_seed}")
        data = msgspec.structs.replace(experiment.data, seed=data_seed)
        cells.append(Cell(name, seed, data_seed, msgspec.structs.replace(experiment, seed=seed, data=data), place))
    return tuple(cells)


def read_presets(names: Sequence[str], paper: str | None) -> dict[str, Experiment]:
    """`choose` among the presets that ship with the program."""
    from condense_presets import figures, preset_files, preset_text

    return choose(names, {name: preset_text(name) for name in preset_files()}, paper, figures())
