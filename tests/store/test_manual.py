"""Links and hides made by hand, apart from the rows that show them (C9)."""

from __future__ import annotations

from pathlib import Path

from crmmail.store import hands, joining, links, removal
from crmmail.store.database import Store
from crmmail.store.joining import Joinable

from .test_names import version

_VERSION_8 = """
    INSERT INTO person (id, name) VALUES (5, 'Ann');
    INSERT INTO thread (id, subject, messages) VALUES (7, 'Offer', 1), (9, 'Boat', 1);
    INSERT INTO message (id, message_id, thread_id, sent_at, subject, refs)
        VALUES (1, '1@test', 7, 0, 'Offer', '0@test'), (2, '2@test', 9, 0, 'Boat', '');
    INSERT INTO message_text VALUES (1, '', '', ''), (2, '', '', '');
    INSERT INTO thread_ref VALUES ('0@test', 7), ('1@test', 7), ('2@test', 9);
    INSERT INTO thread_link (kind, record_id, thread_id, hand) VALUES (1, 5, 7, 1), (1, 5, 9, -1);
    INSERT INTO meeting (id, uid) VALUES (3, 'm@test');
    INSERT INTO meeting_link (kind, record_id, meeting_id, hand) VALUES (1, 5, 3, -1)
"""


def test_a_store_of_the_version_before_keeps_its_links(tmp_path: Path) -> None:
    """What stands in the rows of links is taken over, and outlives them from then on."""
    with version(8):
        old = Store(tmp_path / "old.db")
        with old.write() as (db, _):
            for statement in _VERSION_8.split(";"):
                db.execute(statement)
        old.close()
    store = Store(tmp_path / "old.db")
    shown = "SELECT thread_id, hand FROM thread_link WHERE hand != 0 ORDER BY 1"
    assert store.read().execute(shown).fetchall() == [(7, 1), (9, -1)]
    with store.write() as (db, change):
        db.execute("DELETE FROM message")
        joining.split(db, change, [7, 9])
        removal.remove_meetings(db, change, [3])
    assert store.read().execute(shown).fetchall() == []
    assert store.read().execute("SELECT id FROM thread").fetchall() == []
    with store.write() as (db, change):
        found = joining.join(
            db,
            change,
            [
                Joinable(1, "1@test", ("0@test",), 0, "", False),
                Joinable(2, "2@test", (), 0, "", False),
            ],
        )
        assert found == {1: 7, 2: 9}
        db.execute("INSERT INTO meeting (id, uid) VALUES (4, 'm@test')")
        links.relink(db, change, found.values())
        links.relink(db, change, [4], links.MEETING)
    assert store.read().execute(shown).fetchall() == [(7, 1), (9, -1)]
    assert hands.hand(store.read(), hands.MEETING, 1, 5, 4) == -1
    store.close()
