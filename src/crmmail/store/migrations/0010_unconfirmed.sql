-- What a server has stopped to list stays until later runs confirm it (M12). A folder whose UIDVALIDITY
-- changed is there twice meanwhile: as it is now, and as it was (S4).
ALTER TABLE folder ADD COLUMN former BOOLEAN DEFAULT 0 NOT NULL;
DROP INDEX ix_folder_name;
CREATE UNIQUE INDEX ix_folder_name ON folder (account_id, name) WHERE NOT former;

CREATE TABLE unconfirmed (
    folder_id INTEGER NOT NULL,
    kind VARCHAR NOT NULL,
    said VARCHAR DEFAULT '' NOT NULL,
    runs INTEGER DEFAULT 1 NOT NULL,
    counted_at INTEGER DEFAULT 0 NOT NULL,
    PRIMARY KEY (folder_id, kind),
    FOREIGN KEY(folder_id) REFERENCES folder (id) ON DELETE CASCADE
) WITHOUT ROWID;

-- The folders that the server lists, as they are now.
CREATE VIEW listed_folder AS SELECT id FROM folder WHERE NOT former AND NOT EXISTS (
    SELECT 1 FROM unconfirmed WHERE folder_id = folder.id AND kind = 'folder');
