-- How many messages of a folder were unread, and when a server was found to count changes wrongly (S3).

ALTER TABLE folder ADD COLUMN unseen INTEGER DEFAULT -1 NOT NULL;
ALTER TABLE sync_state ADD COLUMN miscounts_at INTEGER DEFAULT 0 NOT NULL;
