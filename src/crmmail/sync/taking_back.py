"""A rule that is set back takes back the people and companies that its change made (C10).

Of those that came since the change, they go with whom the user has done nothing, and whom no mail
or meeting makes a contact by the rules of now. It is done when all has been judged by these rules.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping

from crmmail.store import rule_changes
from crmmail.store.database import Change, Store
from crmmail.store.rule_changes import Place
from crmmail.sync import rejudge, rules
from crmmail.sync.rules import Rules

_BATCH = 200
"""People in one transaction."""
_MINE = """AND part.role IN ('to', 'cc', 'bcc') AND EXISTS (
    SELECT 1 FROM participant AS mine JOIN address ON address.id = mine.address_id
    JOIN own_address ON own_address.address = address.address
    WHERE mine.message_id = part.message_id AND mine.role = 'from')"""
_BY_MAIL = """
    SELECT DISTINCT part.address_id FROM json_each(?) AS wanted
    CROSS JOIN participant AS part ON part.address_id = wanted.value
    CROSS JOIN placement ON placement.message_id = part.message_id
    JOIN folder ON folder.id = placement.folder_id WHERE folder.account_id = ? {sent}
"""
_BY_MEETINGS = """
    SELECT DISTINCT attendee.address_id FROM json_each(?) AS wanted
    CROSS JOIN attendee ON attendee.address_id = wanted.value
    CROSS JOIN meeting ON meeting.id = attendee.meeting_id
    JOIN calendar_object ON calendar_object.id = meeting.object_id
    JOIN calendar ON calendar.id = calendar_object.calendar_id
    WHERE calendar.account_id IS ? AND attendee.kind = 'individual'
    AND (?3 = 'both' OR attendee.organizer = (?3 = 'organizer'))
    AND EXISTS (SELECT 1 FROM occurrence WHERE meeting_id = meeting.id AND NOT cancelled)
"""


def run(store: Store, stopping: Callable[[], bool] = bool) -> None:
    """Take back what is to be taken back, once all accounts are judged by the rules of now.

    Killed half way it goes on with the next pass: the mark goes last. Two passes, of mail and of
    calendars, may do it at once: what one has done the other leaves.
    """
    for one in rule_changes.undone(store.read()):
        after: int | None = one.person_mark
        elsewhere: Mapping[str, Place] | None = None
        if one.setting in rule_changes.PEOPLE_ONLY and _is_applied(store.read()):
            elsewhere = _in_skip_list(store.read(), one.person_mark, stopping)
        while after is not None:
            if stopping() or not _is_applied(store.read()):
                return
            with store.write() as (db, change):
                if not rule_changes.is_undone(db, one.id):
                    break
                after = _people(db, change, after, elsewhere)
        with store.write() as (db, change):
            if rule_changes.is_undone(db, one.id):
                rule_changes.take_out_companies(db, change, one.company_mark)
                rule_changes.done(db, one.id)


def _is_applied(db: sqlite3.Connection) -> bool:
    """Whether all mail and meetings are judged by the rules of now, but for paused accounts."""
    from crmmail.sync import meetings  # mail alone does without all that reads calendars

    for account, applied, reads_mail, meetings_applied, caldav in db.execute(
        """SELECT id, applied, host != '', meetings_applied, caldav_url != '' FROM account
           WHERE NOT paused"""
    ).fetchall():
        if reads_mail and applied != rejudge.fingerprint(rules.load(db, account)):
            return False
        if caldav and meetings_applied != meetings.mark(db, account):
            return False
    left = db.execute(
        """SELECT 1 FROM folder JOIN account ON account.id = account_id AND NOT paused
           WHERE NOT selected AND EXISTS (
               SELECT 1 FROM placement WHERE folder_id = folder.id)
           UNION SELECT 1 FROM calendar JOIN account ON account.id = account_id AND NOT paused
           WHERE NOT selected AND EXISTS (
               SELECT 1 FROM calendar_object WHERE calendar_id = calendar.id)"""
    )
    return left.fetchone() is None


def _in_skip_list(
    db: sqlite3.Connection, after: int, stopping: Callable[[], bool]
) -> dict[str, Place]:
    """Where the skip list names those who came after that one and have no mail and no meeting."""
    numbers = {address: number for _, number, address in rule_changes.suspects(db, after)}
    here = rule_changes.taking_part(db, numbers.values())
    absent = [address for address, number in numbers.items() if number not in here]
    return rule_changes.in_skip_list(db, absent, stopping)


def _people(
    db: sqlite3.Connection, change: Change, after: int, elsewhere: Mapping[str, Place] | None
) -> int | None:
    """Take back some people that came after that one; returns the last one looked at.

    With `elsewhere`, the places of addresses in the skip list, people stay who have no mail, there
    neither, and no meeting: those have left for another reason.
    """
    some = rule_changes.suspects(db, after, _BATCH)
    addresses = {address_id: address for _, address_id, address in some}
    wanted = _wanted(db, addresses)
    if elsewhere is not None:
        wanted |= _absent(db, addresses, elsewhere)
    gone = {person: address for person, address, _ in some if address not in wanted}
    rule_changes.take_out_people(db, change, gone, _bars(db, addresses))
    return some[-1][0] if some else None


def _absent(
    db: sqlite3.Connection, addresses: Mapping[int, str], elsewhere: Mapping[str, Place]
) -> set[int]:
    """Which addresses take part in nothing, in the store or in the skip list."""
    absent = addresses.keys() - rule_changes.taking_part(db, addresses)
    places = {
        addresses[one]: elsewhere[addresses[one]] for one in absent if addresses[one] in elsewhere
    }
    named = rule_changes.still_named(db, places)
    return {number for number in absent if addresses[number] not in named}


def _bars(db: sqlite3.Connection, addresses: Mapping[int, str]) -> dict[int, str]:
    """Why addresses are no contacts (C3)."""
    row = db.execute("SELECT id FROM account ORDER BY id DESC LIMIT 1").fetchone()
    if row is None:
        return dict.fromkeys(addresses, "policy")
    judged_by = rules.load(db, row[0])
    return {
        number: rules.contact_bar(one, judged_by) or "policy" for number, one in addresses.items()
    }


def _wanted(db: sqlite3.Connection, suspects: Mapping[int, str]) -> set[int]:
    """Which addresses some account's mail or meetings make contacts of now (C2, C3)."""
    from crmmail.sync import meeting_rules  # a pass without anything to take back does without

    accounts = [row[0] for row in db.execute("SELECT id FROM account")]
    found = set[int]()
    for account in accounts:
        judged_by = rules.load(db, account)
        if judged_by.policy != "none":
            sent = _MINE if judged_by.policy == "sent" else ""
            query = _BY_MAIL.format(sent=sent)
            found |= _column(db, query, _allowed(suspects, judged_by), account)
    for owner in (*accounts, None):
        base = meeting_rules.load(db, owner).base
        if base.policy != "none":
            found |= _column(db, _BY_MEETINGS, _allowed(suspects, base), owner, base.policy)
    return found


def _allowed(suspects: Mapping[int, str], judged_by: Rules) -> str:
    return json.dumps(
        [number for number, one in suspects.items() if not rules.contact_bar(one, judged_by)]
    )


def _column(db: sqlite3.Connection, query: str, *values: object) -> set[int]:
    return {row[0] for row in db.execute(query, values)}
