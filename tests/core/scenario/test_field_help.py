"""Every field of a scenario says in a line what it is."""

from __future__ import annotations

import typing
from collections.abc import Iterator

import msgspec

from condense_core.scenario.experiment import Experiment
from condense_core.scenario.field_help import help_of
from condense_core.scenario.field_types import fields_of
from condense_core.scenario.fields import fields
from condense_core.scenario.toml import loads
from condense_presets import preset_text


def parts(kind: object, seen: set[type]) -> Iterator[type[msgspec.Struct]]:
    """All structs that a scenario is made of."""
    for inner in typing.get_args(kind):
        yield from parts(inner, seen)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and kind not in seen:
        seen.add(kind)
        yield kind
        for inside in fields_of(kind).values():
            yield from parts(inside, seen)


def test_every_field_of_every_part_has_a_sentence() -> None:
    found = list(parts(Experiment, set()))
    assert len(found) > 30
    without = [
        f"{part.__name__}.{field.name}"
        for part in found
        for field in msgspec.structs.fields(part)
        if not help_of(part).get(field.name, "").endswith(".")
    ]
    assert without == []


def test_settable_fields_know_their_sentence() -> None:
    listed = {field.name: field.help for field in fields(loads(preset_text("digits-deep")))}
    assert listed["layers.1.width"].startswith("Neurons, or filters")
    assert listed["record.budget"].startswith("The share of training time")
    assert listed["seed"] == "Seed of the initial weights and of the batches; `data.seed` is that of the data."
    kinds = {"data.name", "init.scheme", "optimizer.name", *(name for name in listed if name.endswith(".kind"))}
    assert {name for name, words in listed.items() if not words} == kinds
