"""What a sweep trains, and how its picture is drawn: no training here."""

from __future__ import annotations

import math
from xml.etree import ElementTree

import msgspec
import pytest
from rich.console import Console

from condense_core.errors import ScenarioError
from condense_core.scenario.experiment import Csv, Experiment
from condense_tui.draw.ability import Ability, Depth
from condense_tui.sweep.axes import Axis, read_axes, typed
from condense_tui.sweep.grid import ColourScale, Grid, Square, grids, scale_of
from condense_tui.sweep.picture import draw, legend
from condense_tui.sweep.plan import make_sweep
from condense_tui.sweep.results import COLUMNS, SEED_COLUMNS, CellResult, mixed_versions
from condense_tui.sweep.svg import svg
from condense_tui.sweep.table import cells_table

PLAIN = Ability(Depth.NONE, unicode=True)
FULL = Ability(Depth.TRUE, unicode=True)


def test_commas_inside_of_brackets_and_quotes_belong_to_the_value(small: Experiment):
    (axis,) = read_axes(["record.steps=[1,2],[3],[]"], small)
    assert axis.values == ("[1,2]", "[3]", "[]")
    (axis,) = read_axes(['name="a,b",c'], small)
    assert axis.values == ('"a,b"', "c")
    assert [typed(text) for text in ("2", "1e-3", ".5", "true", "'tanh'")] == [2, 1e-3, 0.5, True, "tanh"]


def test_a_field_named_alone_is_found_where_it_means_one_thing(small: Experiment):
    axes = read_axes(["width=8,16", "std=0.1", "lr=1e-3", "steps=5", "activation=tanh"], small)
    assert [axis.key for axis in axes] == [
        "layers.*.width",
        "init.std",
        "optimizer.lr",
        "steps",
        "layers.*.activation",
    ]
    assert axes[0].name == "width"


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("init.std", "expected KEY=V1,V2"),
        ("init.std=1,,2", "a value is empty"),
        ("init.std=1,1", "1 is given twice"),
        ("record.steps=[1,2", "not closed"),
        ("bias=true,false", "expected one of layers.*.bias, init.bias"),
        ("init.sdt=1,2", "did you mean 'init.std'"),
        ("init.std=0.1,-1", "init.std=-1: init.std: expected a finite number above 0"),
        ("activation=tanh,thanh", "did you mean 'tanh'"),
        ("init.std=0.1,1e-1", "are the same experiment"),
        ("seed=" + ",".join(map(str, range(10_001))), "10,001 combinations"),
    ],
)
def test_what_cannot_be_swept_is_one_line(small: Experiment, tmp_path, option, message):
    with pytest.raises(ScenarioError) as refused:
        make_sweep(small, "", read_axes([option], small), tmp_path)
    assert message in str(refused.value)
    assert not list(tmp_path.iterdir())


def test_every_combination_is_a_cell_with_a_folder_that_other_settings_do_not_share(small: Experiment, tmp_path):
    axes = read_axes(["std=0.1,0.2", "width=8,16,32"], small)
    sweep = make_sweep(small, "", axes, tmp_path)
    found = {(cell.experiment.init.std, cell.experiment.layers[0].width) for cell in sweep.cells}
    assert found == {(std, width) for std in (0.1, 0.2) for width in (8, 16, 32)}
    assert [cell.values for cell in sweep.cells][:2] == [("0.1", "8"), ("0.1", "16")]
    assert sweep.cells[0].folder.name.startswith("std-0.1-width-8-")
    assert {cell.sweep for cell in sweep.cells} == {f"{small.name} over std, width ({tmp_path.name})"}
    longer = make_sweep(msgspec.structs.replace(small, steps=301), "", axes, tmp_path)
    assert not {cell.folder for cell in sweep.cells} & {cell.folder for cell in longer.cells}


