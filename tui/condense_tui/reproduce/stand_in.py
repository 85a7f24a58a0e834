"""Other images in the place of a data set that presets name: `--data cifar10=folder:PATH`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from condense_core.errors import DataError, ScenarioError, nearest
from condense_core.scenario import toml
from condense_core.scenario.experiment import Experiment, Sine
from condense_core.text import place_of, short

# Pixels of a side, and whether they are grey: a folder's images are brought to what the filters are made for.
_SHAPES = {
    "mnist": (28, True),
    "cifar10": (32, False),
    "cifar100": (32, False),
    "digits": (8, True),
    "photos": (16, False),
}
_SOURCES = (*_SHAPES, "photos", "folder:PATH")


def stand_ins(options: Iterable[str]) -> dict[str, list[str]]:
    """Settings by the name of the data set that they replace, from options NAME=SOURCE.

    ScenarioError if a name or a source is not known, or a name is given twice; DataError if a folder is missing.
    """
    found: dict[str, list[str]] = {}
    for option in options:
        name, equals, source = option.partition("=")
        kind, colon, path = source.partition(":")
        if not equals or not source:
            raise ScenarioError(f"--data {option}: expected NAME=SOURCE, such as cifar10=folder:PATH")
        if name not in _SHAPES:
            raise ScenarioError(f"--data {option}: no preset uses a data set {short(name)}; {nearest(name, _SHAPES)}")
        if name in found:
            raise ScenarioError(f"--data {option}: {name} is given twice")
        if kind != "folder" and (colon or kind not in _SOURCES[:-1]):
            raise ScenarioError(
                f"--data {option}: unknown source {short(source)}; expected one of {', '.join(_SOURCES)}"
            )
        found[name] = [f"data.name={kind}"]
        if kind != "folder":
            continue
        if not path:
            raise ScenarioError(
                f"--data {option}: expected folder:PATH, with one folder of images for each class in PATH"
            )
        place = place_of(path).resolve()
        if not place.is_dir():
            raise DataError(f"--data {option}: no folder {place}; expected one folder of images for each class")
        size, grey = _SHAPES[name]
        found[name] += [f"data.path={place}", f"data.size={size}", f"data.grey={str(grey).lower()}"]
    return found


def with_stand_in(experiment: Experiment, settings: Mapping[str, list[str]], source: str) -> tuple[Experiment, str]:
    """The experiment on the data that stand in for its own, and that change in words; itself and "" where none do."""
    name = data_name(experiment)
    if isinstance(experiment.data, Sine) or name not in settings:
        return experiment, ""
    table = toml.parse(toml.dumps(experiment), source)
    changed = toml.build(toml.override(table, settings[name], "--data"), f"{source}: --data {name}")
    path = getattr(changed.data, "path", "")
    words = f"{data_name(changed)}:{Path(path)}" if path else data_name(changed)
    return changed, f"data: {words} in place of {name}"


def data_name(experiment: Experiment) -> str:
    """What the scenario calls its data set."""
    return str(experiment.data.__struct_config__.tag)
