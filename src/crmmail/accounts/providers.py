"""Where the big providers keep their mail servers, and what they ask for."""

from __future__ import annotations

from dataclasses import dataclass, replace

from crmmail.addresses import domain_of

_APP_PASSWORD = "{} wants an app password, made in the settings of the account."  # noqa: S105


@dataclass(frozen=True, slots=True)
class Provider:
    """A mail server, and how to sign in to it."""

    name: str
    host: str
    port: int = 993
    security: str = "tls"
    local_user: bool = False
    """The user name is the part of the address before the @."""
    note: str = ""
    """What to know before one tries."""
    oauth_only: bool = False
    """The provider takes no password at all."""

    def username(self, email: str) -> str:
        """Who signs in."""
        return email.rpartition("@")[0] if self.local_user else email


def _app(name: str, host: str, **more: bool) -> Provider:
    return Provider(name, host, note=_APP_PASSWORD.format(name), **more)  # type: ignore[arg-type]


_MICROSOFT = Provider(
    "Microsoft",
    "outlook.office365.com",
    note="Microsoft takes no passwords from mail programs any more, only OAuth sign-in, "
    "which crmmail does not do yet.",
    oauth_only=True,
)
_PROTON = Provider(
    "Proton",
    "127.0.0.1",
    1143,
    "starttls",
    note="Proton needs its Bridge running on this machine, and the password that Bridge shows.",
)
_ION = "imap.ionos.{}"
_TABLE: tuple[tuple[Provider, str], ...] = (
    (_app("Google", "imap.gmail.com"), "gmail.com googlemail.com"),
    (_MICROSOFT, "outlook.com outlook.de outlook.fr hotmail.com hotmail.de hotmail.fr"),
    (_MICROSOFT, "hotmail.co.uk hotmail.it live.com live.de live.fr live.co.uk msn.com"),
    (_app("Yahoo", "imap.mail.yahoo.com"), "yahoo.com yahoo.de yahoo.fr yahoo.co.uk yahoo.it"),
    (_app("Yahoo", "imap.mail.yahoo.com"), "yahoo.es yahoo.ca yahoo.in ymail.com rocketmail.com"),
    (_app("AOL", "imap.aol.com"), "aol.com aol.de aim.com"),
    (_app("iCloud", "imap.mail.me.com", local_user=True), "icloud.com me.com mac.com"),
    (_app("Fastmail", "imap.fastmail.com"), "fastmail.com fastmail.fm fastmail.net fastmail.org"),
    (
        Provider(
            "GMX", "imap.gmx.net", note="GMX: switch IMAP on in the settings of the account first."
        ),
        "gmx.net gmx.de gmx.at gmx.ch gmx.eu",
    ),
    (
        Provider(
            "GMX", "imap.gmx.com", note="GMX: switch IMAP on in the settings of the account first."
        ),
        "gmx.com gmx.us gmx.co.uk",
    ),
    (
        Provider(
            "WEB.DE",
            "imap.web.de",
            local_user=True,
            note="WEB.DE: switch IMAP on in the settings of the account first.",
        ),
        "web.de",
    ),
    (Provider("mailbox.org", "imap.mailbox.org"), "mailbox.org"),
    (Provider("Posteo", "posteo.de"), "posteo.de posteo.net posteo.org posteo.eu posteo.at"),
    (_app("Zoho", "imap.zoho.com"), "zoho.com zohomail.com"),
    (_app("Zoho", "imap.zoho.eu"), "zoho.eu zohomail.eu"),
    (_app("Yandex", "imap.yandex.com"), "yandex.com yandex.ru ya.ru"),
    (_app("Mail.ru", "imap.mail.ru"), "mail.ru inbox.ru list.ru bk.ru"),
    (
        Provider(
            "Telekom",
            "secureimap.t-online.de",
            note="Telekom wants the password for e-mail programs, set in its customer centre.",
        ),
        "t-online.de magenta.de",
    ),
    (Provider("freenet", "mx.freenet.de"), "freenet.de"),
    (Provider("OVH", "ssl0.ovh.net"), "ovh.net ovh.com"),
    (Provider("IONOS", _ION.format("de")), "online.de ionos.de 1und1.de"),
    (Provider("IONOS", _ION.format("com")), "ionos.com"),
    (Provider("Orange", "imap.orange.fr"), "orange.fr wanadoo.fr"),
    (Provider("Free", "imap.free.fr", local_user=True), "free.fr"),
    (Provider("La Poste", "imap.laposte.net"), "laposte.net"),
    (Provider("Comcast", "imap.comcast.net"), "comcast.net"),
    (_app("AT&T", "imap.mail.att.net"), "att.net sbcglobal.net bellsouth.net"),
    (_app("QQ", "imap.qq.com"), "qq.com foxmail.com"),
    (_app("163", "imap.163.com"), "163.com"),
    (Provider("Libero", "imapmail.libero.it"), "libero.it"),
    (Provider("Seznam", "imap.seznam.cz"), "seznam.cz"),
    (Provider("WP", "imap.wp.pl", local_user=True), "wp.pl"),
    (_app("Naver", "imap.naver.com"), "naver.com"),
    (Provider("Runbox", "mail.runbox.com"), "runbox.com"),
    (Provider("Migadu", "imap.migadu.com"), "migadu.com"),
    (_PROTON, "proton.me protonmail.com pm.me"),
)
_BY_DOMAIN = {domain: provider for provider, domains in _TABLE for domain in domains.split()}
_GUESS = Provider("", "")


def known(email: str) -> Provider | None:
    """The provider of an address, where its domain tells."""
    return _BY_DOMAIN.get(domain_of(email))


def guess(email: str) -> Provider:
    """The provider of an address, or the name that most servers have."""
    domain = domain_of(email)
    return known(email) or replace(_GUESS, host=f"imap.{domain}" if domain else "")
