"""The threads behind the home screen: one watches the runs, one reads the presets once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textual.message import Message

from condense_core.foreign import reason
from condense_tui.draw.label import preset_base

if TYPE_CHECKING:
    from condense_core.runs.claim_state import Standing
    from condense_core.runs.glance import Glance
    from condense_core.runs.glances import Glances
    from condense_presets.catalogue import Preset

# A person who has just started a run looks for it; a status one second old is still good.
LOOK_EVERY_S = 1.0
# The first look may take a second with hundreds of runs: what fills a screen is posted at once.
FIRST_TELL = 24


@dataclass
class GlancesReady(Message):
    """All runs as they are now, the newest first; `whole` is false while the rest is still being read.

    `trouble` says why the folder of runs cannot be read.
    """

    glances: tuple[Glance, ...]
    whole: bool
    trouble: str = ""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, GlancesReady)


@dataclass
class ClaimJudged(Message):
    """How the claim of a run stands, None where it makes none or cannot be read."""

    folder: Path
    claim: Standing | None


@dataclass
class ClaimsReady(Message):
    """How the claims of all runs stand, by the names of the runs' folders."""

    claims: dict[str, Standing | None]


@dataclass
class PresetsReady(Message):
    """The presets that ship, or why they cannot be read."""

    presets: tuple[Preset, ...]
    trouble: str = ""


class GlanceThread(threading.Thread):
    """Posts the runs of a folder whenever something about them has changed, until it is stopped."""

    def __init__(self, runs: Path, post: Callable[[Message], object]) -> None:
        super().__init__(name="runs-glance", daemon=True)
        self._runs = runs
        self._post = post
        self._ended = threading.Event()
        self._asked = threading.Event()
        self._every = threading.Event()
        self._quiet = threading.Event()
        self._chosen: Path | None = None
        self._judged: Glance | None = None
        self._claims = threading.Event()
        self._all_judged: tuple[Glance, ...] | None = None

    def judge(self, folder: Path) -> None:
        """Tell how the claim of that run stands, now and whenever something about it has changed."""
        if folder != self._chosen:
            self._chosen, self._judged = folder, None
            self._asked.set()

    def tell_claims(self, wanted: bool) -> None:
        """Tell how all claims stand, now and whenever a run has changed; or no more."""
        if wanted == self._claims.is_set():
            return
        if wanted:
            self._claims.set()
            self._asked.set()
        else:
            self._claims.clear()

    def stop(self) -> None:
        """Have the thread end; not waited for."""
        self._ended.set()
        self._asked.set()

    def rest(self, quiet: bool) -> None:
        """Stop looking while the screen is hidden; look at once when it is shown again."""
        if quiet:
            self._quiet.set()
        else:
            self._quiet.clear()
            self.look()

    def look(self) -> None:
        """Look at all of them now, because something was just done to a run."""
        self._every.set()
        self._asked.set()

    def run(self) -> None:
        from condense_core.runs.glances import Glances

        glances = Glances(self._runs, preset_base)
        told: tuple[Glance, ...] | None = None
        while not self._ended.is_set():
            self._asked.clear()
            every = told is None or self._every.is_set()
            self._every.clear()
            try:
                found = self._look(glances, every, first=told is None)
            except Exception as error:  # noqa: BLE001 - a thread that dies silently leaves a screen that looks alive
                self._post(GlancesReady((), whole=True, trouble=f"cannot read {self._runs}: {reason(error)}"))
                found = told = ()
            if found != told and not self._ended.is_set():
                told = found
                self._post(GlancesReady(found, whole=True))
            self._judge(found)
            self._judge_all(found)
            self._asked.wait(None if self._quiet.is_set() else LOOK_EVERY_S)

    def _judge(self, found: tuple[Glance, ...]) -> None:
        """Judge the run that was asked for, where it is another one than before or was read anew."""
        folder = self._chosen
        glance = next((each for each in found if each.folder == folder), None)
        if folder is None or glance is None or glance is self._judged or self._ended.is_set():
            return
        from condense_core.errors import CondenseError
        from condense_core.runs.standing import read_standing

        self._judged = glance
        try:
            claim = read_standing(folder, glance.info)
        except CondenseError:
            # the list says already what is wrong with the file
            claim = None
        self._post(ClaimJudged(folder, claim))

    def _judge_all(self, found: tuple[Glance, ...]) -> None:
        """Tell how all claims stand where that is asked for and a run has changed since; of ended runs it is kept."""
        if not self._claims.is_set() or found == self._all_judged or self._ended.is_set():
            return
        from condense_core.runs.listing import claims

        self._all_judged = found
        # a run that cannot be read is said to be so in the list
        self._post(ClaimsReady(claims(self._runs, lambda trouble: None)))

    def _look(self, glances: Glances, every: bool, first: bool) -> tuple[Glance, ...]:
        found: list[Glance] = []
        for glance in glances.look(every=every):
            if self._ended.is_set():
                break
            found.append(glance)
            if first and len(found) == FIRST_TELL:
                self._post(GlancesReady(tuple(found), whole=False))
        return tuple(found)


def read_presets(post: Callable[[Message], object]) -> None:
    """Read the presets, those that ship and one's own, and post them."""
    from condense_core.errors import CondenseError
    from condense_presets.catalogue import read_catalogue

    try:
        presets, troubles = read_catalogue()
        post(PresetsReady(tuple(presets), "; ".join(troubles)))
    except (CondenseError, OSError) as error:
        post(PresetsReady((), f"the presets cannot be read: {error}"))
