"""Help with typing settings: splitting a line of them, completing a field's name, showing its present value."""

from __future__ import annotations

import difflib
import textwrap
from collections.abc import Callable, Sequence

from textual.suggester import Suggester

from condense_core.scenario.fields import SettableField

# Shown before anything is typed: what people change first.
FIRST = ("steps", "layers.0.width", "layers.0.activation", "optimizer.lr", "optimizer.lr_lambda1", "data.samples")
_OPENING, _CLOSING, _QUOTES = "[{(", "]})", "\"'"


def split_settings(text: str) -> list[str]:
    """Settings KEY=VALUE with spaces between them; inside brackets and quotes a space belongs to the value."""
    found, depth, quote = [""], 0, ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in _QUOTES:
            quote = character
        elif character in _OPENING:
            depth += 1
        elif character in _CLOSING:
            depth = max(0, depth - 1)
        elif character.isspace() and depth == 0:
            found.append("")
            continue
        found[-1] += character
    return [setting for setting in found if setting]


def typing(text: str) -> str:
    """The name of the field that is being typed at the end of a line of settings; empty between two of them."""
    if not text or text[-1].isspace():
        return ""
    return split_settings(text)[-1].partition("=")[0]


def hints(text: str, fields: Sequence[SettableField], most: int) -> list[SettableField]:
    """At most `most` fields that the person may mean, nearest first; before anything is typed those that matter, then
    all others."""
    name = typing(text)
    if not name:
        by_name = {field.name: field for field in fields}
        matter = [by_name[first] for first in FIRST if first in by_name and by_name[first].value != "none"]
        return [*matter, *(field for field in fields if field not in matter)][:most]
    begins = [field for field in fields if field.name.startswith(name)]
    has = [field for field in fields if name in field.name and field not in begins]
    near = difflib.get_close_matches(name, [field.name for field in fields], n=most, cutoff=0.5)
    others = [field for field in fields if field.name in near and field not in begins and field not in has]
    return [*begins, *has, *others][:most]


def hint_line(field: SettableField, width: int, *, with_help: bool = True) -> str:
    """A field with its value, the words that it takes and what it is, cut to one line."""
    takes = f"   one of {', '.join(field.words)}" if field.words else ""
    line = f"         {field.name} = {field.value}{takes}"
    line += f"   {field.help}" if with_help and field.help else ""
    return line if len(line) <= width else line[: max(0, width - 1)] + "…"


def whole_hint(field: SettableField, width: int, lines: int) -> list[str]:
    """A field whose value is typed: its value and the words that it takes in one line, below it what it is; at most so
    many lines."""
    indent = " " * 9
    wrap = textwrap.TextWrapper(
        max(20, width), initial_indent=indent, subsequent_indent=indent, max_lines=lines - 1, placeholder="…"
    )
    return [hint_line(field, width, with_help=False), *wrap.wrap(field.help)]


class FieldSuggester(Suggester):
    """Completes the name of the field at the end of the line; the right arrow takes it."""

    def __init__(self, names: Callable[[], Sequence[str]]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._names = names

    async def get_suggestion(self, value: str) -> str | None:
        name = typing(value)
        if not name or "=" in split_settings(value)[-1]:
            return None
        whole = next((field for field in self._names() if field.startswith(name)), None)
        return None if whole is None else value[: len(value) - len(name)] + whole + "="
