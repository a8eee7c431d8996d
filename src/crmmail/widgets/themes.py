"""The two themes of crmmail, and which of Textual's are offered beside them."""

from __future__ import annotations

from typing import Any

from textual.app import App
from textual.theme import BUILTIN_THEMES, Theme

DARK = Theme(
    name="crmmail-dark",
    primary="#3a6ea5",
    secondary="#7fb8b5",
    accent="#e3a857",
    foreground="#d8dde6",
    background="#12161c",
    surface="#191e26",
    panel="#212834",
    success="#8cc074",
    warning="#e3a857",
    error="#e8747c",
    dark=True,
    variables={
        "block-cursor-background": "#2d4f74",
        "block-cursor-foreground": "#f4f7fb",
        "footer-background": "#12161c",
        "footer-description-foreground": "#8f98a6",
        "input-selection-background": "#3a6ea5 60%",
    },
)
LIGHT = Theme(
    name="crmmail-light",
    primary="#2f6699",
    secondary="#1d7471",
    accent="#a35c00",
    foreground="#2a2f37",
    background="#fbfaf7",
    surface="#f2f0ea",
    panel="#e8e4da",
    success="#3d7a2f",
    warning="#a35c00",
    error="#b4262e",
    dark=False,
    variables={
        "block-cursor-background": "#2f6699",
        "block-cursor-foreground": "#ffffff",
        "footer-background": "#fbfaf7",
        "footer-description-foreground": "#666d78",
        "input-selection-background": "#2f6699 40%",
    },
)


def names() -> list[str]:
    """The themes that are offered, ours first."""
    return [DARK.name, LIGHT.name, *sorted(n for n, t in BUILTIN_THEMES.items() if not t.ansi)]


def install(app: App[Any]) -> None:
    """Offer our themes and Textual's, but for those that draw with the terminal's own colours.

    Those are unreadable with NO_COLOR, and their blends are guesses.
    """
    for name, theme in app.available_themes.items():
        if theme.ansi:
            app.unregister_theme(name)
    app.register_theme(DARK)
    app.register_theme(LIGHT)
    app.theme = DARK.name
