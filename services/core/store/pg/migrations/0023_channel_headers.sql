-- Headers that messages of the channel carry besides, sealed; empty when there are none.
ALTER TABLE channel ADD COLUMN headers bytea NOT NULL DEFAULT '';