def test_other_content_of_a_file_is_another_cell_and_data_that_are_made_have_their_names_of_before(
    small: Experiment, tmp_path
):
    """What was trained on a file that has changed since is never taken for a result of the new one."""
    file = tmp_path / "own.csv"
    file.write_text("x,y\n" + "\n".join(f"{n},{2 * n}" for n in range(20)))
    own = msgspec.structs.replace(small, data=Csv(path=str(file)))

    def folders(base: Experiment) -> set[str]:
        return {cell.folder.name for cell in make_sweep(base, "", read_axes(["std=0.1,0.2"], base), tmp_path).cells}

    before = folders(own)
    assert folders(own) == before
    file.write_text(file.read_text().replace("19,38", "19,39"))
    assert not folders(own) & before
    file.unlink()
    assert len(folders(own)) == 2, "of another machine, where it is read"
    # as sweeps have named them since version 0.2: finished cells are found again
    assert folders(small) == {"std-0.1-701f0fc4", "std-0.2-89d84665"}


def test_no_swept_key_takes_the_name_of_a_column():
    fields = {field.encode_name for field in msgspec.structs.fields(Experiment)}
    assert not fields & (set(COLUMNS) | set(SEED_COLUMNS))


def grid(rows: int = 2, columns: int = 3) -> Grid:
    across = Axis("init.std", tuple(f"0.{index}" for index in range(columns)))
    down = Axis("layers.*.width", tuple(str(8 << index) for index in range(rows)))
    squares = [[Square(0.25 * y + 0.1 * x, (f"0.{y}{x}", f".{y}{x}")) for x in range(columns)] for y in range(rows)]
    squares[0][0] = Square(math.nan, ("diverged", "div"))
    return Grid("dense1: coverage", across, down, tuple(map(tuple, squares)))


def test_the_picture_reads_without_colour_and_its_second_axis_points_up():
    lines = [line.plain for line in draw(grid(), scale_of([], "coverage"), 60, PLAIN)]
    upper, lower = (next(i for i, line in enumerate(lines) if line.strip().startswith(name)) for name in ("16 ", "8 "))
    assert upper < lower
    assert "0.10" in lines[upper]
    assert "0.12" in lines[upper]
    assert "diverged" in lines[lower]
    assert lines[lower].index("0.02") == pytest.approx(lines[upper].index("0.12"))
    assert "0.0" in lines[-2]
    assert lines[-1].strip() == "init.std"
    assert not any(
        span.style
        for line in draw(grid(), scale_of([], "coverage"), 60, PLAIN)[2:-1]
        for span in line.spans
        if str(span.style)
    )


def test_more_is_brighter_on_one_scale_and_nothing_is_grey():
    scale = scale_of([], "coverage")
    lines = draw(grid(), scale, 60, FULL)

    def ground(text: str) -> float:
        line = next(line for line in lines if text in line.plain)
        style = line.get_style_at_offset(Console(), line.plain.index(text))
        return sum(style.bgcolor.get_truecolor())

    assert ground("0.01") < ground("0.02") < ground("0.10") < ground("0.12")
    assert len(legend(scale, "coverage", FULL).spans) == 16


@pytest.mark.parametrize("width", [24, 40, 80, 200])
def test_the_picture_is_never_wider_than_the_terminal(width):
    for rows, columns in ((2, 3), (3, 9), (9, 3), (12, 12), (4, 30)):
        lines = draw(grid(rows, columns), scale_of([], "coverage"), width, PLAIN)
        for line in (lines or [])[1:]:
            assert len(line.plain) <= width
    # wide pictures are turned before they are given up
    assert draw(grid(3, 9), scale_of([], "coverage"), 24, PLAIN) is not None
    assert draw(grid(12, 12), scale_of([], "coverage"), 24, PLAIN) is None


def result(values: tuple[str, ...], status: str = "done", **row: object) -> CellResult:
    whole = {**dict.fromkeys(COLUMNS), "layer": "dense1", "seeds": 4, "diverged": 0, **row}
    return CellResult(cell="-".join(values), values={}, status=status, reason="", claim=None, rows=[whole], seeds=[])


