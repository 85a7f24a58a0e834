"""A scenario that is read piece by piece is what it is as a whole."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from condense_core.errors import ScenarioError
from condense_core.scenario import toml
from condense_core.scenario.pieces import in_pieces
from condense_presets import preset_files, preset_text

PRESETS = sorted(preset_files())
LINES = st.sampled_from(
    [
        *(
            "a = 1",
            "b = 2",
            "a.c = 3",
            "[a]",
            "[b]",
            "[a.d]",
            "[[a]]",
            "[[b.e]]",
            '["a"]',
            "[ b ]",
            "x = [",
            "]",
            "[1],",
        ),
        *('t = """', '"""', "t = '''", "'''", "# [a]", "", " ", "b = { c = 1 }", "\ufeffa = 1", "a = 1\r", "\0"),
        "c = " + "[" * 17 + "]" * 17,
        *(
            "seed = 3",
            "e = 007",
            "f = 0",
            "g = 1_0",
            "h = -1",
            "i = 12345678901234567890123",
            "\u00b2 = 1",
            "j = \u0663",
        ),
    ]
)


def same(text: str) -> bool:
    """Whether a text is read in pieces; what is read is what `parse` reads, in the same order."""
    found = in_pieces(text)
    if not found:
        return False
    assert repr(found) == repr(toml.parse(text))
    return True


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_read_in_pieces(name):
    assert same(toml.dumps(toml.loads(preset_text(name))))


@settings(max_examples=400, database=None)
@given(st.lists(LINES, max_size=8).map("\n".join))
def test_pieces_are_never_more_or_less_than_the_whole(text):
    same(text)
    try:
        expected: object = repr(toml.parse(text, "here"))
    except ScenarioError as error:
        with pytest.raises(ScenarioError) as found:
            toml.looked_at(text, "here")
        assert str(found.value) == str(error)
    else:
        assert repr(toml.looked_at(text, "here")) == expected


def test_a_table_that_goes_on_later_is_read_as_a_whole():
    text = "[a]\nx = 1\n[b]\ny = 2\n[a.c]\nz = 3\n"
    assert in_pieces(text) is None
    assert toml.looked_at(text) == {"a": {"x": 1, "c": {"z": 3}}, "b": {"y": 2}}
