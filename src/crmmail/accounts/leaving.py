"""What an account signed in with leaves the keyring when the account no longer uses it."""

from __future__ import annotations

from crmmail.accounts import credentials, oauth
from crmmail.errors import CrmmailError


def forget(email: str, before: str, now: str = "") -> None:
    """Take the secrets of an account out of the keyring, but for the one that it uses now.

    `before` and `now` are references; "" is for an account that is added, or removed. A keyring
    that neither names is not asked. Raises an error that names the entries that are still there.
    """
    if not (_entry(email, before) or _entry(email, now)):
        return
    for name in (email, oauth.entry(email)):
        if name == _entry(email, now):
            continue
        try:
            if name == email:
                credentials.forget(email, credentials.KEYRING)
            else:
                oauth.forget(email)
        except CrmmailError as problem:
            raise CrmmailError(
                f"A secret of {email} may still be in the keyring: {problem}",
                f'Remove it there: the entry of crmmail for "{name}". {problem.hint}',
            ) from problem


def _entry(email: str, reference: str) -> str:
    """The keyring's entry that a reference stands for; "" for none."""
    if reference == credentials.KEYRING:
        return email
    return oauth.entry(email) if reference.startswith(credentials.OAUTH) else ""
