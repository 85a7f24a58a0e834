"""What is swept: `KEY=V1,V2,…` of a command line as a key of the scenario and its values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from condense_core.errors import ScenarioError
from condense_core.scenario.experiment import Experiment
from condense_core.scenario.toml import read_value
from condense_core.text import short

# Parts of a scenario whose fields may be named alone: `width` for `layers.*.width`, `std` for `init.std`.
_PARTS = ("init", "optimizer", "data")
_OPENING, _CLOSING = "[{", "]}"


@dataclass(frozen=True)
class Axis:
    """A key of the scenario by its dotted name, and the values that it takes, as they were typed."""

    key: str
    values: tuple[str, ...]

    @property
    def name(self) -> str:
        """What pictures and tables call it: the key, and `width` for that of every layer."""
        return self.key.removeprefix("layers.*.")


def read_axes(options: Sequence[str], base: Experiment) -> list[Axis]:
    """The axes that `--over` options describe, keys in full; ScenarioError in one line for what cannot be read.

    Whether key and values mean anything to the scenario, `make_cells` finds out.
    """
    axes: list[Axis] = []
    for option in options:
        key, equals, text = option.partition("=")
        if not equals or not key.strip():
            raise ScenarioError(f"--over {short(option)}: expected KEY=V1,V2,…, such as init.std=0.005,0.05")
        axis = Axis(_whole_key(key.strip(), base), tuple(_split(text, option)))
        if any(axis.key == other.key for other in axes):
            raise ScenarioError(f"--over {option}: {axis.key} is given twice; give all of its values in one --over")
        axes.append(axis)
    return axes


def number(text: str) -> float | None:
    """The text as a number, None if it is none; `true` and `inf` are not."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def typed(text: str) -> int | float | bool | str:
    """The text as the value that TOML would read, or as it stands."""
    value = read_value(text, f"--over {short(text)}")
    if value is None:
        value = number(text)
    return value if isinstance(value, int | float | bool) else text.strip("\"'")


def _split(text: str, option: str) -> list[str]:
    """The parts between commas, those inside of brackets and quotes left alone."""
    parts, depth, quote = [""], 0, ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character in _OPENING:
            depth += 1
        elif character in _CLOSING:
            depth -= 1
        elif character == "," and depth == 0:
            parts.append("")
            continue
        parts[-1] += character
    if quote or depth:
        raise ScenarioError(f"--over {option}: a quote or a bracket is not closed")
    parts = [part.strip() for part in parts]
    if not all(parts):
        raise ScenarioError(f"--over {option}: a value is empty; expected KEY=V1,V2,…")
    for index, part in enumerate(parts):
        if part in parts[:index]:
            raise ScenarioError(f"--over {option}: {part} is given twice")
    return parts


def _whole_key(key: str, base: Experiment) -> str:
    """A field named alone in full, where one part of the scenario has it; any other key as it is."""
    if "." in key or key in _fields(base):
        return key
    found = ["layers.*"] if any(key in _fields(layer) for layer in base.layers) else []
    found += [part for part in _PARTS if key in _fields(getattr(base, part))]
    if len(found) > 1:
        raise ScenarioError(f"--over {key}: expected one of {', '.join(f'{part}.{key}' for part in found)}")
    return f"{found[0]}.{key}" if found else key


def _fields(part: msgspec.Struct) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(part)}
