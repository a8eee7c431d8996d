-- The resources of a calendar that its server fails to send (K8).

ALTER TABLE calendar ADD COLUMN failing VARCHAR DEFAULT '' NOT NULL;
