-- Calendars and meetings (rules.md K).

ALTER TABLE account ADD COLUMN caldav_url VARCHAR DEFAULT '' NOT NULL;
ALTER TABLE account ADD COLUMN caldav_username VARCHAR DEFAULT '' NOT NULL;
ALTER TABLE account ADD COLUMN caldav_secret VARCHAR DEFAULT '' NOT NULL;
ALTER TABLE account ADD COLUMN meeting_policy VARCHAR DEFAULT 'both' NOT NULL;
ALTER TABLE account ADD COLUMN sync_internal_meetings BOOLEAN DEFAULT 0 NOT NULL;
ALTER TABLE account ADD COLUMN sync_private BOOLEAN DEFAULT 0 NOT NULL;
ALTER TABLE account ADD COLUMN meetings_applied VARCHAR DEFAULT '' NOT NULL;
ALTER TABLE sync_state ADD COLUMN calendar_error VARCHAR DEFAULT '' NOT NULL;
ALTER TABLE sync_state ADD COLUMN calendar_hint VARCHAR DEFAULT '' NOT NULL;
ALTER TABLE sync_state ADD COLUMN calendar_success INTEGER DEFAULT 0 NOT NULL;

CREATE TABLE calendar (
    id INTEGER NOT NULL,
    account_id INTEGER,
    url VARCHAR NOT NULL,
    name VARCHAR DEFAULT '' NOT NULL,
    color VARCHAR DEFAULT '' NOT NULL,
    selected BOOLEAN DEFAULT 1 NOT NULL,
    sync_token VARCHAR DEFAULT '' NOT NULL,
    ctag VARCHAR DEFAULT '' NOT NULL,
    compared_at INTEGER DEFAULT 0 NOT NULL,
    last_success INTEGER DEFAULT 0 NOT NULL,
    error VARCHAR DEFAULT '' NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(account_id) REFERENCES account (id) ON DELETE CASCADE
);

CREATE INDEX ix_calendar_account_id ON calendar (account_id);

CREATE TABLE calendar_object (
    id INTEGER NOT NULL,
    calendar_id INTEGER NOT NULL,
    href VARCHAR NOT NULL,
    etag VARCHAR DEFAULT '' NOT NULL,
    uid VARCHAR DEFAULT '' NOT NULL,
    raw VARCHAR DEFAULT '' NOT NULL,
    reason VARCHAR DEFAULT '' NOT NULL,
    detail VARCHAR DEFAULT '' NOT NULL,
    title VARCHAR DEFAULT '' NOT NULL,
    starts_at INTEGER DEFAULT 0 NOT NULL,
    expanded_to INTEGER DEFAULT 0 NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(calendar_id) REFERENCES calendar (id) ON DELETE CASCADE
);

CREATE INDEX ix_calendar_object_uid ON calendar_object (uid);

CREATE TABLE meeting (
    id INTEGER NOT NULL,
    uid VARCHAR NOT NULL,
    recurrence_id VARCHAR DEFAULT '' NOT NULL,
    object_id INTEGER,
    title VARCHAR DEFAULT '' NOT NULL,
    location VARCHAR DEFAULT '' NOT NULL,
    description VARCHAR DEFAULT '' NOT NULL,
    link VARCHAR DEFAULT '' NOT NULL,
    people VARCHAR DEFAULT '' NOT NULL,
    organizer_id INTEGER,
    tzid VARCHAR DEFAULT '' NOT NULL,
    all_day BOOLEAN DEFAULT 0 NOT NULL,
    recurrence VARCHAR DEFAULT '' NOT NULL,
    first_at INTEGER DEFAULT 0 NOT NULL,
    last_at INTEGER DEFAULT 0 NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(object_id) REFERENCES calendar_object (id) ON DELETE SET NULL
);

CREATE INDEX ix_meeting_object_id ON meeting (object_id);

