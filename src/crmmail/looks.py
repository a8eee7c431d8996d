"""How the user wants the app to look and to be driven: config.toml, and what was chosen here."""

from __future__ import annotations

from textual.app import App

from crmmail.settings import Config, ConfigError, remember, remembered
from crmmail.widgets import themes

CSS = """
CommandPalette SearchIcon { display: none; }
OptionList { min-width: 12; }
VerticalScroll, OptionList {
    scrollbar-size-vertical: 1;
    scrollbar-background: $background;
    scrollbar-background-hover: $background;
    scrollbar-background-active: $background;
    scrollbar-color: $accent 40%;
}
.-compact PieceView {
    border: none;
    border-top: solid $accent 40%;
    &:focus { border: none; border-top: solid $accent; }
}
"""


def problems(app: type[App[str]], config: Config) -> list[ConfigError]:
    """All that is wrong with config.toml, from its top to its end."""
    found = [*config.problems]
    wanted = config.preferences.theme
    if wanted and wanted not in themes.names():
        line = config.lines.get(("theme",), 0)
        words = f"there is no theme {wanted!r}. There are: {', '.join(themes.names())}."
        found.append(ConfigError(line, words))
    return sorted([*found, *keys(app, config)[1]], key=lambda problem: problem.line)


def keys(app: type[App[str]], config: Config) -> tuple[dict[str, str], list[ConfigError]]:
    """The keys of config.toml that can be used, by action, and what is wrong with the others."""
    if not config.preferences.keys:
        return {}, []  # the first paint need not know every screen
    from crmmail.keymap import checked

    return checked(app, config)


def theme(config: Config) -> str:
    """The theme to start with: what was chosen last, in config.toml or in the app."""
    wanted = config.preferences.theme
    if remembered("theme_instead_of") == wanted:
        wanted = remembered("theme") or wanted
    return wanted if wanted in themes.names() else themes.DARK.name


def keep_theme(name: str, config: Config) -> None:
    """Start with this theme from now on, until config.toml names another than it does now."""
    remember(theme=name, theme_instead_of=config.preferences.theme)
