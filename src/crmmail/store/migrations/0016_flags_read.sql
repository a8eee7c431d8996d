-- When the flags of all messages of a folder were last read: where the server counts no changes, that is 5 MB for
-- 100,000 messages, and is not done at each connection (S3).
ALTER TABLE folder ADD COLUMN flags_at INTEGER DEFAULT 0 NOT NULL;
