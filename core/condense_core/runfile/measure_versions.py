"""The versions of all measures, as a run file notes them."""

from __future__ import annotations

from condense_core.measure_table import MEASURES


def versions_in_words() -> str:
    """The version of every measure, as run files note it: `1`, or `1, lines 2` where some are at another."""
    other = [f"{name} {measure.version}" for name, measure in MEASURES.items() if measure.version != 1]
    return ", ".join(["1", *other])


def versions_of(words: str) -> dict[str, int] | None:
    """The version of every measure of this program, as a run file notes it; None where it notes none."""
    first, *others = words.split(", ")
    if first != "1":
        return None
    noted = {name: int(version) for name, _, version in (item.partition(" ") for item in others) if version.isdigit()}
    return {name: noted.get(name, 1) for name in MEASURES}
