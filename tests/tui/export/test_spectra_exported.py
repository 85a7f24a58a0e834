"""Spectra that a run holds, as pictures, on its page and on paper: the values that were recorded, and no others."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from exporting import written
from recording import Curved, Recording

from condense_core.errors import CondenseError
from condense_core.runfile.reader import RunReader
from condense_tui.documents.spectra import spectrum_chart
from condense_tui.export.paper.read import sheet_of
from condense_tui.export.paper_look import PaperLook
from condense_tui.export.wish import Format, Wish
from condense_tui.snapshots.spectra import SpectraReader, network_spectra

ONE_SMALL = np.array([0]), np.array([1e-4])


@pytest.fixture
def curved(tmp_path: Path) -> Recording:
    made = Curved(tmp_path / "runs", frames=12)
    made.write()
    made.finish()
    return made


def _written(run: Path, tmp_path: Path, format: Format, **more: str) -> str:
    text = written(run, tmp_path, format, **more).decode()
    (tmp_path / "out").unlink()
    return text


def test_a_chart_ends_at_its_step_and_is_logarithmic_where_its_numbers_need_it(curved: Recording) -> None:
    with RunReader(curved.folder) as run:
        hessian, ntk = network_spectra(run.curve)
        chart = spectrum_chart(hessian, at=1_000)
        assert [curve.name for curve in chart.curves] == ["λ1", "λ2", "least", "2/lr"]
        assert not chart.log, "an eigenvalue below 0 has no place there"
        steps = curved.steps[curved.steps <= 1_000]
        assert np.array_equal(chart.curves[0].steps, steps) and np.array_equal(chart.curves[0].values, 3.0 + steps)
        singular = SpectraReader().singular(run, "conv1")
        assert [name for name, _ in singular.curves] == ["s1", "s2"]
        assert not spectrum_chart(singular).log, "of one order of magnitude"
        assert spectrum_chart(replace(singular, curves=(*singular.curves, ("s3", ONE_SMALL)))).log
        assert not ntk.curves


def test_pictures_and_page_show_every_spectrum_that_was_recorded(curved: Recording, tmp_path: Path) -> None:
    hessian = _written(curved.folder, tmp_path, "svg", what="hessian")
    names = [item.text for item in ElementTree.fromstring(hessian).iter() if "name" in item.get("class", "")]
    assert sorted(names) == ["2/lr", "least", "λ1", "λ2"]
    singular = _written(curved.folder, tmp_path, "svg", what="singular", layer="conv1")
    assert "largest singular values of conv1 over the steps" in singular
    page = _written(curved.folder, tmp_path, "html")
    ElementTree.fromstring(page.removeprefix("<!DOCTYPE html>\n"))
    spectra = page.partition("<h2>Spectra</h2>")[2].partition("<h2>")[0]
    assert re.findall(r"<figcaption>([^<]*)<", spectra) == [
        "eigenvalues of ZᵀZ, conv2",
        "eigenvalues of the Hessian",
        "largest singular values of conv1 over the steps",
    ]


def test_on_paper_the_hessian_stands_beside_the_limit_of_stability(curved: Recording) -> None:
    with RunReader(curved.folder) as run:
        (panel,) = sheet_of([(run, 4_000)], Wish("pdf", what="hessian", paper=PaperLook()), "").panels
        assert [line.name for line in panel.lines] == ["sharpness", "λ2", "lowest", "2/lr"]
        assert not panel.log_y and panel.y_label == "eigenvalues of the Hessian"
        with pytest.raises(CondenseError, match=r"ntk: the run has not recorded it; name 'ntk' in record\.probes"):
            sheet_of([(run, 4_000)], Wish("pdf", what="ntk", paper=PaperLook()), "")


@pytest.mark.parametrize("what", ["ntk", "singular"])
def test_what_was_not_recorded_says_what_records_it(what: str, recorded: Recording, tmp_path: Path) -> None:
    with pytest.raises(CondenseError, match=r"record\.probes"):
        _written(recorded.folder, tmp_path, "svg", what=what)
