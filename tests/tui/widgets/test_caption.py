"""A title that changes with every frame does not have its panel drawn again."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.strip import Strip

from condense_tui.draw.line import Line
from condense_tui.terminal.shell import Shell
from condense_tui.terminal.textual_internals import strips_of
from condense_tui.widgets.caption import Captioned
from condense_tui.widgets.lines import Lines


class Panel(Captioned, Lines):
    DEFAULT_CSS = "Panel { border: round white; padding: 0 1; height: 8; width: 40; }"

    def __init__(self) -> None:
        super().__init__()
        self.drawn: list[int] = []

    def build(self, width: int, height: int) -> list[Line]:
        return [[(f"line {y}", self.look.text)] for y in range(height)]

    def render_line(self, y: int) -> Strip:
        self.drawn.append(y)
        return super().render_line(y)


class Paper(Shell):
    def __init__(self) -> None:
        super().__init__()
        self.panel = Panel()

    def compose(self) -> ComposeResult:
        yield self.panel


def screen_of(app: App[None]) -> list[str]:
    return [strip.text for strip in strips_of(app.screen)]


async def test_only_the_two_lines_of_the_frame_are_drawn_again():
    app = Paper()
    async with app.run_test(size=(50, 12)) as pilot:
        app.panel.caption("loss 0.9", "step 1")
        await pilot.pause()
        app.panel.drawn.clear()
        app.panel.caption("loss 0.8", "step 2")
        await pilot.pause()
        lines = screen_of(app)
        assert "loss 0.8" in lines[0]
        assert "step 2" in lines[7]
        assert "line 3" in lines[4]
        assert app.panel.drawn == []


async def test_a_remark_goes_and_a_first_caption_comes_before_the_screen():
    app = Paper()
    app.panel.caption("loss", "step 1")
    async with app.run_test(size=(50, 12)) as pilot:
        await pilot.pause()
        assert "step 1" in screen_of(app)[7]
        app.panel.caption("loss")
        await pilot.pause()
        assert "step" not in screen_of(app)[7]


async def test_after_a_resize_the_words_stand_where_the_frame_is():
    app = Paper()
    async with app.run_test(size=(50, 12)) as pilot:
        app.panel.caption("loss", "step 1")
        app.panel.styles.height = 6
        await pilot.pause()
        app.panel.caption("loss", "step 2")
        await pilot.pause()
        assert "step 2" in screen_of(app)[5]
