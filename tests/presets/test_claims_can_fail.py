"""What each claim is about: without it, the claim does not hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec
import numpy as np
import pytest
import torch

from condense_core.engine.data.datasets import Dataset, load
from condense_core.engine.probes import Measurement, probes_for
from condense_core.engine.steppers import make_ensemble
from condense_core.runfile import frames
from condense_core.runs.standing import failures
from condense_core.scenario import toml
from condense_core.scenario.experiment import Anchors, Ensemble, Experiment, Formula, Sine
from condense_presets import preset_files, preset_text

Vary = Literal["init", "data", "both"]
PRESETS = {name: toml.loads(preset_text(name), name) for name in sorted(preset_files())}
ABOUT = {
    kind: [name for name, item in PRESETS.items() if item.claim.about == kind] for kind in ("training", "data", "loss")
}
# Samples that are made, and need no images.
MADE = Sine | Formula | Anchors
DRAWS = 40
# A claim about training that holds in more than so many of 40 draws without it is about something else.
BY_CHANCE = 2
# Of 500 images, whose spectrum is what takes the time.
FEW_DRAWS = 6
# A ResNet18 takes half a second to draw.
DRAWS_OF_A_TRUNK = 3
# Images from which the spectrum's direction is found all the same; a pass over them is what takes the time.
FEW_IMAGES = 12


class Recorded:
    """What was measured of one network, as far as a claim reads a run: every step has the same."""

    def __init__(self, experiment: Experiment, found: Measurement) -> None:
        self.experiment = experiment
        self.layers = (*experiment.layer_names, *experiment.output_names)
        self._scalars = dict(found.scalars)
        self._spectra = {layer: item for layer, item in found.frames if isinstance(item, frames.Spectrum)}

    def last(self, name: str, at: int | None = None) -> float:
        return self._scalars.get(name, float("nan"))

    def curve(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        there = name in self._scalars
        return np.arange(int(there)), np.array([self._scalars[name]] if there else [])

    def spectrum(self, layer: str, step: int | None = None) -> frames.Spectrum | None:
        return self._spectra.get(layer)


def measured(experiment: Experiment, datasets: list[Dataset], steps: int = 0) -> Iterator[Recorded]:
    """What is measured of every member after so many steps."""
    ensemble = make_ensemble(experiment, datasets, torch.device("cpu"))
    probes = [
        probes_for(member, view).values() for member, view in zip(experiment.members, ensemble.observe(), strict=True)
    ]
    for _ in range(steps):
        ensemble.advance()
    for member, view, each in zip(experiment.members, ensemble.observe(), probes, strict=True):
        found = Measurement(ensemble.step)
        for probe in each:
            probe.measure(view, found)
        yield Recorded(member, found)


def holds(recorded: Recorded) -> bool:
    return failures(recorded.experiment.claim, recorded) == []


def drawn(name: str, draws: int, *settings: str, vary: Vary = "both") -> Experiment:
    """The preset with settings changed, so many draws of it."""
    table = toml.override(toml.parse(toml.dumps(PRESETS[name])), settings)
    return msgspec.structs.replace(toml.build(table), ensemble=Ensemble(members=draws, vary=vary))


def datasets_of(experiment: Experiment) -> list[Dataset]:
    """Every member's sample: points of a target, or images of noise, which is what dealt pixels are."""
    return [load(item.data) if isinstance(item.data, MADE) else noise_images(item) for item in experiment.members]


def noise_images(experiment: Experiment) -> Dataset:
    """Images of noise in the shape of the scenario's own, which need not be here."""
    shape = {"mnist": (1, 28, 28), "digits": (1, 8, 8), "photos": (3, 16, 16)}.get(
        experiment.data.__struct_config__.tag, (3, 32, 32)
    )
    classes = {"photos": 2, "cifar100": 100}.get(experiment.data.__struct_config__.tag, 10)
    generator = torch.Generator().manual_seed(experiment.data.seed)
    label = torch.randint(classes, (experiment.data.samples,), generator=generator)
    one_hot = torch.nn.functional.one_hot(torch.arange(classes), classes).double()
    number = torch.arange(classes).double()[:, None]
    class_target = one_hot if experiment.data.labels == "onehot" else number
    if experiment.data.labels == "centred":
        class_target = number - label.double().mean()
    return Dataset(
        name="noise",
        note="",
        input=torch.rand(experiment.data.samples, *shape, generator=generator, dtype=torch.float64),
        target=class_target[label],
        label=label,
        class_target=class_target,
    )


def most_in_make_full(names: list[str]) -> list[object]:
    """All take a minute and a half: but for one in eight, and no ResNet18 among them, they are for `make full`."""
    at_once = [name for name in names if not PRESETS[name].trunk][::8]
    return [name if name in at_once else pytest.param(name, marks=pytest.mark.thorough) for name in names]


@pytest.mark.parametrize("name", most_in_make_full(ABOUT["training"]))
def test_a_claim_about_training_does_not_hold_without_any(name):
    images = [] if isinstance(PRESETS[name].data, MADE) else [f"data.samples={FEW_IMAGES}", "data.test_samples=0"]
    if isinstance(PRESETS[name].data, Anchors):
        images = ["data.samples=200", "data.test_samples=40"]
    draws = DRAWS_OF_A_TRUNK if PRESETS[name].trunk else DRAWS
    # before its first step a network is what it is at a learning rate of 0 at any step
    experiment = drawn(name, draws, *images, "optimizer.batch=none")
    held = sum(holds(recorded) for recorded in measured(experiment, datasets_of(experiment)))
    assert held <= (BY_CHANCE if draws == DRAWS else 0)


@pytest.mark.parametrize("name", ["fcn-fig03-x2tanh-demo", "fcn-fig05-xtanh-demo"])
def test_with_training_a_claim_can_hold_as_it_is_judged_here(name):
    experiment = drawn(name, 10, vary="init")
    trained = measured(experiment, datasets_of(experiment), PRESETS[name].steps)
    assert sum(holds(recorded) for recorded in trained) >= 9


@pytest.mark.parametrize(
    ("name", "draws"),
    [
        (ABOUT["data"][0], FEW_DRAWS),
        *(pytest.param(name, DRAWS, marks=pytest.mark.thorough) for name in ABOUT["data"]),
    ],
)
def test_a_claim_about_data_does_not_hold_where_pixels_are_dealt_anew(name, draws):
    experiment = drawn(name, draws)
    held = sum(holds(recorded) for recorded in measured(experiment, datasets_of(experiment)))
    assert held <= (BY_CHANCE if draws == DRAWS else 0)


def test_a_claim_about_data_can_hold_as_it_is_judged_here():
    experiment = drawn("cnn-fig07", 5, "data.name=photos", "data.size=32")
    photos = [load(member.data) for member in experiment.members]
    assert sum(holds(recorded) for recorded in measured(experiment, photos)) == 5


@pytest.mark.parametrize("name", ABOUT["loss"])
def test_a_claim_about_the_initial_stage_does_not_hold_at_a_hundred_times_the_learning_rate(name):
    experiment = drawn(name, 20, f"optimizer.lr={100 * PRESETS[name].optimizer.lr}")
    trained = measured(experiment, datasets_of(experiment), PRESETS[name].steps)
    assert sum(holds(recorded) for recorded in trained) <= 1
