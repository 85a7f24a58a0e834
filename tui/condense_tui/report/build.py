"""From a plan's folders to the report's files."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from condense_core.errors import RunFileError
from condense_core.experiment import Experiment
from condense_core.figures import Figure
from condense_core.runs.reader import RunReader
from condense_tui.report.across import figure_result
from condense_tui.report.document import Report
from condense_tui.report.markdown import to_markdown
from condense_tui.report.page import to_html
from condense_tui.report.pictures import Picture, pictures
from condense_tui.report.results import CellPlace, PresetResult, preset_result


@dataclass(frozen=True)
class Part:
    """A preset's name, what its runs train, where those are, why there are none, and what is not as it ships."""

    name: str
    experiment: Experiment
    places: Sequence[CellPlace]
    not_run: str = ""
    changes: Sequence[str] = ()

    def result(self) -> PresetResult:
        """What its run files say."""
        return preset_result(self.name, self.experiment, self.places, self.not_run, self.changes)


def build(
    parts: Sequence[Part],
    *,
    command: str,
    seeds: str,
    seconds: float,
    cuts: Sequence[str],
    made: float,
    across: Sequence[tuple[Figure, Sequence[Sequence[Part]]]] = (),
) -> Report:
    """The report of these presets, and of figures `across` presets with the parts that each of their arms reads.

    Machine and versions are those that the first run notes of itself.
    """
    results = {part.name: part.result() for part in parts}
    presets = [*results.values()]
    read = {part.name: part for _, arms in across for arm in arms for part in arm}
    own = {name: part.result() for name, part in read.items() if name not in results}
    results |= own
    host = device = revision = ""
    versions: dict[str, str] = {}
    for cell in (cell for preset in presets for cell in preset.cells if cell.status == "done"):
        with RunReader(Path(cell.folder)) as run:
            info = run.info()
        host, device, revision, versions = info.host, info.device, info.revision, info.versions
        break
    return Report(
        made=time.strftime("%Y-%m-%d %H:%M %Z", time.localtime(made)),
        host=host,
        device=device,
        revision=revision,
        versions=versions,
        seconds=seconds,
        command=command,
        seeds=seeds,
        cuts=list(cuts),
        presets=presets,
        figures=[
            figure_result(figure, [[results[part.name] for part in arm] for arm in arms]) for figure, arms in across
        ],
        own=[*own.values()],
    )


def write(report: Report, folder: Path) -> tuple[Path, Path]:
    """`report.md` and `report.html` in the folder; RunFileError where it cannot be written."""
    texts = {"report.md": to_markdown(report), "report.html": to_html(report, pictures_of)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise RunFileError(f"cannot write to {folder}: {error.strerror}; choose a place with --out") from None
    return folder / "report.md", folder / "report.html"


def pictures_of(preset: PresetResult) -> list[Picture]:
    """Pictures of the preset's runs that ended, first seed first."""
    return pictures([(Path(cell.folder), cell.member) for cell in preset.cells if cell.status in {"done", "diverged"}])
