"""Who a mail server is: what an authority says that this machine trusts, or one pinned certificate.

A pin is the SHA-256 of a certificate, as 64 hexadecimal digits. Where there is one it alone counts:
neither an authority nor a name in the certificate can replace it.
"""

from __future__ import annotations

import hashlib
import logging
import re
import ssl
from collections.abc import Callable
from imaplib import IMAP4
from typing import Any

from imapclient.exceptions import IMAPClientError

from crmmail.errors import CrmmailError
from crmmail.sync.problems import Untrusted
from crmmail.text import one_line

log = logging.getLogger(__name__)

_PIN = re.compile(r"[0-9a-f]{64}")
_UNVOUCHED = {18, 19, 20, 21}
"""OpenSSL's codes for a chain that ends nowhere: self-signed, or from an unknown authority."""


_FLAWS = {
    9: "This certificate is not valid yet: check this machine's clock.",
    10: "This certificate has expired.",
    62: "This certificate is for another host name.",
    64: "This certificate is for another address.",
}
"""OpenSSL's codes for what a certificate's owner should know before it is pinned."""
_NAMES = {62, 64}


def flaws(certificate: bytes, attempt: Callable[[ssl.SSLContext], object]) -> str:
    """What is wrong with a certificate besides its authority, in sentences; "" for nothing.

    `attempt` connects with a context and closes the connection. OpenSSL stops at the first fault,
    and looks at the authority first, then at the name, then at the dates: so each is tried alone.
    """
    found = []
    for named in (True, False):
        only = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        only.check_hostname = named
        only.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        try:
            only.load_verify_locations(cadata=certificate)
            attempt(only)
        except ssl.SSLCertVerificationError as problem:
            found.append(_FLAWS.get(problem.verify_code, ""))
            if problem.verify_code in _NAMES:
                continue
        except (CrmmailError, OSError, IMAPClientError, IMAP4.error) as problem:
            log.info("the certificate cannot be looked at again: %s", problem)
        break
    return " ".join(filter(None, found))


def context(pin: str = "") -> ssl.SSLContext:
    """What to connect with. A certificate other than the pinned one raises Untrusted."""
    return _Pinned(pin) if pin else ssl.create_default_context()


def read_pin(typed: str) -> str:
    """A fingerprint as people copy it, with or without colons and a title; or an error in words."""
    pin = re.sub(r"[:\s]", "", typed.rpartition("=")[2]).lower()
    if not _PIN.fullmatch(pin):
        raise CrmmailError(
            f"{one_line(typed, 80)!r} is not a SHA-256 fingerprint.",
            "It has 64 hexadecimal digits. On the server: openssl x509 -noout -fingerprint "
            "-sha256 -in cert.pem",
        )
    return pin


def can_be_pinned(problem: ssl.SSLCertVerificationError) -> bool:
    """Whether the certificate is one that its owner can vouch for: not expired, not another's."""
    return problem.verify_code in _UNVOUCHED


class _Pinned(ssl.SSLContext):
    """Takes one certificate and looks at it before anything is said."""

    _pin: str

    def __new__(cls, pin: str) -> _Pinned:
        made = super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
        made._pin = pin
        return made

    def wrap_socket(self, *args: Any, **options: Any) -> ssl.SSLSocket:
        wrapped = super().wrap_socket(*args, **options)
        shown = wrapped.getpeercert(binary_form=True) or b""
        seen = hashlib.sha256(shown).hexdigest()
        if seen != self._pin:
            wrapped.close()
            host = str(options.get("server_hostname", ""))
            raise Untrusted(host, seen, changed=True, certificate=shown)
        return wrapped
