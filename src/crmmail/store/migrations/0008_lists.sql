-- Lists without sorting: the newest contact first, ties by name, as they are shown. With the company,
-- because a filter looks at its name too: that of the people is walked without their table.
DROP INDEX ix_person_newest;
CREATE INDEX ix_person_newest
    ON person (last_at DESC, name COLLATE NOCASE, id, company_id) WHERE deleted_at = 0;
DROP INDEX ix_company_newest;
CREATE INDEX ix_company_newest
    ON company (last_at DESC, name COLLATE NOCASE, id) WHERE deleted_at = 0;

-- A person's addresses, the primary one first, without a look at the table.
CREATE INDEX ix_address_of_person
    ON address (person_id, is_primary DESC, id, address) WHERE person_id IS NOT NULL;
