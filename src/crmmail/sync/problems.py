"""What can go wrong with a server, sorted by what to do about it (rules.md S5), in words."""

from __future__ import annotations

import imaplib
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from imapclient.exceptions import LoginError, ProtocolError

from crmmail import secrecy
from crmmail.errors import CrmmailError
from crmmail.text import one_line, pairs


class Problem(CrmmailError):
    """A fault that passes: try again later. `wait` is how long the server asked for, in seconds."""

    def __init__(self, message: str, hint: str = "", wait: float = 0) -> None:
        super().__init__(message, hint)
        self.wait = wait


class Refused(Problem):
    """The server refused the sign-in: no use to try on without the user."""

    hint = "Many providers want an app password."


class Denied(Refused):
    """The server refused this very password or token: another one may be taken."""


class NoSecret(Refused):
    """There is nothing to sign in with: the password could not be had. It may come back."""


class Asking(Refused):
    """The password is typed in each run: it was not typed yet, or the server refused it."""


class Unsafe(Problem):
    """The connection would not be private: nothing was sent."""


class Untrusted(Unsafe):
    """Nobody vouches for the server's certificate, or it is another than the one pinned."""

    def __init__(
        self,
        host: str,
        fingerprint: str,
        *,
        changed: bool = False,
        certificate: bytes = b"",
        flaws: str = "",
    ) -> None:
        """`flaws`: in sentences, what is wrong with the certificate besides."""
        self.fingerprint, self.changed = fingerprint, changed
        self.certificate, self.flaws = certificate, flaws
        sha = f"SHA-256 {pairs(fingerprint)}"
        if changed:
            words = f"{host} shows another certificate than the one you trusted: {sha}."
            hint = "Nothing was sent. If nobody renewed it, somebody may be in between."
        else:
            words = (
                f"{host} did not prove who it is: no known authority has signed its certificate, "
            )
            words += f"{sha}."
            hint = "Nothing was sent. If the server is your own, compare this, then trust it."
        super().__init__(f"{words} {flaws}".rstrip(), hint)


class BadAnswer(Problem):
    """The server's answer to one command cannot be used; the connection can."""


_HEARD = 4_000  # characters of what was said that are looked at


