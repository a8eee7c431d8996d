-- Links and hides made by hand outlive the rows of threads and meetings: kept by digests of Message-IDs
-- and UIDs. And the numbers of threads and meetings that leave, so that they come back with them.

CREATE TABLE manual_link (
    target INTEGER NOT NULL,
    "key" INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    record_id INTEGER NOT NULL,
    hand INTEGER NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (target, "key", kind, record_id)
) WITHOUT ROWID;

CREATE TABLE former_id (
    target INTEGER NOT NULL,
    "key" INTEGER NOT NULL,
    id INTEGER NOT NULL,
    PRIMARY KEY (target, "key")
) WITHOUT ROWID;

-- What the models cannot say.
CREATE INDEX ix_manual_link_record ON manual_link (target, kind, record_id);
CREATE INDEX ix_former_id ON former_id (target, id);

INSERT OR IGNORE INTO manual_link
    SELECT 1, digest_key(mid), kind, record_id, hand, 0
    FROM thread_link JOIN thread_ref ON thread_ref.thread_id = thread_link.thread_id
    WHERE hand != 0;
INSERT OR IGNORE INTO manual_link
    SELECT 2, digest_key(uid), kind, record_id, hand, 0
    FROM meeting_link JOIN meeting ON meeting.id = meeting_link.meeting_id
    WHERE hand != 0;
