"""Who a mail server is: what an authority says that this machine trusts, or one pinned certificate.

A pin is the SHA-256 of a certificate, as 64 hexadecimal digits. Where there is one it alone counts:
neither an authority nor a name in the certificate can replace it.
"""

from __future__ import annotations

import hashlib
import re
import ssl
from typing import Any

from crmmail.errors import CrmmailError
from crmmail.sync.problems import Untrusted
from crmmail.text import one_line

_PIN = re.compile(r"[0-9a-f]{64}")
_UNVOUCHED = {18, 19, 20, 21}
"""OpenSSL's codes for a chain that ends nowhere: self-signed, or from an unknown authority."""


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
        seen = hashlib.sha256(wrapped.getpeercert(binary_form=True) or b"").hexdigest()
        if seen != self._pin:
            wrapped.close()
            raise Untrusted(str(options.get("server_hostname", "")), seen, changed=True)
        return wrapped
