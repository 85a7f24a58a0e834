"""Names of numbers that somebody else gave, as curves have them."""

from __future__ import annotations

# Names in one run; what has more is a mistake, such as a name that has the step in it.
MOST_NAMES = 1_000
LONGEST = 150

# What a run file itself says under these names.
_OURS = frozenset({"loss", "loss_ratio", "gradient_norm", "steps_per_second", "recording_share", "complexity"})


def named(name: str) -> str:
    """A name as a curve has it. A dot stands for a layer's measures, and what the recording itself says has its own."""
    plain = str(name)[:LONGEST].replace(".", "/").replace("@", "/")
    return f"logged/{plain}" if plain in _OURS else plain
