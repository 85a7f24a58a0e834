"""The presets as a list that a person chooses from."""

from __future__ import annotations

from pathlib import Path

import msgspec

from condense_core.errors import ScenarioError
from condense_core.scenario.about import PresetKind
from condense_core.scenario.paths import missing_set
from condense_core.scenario.toml import loads
from condense_presets import own_preset_files, preset_files, preset_text, recordings
from condense_presets.paper_records import notes, record_of


class Preset(msgspec.Struct, frozen=True, kw_only=True):
    """A preset in a list. `group` is the folder that it ships in, `own` for one's own; times are minutes, None where
    not known.

    `paper_shows` is what the text says of the figure, `beside_the_paper` heads and texts of how the settings differ
    from the paper's, which of them the text does not give, and what was chosen how.
    """

    name: str
    group: str
    paper: str
    figure: str
    summary: str
    claim: str
    paper_shows: str
    kind: PresetKind = "demonstration"
    beside_the_paper: tuple[tuple[str, str], ...] = ()
    minutes_cpu: float | None
    minutes_quick: float | None
    minutes_gpu: float | None
    recording: Path | None
    missing_data: str = ""
    """The data set that is not on this machine and where it was looked for; empty where it is there."""


# Of presets of one's own.
OWN = "own"


def catalogue() -> list[Preset]:
    """All presets, those to begin with first, and of them the one that shows the theory best; one's own are last."""
    return read_catalogue()[0]


def read_catalogue() -> tuple[list[Preset], list[str]]:
    """The same, and what of one's own cannot be used, in lines."""
    recorded = recordings()
    found = [_preset(name, file.parent.name, recorded.get(name)) for name, file in preset_files().items()]
    found.sort(key=lambda preset: (preset.group != "starters", preset.name != "digits-gd"))
    own, troubles = own_preset_files()
    for name, file in own.items():
        try:
            found.append(_preset(name, OWN, None))
        except ScenarioError as error:
            troubles.append(f"preset {file}: {error}")
    return found, troubles


def _preset(name: str, group: str, recording: Path | None) -> Preset:
    experiment = loads(preset_text(name), name)
    about, claim, said = experiment.about, experiment.claim, record_of(experiment)
    return Preset(
        name=name,
        group=group,
        paper=about.paper if about else "none",
        figure=said.name if said else "",
        summary=about.summary if about else "",
        claim=claim.text if claim else "",
        paper_shows=said.words if said else "",
        kind=about.kind if about else "demonstration",
        beside_the_paper=tuple(notes(experiment)),
        minutes_cpu=about.minutes_cpu if about else None,
        minutes_quick=experiment.quick.minutes_cpu if experiment.quick else None,
        minutes_gpu=about.minutes_gpu if about else None,
        recording=recording,
        missing_data=missing_set(experiment),
    )
