"""The list: ids, windows, a cursor that stays on its row."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.strip import Strip

from crmmail.widgets.window_list import WINDOW, WindowList


@dataclass(frozen=True)
class Entry:
    id: int


class Host(App[None]):
    """A list of numbers, which remembers what it was asked."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.first = array("q", range(1_000, 1_000 + count))
        self.reads: list[int] = []
        self.opened: list[int] = []

    def compose(self) -> ComposeResult:
        self.list: WindowList[Entry] = WindowList(
            self.read, lambda row, _width: ((f"row {row.id}", "text"),), nouns=("row", "rows")
        )
        yield self.list

    def on_mount(self) -> None:
        self.list.show(self.first)

    def read(self, ids: Sequence[int]) -> Iterator[Entry]:
        self.reads.append(len(ids))
        return (Entry(i) for i in ids)

    def on_window_list_opened(self, event: WindowList.Opened) -> None:
        self.opened.append(event.row)


@pytest.fixture
def host() -> Host:
    return Host(1_000)


SIZE = (40, 12)  # ten rows inside the border


async def test_keys_move_the_cursor(host: Host) -> None:
    async with host.run_test(size=SIZE) as pilot:
        for key, at in {
            "down": 1, "j": 2, "up": 1, "k": 0, "pagedown": 10, "ctrl+d": 15, "ctrl+u": 10,
            "ctrl+f": 20, "pageup": 10, "ctrl+b": 0, "G": 999, "home": 0, "end": 999, "g": 0,
        }.items():  # fmt: skip
            await pilot.press(key)
            assert host.list.cursor == at, key
        await pilot.press("up")
        assert host.list.cursor == 0


async def test_a_line_that_only_moves_is_not_put_together_again(host: Host) -> None:
    async with host.run_test(size=SIZE) as pilot:
        await pilot.press("pagedown")
        before = host.list.render_lines(host.list.outer_size.region)
        await pilot.press("j")
        after = host.list.render_lines(host.list.outer_size.region)
        assert [line.text[:12] for line in after[-3:-1]] == ["│ row 1010  ", "│ row 1011  "]
        moved = zip(before[2:-2], after[1:-3], strict=True)
        assert all(one is other for one, other in moved)


async def test_enter_and_double_click_open(host: Host) -> None:
    async with host.run_test(size=SIZE) as pilot:
        await pilot.press("j", "enter")
        await pilot.click(WindowList, offset=(5, 4))
        assert host.list.cursor == 3
        assert host.opened == [1_001]
        await pilot.double_click(WindowList, offset=(5, 6))
        await pilot.pause()
        assert host.opened == [1_001, 1_005]


async def test_the_wheel_scrolls_without_moving_the_cursor(host: Host) -> None:
    async with host.run_test(size=SIZE) as pilot:
        await pilot.pause()
        host.list._on_mouse_scroll_down(_Wheel())  # type: ignore[arg-type]
        await pilot.pause()
        assert host.list.scroll_offset.y > 0
        assert host.list.cursor == 0


class _Wheel:
    ctrl = shift = False

    def stop(self) -> None:
        """Nobody else scrolls."""


async def test_a_page_is_one_query_and_is_kept(host: Host) -> None:
    async with host.run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert host.reads == [WINDOW]
        await pilot.press(*["pagedown"] * 3, *["pageup"] * 3)
        assert host.reads == [WINDOW]
        await pilot.press("end")
        await pilot.pause()
        assert len(host.reads) == 2


async def test_a_cursor_move_repaints_two_lines(host: Host) -> None:
    async with host.run_test(size=SIZE) as pilot:
        await pilot.pause()
        seen: list[Region] = []
        refresh = host.list.refresh
        host.list.refresh = lambda *regions, **kw: (seen.extend(regions), refresh(*regions, **kw))[
            1
        ]  # type: ignore[method-assign]
        await pilot.press("down")
        assert [region.height for region in seen] == [1, 1]


async def test_the_cursor_stays_on_its_id(host: Host) -> None:
    async with host.run_test(size=SIZE) as pilot:
        await pilot.press(*["down"] * 30)
        await pilot.pause()
        assert host.list.current == 1_030
        above = host.list.cursor - host.list.scroll_offset.y
        host.list.show(array("q", [1, 2, 3, *host.first]))
        await pilot.pause()
        assert host.list.current == 1_030
        assert host.list.cursor - host.list.scroll_offset.y == above
        host.list.show(array("q", [i for i in host.first if i != 1_030]))
        assert host.list.current in (1_032, 1_034)  # its place is taken by another
        host.list.show(array("q"))
        assert host.list.current is None


async def test_new_rows_at_the_top_are_seen_when_the_top_is_seen(host: Host) -> None:
    async with host.run_test(size=SIZE) as pilot:
        host.list.show(array("q", [1, *host.first]))
        await pilot.pause()
        assert host.list.current == 1_000
        assert host.list.scroll_offset.y == 0


async def test_an_empty_list_says_so(host: Host) -> None:
    async with host.run_test(size=SIZE) as pilot:
        host.list.say_empty("Nothing here", "Press a key")
        host.list.show(array("q"))
        await pilot.pause()
        shown = [host.list.render_line(y).text for y in range(10)]
        assert any("Nothing here" in line for line in shown)
        assert any("Press a key" in line for line in shown)
        assert host.list.border_subtitle is None
        await pilot.press("down", "enter", "G")
        assert host.opened == []


async def test_rows_that_are_gone_are_blank(host: Host) -> None:
    async with host.run_test(size=SIZE) as pilot:
        host.list._read = lambda ids: [Entry(i) for i in ids if i != 1_001]
        host.list.forget()
        await pilot.pause()
        assert host.list.render_line(1).text.strip() == ""
        assert host.list.render_line(2).text.strip() == "row 1002"


async def test_a_million_rows_cost_what_ten_do() -> None:
    host = Host(1_000_000)
    async with host.run_test(size=SIZE) as pilot:
        await pilot.press("end")
        await pilot.pause()
        assert host.list.render_line(9).text.strip() == "row 1000999"
        assert sum(host.reads) <= 3 * WINDOW


async def test_the_terminals_cursor_is_on_the_row(host: Host) -> None:
    async with host.run_test(size=SIZE) as pilot:
        await pilot.press("down", "down")
        assert host.cursor_position.y == 3  # border, two rows above
        assert isinstance(host.list.render_line(2), Strip)


async def test_a_list_of_another_length_is_painted_at_once_and_nothing_else_moves(
    host: Host,
) -> None:
    async with host.run_test(size=SIZE) as pilot:
        await pilot.pause()
        layouts = list[object]()
        host.screen.screen_layout_refresh_signal.subscribe(host.screen, layouts.append)
        host.list.show(host.first[:500])
        await pilot.pause()
        assert not layouts
        assert host.list.max_scroll_y == 490
        assert host.list.vertical_scrollbar.window_virtual_size == 500


async def test_a_list_that_was_scrolled_shows_the_few_rows_that_are_left(host: Host) -> None:
    async with host.run_test(size=SIZE) as pilot:
        await pilot.press("end")
        host.list.show(host.first[:5])
        await pilot.pause()
        assert host.list.scroll_offset.y == 0
        assert "row 1000" in "".join(
            strip.text for strip in host.screen._compositor.render_strips()
        )
