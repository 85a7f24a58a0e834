"""Texts of people and files: scenarios, hosts.toml, and checkpoints. Each is taken, or refused in one clean line."""

from __future__ import annotations

import contextlib
import json
import math
import re
import struct
import time
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

from test_foreign_text import PIECES

from campaigns.framework import Attempt, Campaign, Scene, SkippedError
from condense_core.errors import CondenseError, RunFileError, ScenarioError
from condense_core.remote.client.hosts import find_host, read_hosts
from condense_core.runfile.info import CHECKPOINT_NAME
from condense_core.scenario import toml
from condense_core.scenario.figures import load_figure
from condense_presets import preset_files, preset_text

PATIENCE_S = 10.0
# What a host may be called, and what it must not be.
TARGETS = (
    *("me@gpu.example.org", "gpu-box", "ssh://me@[::1]:2222", "-oProxyCommand=touch owned", "-E", "--", "a b"),
    *("me@host\n-oX", "\x1b[2Jhost", "host\u202e", "", " host", "x" * 300, "$(touch owned)", "a\0b"),
)
HOSTS = """
[gpu-box]
ssh = "me@gpu.example.org"
command = "module load python && ~/condense/bin/condense-tui"
launcher = "srun --gres=gpu:1"
runs_dir = "/scratch/my runs"

[plain]
"""


def refused(call: Callable[[], object], kind: type[CondenseError]) -> bool:
    """Whether there was an error: of that kind of ours, one clean line of bounded length, in bounded time."""
    begun = time.monotonic()
    try:
        call()
    except CondenseError as error:
        text = str(error)
        assert isinstance(error, kind), f"{type(error).__name__}: {text}"
        assert 0 < len(text) < 2_000
        assert not any(unicodedata.category(character)[0] == "C" for character in text), repr(text)
        return True
    finally:
        assert time.monotonic() - begun < PATIENCE_S, "took too long"
    return False


def mutated(draw: Random, text: str, other: str) -> str:
    """A text with pieces left out, put in, repeated or taken from another, or only with other numbers in a value."""
    if draw.random() < 0.4:
        values = list(re.finditer(r"(?<== )[^\n]+", text))
        for match in draw.sample(values, min(len(values), draw.choice((1, 1, 2)))):
            number = re.sub(r"\d", lambda _: str(draw.randrange(10)), match[0])
            if number != match[0]:
                return text[: match.start()] + number + text[match.end() :]
    for _ in range(draw.choice((1, 1, 2, 4, 12))):
        at, how = draw.randrange(len(text) + 1), draw.randrange(6)
        if how == 0:
            text = text[:at] + text[at + draw.randrange(40) :]
        elif how == 1:
            text = text[:at] + draw.choice(PIECES) + text[at + draw.randrange(10) :]
        elif how == 2:
            text = text[:at] + chr(draw.choice((draw.randrange(128), draw.randrange(0xD7FF)))) + text[at + 1 :]
        elif how == 3:
            end = at + draw.randrange(200)
            text = text[:end] + text[at:end] + text[end:]
        elif how == 4:
            start = draw.randrange(len(other))
            text = text[:at] + other[start : start + draw.randrange(200)] + text[at:]
        else:
            lines = text.split("\n")
            draw.shuffle(lines)
            text = "\n".join(lines)
    return text


@contextlib.contextmanager
def scenarios(scene: Scene) -> Iterator[Attempt]:
    presets = [preset_text(name) for name in sorted(preset_files())]
    counts = {"refused": 0}

    def attempt(draw: Random, folder: Path) -> int:
        text = mutated(draw, draw.choice(presets), draw.choice(presets))
        (folder / "scenario.toml").write_text(text, encoding="utf-8", errors="surrogatepass")
        no = refused(lambda: toml.loads(text, "here"), ScenarioError)
        counts["refused"] += no
        for call in (toml.parse, toml.ensemble_and_claim, load_figure):
            refused(lambda call=call: call(text), ScenarioError)
        if not no:
            # what was taken is written and read again as itself
            found = toml.loads(text, "here")
            assert repr(toml.loads(toml.dumps(found))) == repr(found), "another scenario than was written"
        return 1

    yield attempt
    scene.notes.append(f"{counts['refused']:,} refused")


@contextlib.contextmanager
def hosts(scene: Scene) -> Iterator[Attempt]:
    counts = {"refused": 0}

    def attempt(draw: Random, folder: Path) -> int:
        text = HOSTS.replace('"me@gpu.example.org"', json.dumps(draw.choice(TARGETS)))
        if draw.random() < 0.7:
            text = mutated(draw, text * draw.choice((1, 1, 3)), preset_text("digits-gd"))
        (folder / "hosts.toml").write_text(text, encoding="utf-8", errors="surrogatepass")
        if refused(lambda: read_hosts(text, "here"), ScenarioError):
            counts["refused"] += 1
        else:
            for host in read_hosts(text, "here").values():
                check_target(host.ssh)
        target = draw.choice((*TARGETS, mutated(draw, "me@gpu.example.org", text)))
        if not refused(lambda: find_host(target), ScenarioError):
            check_target(find_host(target).ssh)
        return 1

    yield attempt
    scene.notes.append(f"{counts['refused']:,} refused")


def check_target(target: str) -> None:
    """Never an option of ssh's, nor several words, and nothing that steers a terminal."""
    assert target, "no target"
    assert not target.startswith("-"), f"an option of ssh's: {target!r}"
    assert target.isprintable() and " " not in target, repr(target)


