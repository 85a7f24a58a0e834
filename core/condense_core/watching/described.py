"""What a run says of the training that is watched: its optimiser, its settings, the script that it is in."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch.optim import Optimizer

from condense_core.scenario.watched import MOST_SETTINGS, PlainValue, Watched, WatchedLayer
from condense_core.text import printable
from condense_core.watching.layers import FoundLayer

LONGEST = 200


def described(name: str, optimizers: Sequence[Optimizer], config: object) -> Watched:
    """A watched run before its layers are known."""
    script = Path(sys.argv[0]).resolve() if sys.argv and sys.argv[0] not in {"", "-c"} else None
    if script is not None and not script.is_file():
        script = None
    return Watched(
        name=_short(name, 80) or (script.stem[:80] if script else "watched"),
        optimizer=_short("; ".join(map(in_words, optimizers)), 1_000),
        config=settings(config),
        script="" if script is None else str(script),
        arguments=tuple(_short(argument) for argument in sys.argv[1:1_000]) if script else (),
    )


def in_words(optimizer: Optimizer) -> str:
    """`AdamW, lr 0.001, betas (0.9, 0.95)`: its kind and the settings that it shows."""
    shown = {
        name: value
        for name, value in optimizer.defaults.items()
        if isinstance(value, int | float | tuple) and not isinstance(value, bool)
    }
    groups = f", {len(optimizer.param_groups)} groups" if len(optimizer.param_groups) > 1 else ""
    return _short(", ".join([type(optimizer).__name__, *(f"{name} {_value(v)}" for name, v in shown.items())]) + groups)


def _value(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def settings(config: object) -> dict[str, PlainValue]:
    """Settings as plain values by dotted names: of a mapping, a dataclass, or what argparse gives."""
    found: dict[str, PlainValue] = {}
    if config is not None:
        _collect("", config, found)
    return found


def _collect(name: str, value: Any, into: dict[str, PlainValue]) -> None:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = dataclasses.asdict(value)
    elif hasattr(value, "__dict__") and not isinstance(value, Mapping | type) and not name:
        value = vars(value)
    if isinstance(value, Mapping):
        for key, each in value.items():
            _collect(f"{name}.{key}" if name else str(key), each, into)
    elif len(into) < MOST_SETTINGS:
        plain = value is None or isinstance(value, bool | int | float | str)
        into[_short(name)] = value if plain and not isinstance(value, str | int) else _plain(value)


def _plain(value: object) -> PlainValue:
    if isinstance(value, int) and abs(value) < 2**53:
        return value
    return _short(str(value))


def with_layers(watched: Watched, layers: list[FoundLayer]) -> Watched:
    """The same with what is measured."""
    import msgspec

    told = tuple(
        WatchedLayer(name=layer.name, geometry=layer.geometry, also=tuple(_short(name) for name in layer.also[:100]))
        for layer in layers
    )
    return msgspec.structs.replace(watched, layers=told)


def place_of_script(watched: Watched) -> Path:
    """The folder whose git revision is noted."""
    return Path(watched.script).parent if watched.script else Path.cwd()


def _short(text: str, most: int = LONGEST) -> str:
    return printable(text[:most])
