"""Keys of one's own: what they call, where they are shown, and that two actions never share one."""

from __future__ import annotations

from pathlib import Path

import pytest
from piloting import ToldApp, at_home, run_screen, shown, text, text_has, until
from recording import Recording

from condense_core.preferences import FoundPreferences, Preferences
from condense_tui.actions import ACTIONS
from condense_tui.app.app import CondenseApp
from condense_tui.cli.checks import checks_here
from condense_tui.keys import SCREENS, KeysError, actions_on, chosen_keys, footer_hints
from condense_tui.screens.dialogs.help import Help
from condense_tui.terminal.habits import Habits


def with_keys(keys: dict[str, str | list[str]]) -> Habits:
    return Habits(FoundPreferences(Preferences(keys=keys)))


def test_the_usual_keys_clash_nowhere_and_every_name_means_one_thing() -> None:
    assert chosen_keys({}) == {}
    calls: dict[str, set[str]] = {}
    for action in ACTIONS:
        assert action.name.replace("-", "").isalnum()
        calls.setdefault(action.name, set()).add(action.call)
    assert all(len(of) == 1 for of in calls.values()), calls


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"palette": "e"}, "keys: palette and export have the same key, 'e'"),
        ({"palette": "x", "zoom": "x"}, "keys: zoom and palette have the same key, 'x'"),
        ({"mark": "space"}, "keys: recording and mark have the same key, 'space'"),
        ({"palette": ","}, "keys: previous-seed and palette have the same key, ','"),
        ({"palette": "ctrl+p"}, "keys: palette and the list of all actions have the same key, 'ctrl+p'"),
        ({"palettte": "x"}, "keys: unknown 'palettte'; did you mean 'palette'?"),
        ({"palette": "qq"}, "keys.palette: expected a key such as x, X, /, f5, ctrl+x or shift+left, got 'qq'"),
        ({"palette": ""}, "keys.palette: expected a key such as x, X, /, f5, ctrl+x or shift+left, got ''"),
        ({"palette": "\x1b"}, "keys.palette: expected a key such as x, X, /, f5, ctrl+x or shift+left, got '\\x1b'"),
        ({"palette": "hypper+x"}, "keys.palette: expected a key"),
        ({"palette": []}, "keys.palette: expected a key or up to 4, got []"),
        ({"palette": ["x"] * 5}, "keys.palette: expected a key or up to 4"),
    ],
)
def test_keys_that_cannot_be_used_are_refused_in_one_line(keys: dict[str, str | list[str]], words: str) -> None:
    with pytest.raises(KeysError) as refused:
        chosen_keys(keys)
    assert str(refused.value).startswith(words)


def test_two_actions_may_change_their_keys() -> None:
    keys = chosen_keys({"palette": "e", "export": "t"})
    by_name = {action.name: action for action in actions_on("run", keys=keys)}
    assert (by_name["palette"].keys, by_name["export"].shown) == (("e",), "t")
    assert ("t", "export", ("export",)) in footer_hints(True, keys=keys)


async def test_an_action_has_the_key_that_was_given_to_it_and_no_other(recorded: Recording) -> None:
    habits = with_keys({"palette": "e", "export": "f5", "next-frame": ["f6", "shift+up"], "leave": "f10", "help": "f1"})
    async with shown(recorded.folder, app=CondenseApp(recorded.folder, habits=habits)) as pilot:
        screen = run_screen(pilot)
        await pilot.press("t", "q")
        assert screen.choices.palette == 0
        await pilot.press("e")
        await until(lambda: screen.choices.palette == 1, "the next palette")
        await pilot.press("home")
        await until(lambda: screen.snapshot.head.index == 0, "the first frame")
        await pilot.press("f6", "shift+up")
        await until(lambda: screen.snapshot.head.index == 2, "two frames on")
        # the footer and help say so, and what is always there stays there
        await text_has(pilot, "f5 export")
        assert "f10 leave" in text(pilot)
        assert "f1 help" in text(pilot)
        await pilot.press("f1")
        await until(lambda: isinstance(pilot.app.screen, Help), "help")
        await text_has(pilot, "Next of three colour palettes")
        line = next(line for line in text(pilot).splitlines() if "Next of three colour palettes" in line)
        assert "  e T  " in line


async def test_with_keys_that_clash_all_are_the_usual_ones_and_one_line_says_so(tmp_path: Path) -> None:
    app = ToldApp(runs=tmp_path, habits=with_keys({"palette": "e", "mark": "f"}))
    async with app.run_test(size=(120, 40), notifications=True):
        await at_home(app)
        await until(lambda: len(app.told) == 1, "a line")
        assert "palette and export have the same key" in app.told[0]
        assert all(not app.keys.get(action.name) for action in actions_on(*SCREENS[1]))


def test_doctor_names_what_is_wrong_with_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("condense_core.preferences.find_preferences", lambda: with_keys_found({"palette": "e"}))
    check = list(checks_here(tmp_path))[-1]
    assert (check.name, check.state) == ("preferences", "broken")
    assert "palette and export have the same key" in check.text


def with_keys_found(keys: dict[str, str | list[str]]) -> FoundPreferences:
    return FoundPreferences(Preferences(keys=keys))
