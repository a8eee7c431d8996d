-- Amounts are whole numbers of the smallest unit of their currency (ISO 4217), also of currencies that
-- have not two decimals. Until now they were hundredths but for a few currencies without decimals, of
-- which the amounts stay as they are.
CREATE TEMP TABLE unit (currency TEXT PRIMARY KEY, of_a_hundredth REAL);
INSERT INTO unit VALUES ('CLF', 100), ('UYW', 100),
    ('BHD', 10), ('IQD', 10), ('JOD', 10), ('KWD', 10), ('LYD', 10), ('OMR', 10), ('TND', 10),
    ('BIF', 0.01), ('DJF', 0.01), ('GNF', 0.01), ('KMF', 0.01), ('RWF', 0.01), ('UYI', 0.01), ('VUV', 0.01);

UPDATE opportunity SET amount = CAST(round(amount * of_a_hundredth) AS INTEGER)
    FROM unit WHERE unit.currency = opportunity.currency;

-- What was changed of them is told as "1250 KWD".
UPDATE record_change SET old = CAST(round(CAST(old AS INTEGER) * of_a_hundredth) AS INTEGER) || ' ' || currency
    FROM unit WHERE field = 'amount' AND kind = 3 AND currency = substr(old, -3);
UPDATE record_change SET new = CAST(round(CAST(new AS INTEGER) * of_a_hundredth) AS INTEGER) || ' ' || currency
    FROM unit WHERE field = 'amount' AND kind = 3 AND currency = substr(new, -3);
DROP TABLE unit;
