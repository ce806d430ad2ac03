-- Until when the signing secrets behind the first of a channel sign, too: while one takes the place of
-- another. NULL: for good, or there are none.
ALTER TABLE channel ADD COLUMN old_secrets_until timestamptz;
