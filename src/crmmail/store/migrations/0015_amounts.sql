-- Amounts are whole numbers of the smallest unit of their currency (ISO 4217), also of currencies that
-- have not two decimals. Until now they were hundredths but for a few currencies without decimals, of
-- which the amounts stay as they are.
UPDATE opportunity SET amount = CASE
        WHEN currency IN ('CLF', 'UYW') THEN amount * 100
        WHEN currency IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN amount * 10
        ELSE CAST(round(amount / 100.0) AS INTEGER) END
    WHERE currency IN ('CLF', 'UYW', 'BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND',
                       'BIF', 'DJF', 'GNF', 'KMF', 'RWF', 'UYI', 'VUV');

-- What was changed of them is told as "1250 KWD".
UPDATE record_change SET old = CASE
        WHEN substr(old, -3) IN ('CLF', 'UYW') THEN CAST(old AS INTEGER) * 100
        WHEN substr(old, -3) IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN CAST(old AS INTEGER) * 10
        ELSE CAST(round(CAST(old AS INTEGER) / 100.0) AS INTEGER) END || ' ' || substr(old, -3)
    WHERE field = 'amount' AND kind = 3
        AND substr(old, -3) IN ('CLF', 'UYW', 'BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND',
                                'BIF', 'DJF', 'GNF', 'KMF', 'RWF', 'UYI', 'VUV');
UPDATE record_change SET new = CASE
        WHEN substr(new, -3) IN ('CLF', 'UYW') THEN CAST(new AS INTEGER) * 100
        WHEN substr(new, -3) IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN CAST(new AS INTEGER) * 10
        ELSE CAST(round(CAST(new AS INTEGER) / 100.0) AS INTEGER) END || ' ' || substr(new, -3)
    WHERE field = 'amount' AND kind = 3
        AND substr(new, -3) IN ('CLF', 'UYW', 'BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND',
                                'BIF', 'DJF', 'GNF', 'KMF', 'RWF', 'UYI', 'VUV');
