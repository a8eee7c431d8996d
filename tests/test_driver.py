"""What is sent to the terminal."""

from __future__ import annotations

from typing import Any, cast

from textual._ansi_sequences import SYNC_END, SYNC_START

from crmmail.driver import whole


class Sent:
    """Stands in for the driver of a platform."""

    def __init__(self) -> None:
        self.data: list[str] = []

    def write(self, data: str) -> None:
        self.data.append(data)


def test_a_picture_is_sent_in_one_piece_and_all_else_as_it_comes() -> None:
    driver = cast("Any", whole(cast("Any", Sent)))()
    for data in (
        "\x07",
        SYNC_START,
        "a picture",
        SYNC_END,
        "\x07",
        SYNC_START,
        "another",
        SYNC_END,
    ):
        driver.write(data)
    pictures = [f"{SYNC_START}{words}{SYNC_END}" for words in ("a picture", "another")]
    assert driver.data == ["\x07", pictures[0], "\x07", pictures[1]]
