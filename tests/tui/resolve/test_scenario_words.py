"""A mistake is said in the words that it was made in."""

from __future__ import annotations

import pytest

from condense_core.errors import ScenarioError
from condense_presets import preset_text
from condense_tui.resolve.scenario import build_scenario, changed


@pytest.mark.parametrize(
    ("given", "settings", "said"),
    [
        ({"seeds": 5000}, [], "--seeds: expected 1 to 4096, got 5000"),
        ({"seed": -3}, [], "--seed: expected 0 to 2^63 - 1, got -3"),
        ({}, ["ensemble.members=5000"], "digits-gd: ensemble.members: expected 1 to 4096, got 5000"),
        ({"seeds": 3}, ["ensemble.members=5000"], "digits-gd: ensemble.members: expected 1 to 4096, got 5000"),
        ({"seeds": 3}, ["steps=-1"], "digits-gd: steps: "),
    ],
)
def test_an_option_is_called_as_it_was_typed(given, settings, said):
    with pytest.raises(ScenarioError) as error:
        build_scenario("digits-gd", settings=settings, **given)
    assert str(error.value).startswith(said)


def test_a_field_of_the_form_is_called_as_it_stands_there():
    with pytest.raises(ScenarioError, match=r"^seeds: expected 1 to 4096, got 5000"):
        changed(preset_text("digits-gd"), "digits-gd", data="", seed="0", seeds="5000", settings=[])