@contextlib.contextmanager
def checkpoints(scene: Scene) -> Iterator[Attempt]:
    try:
        import torch

        from condense_core.engine import checkpoint
        from condense_core.engine.data import datasets
        from condense_core.engine.network.given_weights import load_weights
        from condense_core.engine.steppers import make_ensemble
    except ImportError:
        raise SkippedError("PyTorch is not installed") from None
    from campaigns.workers import experiment

    scenario = experiment("three seeds")
    samples = [datasets.load(member.data) for member in scenario.members]
    ensemble = make_ensemble(scenario, samples, torch.device("cpu"))
    state = ensemble.state_dict()
    checkpoint.save(state, scene.folder, 7)
    good = (scene.folder / CHECKPOINT_NAME).read_bytes()
    counts = {"refused": 0}
    ensemble.load_state_dict(checkpoint.load(scene.folder) or {})

    def attempt(draw: Random, folder: Path) -> int:
        file = folder / CHECKPOINT_NAME
        file.write_bytes(spoilt(draw, good) if draw.random() < 0.4 else of_another(draw, state))

        def resume() -> None:
            found = checkpoint.load(folder)
            assert found is not None
            checkpoint.recorded_to(folder)
            ensemble.load_state_dict(found)
            # else the loop would look for the next step that is due, and there is none
            assert 0 <= ensemble.step <= scenario.steps, f"goes on at step {ensemble.step}"

        counts["refused"] += refused(resume, RunFileError)
        refused(lambda: load_weights(torch.nn.Linear(3, 12), file), ScenarioError)
        ensemble.load_state_dict(state)
        return 1

    yield attempt
    scene.notes.append(f"{counts['refused']:,} refused")


def of_another(draw: Random, state: dict[str, Any]) -> bytes:
    """A sound file whose tensors are others than the network's: missing, more, of another shape, type or value."""
    import torch
    from safetensors.torch import save

    found = {name: value.detach().clone() for name, value in state.items()}
    for _ in range(draw.choice((0, 1, 1, 1, 2))):
        name = draw.choice([*found, *["step", "ended"] * 5, "optimiser.steps", "member.7.network.x"])
        value = found.get(name, torch.zeros(1))
        numbers = (math.nan, math.inf, -1.0, 0.0, 1e300, 2.0**63, 0.5, 3.0)
        match draw.randrange(6):
            case 0:
                found.pop(name, None)
            case 1:
                found[name] = value.to(
                    draw.choice((torch.float32, torch.int64, torch.bool, torch.bfloat16, torch.uint8))
                )
            case 2:
                found[name] = value.flatten()[: draw.randrange(1 + value.numel())].clone()
            case 3:
                found[name] = value.expand(2, *value.shape).clone()
            case 4:
                found[name] = torch.full(value.shape, draw.choice(numbers), dtype=torch.float64)
            case _:
                found[name] = torch.tensor([draw.choice((0, 1, 2, 3, -1, 2**62)) for _ in range(draw.randrange(4))])
    texts = ("7", "", "-1", "9" * 5000, "seven", "1e3", "\x1b[2J")
    return save(found, {"recorded_to": draw.choice(texts)} if draw.random() < 0.5 else None)


def spoilt(draw: Random, good: bytes) -> bytes:
    """A checkpoint with wrong bytes, or a head that says something else of the same bytes."""
    content = bytearray(good)
    (size,) = struct.unpack("<Q", good[:8])
    how = draw.randrange(6)
    if how == 0:
        del content[draw.randrange(len(content)) :]
    elif how == 1:
        content[:8] = struct.pack("<Q", draw.choice((0, 1, size - 1, size + 1, 2**31, 2**63, draw.randrange(2**64))))
    elif how in {2, 3}:
        head = json.loads(good[8 : 8 + size])
        name = draw.choice(list(head))
        entry = head[name]
        if name == "__metadata__" or draw.random() < 0.2:
            values = ({}, None, [], "x" * 9000, {"recorded_to": "9" * 5000}, {"recorded_to": "\x1b[2J"})
            head[draw.choice((name, "other", "step", "ended"))] = draw.choice((*values, entry))
        else:
            field = draw.choice(list(entry))
            entry[field] = draw.choice(("F64", "I64", "BOOL", "U8", [], [0], [2**62], [-1], [3, 3], [0, 4], [10**9, 1]))
        if draw.random() < 0.3:
            head.pop(draw.choice(list(head)))
        written = json.dumps(head).encode()
        content[: 8 + size] = struct.pack("<Q", len(written)) + written
    else:
        in_head = draw.random() < 0.6
        for _ in range(draw.choice((1, 4, 40))):
            at = draw.randrange(8 + size) if in_head else draw.randrange(len(content))
            content[at] = draw.choice((draw.randrange(256), content[at] ^ 1 << draw.randrange(8)))
    return bytes(content)


SCENARIOS = Campaign("scenarios", "mutated presets as scenarios", "scenarios", tried=5_000, short=60, open=scenarios)
HOSTS_FILES = Campaign("hosts", "mutated hosts.toml", "files", tried=1_000, short=60, open=hosts)
CHECKPOINTS = Campaign(
    "checkpoints",
    "mutated checkpoints, loaded as a resumed run does",
    "checkpoints",
    tried=500,
    short=20,
    open=checkpoints,
)
