"""The presets as a list that a person chooses from."""

from __future__ import annotations

from pathlib import Path

import msgspec

from condense_core.scenario.about import PresetKind
from condense_core.scenario.paths import missing_set
from condense_core.scenario.toml import loads
from condense_presets import preset_files, recordings
from condense_presets.paper_records import notes, record_of


class Preset(msgspec.Struct, frozen=True, kw_only=True):
    """A preset in a list. `group` is the folder that it ships in; times are minutes, None where not known.

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


def catalogue() -> list[Preset]:
    """All presets, those to begin with first, and of them the one that shows the theory best."""
    recorded = recordings()
    found = []
    for name, file in preset_files().items():
        experiment = loads(file.read_text(encoding="utf-8"), name)
        about, claim, said = experiment.about, experiment.claim, record_of(experiment)
        found.append(
            Preset(
                name=name,
                group=file.parent.name,
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
                recording=recorded.get(name),
                missing_data=missing_set(experiment),
            )
        )
    return sorted(found, key=lambda preset: (preset.group != "starters", preset.name != "digits-gd"))
