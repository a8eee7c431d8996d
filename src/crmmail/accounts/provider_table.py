"""Whose addresses are whose: the facts about the big providers, a row each."""

from __future__ import annotations

from collections.abc import Iterator

from crmmail.accounts.providers import Provider


def _app(name: str, host: str, where: str, **more: bool | str) -> Provider:
    """A provider that takes app passwords only."""
    note = f"{name} wants an app password: {where}."
    return Provider(name, host, note=note, **more)  # type: ignore[arg-type]  # by its fields' names


def _switch(name: str, host: str, where: str = "in the settings of the mailbox") -> Provider:
    """A provider whose IMAP is off until its user switches it on."""
    return Provider(name, host, note=f"{name}: switch IMAP on first, {where}.")


def _none(name: str) -> Provider:
    return Provider(name, "", note=f"{name} has no IMAP: crmmail cannot read it.")


_GOOGLE = _app(
    "Google",
    "imap.gmail.com",
    "https://myaccount.google.com/apppasswords (it needs 2-step verification)",
    oauth="google",
)
_MICROSOFT = Provider(
    "Microsoft",
    "outlook.office365.com",
    note="Microsoft takes no passwords from mail programs any more, only a sign-in in the browser.",
    oauth="microsoft",
    oauth_only=True,
)
_YAHOO = _app("Yahoo", "imap.mail.yahoo.com", "https://login.yahoo.com/account/security")
_FASTMAIL = _app("Fastmail", "imap.fastmail.com", "https://app.fastmail.com/settings/security")
_ICLOUD = _app("iCloud", "imap.mail.me.com", "https://account.apple.com", local_user=True)
_PROTON = Provider(
    "Proton",
    "127.0.0.1",
    1143,
    "starttls",
    note="Proton needs its Bridge running on this machine, and the password that Bridge shows. "
    "Bridge makes its own certificate: trust it once.",
)
_ZOHO = "https://accounts.zoho.{}/home#security/app_password (and switch IMAP on in the settings)"
_CODE = "in the mailbox's settings, called authorization code; switch IMAP on there"

