"""Keys that come together, as a thin link brings them or a person pastes them, do what they would one by one."""

from __future__ import annotations

from pathlib import Path

from piloting import at_home, until
from textual.events import Key

from condense_tui.app.app import CondenseApp


async def test_letters_behind_the_key_that_opens_a_field_are_typed_into_it(tmp_path: Path) -> None:
    app = CondenseApp(runs=tmp_path)
    async with app.run_test(size=(100, 30)):
        home = await at_home(app)
        for key, character in (("slash", "/"), ("g", "g"), ("a", "a"), ("p", "p")):
            app.post_message(Key(key, character))
        await until(lambda: home.lists.filter.words == "gap", "the words in the filter")
        assert home.lists.filter.has_focus
