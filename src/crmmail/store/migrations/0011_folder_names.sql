-- The name of a folder as the server spells it, which goes back to the server; `name` is for the eye.
ALTER TABLE folder ADD COLUMN wire BLOB NOT NULL DEFAULT x'';
