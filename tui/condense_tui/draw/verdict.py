"""How a claim stands, in words: the same on every screen, list, table and page.

Never colour alone: a sign, a word, and the requirement that decides with its value against what is wanted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from condense_core.measure_table import MEASURES
from condense_core.scalar_names import layer_in_words
from condense_core.thresholds import COARSE, FINE
from condense_tui.draw.numbers import step
from condense_tui.draw.written import over, written

if TYPE_CHECKING:
    from condense_core.runs.claim_state import ClaimState, Finding, Standing


class VerdictSign(NamedTuple):
    """The sign, the word, and the name of the style in `look.Look`."""

    sign: str
    word: str
    style: str


SIGNS: dict[ClaimState, VerdictSign] = {
    "holds": VerdictSign("✔", "holds", "good"),
    "does not hold": VerdictSign("✖", "does not hold", "bad"),
    # not green: nothing is decided yet
    "met so far": VerdictSign("○", "met so far", "accent"),
    "not met so far": VerdictSign("○", "not met so far", "warn"),
    "not decided": VerdictSign("–", "not decided", "muted"),
}
# Of a measure at a cut, the cut is said once, after its name.
_SHORT = {
    "lines": "lines",
    "directions": "directions",
    "coverage": "on lines",
    "condensed": "condensed",
    "mean_abs_cos": "mean |cos|",
    "alignment": MEASURES["alignment"].head,
    "ratio": MEASURES["ratio"].head,
    "complexity": "from degree p",
    "complexity_below": "from degree p−1",
    "angle_to_lines": "angle to stable lines",
}


def sign_of(standing: Standing) -> VerdictSign:
    """Sign and word of how a claim stands."""
    return SIGNS[standing.state]


def verdict(standing: Standing, *, looking_back: bool = False) -> str:
    """`holds`, `does not hold: 4/10 seeds, 9 wanted`, `not decided: stopped at step 50 of 200`; where somebody looks
    back from later on, `not met`."""
    word = sign_of(standing).word
    if looking_back:
        word = word.removesuffix(" so far")
    said = [seeds] if (seeds := counted(standing)) else []
    said += [standing.why] if standing.why else []
    return f"{word}: {', '.join(said)}" if said else word


def counted(standing: Standing) -> str:
    """`4/10 seeds, 9 wanted`: in how many of several seeds it holds; nothing of one, or where nothing is decided."""
    if standing.of == 1 or standing.state == "not decided":
        return ""
    return f"{standing.holds_in}/{standing.of} seeds, {standing.wanted_in} wanted"


def decides(standing: Standing) -> str:
    """`lines at 0.9: 3, wanted 1, and 2 more`: the requirement that decides, and how many others are missed; nothing
    where nothing was measured."""
    found = standing.deciding
    if found is None or not found.values.known:
        return ""
    missed = len(standing.missed)
    more = f", and {missed - 1} more" if missed > 1 else ""
    several = len({each.layer for each in standing.findings if each.layer}) > 1
    return finding(found, standing.of, brief=True, layer=several) + more


def parts(standing: Standing, at_end: Standing | None = None, *, short: bool = False) -> list[tuple[str, str]]:
    """The claim in one line, as parts of text and the name of a style in `look.Look`, the most important first: sign
    and verdict, what decides, the step it speaks of; where that is not the end, the verdict there; the claim itself.

    `short`: of several seeds the sign and the count alone say the verdict.
    """
    sign = sign_of(standing)
    word = (short and counted(standing)) or verdict(standing, looking_back=at_end is not None)
    said = [(f"{sign.sign} {word}", sign.style)]
    what = decides(standing)
    said += [(what, "text")] if what else []
    said += [(f"step {step(standing.step)}", "muted")] if standing.step is not None else []
    if at_end is not None:
        end = sign_of(at_end)
        said.append((f"at step {step(at_end.step or 0)}: {end.sign} {verdict(at_end)}", end.style))
    return [*said, (f"claim: {standing.text}", "muted")]


def finding(found: Finding, of: int, *, brief: bool = False, layer: bool = True) -> str:
    """`conv1 lines at 0.9: 3, wanted 1`; over several seeds with their range, and unless `brief` how many miss it."""
    name = label(found.measure)
    where = f"{layer_in_words(found.layer)} " if found.layer and layer else ""
    at = "" if found.at is None else f" at step {step(found.at)}"
    missed = f" in {found.missed_in}" if found.missed_in < of else ""
    missed = f", missed{missed}" if of > 1 and found.missed_in and not brief else ""
    if MEASURES[found.measure].kind == "flag":
        value = f"{found.values.yes} of {found.values.known}" if of > 1 else written(found.measure, found.values.middle)
        return f"{where}{name}{at}: {value}{missed}"
    return f"{where}{name}{at}: {over(found.measure, found.values)}, wanted {_wanted(found)}{missed}"


def _wanted(found: Finding) -> str:
    """The range in the measure's own way of writing."""
    if MEASURES[found.measure].kind != "share":
        return found.wanted
    return " ".join(written(found.measure, float(word)) if _is_number(word) else word for word in found.wanted.split())


def _is_number(word: str) -> bool:
    return word.replace(".", "", 1).isdecimal()


def label(measure: str) -> str:
    """What a measure is called where room is short; of one at a cut, with its cut."""
    plain = measure.removesuffix("_coarse")
    if plain in {"lines", "directions", "coverage", "condensed"}:
        return f"{_SHORT[plain]} at {(COARSE if plain != measure else FINE).short}"
    return _SHORT.get(measure, MEASURES[measure].label)


def as_json(standing: Standing) -> dict[str, object]:
    """All of it for a program, with the verdict and what decides in words."""
    import msgspec

    found: dict[str, object] = msgspec.to_builtins(standing)
    return found | {"holds": standing.holds, "verdict": verdict(standing), "decides": decides(standing)}
