-- The numbers of all occurrences of a meeting are found by its UID, so that `forget` can erase them.
ALTER TABLE former_id ADD COLUMN uid_key INTEGER DEFAULT 0 NOT NULL;
