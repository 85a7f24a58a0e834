"""From a plan's folders to the report's files."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from condense_core.runfile.reader import RunReader
from condense_core.runfile.status import FINAL
from condense_core.scenario.experiment import Experiment
from condense_core.scenario.figures import PaperFigure
from condense_tui.documents.files import ready_folder, write_file
from condense_tui.documents.pictures import Picture, pictures
from condense_tui.reproduce.report.across import figure_result
from condense_tui.reproduce.report.document import Report
from condense_tui.reproduce.report.markdown import to_markdown
from condense_tui.reproduce.report.page import to_html
from condense_tui.reproduce.report.results import CellPlace, PresetResult, preset_result

SO_FAR = "report-so-far"


@dataclass(frozen=True)
class Part:
    """A preset's name, what its runs train, where those are, why there are none, what is not as it ships, and which
    runs were asked for and are not among them."""

    name: str
    experiment: Experiment
    places: Sequence[CellPlace]
    not_run: str = ""
    changes: Sequence[str] = ()
    missing: Sequence[str] = ()

    def result(self) -> PresetResult:
        """What its run files say."""
        return preset_result(self.name, self.experiment, self.places, self.not_run, self.changes, missing=self.missing)


def build(
    parts: Sequence[Part],
    *,
    command: str,
    seeds: str,
    seconds: float,
    cuts: Sequence[str],
    made: float,
    across: Sequence[tuple[PaperFigure, Sequence[Sequence[Part]]]] = (),
    stopped: str = "",
) -> Report:
    """The report of these presets, and of figures `across` presets with the parts that each of their arms reads.

    Machine and versions are those that the first run notes of itself. `stopped` says that and where it was stopped
    before its end.
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
        stopped=stopped,
        presets=presets,
        figures=[
            figure_result(figure, [[results[part.name] for part in arm] for arm in arms]) for figure, arms in across
        ],
        own=[*own.values()],
    )


def write(report: Report, folder: Path, begun: float | None = None) -> tuple[Report, Path, Path]:
    """`report.md` and `report.html` in the folder, and what they say; ExportError if they cannot be written.

    A report that was stopped before its end is `report-so-far`, and replaces no whole one; a whole one takes it away.
    The time it took to make is counted where `begun` says when that began, by the clock.
    """
    shown = {preset.name: pictures_of(preset) for part in report.by_paper() for preset in part.presets}
    if begun is not None:
        # all but some tenths of a second
        report = msgspec.structs.replace(report, seconds=time.time() - begun)
    stem = SO_FAR if report.stopped else "report"
    markdown, page = folder / f"{stem}.md", folder / f"{stem}.html"
    texts = {markdown: to_markdown(report), page: to_html(report, lambda preset: shown[preset.name])}
    ready_folder(folder)
    for file, text in texts.items():
        write_file(file, text.encode(), force=True)
    if not report.stopped:
        for file in texts:
            file.with_name(f"{SO_FAR}{file.suffix}").unlink(missing_ok=True)
    return report, markdown, page


def pictures_of(preset: PresetResult) -> list[Picture]:
    """Pictures of the preset's runs that ended, first seed first."""
    return pictures([(Path(cell.folder), cell.member) for cell in preset.cells if cell.status in FINAL])
