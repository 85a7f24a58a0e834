"""Queries over runs: every field and sign, mistakes in one line, sorting."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from test_label import made

from condense_core.errors import ScenarioError
from condense_core.runs.about_run import AboutRun
from condense_core.runs.claim_state import Standing
from condense_core.runs.glance import Glance, LayerGlance
from condense_core.runs.label import differences
from condense_core.runs.query import LONGEST, is_query, parse_query
from condense_core.runs.row import FIELDS, RunRow, sorted_rows
from condense_core.thresholds import FINE
from condense_presets import preset_base

HOUR, DAY = 3_600.0, 86_400.0
NOW = 1_000 * DAY


def row(*settings: str, about: AboutRun | None = None, state: str | None = "holds", **values: object) -> RunRow:
    import msgspec

    loss, lines = values.pop("loss", 0.5), values.pop("lines", (2, 1))
    info = msgspec.structs.replace(
        made("digits-gd", *settings), **{"host": "gpu.example.org", "created": NOW - HOUR, **values}
    )
    glance = Glance(
        folder=Path(info.id),
        info=info,
        loss=(1.0, loss),
        layers=tuple(LayerGlance(f"conv{number}", count, True) for number, count in enumerate(lines)),
        about=about or AboutRun(),
        differs=differences(info, preset_base),
    )
    claim = None
    if state is not None:
        claim = Standing(text="", state=state, step=1, holds_in=1, of=1, wanted_in=1, findings=(), cut=FINE)
    return RunRow(glance, claim, NOW)


ONE = row(
    "optimizer.lr=1e-4", "seed=3", about=AboutRun(tags=("paper", "keep"), note="Two words", sweep="digits over lr")
)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "status:done",
        "status:done,failed",
        "STATUS:done",
        "tag:keep",
        "tag:k*",
        "lines>1",
        "lines:1",
        "lines>=2 lines<2",
        "lr<1e-3",
        "lr:0.0001",
        "optimizer.lr<=1e-4",
        "optimizer.name:gd",
        "width:32",
        "layers.*.width>30",
        "activation:tanh",
        # a setting at its default, which its scenario does not say
        "dtype:float32",
        "preset:digits-gd",
        "preset:digits-*",
        "seed:3",
        "seed=3",
        "seed!=4",
        "host:gpu",
        "host:gpu.example.org",
        "host~example",
        "name~1E-4",
        "age<2d",
        "age>30m",
        "age<1.5h",
        "loss<0.6",
        "claim:holds",
        'note~"two words"',
        'note:"two words"',
        "sweep~over",
        "digits",
        "PAPER two",
        "archived:no",
        "-tag:x",
        "NOT tag:x",
        "NOT -tag:keep",
        "-nothing",
        "steps>=0",
    ],
)
def test_a_run_fits(query: str) -> None:
    assert parse_query(query).matches(ONE)


@pytest.mark.parametrize(
    "query",
    [
        "status:stopped",
        "tag:kee",
        "-tag:keep",
        "lines>2",
        "lr>1e-3",
        "preset:digits",
        "seed:30",
        "seed!=3",
        "host:example",
        "name~foo",
        "age>2h",
        "loss<0.5",
        "claim:does-not-hold",
        "archived:yes",
        "elephant",
        "status:done elephant",
        "std<1",
        "width<9",
    ],
)
def test_a_run_does_not_fit(query: str) -> None:
    assert not parse_query(query).matches(ONE)


def test_archived_runs_fit_only_where_they_are_asked_for() -> None:
    away = row(about=AboutRun(archived=True))
    assert not parse_query("status:done").matches(away)
    assert parse_query("archived:yes").matches(away)
    assert parse_query("archived:yes,no").matches(away) and parse_query("archived:yes,no").matches(ONE)


def test_what_was_not_measured_fits_nothing_but_its_opposite() -> None:
    nothing = row(loss=math.nan, lines=(), state=None)
    for query in ("loss<1", "loss>1", "loss:1", "lines>0", "lines<9"):
        assert not parse_query(query).matches(nothing)
        assert parse_query(f"-{query}").matches(nothing)
    assert parse_query("claim:none").matches(nothing)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("sttus:done", "'sttus:done': unknown field 'sttus'; did you mean 'status'?"),
        ("status:dne", "'status:dne': unknown 'dne'; did you mean 'done'?"),
        ("status:", "'status:': expected one of starting, running, paused, done"),
        ("claim:yes", "expected one of holds, does-not-hold, met-so-far"),
        ("lines>many", "'many' is no number"),
        ("lines:", "expected a value behind :"),
        ("age<2", "'2' is no time; expected 30s, 10m, 5h, 2d or 3w"),
        ("age:2d", "an age is never exact; expected age<2d or age>2d"),
        ("tag<3", "no order; expected tag:… or tag~…"),
        ("NOT", "NOT stands at the end"),
        ("a OR b", "OR is no word of it"),
        ("loss<nan", "'nan' is no number"),
        ("x" * (LONGEST + 1), "up to 1,000 characters"),
        ("x " * 41, "up to 40 words"),
        ("\x1b[2J:3\x1b", None),
    ],
)
def test_a_mistake_is_one_line_that_names_the_word(query: str, words: str | None) -> None:
    if words is None:
        # not a field's name: a plain word
        assert not parse_query(query).matches(ONE)
        return
    with pytest.raises(ScenarioError) as raised:
        parse_query(query)
    assert words in str(raised.value)
    assert str(raised.value).isprintable()


def test_every_field_of_the_table_can_be_asked_for_and_sorted_by() -> None:
    for name, field in FIELDS.items():
        value = field.choices[0] if field.choices else "1"
        parse_query(f"{name}<1d" if field.kind == "age" else f"{name}:{value}").matches(ONE)
        assert sorted_rows([ONE], name) == [ONE]


def test_ids_are_told_from_queries() -> None:
    for words in (["1f3a"], ["251126-120000-digits-gd-1f3a", "digits"], ["digits-gd@gpu-box"]):
        assert not is_query(words)
    for words in (["status:done"], ["x", "NOT", "y"], ["-tag:x"], ["lines>2"], ["name~x"]):
        assert is_query(words)


def test_sorting_puts_what_is_unknown_last_both_ways() -> None:
    rows = [row(loss=value, id=f"r{number}") for number, value in enumerate((0.5, math.nan, 0.1, math.inf, 0.1))]
    of = lambda by: [found.glance.info.id for found in sorted_rows(rows, by)]  # noqa: E731
    assert of("loss") == ["r2", "r4", "r0", "r3", "r1"]
    assert of("-loss") == ["r3", "r0", "r2", "r4", "r1"]
    with pytest.raises(ScenarioError, match="sort: unknown field 'los'; did you mean 'loss'"):
        sorted_rows(rows, "los")
