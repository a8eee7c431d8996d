-- Rules that were changed, and how far people and companies went then: so that a rule that is set back
-- takes back what it made.

CREATE TABLE rule_change (
    id INTEGER NOT NULL,
    setting VARCHAR NOT NULL,
    "key" INTEGER NOT NULL,
    account_id INTEGER,
    before VARCHAR NOT NULL,
    person_mark INTEGER NOT NULL,
    company_mark INTEGER NOT NULL,
    undone BOOLEAN DEFAULT 0 NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(account_id) REFERENCES account (id) ON DELETE CASCADE
);
