"""At which steps a network is measured whose training may go on for any time."""

from __future__ import annotations

# Measured steps each time that the number of steps doubles: about 230 in ten thousand steps, 340 in a million.
AN_OCTAVE = 16


def is_due(step: int, every: int | None = None) -> bool:
    """Whether a step is one of those: every so many, or else evenly spaced in log(step) without an end.

    A function of the step alone, so that all processes of a training that is spread over several agree on it.
    """
    if every is not None:
        return step % every == 0
    if step <= AN_OCTAVE:
        return True
    # the first whole step after each AN_OCTAVE-th of an octave
    octave = step.bit_length() - 1
    part = AN_OCTAVE * (step - (1 << octave)) // (1 << octave)
    before = AN_OCTAVE * (step - 1 - (1 << octave)) // (1 << octave)
    return part != before
