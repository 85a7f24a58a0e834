"""Text of people, files and other machines: whatever is in it, the answer is a scenario or one line of error."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from condense_core.errors import CondenseError, ScenarioError
from condense_core.scenario import toml
from condense_core.scenario.figures import load_figure
from condense_core.text import short
from condense_presets import preset_files, preset_text

GOES = settings(max_examples=200, database=None)
BASE = preset_text("digits-gd")
# More digits than Python writes or reads; the second is read all the same.
DIGITS, HEXADECIMAL = "9" * 5000, "0x" + "f" * 5000
QUICK = f'{BASE}\n[quick]\nminutes_cpu = 1.0\nfinding = "none"\n'
PIECES = (
    *("=", "\n", ".", "[", "]", "{", "}", '"', "'", ",", "#", "*", " ", "\\", "\0", "\x1b[2J", "\u202e", "\ufeff"),
    *("nan", "inf", "-inf", "1e400", "-1", "0", "true", "none", "1979-05-27", DIGITS, HEXADECIMAL),
    *("[" * 3000, "a." * 3000, "steps", "layers", "layers.0", "layers.*", "data.name", "init.scheme", "optimizer.lr"),
    *("quick.set", "claim.requires", "name", "seed", "width", "record.steps", "ensemble.members", "stop"),
    *("about.minutes_cpu", "conv", "sine", "mnist"),
)
TEXTS = st.sampled_from(PIECES) | st.text(max_size=5)
KEYS = ("steps", "layers.*.width", "data.seed", "init.std", "record.steps", "claim", "stop.accuracy", "quick.set.a")
PRESETS = sorted(preset_files())


def refused(call: Callable[[], object]) -> str:
    """The error's text, empty where there is none: one line, bounded, nothing in it that steers a terminal."""
    try:
        call()
    except CondenseError as error:
        text = str(error)
        assert isinstance(error, ScenarioError)
        assert len(text) < 2_000
        assert not any(unicodedata.category(character)[0] == "C" for character in text)
        return text
    return ""


def built(*values: str) -> object:
    return toml.build(toml.override(toml.parse(BASE), values))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"steps = {DIGITS}", "a number of thousands of digits"),
        (
            BASE.replace("steps = 200", f"steps = {HEXADECIMAL}"),
            "steps: expected 1 to 1000000000, got a number too long",
        ),
        (
            f'{QUICK}[quick.set."a.b"]\n',
            "quick.set.*: expected true or false, a whole number, a number or text, got a table",
        ),
        (f'{QUICK}set."data.samples" = {HEXADECIMAL}', "quick.set: a number of thousands of digits"),
        ("a = " + "[" * 5000, "nested too deeply"),
        ("x" * 600_000, "larger than a scenario may be"),
        ("name = 'x'\nname = 'y'", "not valid TOML: Cannot overwrite a value"),
    ],
    ids=["digits", "hexadecimal", "quick-key", "quick-digits", "deep", "large", "twice"],
)
def test_a_hostile_scenario_is_one_line(text, message):
    assert refused(lambda: toml.loads(text, "here")).startswith(f"here: {message}")


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("steps=" + "[" * 5000, "--set steps: nested too deeply"),
        ("steps=" + "[" * 50 + "]" * 50, "--set steps: nested too deeply for a scenario"),
        (f"steps={DIGITS}", "--set steps: a number of thousands of digits"),
        (f"data.seed={HEXADECIMAL}", "scenario: data.seed: expected less than 2^63, got a number too long to be shown"),
        (f"loss={HEXADECIMAL}", "scenario: loss: unknown '0xfff"),
        (f"layers.{DIGITS}.width=3", "--set 'layers.999"),
        ("no equals" * 1000, "--set 'no equals"),
        ("initial=a\0b", "scenario: initial: expected a path to a safetensors file"),
        ("initial=\udcff", "scenario: initial: expected a path to a safetensors file"),
    ],
    ids=["deep", "deep-and-closed", "digits", "seed", "choice", "index", "no-value", "nul", "no-text"],
)
def test_a_hostile_setting_is_one_line(setting, message):
    assert refused(lambda: built(setting)).startswith(message)


