-- Which changes name a record: asked of each person and company that a rule made, when it is set back.
CREATE INDEX ix_record_change_old ON record_change (field, old);
CREATE INDEX ix_record_change_new ON record_change (field, new);

-- To whom I have written: asked for each listing of new mail (M5).
CREATE INDEX ix_address_written ON address (address) WHERE written;
