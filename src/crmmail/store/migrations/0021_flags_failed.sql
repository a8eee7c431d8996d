-- The messages of a folder whose flags the server failed to send when they were last asked for (S11).

ALTER TABLE folder ADD COLUMN flags_failed VARCHAR DEFAULT '' NOT NULL;