def test_members_whose_seeds_would_be_too_large_are_refused_together():
    most = 2**63 - 1
    assert built(f"seed={most}") is not None
    assert "seed: expected 0 to" in refused(lambda: built(f"seed={most}", "ensemble.members=2"))
    assert "data.seed" in refused(lambda: built(f"data.seed={most}", "ensemble.members=2", "ensemble.vary=data"))
    assert len(toml.build(toml.override(toml.parse(BASE), ["ensemble.members=3"])).members) == 3


def test_a_byte_order_mark_before_a_scenario_is_passed_over():
    assert toml.loads(f"\ufeff{BASE}") == toml.loads(BASE)


def test_only_the_ensemble_of_a_scenario_is_read_where_the_rest_does_not_matter():
    assert toml.ensemble_and_claim("ensemble.members = 3\nunknown = 1")[0].members == 3
    assert toml.ensemble_and_claim("unknown = 1")[0].members == 1
    for members in (HEXADECIMAL, "-1", "true", "[]", "1e400"):
        assert refused(lambda value=members: toml.ensemble_and_claim(f"ensemble.members = {value}", "here")).startswith(
            "here: "
        )


@pytest.mark.parametrize(
    "value",
    [16**5000, [16**5000], {"a": (16**5000,)}, "\x1b\0" * 99, b"\xff" * 99, float("nan")],
    ids=["number", "in-a-list", "in-a-table", "text", "bytes", "nan"],
)
def test_whatever_is_refused_can_be_shown(value):
    assert short(value).isprintable()
    assert 0 < len(short(value)) <= 61


def test_a_value_that_is_nested_deep_can_be_shown():
    deep: list[object] = []
    for _ in range(20_000):
        deep = [deep]
    assert short(deep) == "list too long to be shown"


@GOES
@given(st.lists(TEXTS, max_size=8).map("".join))
def test_any_text_is_a_scenario_or_one_line(text):
    for call in (toml.loads, toml.parse, toml.ensemble_and_claim, load_figure):
        refused(lambda call=call: call(text))
    refused(lambda: toml.read_value(text, "here"))


@GOES
@given(st.sampled_from(PRESETS), st.integers(0, 4000), st.integers(0, 30), TEXTS)
def test_a_preset_with_a_piece_of_it_changed_is_a_scenario_or_one_line(name, at, cut, put_in):
    text = preset_text(name)
    at %= len(text)
    refused(lambda: toml.loads(text[:at] + put_in + text[at + cut :], "here"))


@settings(GOES, max_examples=50)
@given(st.lists(st.lists(TEXTS, max_size=4).map("".join), max_size=3), st.lists(TEXTS, max_size=3).map("".join))
def test_any_settings_are_a_scenario_or_one_line(settings, value):
    refused(lambda: built(*settings))
    for key in KEYS:
        refused(lambda key=key: built(f"{key}={value}"))


@pytest.mark.parametrize("part", ["a", '"a b"', '"\\"."', "'a.b'", "é-_1"])
@pytest.mark.parametrize("dot", [".", " . "])
def test_a_key_of_thousands_of_parts_takes_no_memory(part, dot):
    """Python's own reader would take gigabytes for these 100 kB."""
    key = dot.join([part] * (100_000 // len(part + dot)))
    for text in (f"{key} = 1", f"[{key}]", f"a = {{ {key} = 1 }}"):
        assert refused(lambda text=text: toml.loads(text)) == "scenario: nested too deeply"
        assert refused(lambda text=text: toml.read_value(text, "here")) in {"here: nested too deeply", ""}


def test_words_with_dots_between_them_are_no_long_key():
    claim = "1.2.3 … see fig. 4. " + ".".join("www" * 9) + " " + ". ".join("Sentences are no keys" for _ in range(99))
    assert toml.parse(f'claim = "{claim}"') == {"claim": claim}
