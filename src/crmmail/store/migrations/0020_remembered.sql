-- Whom `crmmail remember` let in again: an older backup, which says otherwise, does not shut them out.

CREATE TABLE remembered (
    digest VARCHAR NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (digest)
) WITHOUT ROWID;
