"""What nobody wrote by hand: newsletters, notifications, spam, invitations, and role addresses."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.cast import ROLE_LOCALS, Someone, Vendor
from benchmarks.letters import Letter, Name, Placed, Who
from benchmarks.stage import RECENT, Stage
from benchmarks.words import invented, subject

Marks = tuple[tuple[str, str], ...]


def _marks(stage: Stage, vendor: Vendor) -> Marks:
    """The headers by which a bulk sender shows itself."""
    rng, host = stage.rng, vendor.host
    token = f"{rng.getrandbits(128):032x}"
    list_id = ("List-Id", f"<{vendor.sender.address.partition('@')[0]}.{host}>")
    leave = (
        "List-Unsubscribe",
        f"<mailto:leave-{token}@{host}>,\r\n <https://{host}/u/{token}{token}>",
    )
    match vendor.style:
        case "list":
            return (list_id, leave, ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
        case "unsubscribe":
            return (leave, ("Precedence", "bulk")) if rng.random() < 0.4 else (leave,)
        case "post":
            return (("List-Post", f"<mailto:{vendor.sender.address}>"),)
        case "bulk":
            return (("Precedence", rng.choice(("bulk", "list", "junk"))),)
        case "auto":
            return (("Auto-Submitted", rng.choice(("auto-generated", "auto-notified"))),)
    return ()


def newsletter(stage: Stage) -> list[Letter]:
    """One mailing of a bulk sender, big and full of markup."""
    rng = stage.rng
    vendor = rng.choice(stage.cast.vendors)
    at = stage.sometime()
    who = stage.cast_list(at, sender=[vendor.sender], to=[stage.me()])
    small = vendor.style in ("auto", "machine") and rng.random() < 0.5
    letter = stage.letter(
        at,
        who,
        subject(rng, "en"),
        shape="alternative" if small else "newsletter",
        marks=_marks(stage, vendor),
        length=rng.randint(400, 2_500) if small else int(rng.triangular(15_000, 60_000, 26_000)),
    )
    dice = rng.random()
    folder = "Newsletters" if dice < 0.45 else "INBOX" if dice < 0.7 else "Archive"
    if dice > 0.93:
        folder = rng.choice(("Trash", "Papierkorb"))
    seen = ("\\Seen",) if at < RECENT or rng.random() < 0.6 else ()
    letter.placed = (Placed(folder, seen),)
    return [letter]


def discussion(stage: Stage) -> list[Letter]:
    """A posting to a mailing list by one of its members: group mail with a person as sender."""
    rng = stage.rng
    vendor = next(v for v in stage.cast.vendors if v.style == "list")
    at = stage.sometime()
    who = stage.cast_list(at, sender=[stage.contact()], to=[vendor.sender])
    letter = stage.letter(at, who, subject(rng, "en"), marks=_marks(stage, vendor))
    letter.placed = (Placed("INBOX"),)
    return [letter]


def spam(stage: Stage) -> list[Letter]:
    """Junk, in a folder that is not read."""
    at = stage.sometime()
    host = f"{invented(stage.rng, 4)}.test"
    who = (
        Who("from", f"offers@{host}", f"offers@{host}", Name("Grand Prize", "Grand Prize")),
        *stage.cast_list(at, to=[stage.me()]),
    )
    letter = stage.letter(at, who, "You have been selected", length=stage.rng.randint(300, 8_000))
    letter.placed = (Placed("Junk", ()),)
    return [letter]


def draft(stage: Stage) -> list[Letter]:
    """Something unfinished, in the drafts folder."""
    at = stage.sometime()
    who = stage.cast_list(at, sender=[stage.me()], to=[stage.contact()])
    letter = stage.letter(at, who, subject(stage.rng, "en"))
    letter.placed = (Placed("Drafts", ("\\Draft", "\\Seen")),)
    return [letter]


def invitation(stage: Stage) -> list[Letter]:
    """An iMIP message: from a contact, from myself, from a colleague or from a machine (M6)."""
    rng = stage.rng
    at, contact, me = stage.sometime(), stage.contact(), stage.me()
    dice = rng.random()
    if dice < 0.6:
        who = stage.cast_list(at, sender=[contact], to=[me], cc=stage.peers(contact, 2))
    elif dice < 0.85:
        who = stage.cast_list(at, sender=[me], to=[contact, *stage.peers(contact, 2)])
    elif dice < 0.95:
        who = stage.cast_list(at, sender=[rng.choice(stage.cast.colleagues)], to=[me])
    else:
        machine = next(v for v in stage.cast.vendors if v.style == "machine")
        who = stage.cast_list(at, sender=[machine.sender], to=[me])
    kind = rng.choice(("nested", "nested", "nested", "top", "nested-bare"))
    base = f"Invitation: {subject(rng, 'en')}"
    letter = stage.letter(at, who, base, invitation=kind, shape="plain")
    letter.placed = stage.sent() if who[0].address in stage.cast.own else stage.inbox(at)
    return [letter]


def away(stage: Stage) -> list[Letter]:
    """An out-of-office answer: group mail from a person (M5)."""
    at, contact, me = stage.sometime(), stage.contact(), stage.me()
    question = stage.letter(
        at, stage.cast_list(at, sender=[me], to=[contact]), subject(stage.rng, "en")
    )
    question.placed = (Placed("Sent"),)
    who = stage.cast_list(at, sender=[contact], to=[me])
    answer = stage.letter(
        question.sent_at + 40,
        who,
        question.base,
        prefix="Automatic reply: ",
        in_reply_to=question.message_id,
        references=(question.message_id,),
        marks=(("Auto-Submitted", "auto-replied"),),
        shape="plain",
        length=200,
    )
    answer.placed = (Placed("INBOX"),)
    return [question, answer]


def desk(stage: Stage) -> list[Letter]:
    """Mail with a role address: kept where I have ever written to it, whenever that was (M5)."""
    rng = stage.rng
    company = rng.choice(stage.cast.companies)
    address = company.info_written or f"{rng.choice(ROLE_LOCALS)}@{company.domain}"
    title = f"{company.name} {address.partition('@')[0].title()}"
    role = Someone(address, (address,), title, "plain", title)
    made, at, base = list[Letter](), stage.sometime(), subject(rng, "en")
    first = stage.letter(at, stage.cast_list(at, sender=[role], to=[stage.me()]), base)
    first.placed = stage.inbox(at)
    made.append(first)
    if company.info_written and rng.random() < 0.6:
        later = first.sent_at + rng.randint(3_600, 500_000)
        who = stage.cast_list(later, sender=[stage.me()], to=[role])
        refs = (first.message_id,)
        reply = stage.letter(later, who, base, prefix="Re: ", references=refs, parent=first)
        reply.placed = (Placed("Sent"),)
        made.append(reply)
    if company.info_written and rng.random() < 0.3:
        later = first.sent_at + rng.randint(600_000, 900_000)
        who = stage.cast_list(later, sender=[role], to=[stage.me()])
        ticket = stage.letter(
            later, who, base, prefix="Re: ", in_reply_to=first.message_id, parent=first
        )
        ticket.marks = (("Auto-Submitted", "auto-generated"),) if rng.random() < 0.4 else ()
        ticket.placed = (Placed("INBOX"),)
        made.append(ticket)
    return made


PLOTS: tuple[tuple[Callable[[Stage], list[Letter]], float], ...] = (
    (newsletter, 0.44),
    (discussion, 0.012),
    (spam, 0.025),
    (draft, 0.008),
    (invitation, 0.02),
    (away, 0.008),
    (desk, 0.014),
)
