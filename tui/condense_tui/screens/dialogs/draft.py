"""What the form for a run begins with: a preset, another run or a file, as a scenario with words and a cost."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from condense_core.runfile.abilities import require_ability
from condense_tui.screens.list_lines import members_of

if TYPE_CHECKING:
    from condense_core.runfile.info import RunInfo
    from condense_core.runs.about_run import AboutRun
    from condense_presets.catalogue import Preset


@dataclass(frozen=True)
class RunDraft:
    """What a form begins with: a scenario as TOML and how to call it in errors, words about it, and its cost.

    `seconds_cpu` and `seconds_gpu` are for `steps` steps; None if nobody knows.
    """

    text: str
    source: str
    preset: str
    name: str
    words: tuple[str, ...]
    seed: str
    seeds: str
    device: str
    steps: int
    seconds_cpu: float | None
    seconds_gpu: float | None
    measured: str
    recording: bool = False
    changed: tuple[str, ...] = ()
    """What that run has otherwise than the file that it was made from."""
    more: tuple[str, ...] = ()
    """What is told below everything else, where there is room: how it stands to a paper."""

    @property
    def vary(self) -> str:
        """What differs between the seeds, as the scenario has it."""
        from condense_core.scenario.toml import parse

        ensemble = parse(self.text, self.source).get("ensemble")
        return str(ensemble.get("vary", "init")) if isinstance(ensemble, dict) else "init"


def of_preset(preset: Preset) -> RunDraft:
    """The form of a preset that ships."""
    from condense_core.scenario.toml import parse
    from condense_presets import preset_text

    text = preset_text(preset.name)
    table = parse(text, preset.name)
    return RunDraft(
        text=text,
        source=preset.name,
        preset=preset.name,
        name=preset.name,
        words=(preset.summary, f"claim: {preset.claim}"),
        seed=str(table.get("seed", 0)),
        seeds=str(table.get("ensemble", {}).get("members", 1)),
        device="auto",
        steps=int(table["steps"]),
        seconds_cpu=None if preset.minutes_cpu is None else 60 * preset.minutes_cpu,
        seconds_gpu=None if preset.minutes_gpu is None else 60 * preset.minutes_gpu,
        measured="as measured on two cores",
        recording=preset.recording is not None,
        more=beside_the_paper(preset),
    )


def beside_the_paper(preset: Preset) -> tuple[str, ...]:
    """What the paper says of a preset's figure, and which of its settings are not the paper's."""
    said = [f"the paper: {preset.paper_shows}"] if preset.paper_shows else []
    return (*said, *(f"{head}: {text}" for head, text in preset.beside_the_paper))


def of_run(info: RunInfo, about: AboutRun) -> RunDraft:
    """The form of a run like another one, with the next seeds: the same ones would give the same bits. RunFileError
    for a run that no scenario trains."""
    require_ability(info, "new")
    members = members_of(info)
    steps = info.steps or 0
    whole = info.seconds / info.step * steps if info.step and info.seconds else None
    return RunDraft(
        text=info.experiment,
        source=info.id,
        preset=info.preset,
        name=info.name,
        words=(f"a new run like {info.id}, with the next seed",),
        seed=str(info.seed + members),
        seeds=str(members),
        device="auto",
        steps=steps,
        seconds_cpu=whole,
        seconds_gpu=None,
        measured="as measured in that run",
        changed=about.changed,
    )


def of_file(file: Path) -> RunDraft:
    """The form of a scenario in a file, such as `reduce` writes; ScenarioError if it is none."""
    from condense_tui.resolve.scenario import build_scenario

    experiment, _ = build_scenario(str(file), settings=[])
    from condense_core.scenario.toml import dumps

    return RunDraft(
        text=dumps(experiment),
        source=str(file),
        preset="",
        name=experiment.name,
        words=(experiment.about.summary if experiment.about else f"the scenario {file}",),
        seed=str(experiment.seed),
        seeds=str(experiment.ensemble.members),
        device="auto",
        steps=experiment.steps,
        seconds_cpu=None,
        seconds_gpu=None,
        measured="",
    )
