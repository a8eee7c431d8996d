-- What a calendar server does not list any more waits until later runs say the same (M12).
ALTER TABLE calendar ADD COLUMN missing VARCHAR DEFAULT '' NOT NULL;
ALTER TABLE calendar ADD COLUMN missing_runs INTEGER DEFAULT 0 NOT NULL;
ALTER TABLE calendar ADD COLUMN missing_at INTEGER DEFAULT 0 NOT NULL;
