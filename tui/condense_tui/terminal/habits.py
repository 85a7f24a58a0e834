"""What was chosen in the app, for the next time: kept in a file behind the keys, which never wait for a disk."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from condense_core.errors import CondenseError
from condense_core.preferences import (
    FoundPreferences,
    Preferences,
    PreferenceValue,
    find_preferences,
    write_preferences,
)


class Habits:
    """The preferences as they were found, and where new ones go. Calls may come from any thread."""

    def __init__(
        self,
        found: FoundPreferences | None = None,
        write: Callable[[Mapping[str, PreferenceValue]], None] | None = None,
    ) -> None:
        """Without `found` the defaults; without `write` nothing is kept, as where a picture of the app is drawn."""
        found = found or FoundPreferences(Preferences())
        self.preferences = found.preferences
        """As they are now, also where nothing is kept."""
        self.trouble = found.trouble
        """Why the file cannot be used; empty if it can."""
        self.told: Callable[[str], None] = lambda _: None
        """Called from a thread, once, with why something cannot be kept."""
        self._write = write
        self._wake = threading.Lock()
        self._new: dict[str, PreferenceValue] = {}
        self._at_work = False
        # what cannot be used was said when the app began
        self._said = bool(found.trouble)

    def keep(self, name: str, value: PreferenceValue) -> None:
        """Keep a value of the preferences, by its name in the file."""
        with self._wake:
            self.preferences = _with(self.preferences, name, value)
            if self._write is None:
                return
            self._new[name] = value
            if self._at_work:
                return
            self._at_work = True
        # not a daemon: what was chosen last is kept, too, where the app is left at once
        threading.Thread(target=self._keep, args=(self._write,), name="preferences").start()

    def _keep(self, write: Callable[[Mapping[str, PreferenceValue]], None]) -> None:
        while True:
            with self._wake:
                new, self._new = self._new, {}
                if not new:
                    self._at_work = False
                    return
            try:
                write(new)
            except CondenseError as error:
                if not self._said:
                    self._said = True
                    self.told(str(error))


def _with(preferences: Preferences, name: str, value: PreferenceValue) -> Preferences:
    part, _, own = name.rpartition(".")
    changes: dict[str, Any] = {own: value}
    if part:
        changes = {part: replace(getattr(preferences, part), **changes)}
    return replace(preferences, **changes)


def remembered() -> Habits:
    """Those of the person whose app this is."""
    return Habits(find_preferences(), write_preferences)