CREATE TABLE occurrence (
    id INTEGER NOT NULL,
    meeting_id INTEGER NOT NULL,
    original_at INTEGER NOT NULL,
    starts_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    cancelled BOOLEAN DEFAULT 0 NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(meeting_id) REFERENCES meeting (id) ON DELETE CASCADE
);

CREATE INDEX ix_occurrence_starts_at ON occurrence (starts_at);

CREATE TABLE attendee (
    meeting_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    address_id INTEGER NOT NULL,
    name VARCHAR DEFAULT '' NOT NULL,
    role VARCHAR DEFAULT '' NOT NULL,
    response VARCHAR DEFAULT '' NOT NULL,
    kind VARCHAR DEFAULT 'individual' NOT NULL,
    organizer BOOLEAN DEFAULT 0 NOT NULL,
    PRIMARY KEY (meeting_id, position),
    FOREIGN KEY(meeting_id) REFERENCES meeting (id) ON DELETE CASCADE,
    FOREIGN KEY(address_id) REFERENCES address (id)
) WITHOUT ROWID;

CREATE INDEX ix_attendee_address_id ON attendee (address_id);

CREATE TABLE meeting_link (
    kind INTEGER NOT NULL,
    record_id INTEGER NOT NULL,
    meeting_id INTEGER NOT NULL,
    why VARCHAR DEFAULT '' NOT NULL,
    hand INTEGER DEFAULT 0 NOT NULL,
    PRIMARY KEY (kind, record_id, meeting_id),
    FOREIGN KEY(meeting_id) REFERENCES meeting (id) ON DELETE CASCADE
) WITHOUT ROWID;

CREATE INDEX ix_meeting_link_meeting_id ON meeting_link (meeting_id);

-- What the models cannot say.
CREATE UNIQUE INDEX ix_calendar_object_href ON calendar_object (calendar_id, href);
CREATE INDEX ix_calendar_object_reason ON calendar_object (reason, starts_at DESC) WHERE reason != '';
CREATE UNIQUE INDEX ix_meeting_uid ON meeting (uid, recurrence_id);
CREATE INDEX ix_occurrence_meeting ON occurrence (meeting_id, starts_at);

-- The words of meetings; the index keeps no text of its own.
CREATE VIRTUAL TABLE search_meetings USING fts5 (
    title, people, location, description,
    content = 'meeting', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
);
CREATE TRIGGER search_meetings_insert AFTER INSERT ON meeting BEGIN
    INSERT INTO search_meetings (rowid, title, people, location, description)
    VALUES (NEW.id, NEW.title, NEW.people, NEW.location, NEW.description);
END;
CREATE TRIGGER search_meetings_delete AFTER DELETE ON meeting BEGIN
    INSERT INTO search_meetings (search_meetings, rowid, title, people, location, description)
    VALUES ('delete', OLD.id, OLD.title, OLD.people, OLD.location, OLD.description);
END;
CREATE TRIGGER search_meetings_update
AFTER UPDATE OF title, people, location, description ON meeting BEGIN
    INSERT INTO search_meetings (search_meetings, rowid, title, people, location, description)
    VALUES ('delete', OLD.id, OLD.title, OLD.people, OLD.location, OLD.description);
    INSERT INTO search_meetings (rowid, title, people, location, description)
    VALUES (NEW.id, NEW.title, NEW.people, NEW.location, NEW.description);
END;

-- Titles while they are typed: 6 is a meeting (see 0002).
CREATE TRIGGER search_meeting_insert AFTER INSERT ON meeting WHEN NEW.title != '' BEGIN
    INSERT OR IGNORE INTO search_stale VALUES (NEW.id * 8 + 6);
END;
CREATE TRIGGER search_meeting_update AFTER UPDATE OF title ON meeting
WHEN NEW.title IS NOT OLD.title BEGIN
    INSERT OR IGNORE INTO search_stale VALUES (NEW.id * 8 + 6);
END;
CREATE TRIGGER search_meeting_delete AFTER DELETE ON meeting BEGIN
    INSERT OR IGNORE INTO search_stale VALUES (OLD.id * 8 + 6);
END;
