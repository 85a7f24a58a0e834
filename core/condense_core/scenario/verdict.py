"""What a count of draws says of a claim: a word, and how sure it is."""

from __future__ import annotations

import math
from typing import Literal

import msgspec

VerdictWord = Literal["holds", "holds in some draws", "does not hold", "not tested here"]

# The share of draws in which a claim of a paper must hold where the paper names none: decided before anything is looked
# at, and the same for all.
SHARE = 0.9
# Standard normal quantile of a two-sided 95 % interval.
Z95 = 1.959963984540054


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """A claim's word, the draws it holds in of those that were decided, and Wilson's 95 % interval for that share; the
    interval is None and `why` says what is missing where nothing was decided."""

    word: VerdictWord
    holds_in: int = 0
    of: int = 0
    interval: tuple[float, float] | None = None
    why: str = ""

    @property
    def words(self) -> str:
        """`holds in 7 of 10 draws`, `not tested here (why)`: the verdict as a person reads it."""
        if self.word == "not tested here":
            return f"not tested here ({self.why})" if self.why else "not tested here"
        if self.word == "holds in some draws":
            return f"holds in {self.holds_in} of {self.of} draws"
        return f"{self.word} ({self.holds_in} of {self.of} draws)"

    @property
    def interval_words(self) -> str:
        """`.40 to .89`; empty where nothing was decided."""
        return "" if self.interval is None else " to ".join(f"{bound:.2f}".removeprefix("0") for bound in self.interval)


def judge(share: float, holds_in: int, of: int) -> Verdict:
    """The verdict on a claim that holds in so many of the decided draws and names that share of them."""
    if not of:
        return not_tested("no draw was decided")
    word: VerdictWord = (
        "holds" if enough(share, holds_in, of) else "holds in some draws" if holds_in else "does not hold"
    )
    return Verdict(word=word, holds_in=holds_in, of=of, interval=wilson(holds_in, of))


def not_tested(why: str) -> Verdict:
    """No verdict, and the reason."""
    return Verdict(word="not tested here", why=why)


def enough(share: float, holds_in: int, of: int) -> bool:
    """Whether a claim that holds in so many of the decided draws holds in the share that it names."""
    return holds_in >= needed(share, of)


def needed(share: float, of: int) -> int:
    """The fewest of so many draws that are the share."""
    # counts, not quotients: 9 of 10 is the 0.9 that was asked for, whatever 0.9 is in binary
    return math.ceil(share * of - 1e-9)


def wilson(holds_in: int, of: int, z: float = Z95) -> tuple[float, float]:
    """Wilson's score interval for the share of which `holds_in` of `of` draws were seen; ValueError without a draw."""
    if not 0 <= holds_in <= of or of < 1:
        raise ValueError(f"expected 0 to `of` of at least one draw, got {holds_in} of {of}")
    share = holds_in / of
    middle = (share + z**2 / (2 * of)) / (1 + z**2 / of)
    half = z / (1 + z**2 / of) * math.sqrt(share * (1 - share) / of + z**2 / (4 * of**2))
    # the bounds at none and at all are exact, whatever rounding makes of them
    return (0.0 if holds_in == 0 else middle - half), (1.0 if holds_in == of else middle + half)


def broken(expected: tuple[int, int], found: tuple[int, int]) -> bool:
    """Whether a count contradicts one that was declared before, each as (holds in, of): their intervals are apart."""
    (low, high), (other_low, other_high) = wilson(*expected), wilson(*found)
    return high < other_low or other_high < low
