"""keys, config: what can be set, and how it is set now."""

from __future__ import annotations

from crmmail import settings
from crmmail.cli.output import AsJson, examples, note, print_json, table, write

KEYS_EXAMPLES = examples("crmmail keys", "crmmail keys --json")
CONFIG_EXAMPLES = examples("crmmail config", '${EDITOR:-vi} "$(crmmail config)"')


def keys(as_json: AsJson = False) -> None:
    """List every key with the id that config.toml knows its action by.

    The keys are those of your config.toml where it gives others.
    """
    from crmmail.app import CrmmailApp
    from crmmail.keymap import actions, checked

    keymap, problems = checked(CrmmailApp, settings.config())
    found = actions(CrmmailApp, keymap)
    if as_json:
        default = {action.id: action.keys for action in actions(CrmmailApp)}
        print_json(
            [
                {
                    "id": one.id,
                    "keys": list(one.keys),
                    "default": list(default[one.id]),
                    "does": one.does,
                    "where": one.place,
                    "screens": list(one.screens),
                }
                for one in found
            ]
        )
    else:
        rows = [(one.id, " ".join(one.keys), one.does, one.place) for one in found]
        table(("id", "keys", "does", "where"), rows)
    for problem in problems:
        note(f"crmmail: {problem}")


def config(as_json: AsJson = False) -> None:
    """Show where the file of preferences belongs, and say what is wrong with it.

    crmmail never writes it: docs/configuration.md says what may be in it.
    """
    from crmmail import looks
    from crmmail.app import CrmmailApp

    path = settings.config_path()
    found = settings.config()
    problems = looks.problems(CrmmailApp, found)
    if as_json:
        print_json(
            {
                "path": str(path),
                "exists": path.exists(),
                "theme": found.preferences.theme or None,
                "density": found.preferences.density,
                "problems": [str(problem) for problem in problems],
            }
        )
        return
    write(f"{path}\n")
    if not path.exists():
        note("It is not there: everything is at its default.")
    for problem in problems:
        note(f"crmmail: {problem}")