class Fault(BadAnswer):
    """The server fails whichever message it is asked for: it is no message's fault."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem), problem.hint)
        self.how = problem
        """In which way it fails."""


class Cut(Problem):
    """The connection ended in the middle of an answer, or nobody knows where in it."""


_TRANSIENT = re.compile(r"\[(?:UNAVAILABLE|LIMIT|INUSE|SERVERBUG)\]", re.IGNORECASE)
_THROTTLED = re.compile(
    r"throttl|too many|rate limit|over ?quota|bandwidth|temporarily|try again", re.IGNORECASE
)
WRONG_CREDENTIALS = re.compile(
    r"\[(?:AUTHENTICATIONFAILED|AUTHORIZATIONFAILED|EXPIRED)\]", re.IGNORECASE
)
"""Response codes of a sign-in that fails each time it is repeated (RFC 5530)."""
_SLOW_DOWN = re.compile(
    r"throttl|rate limit|slow down|back-?off|bandwidth|"
    r"too many (?:simultaneous|concurrent|connections|commands|requests|sessions)",
    re.IGNORECASE,
)
"""Of an answer to a command. "Try again later" is also said of one message that cannot be read."""
_WAIT_MS = re.compile(r"backoff time:?\s*(\d{1,12})\d*\s*(?:milliseconds|ms)?", re.IGNORECASE)
_WAIT_S = re.compile(r"(?:retry|try again)[^\d]{0,20}(\d{1,12})\d*\s*s", re.IGNORECASE)


@contextmanager
def in_words(host: str = "The server", port: int = 0, user: str = "") -> Iterator[None]:
    """Turn what the libraries raise into a Problem with words for a person."""
    at = f" on port {port}" if port else ""
    try:
        yield
    except CrmmailError:
        raise
    except LoginError as problem:
        raise _sign_in(str(problem), host, user) from None  # its own words may have the password
    except ssl.SSLCertVerificationError as problem:
        raise Unsafe(
            f"{host} did not prove who it is: {problem.verify_message.rstrip('.')}.",
            "Nothing was sent. Check the server's name, and this machine's clock.",
        ) from problem
    except ssl.SSLError as problem:
        raise Problem(
            f"{host} does not speak TLS{at}: {problem.reason or problem}.",
            "Check the port: 993 is TLS, 143 is STARTTLS.",
        ) from problem
    except socket.gaierror as problem:
        raise Problem(f"{host} is not known here.", "Check its name, and the network.") from problem
    except TimeoutError as problem:
        hint = "Check the server and its port, and the network: a firewall may be in between."
        raise Cut(f"{host} did not answer{at} in time.", hint if port else "") from problem
    except ConnectionRefusedError as problem:
        raise Problem(
            f"{host} takes no connection{at}.",
            "Check the server and its port: IMAP is mostly on 993 (TLS), or on 143 (STARTTLS).",
        ) from problem
    except imaplib.IMAP4.abort as problem:
        raise _cut(str(problem)) from problem
    except OSError as problem:
        raise Cut(
            f"{host} cannot be reached{at}: {problem.strerror or problem}.", "Check the network."
        ) from problem
    except imaplib.IMAP4.error as problem:
        raise _answered(str(problem)) from problem
    except (ProtocolError, ValueError, IndexError, KeyError, TypeError, MemoryError) as problem:
        raise BadAnswer(f"The server's answer cannot be read: {said(problem)}") from problem


def state_after(problem: BaseException) -> str:
    """The state of an account that is tried again, by what its user can do meanwhile."""
    if isinstance(problem, Untrusted):
        return "untrusted"
    if isinstance(problem, Asking):
        return "asking"
    return "refused" if isinstance(problem, Refused) else "waiting"


def told(problem: BaseException) -> tuple[str, str]:
    """What happened, and what to do about it, for a person."""
    if isinstance(problem, CrmmailError):
        return str(problem), problem.hint
    words = f"Something unexpected: {type(problem).__name__}: {said(problem)}"
    return words, "If it stays so: crmmail doctor --report."


def said(problem: object, limit: int = 200) -> str:
    """What a server or a library said, as a sentence that is safe to store and to print.

    It tells no secret, whatever it repeats, and nothing to a terminal.
    """
    if isinstance(problem, UnicodeError):  # its words hold the letter, which may be a password's
        return f"{type(problem).__name__}."
    words = str(problem)[:_HEARD]
    if words.startswith(("b'", 'b"')):
        words = words[2:-1]
    visible = one_line(words)  # first: what is not shown may stand between a secret's letters
    return one_line(secrecy.redacted(visible), limit).rstrip(".") + "."


def _sign_in(words: str, host: str, user: str) -> Problem:
    busy = _SLOW_DOWN if WRONG_CREDENTIALS.search(words) else _THROTTLED
    if _TRANSIENT.search(words) or busy.search(words):
        return Problem(f"{host} takes no sign-in now: {said(words)}", wait=_asked_wait(words))
    of_whom = f" of {one_line(user, 100)}" if user else ""
    return Denied(f"{host} refused the sign-in{of_whom}: {said(words)}")


def _cut(words: str) -> Problem:
    """A BYE that asks to slow down is none of a message's doing."""
    return (
        _answered(words)
        if _SLOW_DOWN.search(words)
        else Cut(f"The connection was cut: {said(words)}")
    )


def _answered(words: str) -> Problem:
    if _SLOW_DOWN.search(words):
        wait = _asked_wait(words) or 60
        return Problem(f"The server asks to slow down: {said(words)}", wait=wait)
    return BadAnswer(f"The server said: {said(words)}")


def _asked_wait(said: str) -> float:
    if found := _WAIT_MS.search(said):
        return min(int(found[1]) / 1000, 3600)
    if found := _WAIT_S.search(said):
        return min(float(found[1]), 3600)
    return 0
