-- What the user has changed about records, for their timelines.

CREATE TABLE record_change (
    id INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    record_id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    field VARCHAR NOT NULL,
    old VARCHAR DEFAULT '' NOT NULL,
    new VARCHAR DEFAULT '' NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX ix_record_change ON record_change (kind, record_id, at);
