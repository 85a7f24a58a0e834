"""The order parameter of a phase diagram: a planted power law is found, with its error, and drawn with its sign."""

from __future__ import annotations

import csv
import math

import numpy as np
import pytest

from condense_core.errors import ScenarioError
from condense_core.scenario.experiment import Experiment
from condense_tui.draw.ability import Ability, Depth
from condense_tui.sweep.axes import read_axes
from condense_tui.sweep.grid import Grid, grids, scale_of, words
from condense_tui.sweep.page import page
from condense_tui.sweep.picture import draw, legend
from condense_tui.sweep.plan import Sweep, make_sweep
from condense_tui.sweep.results import CellResult
from condense_tui.sweep.slope import fit_axes, slopes
from condense_tui.sweep.svg import svg
from condense_tui.sweep.write import write_slopes

PLAIN = Ability(Depth.NONE, unicode=True)
FULL = Ability(Depth.TRUE, unicode=True)
STDS, RATES = ("0.1", "0.2", "0.3"), ("1", "2")


def planted(small: Experiment, folder, noise: float = 0.1, seeds: int = 9) -> tuple[Sweep, list[CellResult]]:
    """RD = 3 M^s with s = 10 std - 2 lr, times noise; the widths between the two other axes."""
    axes = read_axes([f"std={','.join(STDS)}", "width=8,32,128,512", f"lr={','.join(RATES)}"], small)
    sweep = make_sweep(small, "", axes, folder)
    random = np.random.default_rng(7)
    results = []
    for cell in sweep.cells:
        std, width, lr = map(float, cell.values)
        changes = 3 * width ** (10 * std - 2 * lr) * np.exp(noise * random.standard_normal(seeds))
        rows = [{"layer": "dense1", "status": "done", "relative_change": float(value)} for value in changes]
        results.append(
            CellResult(cell="", values={}, status="done", reason="", claim=None, rows=[{"layer": "dense1"}], seeds=rows)
        )
    return sweep, results


def test_a_planted_power_is_found_within_its_error(small: Experiment, tmp_path):
    found = slopes(*planted(small, tmp_path), ["dense1"])
    assert [each.values for each in found] == [(std, lr) for std in STDS for lr in RATES]
    for each in found:
        std, lr = map(float, each.values)
        assert abs(each.slope - (10 * std - 2 * lr)) < 4 * each.error
        assert 0.005 < each.error < 0.05
        assert each.departure < 0.2
    exact = slopes(*planted(small, tmp_path, noise=0), ["dense1"])
    assert [each.slope for each in exact] == pytest.approx([-1, -3, 0, -2, 1, -1], abs=1e-9)
    assert max(each.departure for each in exact) < 1e-9
    (alone, *_) = slopes(*planted(small, tmp_path, seeds=1), ["dense1"])
    assert math.isnan(alone.error)


def test_what_is_no_power_of_the_width_departs_from_the_line(small: Experiment, tmp_path):
    sweep, results = planted(small, tmp_path, noise=0)
    bent = [
        row | {"relative_change": 10 * row["relative_change"]}
        for cell, result in zip(sweep.cells, results, strict=True)
        if cell.values == ("0.1", "32", "1")
        for row in result.seeds
    ]
    place = [cell.values for cell in sweep.cells].index(("0.1", "32", "1"))
    results[place] = CellResult(
        cell="", values={}, status="done", reason="", claim=None, rows=results[place].rows, seeds=bent
    )
    assert slopes(sweep, results, ["dense1"])[0].departure > 1


def test_a_width_that_diverged_or_failed_leaves_no_slope(small: Experiment, tmp_path):
    sweep, results = planted(small, tmp_path)
    results[0] = CellResult(cell="", values={}, status="failed", reason="", claim=None, rows=[], seeds=[])
    lost = [row | {"status": "diverged"} for row in results[1].seeds]
    results[1] = CellResult(cell="", values={}, status="done", reason="", claim=None, rows=[], seeds=lost)
    first, second, *others = slopes(sweep, results, ["dense1"])
    assert (first.status, second.status) == ("failed", "diverged")
    assert math.isnan(first.slope) and math.isnan(second.slope)
    assert not any(math.isnan(each.slope) for each in others)
    (picture,) = grids(sweep, results, "slope", ["dense1"])
    assert picture.squares[0][0].texts[0] == "failed"


@pytest.mark.parametrize("options", [["std=1,2"], ["width=8,16"], ["width=8", "std=1,2"]])
def test_without_widths_there_is_nothing_to_fit(small: Experiment, options):
    with pytest.raises(ScenarioError, match="expected --over width=M1,M2"):
        fit_axes(read_axes(options, small))


def test_signs_are_two_colours_and_two_marks_in_every_picture(small: Experiment, tmp_path):
    sweep, results = planted(small, tmp_path)
    (picture,) = grids(sweep, results, "slope", ["dense1"])
    assert (picture.across.key, picture.down and picture.down.key) == ("init.std", "optimizer.lr")
    scale = scale_of([picture], "slope")
    assert scale.high == -scale.low
    codes = [[scale.code(item.value) for item in row] for row in picture.squares]
    assert codes[0][0] < codes[0][1] == 15 < codes[0][2]
    assert [item.mark for item in picture.squares[0]] == ["-", "0", "+"]
    plain = "\n".join(line.plain for line in draw(picture, scale, 80, PLAIN) or [])
    assert all(words(item.value, "slope") in plain and item.spread in plain for item in picture.squares[0])
    assert len(legend(scale, "slope", FULL).spans) == 31
    text = page(sweep, [picture], svg([picture], scale, "slope"), "slope")
    assert "Above 0 the layer condenses" in text
    assert text.count("±0.0") == 12, "in the picture and in the table"
    rows = list(csv.DictReader(write_slopes(sweep, slopes(sweep, results, ["dense1"])).open()))
    assert len(rows) == 6 and rows[0]["init.std"] == "0.1"
    assert float(rows[0]["relative_change_at_8"]) == pytest.approx(3 * 8**-1.0, rel=0.3)


@pytest.mark.parametrize(("width", "fits"), [(60, True), (52, True), (40, False)])
def test_four_hundred_cells_fit_a_small_terminal_as_marks(small: Experiment, tmp_path, width, fits):
    numbers = [f"{0.1 * index:.1f}" for index in range(1, 21)]
    whole = [f"{-1 + 0.1 * index:.1f}" for index in range(20)]
    axes = read_axes([f"init.gamma={','.join(numbers)}", f"init.gamma_prime={','.join(whole)}"], small)
    sweep, results = planted(small, tmp_path)
    (some,) = grids(sweep, results, "slope", ["dense1"])
    picture = Grid("S", *axes, tuple(tuple(some.squares[0][(x > y) * 2] for x in range(20)) for y in range(20)))
    lines = draw(picture, scale_of([some], "slope"), width, PLAIN)
    assert (lines is not None) == fits
    if lines is not None:
        rows = [line.plain for line in lines if "│" in line.plain and "Luo" not in line.plain]
        assert len(rows) == 20 and all("-" in row or "+" in row for row in rows)
        assert max(len(line.plain) for line in lines) <= width
        # upright where γ' < 0, one cell further a row above
        assert [row.index("│") for row in rows[-9:]] == [rows[-1].index("│")] * 9
        assert rows[0].index("│") > rows[5].index("│") > rows[-1].index("│")
        # a number under its own column, or none
        across = next(line.plain for line in lines if line.plain.split()[:2] == ["0.1", "0.3"])
        assert across.split() == numbers[::2]
        assert across.index("1.1") - across.index("0.1") == 10 * ((width - len("-1.0 ") - 1) // 20)
