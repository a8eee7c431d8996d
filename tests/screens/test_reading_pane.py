"""The reading pane: wrapping, sections, and staying where one was."""

from __future__ import annotations

import pytest
from textual.app import App, ComposeResult

from crmmail.widgets.reading_pane import Line, ReadingPane, Section


def section(key: int, lines: int, word: str = "line") -> Section:
    texts = [Line(((f"{word} {key}.{number}", "text"),)) for number in range(lines)]
    return Section(key, tuple(texts), target=f"message:{key}")


class Host(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.toggled: list[str] = []

    def compose(self) -> ComposeResult:
        self.pane = ReadingPane()
        yield self.pane

    def on_mount(self) -> None:
        self.pane.show([section(key, 8) for key in (10, 20, 30)])

    def on_reading_pane_toggled(self, event: ReadingPane.Toggled) -> None:
        self.toggled.append(event.target)

    def top(self) -> str:
        return self.pane.render_line(0).text.strip(" ▌")


@pytest.fixture
def host() -> Host:
    return Host()


SIZE = (40, 12)


async def test_keys_scroll(host: Host) -> None:
    async with host.run_test(size=SIZE) as pilot:
        for keys, top in {
            "j": "line 10.1", "down": "line 10.2", "k": "line 10.1", "space": "line 20.2",
            "pageup": "line 10.1", "ctrl+d": "line 10.5", "ctrl+u": "line 10.1",
            "G": "line 20.6", "g": "line 10.0",
        }.items():  # fmt: skip
            await pilot.press(keys)
            await pilot.pause()
            assert host.top() == top, keys


async def test_the_current_section_is_one_that_is_seen(host: Host) -> None:
    async with host.run_test(size=SIZE) as pilot:
        assert host.pane.section == section(10, 8)
        await pilot.press("space")
        await pilot.pause()
        assert host.pane.section.key == 20
        assert "▌" in host.pane.render_line(0).text
        host.pane.action_section(1)
        await pilot.pause()
        assert host.pane.section.key == 30
        assert host.pane.render_line(9).text.strip(" ▌") == "line 30.7"


async def test_the_top_line_stays_when_lines_come_above(host: Host) -> None:
    async with host.run_test(size=SIZE) as pilot:
        host.pane.go_to(20)
        await pilot.press("j", "j")
        await pilot.pause()
        top = host.top()
        host.pane.show([section(5, 4), section(10, 20), section(20, 8), section(30, 8)])
        await pilot.pause()
        assert host.top() == top
        assert host.pane.section == section(20, 8)


async def test_a_shorter_text_is_shown_from_its_first_line(host: Host) -> None:
    async with host.run_test(size=SIZE) as pilot:
        await pilot.press("G")
        for sections in ([section(50, 9)], [section(60, 1), section(70, 3)]):
            host.pane.show((), keep=False)
            host.pane.show(sections, keep=False)
            host.pane.go_to(sections[-1].key)
            assert host.top() == f"line {sections[0].key}.0"
            await pilot.pause()
            assert host.top() == f"line {sections[0].key}.0"
            host.pane.show([section(key, 8) for key in (10, 20, 30)])
            host.pane.go_to(30)


async def test_a_click_folds_what_it_hits(host: Host) -> None:
    async with host.run_test(size=SIZE) as pilot:
        host.pane.show(
            [Section(1, (Line((("a", "text"),)), Line((("b", "text"),), target="quotes:1")))]
        )
        await pilot.click(ReadingPane, offset=(4, 1))
        await pilot.click(ReadingPane, offset=(4, 2))
        assert host.toggled == ["quotes:1"]
        host.pane.action_fold()
        assert host.toggled == ["quotes:1"]


async def test_lines_wrap_to_the_width_with_their_hang(host: Host) -> None:
    async with host.run_test(size=(30, 12)) as pilot:
        long = Line((("> one two three four five six seven eight", "quote"),), hang="> ")
        host.pane.show([Section(1, (long,))])
        await pilot.pause()
        assert [host.pane.render_line(y).text.strip(" ▌") for y in range(3)] == [
            "> one two three four", "> five six seven eight", "",
        ]  # fmt: skip
        await pilot.resize_terminal(60, 12)
        await pilot.pause()
        assert host.pane.render_line(1).text.strip(" ▌") == ""


async def test_a_tail_stands_at_the_right_edge(host: Host) -> None:
    async with host.run_test(size=SIZE) as pilot:
        host.pane.show([Section(1, (Line((("x" * 60, "text"),), tail=("09:26", "muted")),))])
        await pilot.pause()
        text = host.pane.render_line(0).text
        assert text.endswith("… 09:26 ")
        assert len(text) == 38


async def test_twenty_thousand_lines_are_no_matter(host: Host) -> None:
    async with host.run_test(size=SIZE) as pilot:
        host.pane.show([section(1, 20_000)])
        await pilot.press("G")
        await pilot.pause()
        assert host.pane.render_line(9).text.strip(" ▌") == "line 1.19999"


async def test_a_text_that_fits_is_seen_from_its_beginning_after_a_long_one(host: Host) -> None:
    async with host.run_test(size=SIZE) as pilot:
        await pilot.press("G")
        host.pane.show([section(40, 3)])
        host.pane.go_to(40)
        await pilot.pause()
        assert host.top() == "line 40.0"


async def test_a_continuation_begins_as_its_line_does(host: Host) -> None:
    async with host.run_test(size=(30, 12)) as pilot:
        quoted = Line((("  > one two three four five six seven", "quote"),), hang=None)
        host.pane.show([Section(1, (quoted,))])
        await pilot.pause()
        shown = [host.pane.render_line(y).text.strip(" ▌") for y in range(2)]
        assert shown == ["> one two three four", "> five six seven"]


async def test_hits_are_in_the_row_of_the_line_that_has_them(host: Host) -> None:
    async with host.run_test(size=(30, 12)) as pilot:
        long = Line((("one two three four five six seven eight one", "text"),))
        short = Line((("One, and one", "text"),))
        host.pane.show([Section(1, (short, long, short))])
        await pilot.pause()
        host.pane.find("ONE")
        assert host.pane.hits == 6
        assert host.pane._hits == [0, 0, 1, 2, 3, 3]
        host.pane.find("eight")
        assert host.pane._hits == [2]
