"""Formulas: what they compute, and what is no formula."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from condense_core.engine.data.formulas import values
from condense_core.errors import ScenarioError
from condense_core.scenario import toml
from condense_core.scenario.data import Formula
from condense_core.scenario.formula import DEEPEST, LONGEST, parse

POINT = (0.7, -1.3)


def value(text: str) -> float:
    return float(values(parse(text, 2), np.array([POINT]))[0])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sin(3*x1) + relu(x2 - 0.5)", math.sin(2.1)),
        ("sin(3*x1)+relu(-x2-.5)", math.sin(2.1) + 0.8),
        ("2 - 3 - 4", -5),
        ("2 * 3 + 4 * 5", 26),
        ("12 / 4 / 3", 1),
        ("-2**2", -4),
        ("2**-1", 0.5),
        ("2**3**2", 512),
        ("2^3", 8),
        ("- - +x1", 0.7),
        ("(x1 + x2) * (x1 - x2)", 0.49 - 1.69),
        ("1e-3 + 2.5E+1 + .5 + 3.", 28.501),
        ("pi * e", math.pi * math.e),
        ("exp(x1) + log(x1) + sqrt(x1)", math.exp(0.7) + math.log(0.7) + math.sqrt(0.7)),
        ("cos(x1) + tan(x1) + tanh(x2)", math.cos(0.7) + math.tan(0.7) + math.tanh(-1.3)),
        ("sigmoid(x2)", 1 / (1 + math.exp(1.3))),
        ("sigmoid(-1e4)", 0),
        ("abs(x2) + sign(x2)", 0.3),
        ("max(x1, x2) - min(x1, x2)", 2.0),
    ],
)
def test_what_a_formula_computes(text, expected):
    assert value(text) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected a number, x1 to x2, a function or '(', got the end"),
        ("x1 +", "got the end"),
        ("x3", "unknown name 'x3'; expected x1 to x2 (data.inputs = 2)"),
        ("x0", "unknown name 'x0'"),
        ("y", "unknown name 'y'"),
        ("sin", "expected '(' after the function sin"),
        ("sine(x1)", "unknown function 'sine'; did you mean 'sin'?"),
        ("__import__('os')", "unknown function '__import__'"),
        ("x1.real", "expected an operator (+ - * / **), got '.' at character 3"),
        ("x1 if x2 else 0", "expected an operator (+ - * / **), got 'if' at character 4"),
        ("(x1", "expected ')' or an operator, got the end"),
        ("x1)", "got ')' at character 3"),
        ("2x1", "expected an operator"),
        ("max(x1)", "max takes 2 arguments, got 1"),
        ("sin(x1, x2)", "sin takes 1 argument, got 2"),
        ("x1 ** ", "got the end"),
        ("1e999", "expected a finite number"),
        ("x1 + \x1b[2J", "expected a number"),
        ("x" + "1" * 100, "unknown name"),
        ("x1 +" * LONGEST, f"expected at most {LONGEST} characters"),
        ("(" * 200 + "x1" + ")" * 200, f"at most {DEEPEST} brackets"),
        ("-" * 400 + "x1", f"at most {DEEPEST} brackets"),
        ("2**" * 150 + "2", f"at most {DEEPEST} brackets"),
        ("sin(" * 100 + "x1", f"at most {DEEPEST} brackets"),
    ],
)
def test_what_is_no_formula(text, said):
    with pytest.raises(ValueError, match=r"expected|unknown|takes") as caught:
        parse(text, 2)
    assert said in str(caught.value)
    assert len(str(caught.value)) < 300


PARTS = [
    "x1",
    "x2",
    "x9",
    "3",
    ".5",
    "1e",
    "+",
    "-",
    "*",
    "/",
    "**",
    "^",
    "(",
    ")",
    ",",
    "sin(",
    "max(",
    "pi",
    " ",
    "é",
    "\0",
]


@given(st.one_of(st.text(max_size=60), st.lists(st.sampled_from(PARTS), max_size=60).map("".join)))
def test_any_text_is_a_formula_or_refused_in_one_line(text):
    try:
        term = parse(text, 2)
    except ValueError as error:
        assert "\n" not in str(error)
        assert len(str(error)) < 400
    else:
        assert values(term, np.array([POINT])).shape == (1,)


def test_the_longest_formula_is_read():
    text = "x1" + "+x1" * ((LONGEST - 2) // 3)
    assert value(text) == pytest.approx(0.7 * (1 + (LONGEST - 2) // 3))


def test_a_scenario_names_the_field():
    with pytest.raises(ValueError, match="target: unknown name 'x2'; expected x1"):
        Formula(target="x2")
    with pytest.raises(ValueError, match=r"samples: expected a grid .* inputs .2., got 10"):
        Formula(target="x2", inputs=2, samples=10, spacing="even")
    with pytest.raises(ValueError, match="low: expected less than high"):
        Formula(target="x1", low=2.0)


def test_a_formula_is_a_field_of_a_scenario():
    text = """
name = "own"
steps = 10
layers = [{ kind = "dense", width = 4 }]
[data]
name = "formula"
target = "sin(3*x1) + relu(x2 - 0.5)"
inputs = 2
samples = 9
spacing = "even"
[init]
scheme = "normal"
std = 0.01
[optimizer]
name = "gd"
lr = 0.1
"""
    experiment = toml.loads(text)
    assert toml.loads(toml.dumps(experiment)) == experiment
    for change, said in (
        ("cross-entropy", "loss: expected 'mse' for data.name = 'formula'"),
        ('mse"\ntrunk = "resnet18', "trunk: expected images as data, got 'formula'"),
    ):
        with pytest.raises(ScenarioError, match=said):
            toml.loads(text.replace("steps = 10", f'steps = 10\nloss = "{change}"'))
