-- M8: a message that the server cannot send is set aside after some passes, and tried again from
-- time to time. What was set aside until now is tried again at once.
ALTER TABLE skipped ADD COLUMN tried_at INTEGER DEFAULT 0 NOT NULL;
UPDATE skipped SET attempts = 0;
CREATE INDEX ix_skipped_unreadable ON skipped (folder_id, uid) WHERE reason = 'unreadable';

-- What a kill must not forget of the search for a message at which the connection ends.
ALTER TABLE folder ADD COLUMN suspects VARCHAR DEFAULT '' NOT NULL;

-- How many messages were here when the folder was last compared; `messages` is what the server says.
ALTER TABLE folder ADD COLUMN compared INTEGER DEFAULT 0 NOT NULL;
UPDATE folder SET compared = messages;
