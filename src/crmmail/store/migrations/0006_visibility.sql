-- Visibility (rules.md V), exceptions from the rules, and what is still to be done to the file.

ALTER TABLE account ADD COLUMN mail_level INTEGER DEFAULT 2 NOT NULL;
ALTER TABLE account ADD COLUMN meeting_level INTEGER DEFAULT 2 NOT NULL;
ALTER TABLE message ADD COLUMN level INTEGER DEFAULT 2 NOT NULL;
ALTER TABLE message ADD COLUMN invitation INTEGER DEFAULT 0 NOT NULL;
ALTER TABLE placement ADD COLUMN wanted BOOLEAN DEFAULT 0 NOT NULL;
ALTER TABLE skipped ADD COLUMN level INTEGER DEFAULT 2 NOT NULL;

CREATE TABLE allowlist (
    pattern VARCHAR NOT NULL,
    PRIMARY KEY (pattern)
) WITHOUT ROWID;

CREATE TABLE chore (
    name VARCHAR NOT NULL,
    PRIMARY KEY (name)
) WITHOUT ROWID;

-- What the models cannot say.
CREATE INDEX ix_placement_wanted ON placement (folder_id, message_id DESC) WHERE wanted;
CREATE INDEX ix_skipped_sent ON skipped (sent_at DESC, folder_id, uid DESC);
