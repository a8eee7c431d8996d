-- A mail server that no authority vouches for is known by its certificate.

ALTER TABLE account ADD COLUMN pin VARCHAR DEFAULT '' NOT NULL;
-- A password that was entered anew leaves no trace in the row; this does.
ALTER TABLE account ADD COLUMN login_at INTEGER DEFAULT 0 NOT NULL;
