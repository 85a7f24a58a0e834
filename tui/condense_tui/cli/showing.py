"""How a command shows a run: what its options say of that, as one value that is right in itself."""

from __future__ import annotations

from dataclasses import dataclass

from condense_core.errors import ScenarioError
from condense_tui.app.launch import can_draw, has_terminal


@dataclass(frozen=True, kw_only=True)
class Showing:
    """How a run is watched, and what comes of that: the options of `run` and `attach`.

    ScenarioError if the run is both waited for and not.
    """

    headless: bool = False
    detach: bool = False
    check: bool = False
    json: bool = False

    def __post_init__(self) -> None:
        if self.headless and self.detach:
            raise ScenarioError(
                "--headless and --detach exclude each other: one waits for the run to end, the other does not"
            )
        if self.check and self.detach:
            raise ScenarioError("--check and --detach exclude each other: the claim is decided at the end of the run")

    @property
    def in_app(self) -> bool:
        """Whether the app opens."""
        return can_draw() and not (self.headless or self.json or self.detach)

    @property
    def may_prompt(self) -> bool:
        """Whether there is a person whom ssh may ask."""
        return has_terminal() and (self.detach or not (self.headless or self.json))


@dataclass(frozen=True, kw_only=True)
class Panels:
    """Which panels of a run are printed: those at step `at`, in `width` columns; `json`: its summary instead.

    ScenarioError if a step is asked for with the summary, which says how the run ended.
    """

    at: int | None = None
    width: int | None = None
    json: bool = False

    def __post_init__(self) -> None:
        if self.at is not None and self.json:
            raise ScenarioError(
                "--at and --json exclude each other: --json gives the end of the run, --at a step of its panels"
            )
