"""From a run back to the command line that makes it again: what `build_scenario` reads, written."""

from __future__ import annotations

import re
import shlex
from typing import Any

import msgspec

from condense_core.errors import CondenseError, ScenarioError
from condense_core.runfile.info import RunInfo
from condense_core.scenario import toml
from condense_core.scenario.data import Cifar10, Cifar100, Mnist
from condense_core.scenario.experiment import Experiment
from condense_core.scenario.fields import fields
from condense_core.scenario.paths import data_root, with_absolute_paths
from condense_core.scenario.watched import Watched
from condense_core.scenario.watched import loads as read_watched
from condense_tui.resolve.scenario import GIVEN, build_scenario

# Of what a run is about and what it must show nothing is trained.
_NOT_TRAINED: dict[str, Any] = {"about": None, "claim": None, "quick": None, "name": "-"}
_DEVICE = re.compile(r"(?:cpu|cuda(?::\d+)?|auto)\b")


def command_of(info: RunInfo) -> str:
    """The command line, for a shell, that trains the run's scenario with its seeds on its device once more: from its
    preset where that is how it can be said, else with the whole scenario in it. ScenarioError for a run that was not
    begun by a command."""
    if info.trainer == "watch":
        return _watched(read_watched(info.experiment, info.id))
    experiment = toml.loads(info.experiment, info.id)
    more = _options_of(info, experiment)
    said = _from_preset(info.preset, experiment) if info.preset else None
    if said is not None:
        return shlex.join(["condense-tui", "run", info.preset, *said, *more])
    text = toml.dumps(experiment).strip("\n")
    end = "END"
    while end in text.splitlines():
        end += "_"
    return f"{shlex.join(['condense-tui', 'run', '-', *more])} <<'{end}'\n{text}\n{end}"


def _options_of(info: RunInfo, experiment: Experiment) -> list[str]:
    """Where and under which name it is trained."""
    device = _DEVICE.match(info.device)
    found = ["--device", device[0]] if device else []
    if info.name not in {"", experiment.name}:
        found += ["--name", info.name]
    return found + (["--host", info.mirror.host] if info.mirror is not None else [])


def _from_preset(preset: str, experiment: Experiment) -> list[str] | None:
    """Options that make the experiment of a preset; None where there are none, as for one with other layers, or where
    the preset is not what it was when the run was made."""
    try:
        options = _options(build_scenario(preset, settings=[])[0], experiment)
        made, _ = build_scenario(preset, settings=[], **options)
        settings = _settings(made, experiment)
        made, _ = build_scenario(preset, settings=settings, **options)
    except CondenseError:
        return None
    if _trained(made) != _trained(experiment):
        return None
    words = [
        word
        for name, value in options.items()
        for word in (f"--{name.replace('_', '-')}", *([] if value is True else [str(value)]))
    ]
    return [*words, *(word for setting in settings for word in ("--set", setting))]


def _options(own: Experiment, wanted: Experiment) -> dict[str, Any]:
    """What has an option of its own and is not as in the preset."""
    found: dict[str, Any] = {}
    data, of_preset = wanted.data, with_absolute_paths(own).data
    name = str(data.__struct_config__.tag)
    given, before = ((tag := str(each.__struct_config__.tag), _given(tag, each)) for each in (data, of_preset))
    if given != before:
        found["data"] = name if given[1] is None else f"{name}:{given[1]}"
    if isinstance(data, Mnist | Cifar10 | Cifar100):
        if data.root != str(data_root(getattr(of_preset, "root", None)).resolve()):
            found["data_root"] = data.root
        if data.download and not getattr(of_preset, "download", False):
            found["download"] = True
    if wanted.seed != own.seed:
        found["seed"] = wanted.seed
    if wanted.ensemble.members != own.ensemble.members:
        found["seeds"] = wanted.ensemble.members
    if wanted.ensemble.vary != own.ensemble.vary:
        found["vary"] = wanted.ensemble.vary
    return found


def _given(name: str, data: Any) -> str | None:
    return str(getattr(data, GIVEN[name][0])) if name in GIVEN else None


def _settings(made: Experiment, wanted: Experiment) -> list[str]:
    """Fields that are not yet as they are wanted, as `--set` takes them."""
    there = {field.name: field.value for field in fields(with_absolute_paths(made))}
    return [f"{field.name}={field.value}" for field in fields(wanted) if there.get(field.name) != field.value]


def _trained(experiment: Experiment) -> Experiment:
    return msgspec.structs.replace(with_absolute_paths(experiment), **_NOT_TRAINED)


def _watched(watched: Watched) -> str:
    if not watched.script:
        raise ScenarioError("no command made this run: it is watched from a program of its own")
    return shlex.join(["condense-tui", "watch", watched.script, *watched.arguments])
