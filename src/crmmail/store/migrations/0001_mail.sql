-- The first schema: mail, people, companies, opportunities.

CREATE TABLE account (
    id INTEGER NOT NULL,
    email VARCHAR NOT NULL,
    name VARCHAR DEFAULT '' NOT NULL,
    host VARCHAR DEFAULT '' NOT NULL,
    port INTEGER DEFAULT 993 NOT NULL,
    security VARCHAR DEFAULT 'tls' NOT NULL,
    username VARCHAR DEFAULT '' NOT NULL,
    secret VARCHAR DEFAULT '' NOT NULL,
    policy VARCHAR DEFAULT 'sent' NOT NULL,
    exclude_group BOOLEAN DEFAULT 1 NOT NULL,
    exclude_free BOOLEAN DEFAULT 1 NOT NULL,
    sync_internal BOOLEAN DEFAULT 0 NOT NULL,
    mail_since INTEGER DEFAULT 0 NOT NULL,
    paused BOOLEAN DEFAULT 0 NOT NULL,
    applied VARCHAR DEFAULT '' NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (email)
);

CREATE TABLE blocklist (
    pattern VARCHAR NOT NULL,
    PRIMARY KEY (pattern)
) WITHOUT ROWID;

CREATE TABLE company (
    id INTEGER NOT NULL,
    name VARCHAR DEFAULT '' NOT NULL,
    name_by_hand BOOLEAN DEFAULT 0 NOT NULL,
    links VARCHAR DEFAULT '' NOT NULL,
    source VARCHAR DEFAULT 'mail' NOT NULL,
    created_at INTEGER DEFAULT 0 NOT NULL,
    deleted_at INTEGER DEFAULT 0 NOT NULL,
    threads INTEGER DEFAULT 0 NOT NULL,
    first_at INTEGER DEFAULT 0 NOT NULL,
    last_at INTEGER DEFAULT 0 NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE message (
    id INTEGER NOT NULL,
    message_id VARCHAR NOT NULL,
    thread_id INTEGER NOT NULL,
    sent_at INTEGER NOT NULL,
    subject VARCHAR NOT NULL,
    from_id INTEGER,
    outgoing BOOLEAN DEFAULT 0 NOT NULL,
    flags INTEGER DEFAULT 0 NOT NULL,
    size INTEGER DEFAULT 0 NOT NULL,
    attachments INTEGER DEFAULT 0 NOT NULL,
    preview VARCHAR DEFAULT '' NOT NULL,
    refs VARCHAR DEFAULT '' NOT NULL,
    loose_key VARCHAR DEFAULT '' NOT NULL,
    loose BOOLEAN DEFAULT 0 NOT NULL,
    sign VARCHAR DEFAULT '' NOT NULL,
    orphaned_at INTEGER DEFAULT 0 NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (message_id)
);

CREATE INDEX ix_message_thread_id ON message (thread_id);

CREATE TABLE note (
    id INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    record_id INTEGER NOT NULL,
    text VARCHAR NOT NULL,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE thread (
    id INTEGER NOT NULL,
    subject VARCHAR DEFAULT '' NOT NULL,
    first_at INTEGER DEFAULT 0 NOT NULL,
    last_at INTEGER DEFAULT 0 NOT NULL,
    last_id INTEGER DEFAULT 0 NOT NULL,
    messages INTEGER DEFAULT 0 NOT NULL,
    unread INTEGER DEFAULT 0 NOT NULL,
    attachments INTEGER DEFAULT 0 NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE thread_ref (
    mid VARCHAR NOT NULL,
    thread_id INTEGER NOT NULL,
    PRIMARY KEY (mid)
) WITHOUT ROWID;

CREATE INDEX ix_thread_ref_thread_id ON thread_ref (thread_id);

CREATE TABLE attachment (
    message_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    name VARCHAR NOT NULL,
    mime VARCHAR NOT NULL,
    size INTEGER NOT NULL,
    inline BOOLEAN DEFAULT 0 NOT NULL,
    PRIMARY KEY (message_id, position),
    FOREIGN KEY(message_id) REFERENCES message (id) ON DELETE CASCADE
) WITHOUT ROWID;

CREATE TABLE company_domain (
    domain VARCHAR NOT NULL,
    company_id INTEGER NOT NULL,
    PRIMARY KEY (domain),
    FOREIGN KEY(company_id) REFERENCES company (id) ON DELETE CASCADE
) WITHOUT ROWID;

CREATE INDEX ix_company_domain_company_id ON company_domain (company_id);

CREATE TABLE folder (
    id INTEGER NOT NULL,
    account_id INTEGER NOT NULL,
    name VARCHAR NOT NULL,
    role VARCHAR DEFAULT '' NOT NULL,
    selectable BOOLEAN DEFAULT 1 NOT NULL,
    selected BOOLEAN DEFAULT 1 NOT NULL,
    uidvalidity INTEGER DEFAULT 0 NOT NULL,
    uidnext INTEGER DEFAULT 0 NOT NULL,
    floor INTEGER DEFAULT 0 NOT NULL,
    modseq INTEGER DEFAULT 0 NOT NULL,
    messages INTEGER DEFAULT 0 NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(account_id) REFERENCES account (id) ON DELETE CASCADE
);

CREATE INDEX ix_folder_account_id ON folder (account_id);

CREATE TABLE internal_domain (
    account_id INTEGER NOT NULL,
    domain VARCHAR NOT NULL,
    PRIMARY KEY (account_id, domain),
    FOREIGN KEY(account_id) REFERENCES account (id) ON DELETE CASCADE
) WITHOUT ROWID;

CREATE TABLE message_text (
    message_id INTEGER NOT NULL,
    people VARCHAR NOT NULL,
    text VARCHAR NOT NULL,
    quotes VARCHAR DEFAULT '' NOT NULL,
    PRIMARY KEY (message_id),
    FOREIGN KEY(message_id) REFERENCES message (id) ON DELETE CASCADE
);

CREATE TABLE own_address (
    account_id INTEGER NOT NULL,
    address VARCHAR NOT NULL,
    PRIMARY KEY (account_id, address),
    FOREIGN KEY(account_id) REFERENCES account (id) ON DELETE CASCADE
) WITHOUT ROWID;

CREATE TABLE person (
    id INTEGER NOT NULL,
    name VARCHAR DEFAULT '' NOT NULL,
    name_by_hand BOOLEAN DEFAULT 0 NOT NULL,
    company_id INTEGER,
    job VARCHAR DEFAULT '' NOT NULL,
    phone VARCHAR DEFAULT '' NOT NULL,
    links VARCHAR DEFAULT '' NOT NULL,
    source VARCHAR DEFAULT 'mail' NOT NULL,
    created_at INTEGER DEFAULT 0 NOT NULL,
    deleted_at INTEGER DEFAULT 0 NOT NULL,
    threads INTEGER DEFAULT 0 NOT NULL,
    first_at INTEGER DEFAULT 0 NOT NULL,
    last_at INTEGER DEFAULT 0 NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(company_id) REFERENCES company (id) ON DELETE SET NULL
);

CREATE INDEX ix_person_company_id ON person (company_id);

CREATE TABLE sync_state (
    account_id INTEGER NOT NULL,
    state VARCHAR DEFAULT 'new' NOT NULL,
    done INTEGER DEFAULT 0 NOT NULL,
    total INTEGER DEFAULT 0 NOT NULL,
    started_at INTEGER DEFAULT 0 NOT NULL,
    last_success INTEGER DEFAULT 0 NOT NULL,
    next_try INTEGER DEFAULT 0 NOT NULL,
    error VARCHAR DEFAULT '' NOT NULL,
    hint VARCHAR DEFAULT '' NOT NULL,
    bytes_received INTEGER DEFAULT 0 NOT NULL,
    PRIMARY KEY (account_id),
    FOREIGN KEY(account_id) REFERENCES account (id) ON DELETE CASCADE
);

CREATE TABLE thread_link (
    kind INTEGER NOT NULL,
    record_id INTEGER NOT NULL,
    thread_id INTEGER NOT NULL,
    last_at INTEGER DEFAULT 0 NOT NULL,
    why VARCHAR DEFAULT '' NOT NULL,
    hand INTEGER DEFAULT 0 NOT NULL,
    PRIMARY KEY (kind, record_id, thread_id),
    FOREIGN KEY(thread_id) REFERENCES thread (id) ON DELETE CASCADE
) WITHOUT ROWID;

CREATE TABLE address (
    id INTEGER NOT NULL,
    address VARCHAR NOT NULL,
    site VARCHAR DEFAULT '' NOT NULL,
    name VARCHAR DEFAULT '' NOT NULL,
    name_at INTEGER DEFAULT 0 NOT NULL,
    written BOOLEAN DEFAULT 0 NOT NULL,
    person_id INTEGER,
    is_primary BOOLEAN DEFAULT 0 NOT NULL,
    no_contact VARCHAR DEFAULT '' NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (address),
    FOREIGN KEY(person_id) REFERENCES person (id) ON DELETE SET NULL
);

CREATE INDEX ix_address_person_id ON address (person_id);

CREATE INDEX ix_address_site ON address (site);

CREATE TABLE opportunity (
    id INTEGER NOT NULL,
    name VARCHAR NOT NULL,
    company_id INTEGER,
    contact_id INTEGER,
    stage VARCHAR DEFAULT 'new' NOT NULL,
    amount INTEGER DEFAULT 0 NOT NULL,
    currency VARCHAR DEFAULT 'EUR' NOT NULL,
    closes_on VARCHAR DEFAULT '' NOT NULL,
    source VARCHAR DEFAULT 'hand' NOT NULL,
    created_at INTEGER DEFAULT 0 NOT NULL,
    deleted_at INTEGER DEFAULT 0 NOT NULL,
    threads INTEGER DEFAULT 0 NOT NULL,
    first_at INTEGER DEFAULT 0 NOT NULL,
    last_at INTEGER DEFAULT 0 NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(company_id) REFERENCES company (id) ON DELETE SET NULL,
    FOREIGN KEY(contact_id) REFERENCES person (id) ON DELETE SET NULL
);

CREATE INDEX ix_opportunity_company_id ON opportunity (company_id);

CREATE INDEX ix_opportunity_contact_id ON opportunity (contact_id);

CREATE TABLE placement (
    folder_id INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    message_id INTEGER NOT NULL,
    flags INTEGER DEFAULT 0 NOT NULL,
    PRIMARY KEY (folder_id, uid),
    FOREIGN KEY(folder_id) REFERENCES folder (id) ON DELETE CASCADE,
    FOREIGN KEY(message_id) REFERENCES message (id) ON DELETE CASCADE
) WITHOUT ROWID;

CREATE INDEX ix_placement_message_id ON placement (message_id);

CREATE TABLE skipped (
    folder_id INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    reason VARCHAR NOT NULL,
    detail VARCHAR DEFAULT '' NOT NULL,
    message_id VARCHAR DEFAULT '' NOT NULL,
    sent_at INTEGER DEFAULT 0 NOT NULL,
    subject VARCHAR DEFAULT '' NOT NULL,
    sender VARCHAR DEFAULT '' NOT NULL,
    size INTEGER DEFAULT 0 NOT NULL,
    flags INTEGER DEFAULT 0 NOT NULL,
    attempts INTEGER DEFAULT 0 NOT NULL,
    readmit BOOLEAN DEFAULT 0 NOT NULL,
    facts VARCHAR DEFAULT '' NOT NULL,
    PRIMARY KEY (folder_id, uid),
    FOREIGN KEY(folder_id) REFERENCES folder (id) ON DELETE CASCADE
) WITHOUT ROWID;

CREATE INDEX ix_skipped_sender ON skipped (sender);

CREATE INDEX ix_skipped_message_id ON skipped (message_id);

CREATE TABLE participant (
    message_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    address_id INTEGER NOT NULL,
    role VARCHAR NOT NULL,
    name VARCHAR DEFAULT '' NOT NULL,
    PRIMARY KEY (message_id, position),
    FOREIGN KEY(message_id) REFERENCES message (id) ON DELETE CASCADE,
    FOREIGN KEY(address_id) REFERENCES address (id)
) WITHOUT ROWID;

CREATE INDEX ix_participant_address_id ON participant (address_id);

-- What the models cannot say.
CREATE INDEX ix_message_loose ON message (loose_key) WHERE loose_key != '';
CREATE INDEX ix_message_from ON message (from_id);
CREATE INDEX ix_message_orphaned ON message (orphaned_at) WHERE orphaned_at > 0;
CREATE INDEX ix_thread_last ON thread (last_at DESC, id DESC);
CREATE INDEX ix_thread_link_newest ON thread_link (kind, record_id, last_at DESC, thread_id DESC) WHERE hand >= 0;
CREATE INDEX ix_thread_link_thread ON thread_link (thread_id);
CREATE INDEX ix_person_newest ON person (last_at DESC, id DESC) WHERE deleted_at = 0;
CREATE INDEX ix_company_newest ON company (last_at DESC, id DESC) WHERE deleted_at = 0;
CREATE INDEX ix_note_record ON note (kind, record_id, created_at);
CREATE INDEX ix_skipped_reason ON skipped (reason, sent_at DESC);
CREATE INDEX ix_skipped_readmit ON skipped (folder_id, uid) WHERE readmit;
CREATE UNIQUE INDEX ix_folder_name ON folder (account_id, name);

-- The search index keeps no text of its own: it reads this view. Its rowids are message ids, so
-- newest first is a walk, not a sort.
CREATE VIEW search_source AS
    SELECT message.id AS id, message.subject AS subject, message_text.people AS people, message_text.text AS text
    FROM message JOIN message_text ON message_text.message_id = message.id;
CREATE VIRTUAL TABLE search USING fts5 (
    subject, people, text,
    content = 'search_source', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
);
