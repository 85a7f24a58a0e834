"""What msgspec refuses is said in a person's words, and never in Python's."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
import pytest
from msgspec import Meta

from condense_core.validation import as_written, in_words


class Part(msgspec.Struct, forbid_unknown_fields=True):
    count: Annotated[int, Meta(ge=0)] = 0
    name: Annotated[str, Meta(max_length=3)] = ""
    steps: Annotated[list[int], Meta(min_length=1)] = msgspec.field(default_factory=list)
    kind: Literal["x", "y"] = "x"
    pair: tuple[float, float] = (0.0, 1.0)
    rate: Annotated[float, Meta(gt=0)] = 1.0
    named: dict[str, int] = msgspec.field(default_factory=dict)
    data: Annotated[bytes, Meta(max_length=3)] = b""
    code: Annotated[str, Meta(pattern="^a+$")] = "a"


class Whole(msgspec.Struct, forbid_unknown_fields=True):
    part: Part
    parts: list[Part] = msgspec.field(default_factory=list)


@pytest.mark.parametrize(
    ("written", "words", "unseen"),
    [
        ({"count": -1}, "part.count: expected a whole number of at least 0, got -1", ""),
        ({"count": "1"}, "part.count: expected a whole number, got '1'", ", got text"),
        ({"count": True}, "part.count: expected a whole number, got true", ", got true or false"),
        ({"name": "abcd"}, "part.name: expected text of at most 3 characters, got 'abcd'", ""),
        ({"steps": []}, "part.steps: expected a list of at least 1 item, got []", ""),
        ({"kind": "z"}, "part.kind: unknown 'z'", ""),
        ({"pair": [1]}, "part.pair: expected a list of 2 items, got [1]", ", got 1"),
        ({"pair": [1, "x"]}, "part.pair.1: expected a number, got 'x'", ", got text"),
        ({"rate": 0}, "part.rate: expected a number above 0.0, got 0", ""),
        ({"nmae": 1}, "part.nmae: unknown", ""),
        ({"named": {"q": "x"}}, "part.named.*: expected a whole number, got text", ", got text"),
        ({"data": "AAAAAAAAAA=="}, "part.data: expected data of at most 3 bytes, got 'AAAAAAAAAA=='", ""),
        ({"code": "b"}, "part.code: expected text matching regex '^a+$', got 'b'", ""),
        ([1], "part: expected a table, got [1]", ", got a list"),
    ],
)
def test_each_kind_of_refusal(written: object, words: str, unseen: str) -> None:
    whole = {"part": written}
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(whole, Whole)
    assert in_words(str(caught.value), whole) == words
    # what came over the wire is not at hand as tables
    without = in_words(str(caught.value))
    assert without.startswith(words.partition(", got")[0])
    assert without.endswith(unseen)
    assert "`" not in without
    assert "$" not in without.removesuffix("'^a+$'")


def test_a_list_in_a_table_and_the_whole_itself() -> None:
    for whole, words in (
        ({"part": {}, "parts": [{}, {"count": 1.5}]}, "parts.1.count: expected a whole number, got 1.5"),
        ({"parts": []}, "part: missing"),
        ([], "expected a table, got []"),
    ):
        with pytest.raises(msgspec.ValidationError) as caught:
            msgspec.convert(whole, Whole)
        assert in_words(str(caught.value), whole) == words


def test_a_check_of_our_own_keeps_its_words() -> None:
    sentence = "lr: expected a finite number above 0, got -1.0 - at `$.optimizer`"
    assert in_words(sentence) == "optimizer.lr: expected a finite number above 0, got -1.0"
    assert in_words("optimizer.batch: expected 2 or more, got 1") == "optimizer.batch: expected 2 or more, got 1"


def test_values_are_shown_as_toml_has_them() -> None:
    assert as_written(None) == "none"
    assert as_written(True) == "true"
    assert as_written(((1, 0.5), (2, 0.25))) == "[[1, 0.5], [2, 0.25]]"
    assert as_written("x" * 100, 10) == "'xxxxxxxxx…"
