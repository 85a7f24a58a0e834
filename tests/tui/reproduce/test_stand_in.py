"""Other images in the place of a preset's own, and the smaller version that `--quick` trains."""

from __future__ import annotations

from pathlib import Path

import pytest

from condense_core.errors import CondenseError
from condense_core.scenario import toml
from condense_core.scenario.experiment import Cifar10, Digits, Folder, Mnist
from condense_tui.reproduce.plan import make_plan
from condense_tui.reproduce.stand_in import stand_ins

CONV = """
name = "conv"
steps = 100
loss = "cross-entropy"
layers = [{ kind = "conv", width = 4 }]
about = { summary = "s", minutes_cpu = 2.0, finding = "in full" }
data = { name = "NAME", samples = 500, test_samples = 7 }
init = { scheme = "normal", std = 0.005 }
optimizer = { name = "adam", lr = 1e-4 }
[quick]
minutes_cpu = 0.25
finding = "in small"
set = { "data.samples" = 20, steps = 50 }
"""


def presets() -> dict[str, object]:
    return {name: toml.loads(CONV.replace("NAME", name)) for name in ("cifar10", "mnist", "digits")}


def test_a_folder_stands_in_for_the_data_it_is_named_for_and_no_other(tmp_path):
    images = tmp_path / "images"
    (images / "cats").mkdir(parents=True)
    given = stand_ins([f"cifar10=folder:{images}", "mnist=digits"])
    plan = make_plan(presets(), out=tmp_path, seeds=1, data_root=tmp_path, stand_ins=given)
    cifar, mnist, digits = plan.presets
    data = cifar.cells[0].experiment.data
    assert isinstance(data, Folder)
    assert (data.path, data.size, data.grey, data.samples, data.test_samples) == (str(images), 32, False, 500, 7)
    assert cifar.changes == (f"data: folder:{images} in place of cifar10",)
    assert isinstance(mnist.cells[0].experiment.data, Digits)
    assert mnist.changes == ("data: digits in place of mnist",)
    assert digits.changes == ()


def test_images_for_mnists_filters_are_made_grey(tmp_path):
    (tmp_path / "images").mkdir()
    given = stand_ins([f"mnist=folder:{tmp_path}/images"])
    (plan,) = make_plan({"mnist": presets()["mnist"]}, out=tmp_path, seeds=1, stand_ins=given).presets
    assert (plan.experiment.data.size, plan.experiment.data.grey) == (28, True)


def test_runs_of_images_that_have_changed_since_are_not_taken_for_these(tmp_path):
    image = tmp_path / "images" / "cats" / "one.png"
    image.parent.mkdir(parents=True)
    image.write_bytes(b"a picture")

    def folder(name: str) -> Path:
        given = stand_ins([f"cifar10=folder:{tmp_path}/images"])
        (plan,) = make_plan({name: presets()[name]}, out=tmp_path, seeds=1, stand_ins=given).presets
        return plan.cells[0].folder

    before, of_others = folder("cifar10"), folder("digits")
    assert folder("cifar10") == before
    image.write_bytes(b"another picture")
    assert folder("cifar10") != before
    assert folder("digits") == of_others


def test_without_a_stand_in_data_that_are_missing_are_said(tmp_path):
    plan = make_plan(presets(), out=tmp_path, seeds=1, data_root=tmp_path)
    assert [bool(item.not_run) for item in plan.presets] == [True, True, False]
    assert isinstance(plan.presets[0].experiment.data, Cifar10)
    assert isinstance(plan.presets[1].experiment.data, Mnist)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("cifar10", "expected NAME=SOURCE"),
        ("cifar10=", "expected NAME=SOURCE"),
        ("cifar1=digits", "did you mean 'cifar10'?"),
        ("cifar10=minst", "unknown source 'minst'; expected one of"),
        ("cifar10=digits:x", "unknown source 'digits:x'"),
        ("cifar10=folder", "expected folder:PATH"),
        ("cifar10=folder:/nowhere", "no folder /nowhere"),
    ],
)
def test_a_wrong_stand_in_is_one_line(option, message):
    with pytest.raises(CondenseError, match="--data") as caught:
        stand_ins([option])
    assert message in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_set_is_replaced_once():
    with pytest.raises(CondenseError, match="given twice"):
        stand_ins(["mnist=digits", "mnist=photos"])


def test_quick_trains_the_smaller_version_says_so_and_keeps_it_apart(tmp_path):
    only = {"digits": presets()["digits"]}
    (whole,) = make_plan(only, out=tmp_path, seeds=1).presets
    (quick,) = make_plan(only, out=tmp_path, seeds=1, quick=True).presets
    assert (whole.experiment.steps, whole.minutes, whole.changes) == (100, 2.0, ())
    assert (quick.experiment.steps, quick.experiment.data.samples, quick.minutes) == (50, 20, 0.25)
    assert quick.changes == (
        "quick setting: data.samples 20 instead of 500",
        "quick setting: steps 50 instead of 100",
    )
    assert quick.cells[0].folder != whole.cells[0].folder
    assert quick.experiment.quick is whole.experiment.quick is None, "what is trained names no other settings"
