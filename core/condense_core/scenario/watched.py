"""What a run says of training that the engine did not do: somebody's own script, whose network was watched, or files
that were imported.

It stands in the run file where a scenario stands for the engine's runs: as JSON, which no scenario's TOML begins like.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from condense_core import typed
from condense_core.errors import ScenarioError
from condense_core.foreign import LONGEST_SCENARIO, decoding
from condense_core.scenario.geometry import Geometry

# Layers that may be measured of one network, and names that a person can still choose from.
MOST_LAYERS = 200
MOST_SETTINGS = 1_000
# Characters of a layer's name: scalars' names are it and a measure's, and at most 200.
LONGEST_LAYER_NAME = 150

ShortText = Annotated[str, Meta(max_length=2_000)]
PlainValue = str | int | float | bool | None


class WatchedLayer(msgspec.Struct, frozen=True, kw_only=True):
    """A layer that is measured: its name in the network, and `also` other names of the same weights."""

    name: Annotated[str, Meta(max_length=LONGEST_LAYER_NAME)]
    geometry: Geometry
    also: Annotated[tuple[ShortText, ...], Meta(max_length=100)] = ()


class Watched(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="watched"):
    """A network that was watched: what is measured of it, by which optimiser it is trained, and by which script.

    `config` is what its user gave, `revision` the state of the git repository that the script is in. `imported` are the
    files and folders that an imported run was made from: nobody watched that one.
    """

    name: Annotated[str, Meta(max_length=80)]
    layers: Annotated[tuple[WatchedLayer, ...], Meta(max_length=MOST_LAYERS)] = ()
    optimizer: ShortText = ""
    config: Annotated[dict[ShortText, PlainValue], Meta(max_length=MOST_SETTINGS)] = {}
    script: ShortText = ""
    arguments: Annotated[tuple[ShortText, ...], Meta(max_length=1_000)] = ()
    revision: ShortText = ""
    imported: Annotated[tuple[ShortText, ...], Meta(max_length=1_000)] = ()


def in_words(geometry: Geometry) -> str:
    """`64 × 10 (3×3 of 1, bias)`: how many rows, how long they are, and what they are made of."""
    kernels = f"{geometry.kernels}" if geometry.sampled is None else f"{geometry.kernels} of {geometry.sampled}"
    made = [f"{'×'.join(map(str, geometry.patch))} of {geometry.channels}"] if geometry.patch else []
    made += ["bias"] if geometry.bias else []
    return f"{geometry.kind} {kernels} × {geometry.entries}" + (f" ({', '.join(made)})" if made else "")


def settings(watched: Watched) -> list[tuple[str, str]]:
    """What there is to know of a watched run besides its measures, by names."""
    one = {
        "optimizer": watched.optimizer,
        "script": watched.script,
        "arguments": " ".join(watched.arguments),
        "revision": watched.revision,
        "imported from": ", ".join(watched.imported),
    }
    found = [(name, value) for name, value in one.items() if value]
    found += [(f"config.{name}", "none" if value is None else str(value)) for name, value in watched.config.items()]
    return found + [(f"layers.{layer.name}", in_words(layer.geometry)) for layer in watched.layers]


def is_watched(text: str) -> bool:
    """Whether the text that a run file has of its training is of a watched run, and no scenario."""
    return text.startswith("{")


def dumps(watched: Watched) -> str:
    """The text of a watched run, shortened by its settings and arguments where it would be too long."""
    text = msgspec.json.encode(watched).decode()
    if len(text) > LONGEST_SCENARIO:
        text = msgspec.json.encode(msgspec.structs.replace(watched, config={}, arguments=())).decode()
    return text


def loads(text: str, source: str) -> Watched:
    """The watched run in a text; ScenarioError, which begins with `source`, where it is none."""
    with decoding(ScenarioError, source):
        return typed.from_json(text, Watched)
