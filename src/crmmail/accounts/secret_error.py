"""A password that cannot be had or kept, and the other places that it can come from."""

from __future__ import annotations

from crmmail.errors import CrmmailError

OTHER_WAYS = (
    'Other ways: --password-command "pass show mail" or --password-env NAME '
    "(crmmail account add --help)."
)


class SecretError(CrmmailError):
    """A password could not be had, or could not be kept."""
