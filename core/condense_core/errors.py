"""Errors meant for the person at the terminal: one line each, with the exit code that a command ends with.

    CondenseError               1   the base of all
        RunFailedError          1   training failed or diverged
        ScenarioError           2   a scenario, setting or option that cannot be used
        MissingExtraError       2   an extra is not installed
        DataError               2   a data set is missing or damaged
        RunFileError            2   a run is not there, cannot be read, or is in the wrong state
            SeveralRunsError    2   a name fits several runs
        HostError               3   another machine cannot be reached
            LastingHostError    3   the same again with every further attempt
                NobodyToAskError 3  ssh would have to ask a person
                HostKeyError    3   the host's key is another than the one that is known, or none is known
                RunGoneError    3   a run that was watched is not on the host any more
        StoppedError          130   Ctrl-C

When each is raised: docs/ARCHITECTURE.md, "Errors and exit codes".
"""

from collections.abc import Iterable

from condense_core.text import printable

# Characters of names that exist in one message: all fields of a scenario, a dozen presets or runs.
LONGEST_LIST = 240
# Of a whole message: somebody else's words in it are bounded where they come in, and nothing floods a terminal.
LONGEST_MESSAGE = 1_500
# So much of two names is the same (difflib's ratio) where one is a slip of the other: a far guess misleads.
_NEAR = 0.7


class CondenseError(Exception):
    """What went wrong, what was expected, and what to do, in one line; `exit_code` is the process's answer."""

    exit_code = 1

    def __init__(self, message: str) -> None:
        # messages carry names and texts from files; none may steer the terminal, break the line or fill the screen
        text = printable(message[: 2 * LONGEST_MESSAGE])
        super().__init__(text if len(text) <= LONGEST_MESSAGE else f"{text[:LONGEST_MESSAGE]}…")


class ScenarioError(CondenseError):
    """A scenario, a setting or an option that cannot be used as it was given."""

    exit_code = 2


class MissingExtraError(CondenseError):
    """A command needs an optional part of the installation that is not there."""

    exit_code = 2


class DataError(CondenseError):
    """A data set that is missing or cannot be used."""

    exit_code = 2


class RunFileError(CondenseError):
    """A run that does not exist, cannot be read, or is in the wrong state for what was asked."""

    exit_code = 2


class SeveralRunsError(RunFileError):
    """A name that fits several runs, where one is expected."""


class RunFailedError(CondenseError):
    """Training failed or diverged, or the worker process could not be started."""

    exit_code = 1


class StoppedError(CondenseError):
    """Ctrl-C ended a command before its end; the message says what is there nevertheless."""

    exit_code = 130


class HostError(CondenseError):
    """Another machine that cannot be reached, or does not answer as it should."""

    exit_code = 3


class LastingHostError(HostError):
    """A host that cannot be reached, however often; `trouble` says in few words what a person can do."""

    def __init__(self, message: str, trouble: str) -> None:
        super().__init__(message)
        self.trouble = printable(trouble)


class NobodyToAskError(LastingHostError):
    """ssh would have to ask a person something, where it can ask nobody."""

    def __init__(self, message: str, about: str) -> None:
        """`about`: what it has to ask."""
        super().__init__(message, f"ssh has to ask for {about} · press q to leave, then attach again")


class HostKeyError(LastingHostError):
    """A host whose key is another than the one that is known of it, or one of which none is known and ssh may not ask:
    only a person can decide whether it is the right host."""

    def __init__(self, message: str, found: str) -> None:
        """`found`: what is the matter with the key."""
        super().__init__(message, f"{found} · press q to leave: condense-tui doctor says what to do")


class RunGoneError(LastingHostError):
    """A run that was copied here, and that the host has no longer, or has another one of that name."""


def _is_slip(typed: str, name: str) -> bool:
    """Whether a name was meant: `lnies` for lines, and, though less of it is the same, `mes` for mse, whose letters
    changed places, and `trained` for training, which ends otherwise; not `title` for items, nor `tags` for betas."""
    import difflib

    begins = typed[: max(3, len(typed) // 2)]
    near = difflib.SequenceMatcher(None, name, typed).ratio() >= _NEAR
    return near or sorted(typed) == sorted(name) or name.startswith(begins)


def nearest(name: str, names: Iterable[str]) -> str:
    """What to say after an unknown name: the nearest that exists, or as many as a line holds."""
    import difflib

    known = list(names)
    # names that exist are in lower case; one that is much longer than any is nobody's slip
    lower = {each.lower(): each for each in known}
    typed = name[:LONGEST_LIST].lower()
    close = [each for each in difflib.get_close_matches(typed, lower, n=8, cutoff=0.6) if _is_slip(typed, each)]
    if close and lower[close[0]] != name:
        return f"did you mean {lower[close[0]]!r}?"
    every = ", ".join(known)
    some = every[:LONGEST_LIST].rpartition(", ")[0]
    return f"expected one of {f'{some}, …' if len(every) > LONGEST_LIST and some else every}"
