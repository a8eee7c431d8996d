-- Names while they are typed: any three letters of a name, an address, a domain, a subject.

-- A row's id is the id of what it names times 8, plus what that is: 1 person, 2 company (with its
-- domains), 3 opportunity, 4 address (with its name), 5 thread. How names are written down here is
-- in store/names.py.
CREATE VIRTUAL TABLE search_names USING fts5 (text, tokenize = 'trigram');
CREATE VIRTUAL TABLE search_subjects USING fts5 (text, tokenize = 'trigram');

-- Triggers note what has to be indexed anew, so that no writer has to know; the end of each write
-- does it, all at once: an index that is written to in a trigger is flushed with every statement.
CREATE TABLE search_stale (key INTEGER PRIMARY KEY);

INSERT INTO search_stale (key)
    SELECT id * 8 + 1 FROM person UNION ALL SELECT id * 8 + 2 FROM company
    UNION ALL SELECT id * 8 + 3 FROM opportunity UNION ALL SELECT id * 8 + 4 FROM address
    UNION ALL SELECT id * 8 + 5 FROM thread;

CREATE TRIGGER search_person_insert AFTER INSERT ON person BEGIN
    INSERT OR IGNORE INTO search_stale VALUES (NEW.id * 8 + 1);
END;
CREATE TRIGGER search_person_update AFTER UPDATE OF name ON person
WHEN NEW.name IS NOT OLD.name BEGIN
    INSERT OR IGNORE INTO search_stale VALUES (NEW.id * 8 + 1);
END;
CREATE TRIGGER search_person_delete AFTER DELETE ON person BEGIN
    INSERT OR IGNORE INTO search_stale VALUES (OLD.id * 8 + 1);
END;

CREATE TRIGGER search_company_insert AFTER INSERT ON company BEGIN
    INSERT OR IGNORE INTO search_stale VALUES (NEW.id * 8 + 2);
END;
CREATE TRIGGER search_company_update AFTER UPDATE OF name ON company
WHEN NEW.name IS NOT OLD.name BEGIN
    INSERT OR IGNORE INTO search_stale VALUES (NEW.id * 8 + 2);
END;
CREATE TRIGGER search_company_delete AFTER DELETE ON company BEGIN
    INSERT OR IGNORE INTO search_stale VALUES (OLD.id * 8 + 2);
END;
CREATE TRIGGER search_domain_insert AFTER INSERT ON company_domain BEGIN
    INSERT OR IGNORE INTO search_stale VALUES (NEW.company_id * 8 + 2);
END;
CREATE TRIGGER search_domain_update AFTER UPDATE ON company_domain BEGIN
    INSERT OR IGNORE INTO search_stale VALUES (OLD.company_id * 8 + 2), (NEW.company_id * 8 + 2);
END;
CREATE TRIGGER search_domain_delete AFTER DELETE ON company_domain BEGIN
    INSERT OR IGNORE INTO search_stale VALUES (OLD.company_id * 8 + 2);
END;

CREATE TRIGGER search_opportunity_insert AFTER INSERT ON opportunity BEGIN
    INSERT OR IGNORE INTO search_stale VALUES (NEW.id * 8 + 3);
END;
CREATE TRIGGER search_opportunity_update AFTER UPDATE OF name ON opportunity
WHEN NEW.name IS NOT OLD.name BEGIN
    INSERT OR IGNORE INTO search_stale VALUES (NEW.id * 8 + 3);
END;
CREATE TRIGGER search_opportunity_delete AFTER DELETE ON opportunity BEGIN
    INSERT OR IGNORE INTO search_stale VALUES (OLD.id * 8 + 3);
END;

CREATE TRIGGER search_address_insert AFTER INSERT ON address BEGIN
    INSERT OR IGNORE INTO search_stale VALUES (NEW.id * 8 + 4);
END;
CREATE TRIGGER search_address_update AFTER UPDATE OF address, name ON address
WHEN NEW.name IS NOT OLD.name OR NEW.address IS NOT OLD.address BEGIN
    INSERT OR IGNORE INTO search_stale VALUES (NEW.id * 8 + 4);
END;
CREATE TRIGGER search_address_delete AFTER DELETE ON address BEGIN
    INSERT OR IGNORE INTO search_stale VALUES (OLD.id * 8 + 4);
END;

CREATE TRIGGER search_thread_insert AFTER INSERT ON thread WHEN NEW.subject != '' BEGIN
    INSERT OR IGNORE INTO search_stale VALUES (NEW.id * 8 + 5);
END;
CREATE TRIGGER search_thread_update AFTER UPDATE OF subject ON thread
WHEN NEW.subject IS NOT OLD.subject BEGIN
    INSERT OR IGNORE INTO search_stale VALUES (NEW.id * 8 + 5);
END;
CREATE TRIGGER search_thread_delete AFTER DELETE ON thread BEGIN
    INSERT OR IGNORE INTO search_stale VALUES (OLD.id * 8 + 5);
END;
