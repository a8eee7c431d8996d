-- Addresses of which no trace may be kept: what is left of them is a digest.

CREATE TABLE forgotten (
    digest VARCHAR NOT NULL,
    PRIMARY KEY (digest)
) WITHOUT ROWID;
