"""Who gives out tokens: Google, Microsoft, and whoever config.toml describes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

from crmmail import settings
from crmmail.accounts import web
from crmmail.errors import CrmmailError


class OAuthError(CrmmailError):
    """A sign-in with tokens did not work."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """An authorization server, and what crmmail is called there."""

    name: str
    title: str
    authorize_url: str
    token_url: str
    scope: str
    device_url: str = ""
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    redirect_host: str = "127.0.0.1"
    extra: Mapping[str, str] = field(default_factory=dict)


_MICROSOFT = "https://login.microsoftonline.com/common/oauth2/v2.0"
_KNOWN = {
    "google": Issuer(
        "google",
        "Google",
        "https://accounts.google.com/o/oauth2/v2/auth",
        "https://oauth2.googleapis.com/token",
        "https://mail.google.com/",  # Google has no code for devices with this scope
        extra={"access_type": "offline", "prompt": "consent"},
    ),
    "microsoft": Issuer(
        "microsoft",
        "Microsoft",
        f"{_MICROSOFT}/authorize",
        f"{_MICROSOFT}/token",
        "https://outlook.office.com/IMAP.AccessAsUser.All offline_access",
        f"{_MICROSOFT}/devicecode",
        redirect_host="localhost",  # what its register offers to programs on a desk
    ),
}


def issuer(name: str) -> Issuer:
    """An issuer that can be used, or what is missing in words."""
    told = settings.config().preferences.oauth.get(name, {})
    known = _KNOWN.get(name) or Issuer(name, name, "", "", "")
    found = replace(known, **told)  # type: ignore[arg-type]  # settings checked it
    if not found.client_id:
        raise OAuthError(
            f"crmmail has no name of its own at {found.title} yet.",
            f"Register one (docs/sign-in.md) and put it into config.toml: [oauth.{name}], "
            'client_id = "…".',
        )
    for needed in ("authorize_url", "token_url", "scope"):
        if not getattr(found, needed):
            raise OAuthError(f"[oauth.{name}] in config.toml does not say {needed}.")
    for one in fields(found):
        value = getattr(found, one.name)
        if one.name.endswith("_url") and value and not web.is_private(value):
            raise OAuthError(f"{one.name} of [oauth.{name}] must begin with https://.")
    return found


def names() -> tuple[str, ...]:
    """Those that crmmail knows, and those that config.toml describes."""
    return tuple(dict.fromkeys((*_KNOWN, *settings.config().preferences.oauth)))


def is_usable(name: str) -> bool:
    """Whether `issuer` would give one."""
    try:
        return bool(issuer(name))
    except OAuthError:
        return False