# Provider, its domains, the machines that take in the mail of domains that it hosts.
_ROWS: tuple[tuple[Provider, str, str], ...] = (
    (_GOOGLE, "gmail.com googlemail.com", "google.com googlemail.com"),
    (
        _MICROSOFT,
        "outlook.com outlook.de outlook.fr outlook.es outlook.it hotmail.com hotmail.de hotmail.fr "
        "hotmail.co.uk hotmail.it hotmail.es live.com live.de live.fr live.co.uk live.nl msn.com",
        "protection.outlook.com mx.microsoft",
    ),
    (
        _YAHOO,
        "yahoo.com yahoo.de yahoo.fr yahoo.co.uk yahoo.it yahoo.es yahoo.ca yahoo.in yahoo.com.br "
        "ymail.com rocketmail.com rogers.com",
        "yahoodns.net",
    ),
    (_switch("Yahoo Japan", "imap.mail.yahoo.co.jp"), "yahoo.co.jp", ""),
    (_app("AOL", "imap.aol.com", "https://login.aol.com/account/security"), "aol.com aol.de", ""),
    (_app("Verizon", "imap.aol.com", "https://login.aol.com/account/security"), "verizon.net", ""),
    (_ICLOUD, "icloud.com me.com mac.com", "mail.icloud.com"),
    (_FASTMAIL, "fastmail.com fastmail.fm fastmail.net fastmail.org", "messagingengine.com"),
    (_switch("GMX", "imap.gmx.net"), "gmx.net gmx.de gmx.at gmx.ch gmx.eu", ""),
    (_switch("GMX", "imap.gmx.com"), "gmx.com gmx.us gmx.co.uk gmx.fr gmx.es", ""),
    (_switch("mail.com", "imap.mail.com"), "mail.com email.com usa.com post.com europe.com", ""),
    (
        Provider(
            "WEB.DE",
            "imap.web.de",
            local_user=True,
            note="WEB.DE: switch IMAP on first, in the settings of the mailbox.",
        ),
        "web.de",
        "",
    ),
    (Provider("mailbox.org", "imap.mailbox.org"), "mailbox.org", "mailbox.org"),
    (
        Provider("Posteo", "posteo.de"),
        "posteo.de posteo.net posteo.org posteo.eu posteo.at",
        "posteo.de",
    ),
    (_app("Zoho", "imap.zoho.com", _ZOHO.format("com")), "zoho.com zohomail.com", "zoho.com"),
    (_app("Zoho", "imap.zoho.eu", _ZOHO.format("eu")), "zoho.eu zohomail.eu", "zoho.eu"),
    (
        _app("Yandex", "imap.yandex.com", "https://id.yandex.com/security/app-passwords"),
        "yandex.com yandex.ru ya.ru",
        "yandex.net yandex.ru",
    ),
    (
        _app("Mail.ru", "imap.mail.ru", "https://account.mail.ru/user/2-step-auth/passwords"),
        "mail.ru inbox.ru list.ru bk.ru internet.ru",
        "mail.ru",
    ),
    (_switch("Rambler", "imap.rambler.ru"), "rambler.ru", ""),
    (
        Provider(
            "Telekom",
            "secureimap.t-online.de",
            note="Telekom wants the password for e-mail programs, set in its customer centre.",
        ),
        "t-online.de magenta.de",
        "",
    ),
    (
        _switch("freenet", "mx.freenet.de", "under access by other mail programs"),
        "freenet.de",
        "",
    ),
    (Provider("IONOS", "imap.ionos.de"), "online.de ionos.de 1und1.de", "kundenserver.de ionos.de"),
    (Provider("IONOS", "imap.ionos.com"), "ionos.com", "ionos.com 1and1.com"),
    (Provider("Strato", "imap.strato.de"), "", "rzone.de"),
    (Provider("OVH", "ssl0.ovh.net"), "ovh.net ovh.com", "ovh.net"),
    (Provider("Gandi", "mail.gandi.net"), "", "mail.gandi.net"),
    (Provider("Infomaniak", "mail.infomaniak.com"), "ik.me etik.com", "infomaniak.ch"),
    (Provider("one.com", "imap.one.com"), "", "one.com"),
    (Provider("Hostinger", "imap.hostinger.com"), "", "hostinger.com"),
    (Provider("Namecheap", "mail.privateemail.com"), "", "privateemail.com"),
    (Provider("GoDaddy", "imap.secureserver.net"), "", "secureserver.net"),
    (Provider("Rackspace", "secure.emailsrvr.com"), "", "emailsrvr.com"),
    (Provider("Swisscom", "imaps.bluewin.ch"), "bluewin.ch bluemail.ch", ""),
    (Provider("Orange", "imap.orange.fr"), "orange.fr wanadoo.fr", ""),
    (Provider("Free", "imap.free.fr", local_user=True), "free.fr", ""),
    (Provider("SFR", "imap.sfr.fr"), "sfr.fr neuf.fr", ""),
    (_switch("La Poste", "imap.laposte.net"), "laposte.net", ""),
    (
        Provider(
            "Comcast",
            "imap.comcast.net",
            note="Comcast: allow third-party access first, in the security settings of Xfinity.",
        ),
        "comcast.net",
        "",
    ),
    (
        Provider(
            "AT&T",
            "imap.mail.att.net",
            note="AT&T wants a secure mail key, made in the profile of the account.",
        ),
        "att.net sbcglobal.net bellsouth.net",
        "",
    ),
    (_app("QQ", "imap.qq.com", _CODE), "qq.com foxmail.com", "qq.com"),
    (_app("NetEase", "imap.163.com", _CODE), "163.com", ""),
    (_app("NetEase", "imap.126.com", _CODE), "126.com", ""),
    (
        _app("Naver", "imap.naver.com", "in the security settings (and switch IMAP on in Mail)"),
        "naver.com",
        "",
    ),
    (_app("Daum", "imap.daum.net", "in the Kakao account (and switch IMAP on)"), "daum.net", ""),
    (Provider("Libero", "imapmail.libero.it"), "libero.it", ""),
    (_switch("Seznam", "imap.seznam.cz"), "seznam.cz email.cz", "seznam.cz"),
    (
        Provider(
            "WP",
            "imap.wp.pl",
            local_user=True,
            note="WP: allow mail programs first, in the settings of the mailbox.",
        ),
        "wp.pl",
        "",
    ),
    (
        Provider(
            "o2",
            "poczta.o2.pl",
            local_user=True,
            note="o2: allow mail programs first, in the settings of the mailbox.",
        ),
        "o2.pl tlen.pl go2.pl",
        "",
    ),
    (Provider("Runbox", "mail.runbox.com"), "runbox.com", "runbox.com"),
    (Provider("Migadu", "imap.migadu.com"), "migadu.com", "migadu.com"),
    (Provider("Purelymail", "imap.purelymail.com"), "purelymail.com", "purelymail.com"),
    (Provider("Disroot", "disroot.org", local_user=True), "disroot.org", ""),
    (_PROTON, "proton.me protonmail.com protonmail.ch pm.me", "protonmail.ch proton.me"),
    (_none("Tuta"), "tuta.com tutanota.com tutanota.de tutamail.com tuta.io", "tutanota.de"),
    (_none("HEY"), "hey.com", "hey.com"),
)


def _by(column: int) -> Iterator[tuple[str, Provider]]:
    for row in _ROWS:
        for name in str(row[column]).split():
            yield name, row[0]


BY_DOMAIN = dict(_by(1))
"""Providers by the domain of an address."""
BY_EXCHANGER = dict(_by(2))
"""Providers by the machines, or their domains, that take in mail."""
BY_SERVER = {row[0].host: row[0] for row in reversed(_ROWS) if row[0] is not _PROTON}
"""Providers by their IMAP server; on this machine it can be anybody's."""
