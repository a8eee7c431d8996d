"""What happens on the servers in a walk (hand_walk.py), and what ends as it began."""

from __future__ import annotations

from tests.sync.events import event
from tests.sync.hand_world import SENDERS, Walk
from tests.sync.letters import ME, letter

from crmmail.store import handmade
from crmmail.store.database import Store
from crmmail.store.put_back import put_back


def some_letter(walk: Walk) -> bytes:
    """A letter by chance: new, a reply, one that joins two threads, without a Message-ID."""
    rnd = walk.rnd
    walk.number += 1
    number = walk.number
    sender, to = rnd.choice(SENDERS), ME
    if rnd.randrange(5) == 0:
        sender, to = f"Me <{ME}>", rnd.choice(SENDERS)
    if rnd.randrange(4) == 0:
        to += f", {rnd.choice(SENDERS)}"
    near = range(max(1, number - 6), number + 3)
    near = range(max(1, number - 6), number + 3)
    refs = " ".join(f"<{rnd.choice(near)}@test>" for _ in range(rnd.choice([0, 0, 1, 1, 2])))
    subject = rnd.choice(["", "Offer", "Re: Offer", "Invoice", "Re: Invoice"])
    more = "List-Id: <l.example>" if "news" in sender else ""
    day = rnd.randrange(60)
    raw = letter(number, sender=sender, to=to, refs=refs, subject=subject, more=more, day=day)
    if rnd.randrange(8) == 0:
        raw = raw.replace(f"Message-ID: <{number}@test>\r\n".encode(), b"")
    return raw


def arrive(walk: Walk) -> None:
    box = walk.rnd.choice(walk.boxes)
    raw = some_letter(walk)
    box.append(walk.rnd.choice(["INBOX", "Clients", "Sent"]), raw)
    if walk.rnd.randrange(4) == 0:  # the same in another folder, or account
        walk.rnd.choice(walk.boxes).append("Clients", raw)


def leave(walk: Walk) -> None:
    box, name = walk.rnd.choice(walk.boxes), walk.rnd.choice(["INBOX", "Clients"])
    if uids := box.uids(name):
        box.expunge(name, [walk.rnd.choice(uids)])


def move(walk: Walk) -> None:
    box = walk.rnd.choice(walk.boxes)
    source, target = walk.rnd.sample(["INBOX", "Clients"], 2)
    if uids := box.uids(source):
        box.move([walk.rnd.choice(uids)], source, target)


def meet(walk: Walk) -> None:
    number = walk.rnd.randrange(4)
    more = ["RRULE:FREQ=WEEKLY;COUNT=3"] if number % 2 else []
    walk.number += 1
    walk.dav.put(
        "work", f"{number}.ics", event(number, f"Meeting {walk.number}", *more, day=number)
    )


def cancel(walk: Walk) -> None:
    found = [path.rsplit("/", 1)[1] for path in walk.dav.resources("work")]
    if found:
        walk.dav.delete("work", walk.rnd.choice(found))


def change_time(walk: Walk) -> None:
    """One time of a series is another."""
    found = {p.rsplit("/", 1)[1]: t for p, t in walk.dav.resources("work").items() if "RRULE" in t}
    if not found:
        return
    name = walk.rnd.choice(sorted(found))
    lines = event(int(name[0]), "Series", "RRULE:FREQ=WEEKLY;COUNT=3", day=1).splitlines()
    moved = event(int(name[0]), "Moved", day=2).splitlines()[3:-1]
    start = next(line for line in lines if line.startswith("DTSTART:")).partition(":")[2]
    moved.insert(2, f"RECURRENCE-ID:{start}")
    walk.dav.put("work", name, "\r\n".join([*lines[:-1], *moved, lines[-1], ""]))


def move_meeting(walk: Walk) -> None:
    source, target = walk.rnd.sample(["work", "team"], 2)
    found = walk.dav.resources(source)
    if found:
        path = walk.rnd.choice(sorted(found))
        name = path.rsplit("/", 1)[1]
        walk.dav.delete(source, name)
        walk.dav.put(target, name, found[path])


EVENTS = (
    *(arrive,) * 5,
    *(leave,) * 2,
    *(move,) * 2,
    *(meet,) * 2,
    cancel,
    change_time,
    move_meeting,
)


def renew(walk: Walk) -> None:
    walk.rnd.choice(walk.boxes).renew("Clients")


def away_and_back(walk: Walk) -> None:
    """Messages are deleted, that is seen, and they are appended again."""
    box = walk.rnd.choice(walk.boxes)
    with box.client() as client:
        client.select_folder("INBOX")
        uids = sorted(client.search())
        if not uids:
            return
        gone = sorted(walk.rnd.sample(uids, walk.rnd.randint(1, min(4, len(uids)))))
        raw = [one[b"BODY[]"] for one in client.fetch(gone, ["BODY.PEEK[]"]).values()]
    box.expunge("INBOX", gone)
    walk.settle(runs=4)
    box.append("INBOX", *raw)


def rename(walk: Walk) -> None:
    box = walk.rnd.choice(walk.boxes)
    box.rename("Clients", "Other")
    walk.settle(runs=4)
    box.rename("Other", "Clients")


def restart(walk: Walk) -> None:
    path = walk.store.path
    walk.store.close()
    walk.store = Store(path)


def put_back_today(walk: Walk) -> None:
    put_back(walk.store, handmade.collect(walk.store.read(), 2_000_000_000))


CIRCLES = (renew, away_and_back, rename, restart, put_back_today)
"""After these, all is as before."""