def test_a_third_key_makes_a_picture_for_each_of_its_values(small: Experiment, tmp_path):
    sweep = make_sweep(small, "", read_axes(["std=0.1,0.2", "width=8,16", "lr=1,2"], small), tmp_path)
    results = [result(cell.values, condensed=int(cell.values[2]) + 1) for cell in sweep.cells]
    first, second = grids(sweep, results, "condensed", ["dense1"])
    assert first.title == "dense1, optimizer.lr 1: seeds in which it is condensed"
    assert {item.value for row in first.squares for item in row} == {0.5}
    assert {item.text(9) for row in second.squares for item in row} == {"3 of 4"}
    assert {item.text(5) for row in second.squares for item in row} == {"3/4"}
    picture = ElementTree.fromstring(svg([first, second], scale_of([first], "condensed"), "condensed"))
    texts = [item.text for item in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert texts.count("3 of 4") == 4


def test_what_is_of_the_network_is_one_picture_and_signs_and_orders_of_magnitude_have_their_scales(
    small: Experiment, tmp_path
):
    sweep = make_sweep(small, "", read_axes(["std=0.1,0.2"], small), tmp_path)

    def drawn(show: str, *values: float) -> tuple[Grid, ColourScale]:
        names = [f"{show}_{which}" for which in ("median", "min", "max")]
        rows = [dict.fromkeys(names, value) for value in values]
        results = [result(cell.values, **row) for cell, row in zip(sweep.cells, rows, strict=True)]
        (picture,) = grids(sweep, results, show, ["dense1"])
        return picture, scale_of([picture], show)

    unseen, scale = drawn("unseen_accuracy", 0.25, 0.5)
    assert unseen.title == "accuracy on unseen pairs, median over seeds"
    assert [item.texts[0] for item in unseen.squares[0]] == ["0.25", "0.50"]
    assert (scale.low, scale.high) == (0, 1)
    rank, scale = drawn("effective_rank", 2.0, 3.0)
    assert rank.title.startswith("dense1: effective rank")
    assert (scale.low, scale.high, scale.log) == (0, 3, False)
    _, scale = drawn("sharpness", 0.1, 30.0)
    assert (scale.low, scale.high, scale.log) == (0.1, 30, True)
    _, scale = drawn("lowest_curvature", -2.0, -1.0)
    assert (scale.low, scale.high, scale.log) == (-2, 0, False)
    counted = [result(cell.values, condensed_coarse=count) for count, cell in enumerate(sweep.cells, start=1)]
    (picture,) = grids(sweep, counted, "condensed_coarse", ["dense1"])
    assert [item.texts[0] for item in picture.squares[0]] == ["1 of 4", "2 of 4"]
    table = cells_table(sweep, counted, show="condensed_coarse")
    assert [str(cell) for cell in table.columns[1].cells] == ["1/4", "2/4"]


def test_cells_that_were_trained_with_different_versions_are_told():
    """As those of a plugin that was changed between two runs of one command: its name in the scenario is the same."""

    def made(versions: dict[str, str], status: str = "done") -> CellResult:
        return msgspec.structs.replace(result(("0.1",), status=status), versions=versions)

    alike = {"torch": "2.14.1", "own probe norm": "mine.py (sha256 1)"}
    assert mixed_versions([made(alike)] * 3) == []
    other = made({**alike, "own probe norm": "mine.py (sha256 2)"})
    assert mixed_versions([made(alike), other, other, made({}, "failed")]) == [
        "own probe norm mine.py (sha256 2) (2 cells), mine.py (sha256 1) (1)"
    ]


def test_cells_that_did_not_end_are_marked_in_picture_and_table(small: Experiment, tmp_path):
    sweep = make_sweep(small, "", read_axes(["std=0.1,0.2,0.3"], small), tmp_path)
    results = [
        result(("0.1",), lines_median=2.0, lines_min=1.0, lines_max=3.0, condensed=4),
        result(("0.2",), status="failed"),
        result(("0.3",), lines_median=math.nan, lines_min=math.nan, lines_max=math.nan, condensed=0),
    ]
    (picture,) = grids(sweep, results, "lines", ["dense1"])
    assert [item.texts[0] for item in picture.squares[0]] == ["2", "failed", "–"]
    assert picture.squares[0][0].spread == "1–3"
    bars = [line.plain for line in draw(picture, scale_of([picture], "lines"), 60, PLAIN)]
    assert "━" in bars[2]
    assert "━" not in bars[3]
    assert "failed" in bars[3]
    columns = [list(column.cells) for column in cells_table(sweep, results).columns]
    assert [str(cell) for cell in columns[1]] == ["4/4", "failed", "0/4"]
    assert [str(cell) for cell in columns[2]] == ["2 (1–3)", "", "–"]
