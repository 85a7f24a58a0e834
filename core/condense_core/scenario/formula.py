"""A target written as a formula, such as `sin(3*x1) + relu(x2 - 0.5)`: read here, never given to Python.

    sum     = product (("+" | "-") product)*
    product = signed (("*" | "/") signed)*
    signed  = ("-" | "+") signed | power
    power   = atom [("**" | "^") signed]
    atom    = NUMBER | "pi" | "e" | VARIABLE | FUNCTION "(" sum ("," sum)* ")" | "(" sum ")"

Length and nesting are bounded, so that a formula from elsewhere can do no more than be refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import NamedTuple

from condense_core.errors import nearest
from condense_core.text import short

# Characters of a formula: several lines of a terminal.
LONGEST = 500
# Brackets, signs and powers inside each other.
DEEPEST = 40
# Functions with their number of arguments; the engine has what each of them computes.
FUNCTIONS: Mapping[str, int] = {
    "sin": 1,
    "cos": 1,
    "tan": 1,
    "exp": 1,
    "log": 1,
    "sqrt": 1,
    "abs": 1,
    "sign": 1,
    "tanh": 1,
    "sigmoid": 1,
    "relu": 1,
    "min": 2,
    "max": 2,
}
CONSTANTS: Mapping[str, float] = {"pi": math.pi, "e": math.e}

_TOKEN = re.compile(r"\s*(?:((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|([A-Za-z_]\w*)|(\*\*|[-+*/^(),])|(\S))", re.ASCII)
_VARIABLE = re.compile(r"x([1-9]\d{0,8})", re.ASCII)


class Variable(NamedTuple):
    """An input by its place, from 0: `x1` is the first."""

    place: int


class Applied(NamedTuple):
    """A function of FUNCTIONS, an operator (`+ - * / **`) or `negative`, of what it is applied to."""

    function: str
    arguments: tuple[Term, ...]


Term = float | Variable | Applied


def parse(text: str, inputs: int) -> Term:
    """The formula as a tree; ValueError says in one line what was expected, and where."""
    if len(text) > LONGEST:
        raise ValueError(f"expected at most {LONGEST} characters, got {len(text):,}")
    return _Parser(text, inputs).whole()


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


class _Parser:
    def __init__(self, text: str, inputs: int) -> None:
        kinds = ("number", "name", "sign", "other")
        # what ends a formula is space at most
        found = _TOKEN.finditer(text.rstrip())
        self._tokens = [
            _Token(kinds[match.lastindex - 1], match[match.lastindex], match.start(match.lastindex))
            for match in found
            if match.lastindex
        ]
        self._tokens.append(_Token("end", "", len(text)))
        self._inputs = inputs
        self._next = 0
        self._depth = 0

    def whole(self) -> Term:
        term = self._sum()
        if self._here.kind != "end":
            raise self._refused("an operator (+ - * / **)")
        return term

    @property
    def _here(self) -> _Token:
        return self._tokens[self._next]

    def _take(self, *signs: str) -> str:
        """The next token if it is one of these signs, else nothing."""
        here = self._here
        if here.kind != "sign" or here.text not in signs:
            return ""
        self._next += 1
        return here.text

    def _sum(self) -> Term:
        term = self._product()
        while sign := self._take("+", "-"):
            term = Applied(sign, (term, self._product()))
        return term

    def _product(self) -> Term:
        term = self._signed()
        while sign := self._take("*", "/"):
            term = Applied(sign, (term, self._signed()))
        return term

    def _signed(self) -> Term:
        self._depth += 1
        if self._depth > DEEPEST:
            raise ValueError(f"expected at most {DEEPEST} brackets, signs and powers inside each other")
        sign = self._take("-", "+")
        term = self._signed() if sign else self._power()
        self._depth -= 1
        return Applied("negative", (term,)) if sign == "-" else term

    def _power(self) -> Term:
        base = self._atom()
        return Applied("**", (base, self._signed())) if self._take("**", "^") else base

    def _atom(self) -> Term:
        here = self._here
        if self._take("("):
            term = self._sum()
            self._close()
            return term
        if here.kind == "number":
            self._next += 1
            value = float(here.text)
            if not math.isfinite(value):
                raise ValueError(f"expected a finite number, got {short(here.text, 20)}")
            return value
        if here.kind == "name":
            self._next += 1
            return self._named(here)
        raise self._refused(f"a number, {self._variables}, a function or '('")

    def _named(self, name: _Token) -> Term:
        if self._take("("):
            return self._call(name.text)
        if name.text in CONSTANTS:
            return CONSTANTS[name.text]
        variable = _VARIABLE.fullmatch(name.text)
        if variable and int(variable[1]) <= self._inputs:
            return Variable(int(variable[1]) - 1)
        if name.text in FUNCTIONS:
            raise ValueError(f"expected '(' after the function {name.text}")
        raise ValueError(f"unknown name {short(name.text)}; expected {self._variables} (data.inputs = {self._inputs})")

    def _call(self, name: str) -> Term:
        if name not in FUNCTIONS:
            raise ValueError(f"unknown function {short(name)}; {nearest(name, FUNCTIONS)}")
        arguments = [self._sum()]
        while self._take(","):
            arguments.append(self._sum())
        self._close()
        if len(arguments) != FUNCTIONS[name]:
            raise ValueError(
                f"{name} takes {FUNCTIONS[name]} argument{'s' * (FUNCTIONS[name] > 1)}, got {len(arguments)}"
            )
        return Applied(name, tuple(arguments))

    def _close(self) -> None:
        if not self._take(")"):
            raise self._refused("')' or an operator")

    @property
    def _variables(self) -> str:
        return "x1" if self._inputs == 1 else f"x1 to x{self._inputs}"

    def _refused(self, expected: str) -> ValueError:
        here = self._here
        got = "the end" if here.kind == "end" else f"{short(here.text, 20)} at character {here.at + 1}"
        return ValueError(f"expected {expected}, got {got}")
